"""The contract of the shared cache, kept by a folder and by S3: one claim wins, and no wrong byte comes back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from reconciler.artifacts.shelf import DAMAGED, NOT_SHARED, UNREACHABLE, Claim, Shelf
from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ArtifactError
from reconciler.records import LockEntry
from tests.artifacts.places import KEYS, Place, real_place
from tests.artifacts.radosgw import RealS3
from tests.engine.inputs.bucket import BucketServer

VIDEO = bytes(range(256)) * 1000
SHA = hashlib.sha256(VIDEO).hexdigest()
ENTRY = LockEntry(
    SHA, ".mp4", key="v1:aa", clip="lamp", take=1, provider="studio", kind="ark", model="m", task="t1", cost_micros=500
)
CLAIM = Claim("v1:aa", "owner-a", "film", "ana@mac", "2026-11-30 14:02:11 UTC", "0" * 32)


def stored(tmp_path: Path, content: bytes = VIDEO) -> Path:
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    return path


def failure(shelf: Shelf, tmp_path: Path) -> str:
    """The code with which a fetch fails; nothing is in the store then."""
    objects = Objects(tmp_path / "here")
    with pytest.raises(ArtifactError) as caught:
        shelf.fetch(SHA, ".mp4", objects)
    assert list(objects) == [] and KEYS["AWS_SECRET_ACCESS_KEY"] not in f"{caught.value.message} {caught.value.help}"
    return caught.value.code


def test_what_one_process_puts_there_another_fetches(place: Place, tmp_path: Path) -> None:
    assert failure(place.shelf(), tmp_path) == NOT_SHARED
    for _ in range(2):  # repeatable
        (place.shelf().put(SHA, stored(tmp_path)))
        (place.shelf().put_result(ENTRY))
    objects = Objects(tmp_path / "there")
    (place.shelf().fetch(SHA, ".mp4", objects))
    assert objects.path(SHA, ".mp4").read_bytes() == VIDEO
    assert (place.shelf().result("v1:aa", False)) == ENTRY
    assert (place.shelf().result("v1:aa", True)) is None  # a rehearsal is another thing
    assert (place.shelf().result("v1:bb", False)) is None
    assert not [name for name in place.names() if "canary" in name or ":" in name.rpartition("/")[2]]


@pytest.mark.parametrize(
    "content", [VIDEO[:-1], VIDEO + b"x", b"", VIDEO[::-1]], ids=["short", "long", "empty", "other"]
)
def test_a_wrong_object_is_named_and_one_of_another_size_is_replaced(
    place: Place, tmp_path: Path, content: bytes
) -> None:
    place.write(f"objects/{SHA}", content)
    assert failure(place.shelf(), tmp_path) == DAMAGED
    (place.shelf().put(SHA, stored(tmp_path)))
    if len(content) != len(VIDEO):
        (place.shelf().fetch(SHA, ".mp4", Objects(tmp_path / "there")))


def test_one_claim_wins_and_only_its_release_makes_room(place: Place) -> None:
    rivals = [replace(CLAIM, owner=f"owner-{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        [winner] = set(threads.map(lambda rival: place.shelf().claim(rival), rivals))
    assert (place.shelf().claimed("v1:aa", False)) == winner
    assert place.shelf().claim(replace(CLAIM, rehearsal=True)).rehearsal  # a place of its own
    (place.shelf().release(winner))
    (place.shelf().release(winner))  # repeatable
    assert (place.shelf().claim(CLAIM)) == CLAIM
    (place.shelf().release(winner))  # it has gone since, and the next one stays
    assert (place.shelf().claimed("v1:aa", False)) == CLAIM


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"key": "v1:bb"}', b"x" * 70_000], ids=range(6)
)
def test_a_result_or_a_claim_that_is_not_one_is_never_taken_for_absent(place: Place, content: bytes) -> None:
    for folder in ("results", "claims"):
        place.write(f"{folder}/v1-aa.json", content)
    for ask in (lambda: place.shelf().result("v1:aa", False), lambda: place.shelf().claim(CLAIM)):
        with pytest.raises(ArtifactError) as caught:
            ask()
        assert caught.value.code == DAMAGED


def test_who_may_only_read_fetches_and_writes_nothing(real_s3: RealS3, tmp_path: Path) -> None:
    place = real_place(real_s3, tmp_path)
    place.shelf().put(SHA, stored(tmp_path))
    place.shelf().put_result(ENTRY)
    present = place.names()
    reader = Shelf(place.section, real_s3.reader, tmp_path)
    reader.fetch(SHA, ".mp4", Objects(tmp_path / "there"))
    assert reader.result("v1:aa", False) == ENTRY
    for ask in (lambda: reader.claim(CLAIM), lambda: reader.put_result(replace(ENTRY, key="v1:bb"))):
        with pytest.raises(ArtifactError, match="refuses to write") as caught:
            ask()
        assert caught.value.code == UNREACHABLE
    assert place.names() == present


def test_a_wrong_key_is_refused_by_a_real_server(real_s3: RealS3, tmp_path: Path) -> None:
    place = real_place(real_s3, tmp_path)
    with pytest.raises(ArtifactError, match="SignatureDoesNotMatch") as caught:
        Shelf(place.section, {**real_s3.owner, "AWS_SECRET_ACCESS_KEY": "wrong"}, tmp_path).claim(CLAIM)
    assert caught.value.code == UNREACHABLE and place.names() == []


def test_a_store_that_refuses_or_is_gone_is_called_so(tmp_path: Path) -> None:
    with BucketServer() as server:
        section = {"remote": "s3://studio/clips", "endpoint": server.url, "region": "eu-central-1"}
        server.deny = {"GET", "PUT", "HEAD"}
        shelf = Shelf(section, KEYS, tmp_path)
        assert failure(shelf, tmp_path) == UNREACHABLE
        video = stored(tmp_path)
        for ask in (lambda: shelf.put(SHA, video), lambda: shelf.put_result(ENTRY), lambda: shelf.claim(CLAIM)):
            with pytest.raises(ArtifactError) as caught:
                ask()
            assert caught.value.code == UNREACHABLE
            assert KEYS["AWS_SECRET_ACCESS_KEY"] not in caught.value.message
        assert not shelf.memory.has("v1:aa", SHA)
    assert failure(Shelf({"remote": f"file://{tmp_path}/gone"}, {}, tmp_path), tmp_path) == UNREACHABLE
    assert not (tmp_path / "gone").exists()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BucketServer]:
    with BucketServer() as server:
        yield server


def shelf_at(server: BucketServer, state: Path) -> Shelf:
    return Shelf({"remote": "s3://studio/clips", "endpoint": server.url, "region": "x"}, KEYS, state)


def test_a_bucket_that_is_reset_in_the_middle_stores_nothing_here_and_the_next_fetch_gets_all(
    server: BucketServer, tmp_path: Path
) -> None:
    shelf = shelf_at(server, tmp_path)
    shelf.put(SHA, stored(tmp_path))
    server.resets["GET"] = 1_000
    assert failure(shelf, tmp_path) == UNREACHABLE
    assert [*(tmp_path / "here" / "objects" / "tmp").iterdir()] == []
    server.resets.clear()
    objects = Objects(tmp_path / "here")
    shelf.fetch(SHA, ".mp4", objects)
    assert objects.path(SHA, ".mp4").read_bytes() == VIDEO


def test_a_write_whose_answer_is_lost_is_found_done(server: BucketServer, tmp_path: Path) -> None:
    shelf, rival = shelf_at(server, tmp_path), replace(CLAIM, owner="owner-b", marker="1" * 32)
    for ask in (lambda: shelf.claim(CLAIM), lambda: shelf.put(SHA, stored(tmp_path)), lambda: shelf.put_result(ENTRY)):
        server.resets["PUT"] = 1
        ask()
        assert server.resets["PUT"] == 0
    assert shelf.claim(rival) == CLAIM  # its own claim was not taken for that of another, and nobody took it over
    assert shelf.result("v1:aa", False) == ENTRY
    assert server.objects[f"/studio/clips/objects/{SHA}"][1] == VIDEO


def test_a_slow_bucket_keeps_nobody_else_waiting(server: BucketServer, tmp_path: Path) -> None:
    shelf, objects = shelf_at(server, tmp_path), Objects(tmp_path / "here")
    shelf.put(SHA, stored(tmp_path))
    server.goes_on.clear()
    with ThreadPoolExecutor(1) as threads:
        fetching = threads.submit(shelf.fetch, SHA, ".mp4", objects)
        assert server.waiting.wait(60)
        assert shelf.claim(CLAIM) == CLAIM and list(objects) == []
        server.goes_on.set()
        fetching.result(60)
    assert objects.path(SHA, ".mp4").read_bytes() == VIDEO


def test_the_objects_of_a_folder_are_listed_with_their_sizes_and_deleted(place: Place) -> None:
    shelf = place.shelf()
    assert shelf.listing("drafts") == {}
    place.write(f"drafts/{SHA}", b"abc")
    place.write(f"inputs/{SHA}", b"a")
    [(name, (size, written))] = shelf.listing("drafts").items()
    assert (name, size) == (SHA, 3) and written > 1_600_000_000
    shelf.delete(f"drafts/{SHA}")
    shelf.delete(f"drafts/{SHA}")  # repeatable
    assert shelf.listing("drafts") == {} and [*shelf.listing("inputs")] == [SHA]


def test_an_old_input_is_written_again_for_a_new_order(server: BucketServer, tmp_path: Path) -> None:
    shelf, put = shelf_at(server, tmp_path), partial(shelf_at(server, tmp_path).put, SHA, stored(tmp_path), "inputs")
    put()
    written = shelf.listing("inputs")[SHA][1]
    for since, puts in ((written, 1), (written + 1, 2)):  # `gc --remote` deletes by age
        put("sun.png", since)
        assert server.puts() == puts


@pytest.mark.parametrize("remote", ["s3://user:secret@bucket/clips", "ftp://host/clips", "clips", "s3://b/c?token=x"])
def test_an_address_with_a_password_or_of_another_kind_is_an_error(remote: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="not the address of an object store") as caught:
        Shelf({"remote": remote}, {}, tmp_path)
    assert "secret" not in str(caught.value)
