"""The content-addressed store: whole or absent, once, and mended rather than trusted (I4, I5, F6, F25)."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.artifacts.store import WORTH_LISTING, Health, Objects, Stored
from reconciler.diagnostics import ArtifactError

FILM = b"film" * 5000
SHA = hashlib.sha256(FILM).hexdigest()


def _add(objects: Objects, data: bytes = FILM) -> Stored:
    with objects.part("hero") as part:
        part.write(data)
        return part.commit(".mp4")


def _parts(objects: Objects) -> list[str]:
    return os.listdir(objects.root / "tmp")


@contextmanager
def _full_disk(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_committed_part_is_under_its_hash_and_read_only(objects: Objects) -> None:
    assert _add(objects) == Stored(SHA, ".mp4", len(FILM))
    path = objects.path(SHA, ".mp4")
    assert path == objects.root / SHA[:2] / f"{SHA}.mp4"
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (FILM, 0o444)
    assert _parts(objects) == []
    assert list(objects) == [Stored(SHA, ".mp4", len(FILM))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(chunks=st.lists(st.binary(max_size=50), max_size=5).filter(any))
def test_it_does_not_matter_in_which_pieces_content_comes(objects: Objects, chunks: list[bytes]) -> None:
    with objects.part("x") as part:
        for chunk in chunks:
            part.write(chunk)
        stored = part.commit(".png")
    assert stored == Stored(hashlib.sha256(b"".join(chunks)).hexdigest(), ".png", len(b"".join(chunks)))
    assert objects.verify(stored.sha256, ".png") is Health.SOUND


def test_another_program_may_write_the_part(objects: Objects) -> None:
    with objects.part("render") as part:
        part.path.write_bytes(FILM)
        assert part.commit(".mp4").sha256 == SHA


def test_another_program_may_not_replace_the_part_or_write_beside_us(objects: Objects) -> None:
    with objects.part("render") as part:
        part.path.unlink()
        part.path.write_bytes(FILM)
        with pytest.raises(ArtifactError, match="replaced"):
            part.commit(".mp4")
    with objects.part("render") as part:
        part.write(FILM)
        with part.path.open("ab") as file:
            file.write(b"more")
        with pytest.raises(ArtifactError, match="size"):
            part.commit(".mp4")
    assert (list(objects), _parts(objects)) == ([], [])


def test_what_is_not_committed_is_gone(objects: Objects) -> None:
    with pytest.raises(KeyboardInterrupt), objects.part("hero") as part:
        part.write(FILM)
        raise KeyboardInterrupt
    assert (list(objects), _parts(objects)) == ([], [])


REFUSED = [(b"", ".mp4", "empty"), (FILM, ".exe", "holds"), (FILM, "", "holds")]


@pytest.mark.parametrize(("data", "suffix", "word"), REFUSED)
def test_only_sound_content_with_a_known_suffix_is_taken(objects: Objects, data: bytes, suffix: str, word: str) -> None:
    with objects.part("hero") as part, pytest.raises(ArtifactError, match=word):
        part.write(data)
        part.commit(suffix)
    assert list(objects) == []


def test_the_same_content_is_kept_once(objects: Objects) -> None:
    _add(objects)
    inode = objects.path(SHA, ".mp4").stat().st_ino
    _add(objects)
    assert objects.path(SHA, ".mp4").stat().st_ino == inode


@pytest.mark.parametrize("damage", [b"", b"film" * 4999 + b"fill", b"short"])
def test_a_damaged_object_is_found_and_mended_by_the_right_content(objects: Objects, damage: bytes) -> None:
    _add(objects)
    path = objects.path(SHA, ".mp4")
    path.chmod(0o644)
    path.write_bytes(damage)
    assert objects.verify(SHA, ".mp4") is Health.DAMAGED
    _add(objects)
    assert objects.verify(SHA, ".mp4") is Health.SOUND


def test_a_link_or_a_folder_is_no_object(objects: Objects) -> None:
    _add(objects)
    path = objects.path(SHA, ".mp4")
    path.rename(path.with_suffix(".bak"))
    path.symlink_to(path.with_suffix(".bak").name)
    assert objects.verify(SHA, ".mp4") is Health.DAMAGED
    path.unlink()
    path.mkdir()
    assert objects.verify(SHA, ".mp4") is Health.DAMAGED
    with pytest.raises(ArtifactError):
        _add(objects)


def test_has_is_by_name_and_size(objects: Objects) -> None:
    assert not objects.has(SHA, ".mp4")
    assert objects.verify(SHA, ".mp4") is Health.MISSING
    _add(objects)
    assert objects.has(SHA, ".mp4")
    assert objects.has(SHA, ".mp4", len(FILM))
    assert not objects.has(SHA, ".mp4", 1)
    assert not objects.has(SHA, ".png")


@pytest.mark.parametrize("sha256", ["..", "", "ab", "../" * 20, "AB" * 32, "ab" * 31 + "/.", "ab" * 32 + "\0"])
def test_what_is_no_hash_is_no_path(objects: Objects, sha256: str) -> None:
    with pytest.raises(ArtifactError, match="not the name of an object"):
        objects.path(sha256, ".mp4")


def test_a_deleted_object_is_gone(objects: Objects) -> None:
    _add(objects)
    assert objects.delete(SHA, ".mp4")
    assert not objects.delete(SHA, ".mp4")
    assert list(objects) == []


def test_a_file_is_copied_in_through_one_descriptor(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "take.mp4").write_bytes(FILM)
    assert objects.add(tmp_path / "take.mp4", ".mp4").sha256 == SHA
    assert (tmp_path / "take.mp4").read_bytes() == FILM


def test_only_a_regular_file_can_be_added(objects: Objects, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    for name in ("fifo", "link", "missing", "."):
        with pytest.raises(ArtifactError):
            objects.add(tmp_path / name, ".mp4")
    assert list(objects) == []


@pytest.mark.parametrize("name", ["../../etc", "a/b", "片段", "", "x" * 500, "a\0b", "..", "tmp.part"])
def test_any_name_gives_a_part_inside_the_store_that_a_sweep_knows(objects: Objects, name: str) -> None:
    child = os.fork()
    if child == 0:
        with objects.part(name) as part:
            part.write(FILM)
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert len(_parts(objects)) == 1
    assert (list(objects), objects.sweep(), _parts(objects)) == ([], 1, [])


def test_a_sweep_leaves_what_is_not_ours(objects: Objects) -> None:
    _add(objects)
    (objects.root / "tmp" / "notes.txt").write_text("mine")
    assert (objects.sweep(), _parts(objects), len(list(objects))) == (0, ["notes.txt"], 1)
    assert Objects(objects.root / "nowhere").sweep() == 0


def test_a_full_disk_leaves_nothing_and_says_so(objects: Objects) -> None:
    with _full_disk(1000), objects.part("hero") as part, pytest.raises(ArtifactError, match="disk is full") as error:
        part.write(FILM)
    assert (error.value.code, list(objects), _parts(objects)) == ("disk-full", [], [])
    _add(objects)


def test_space_is_asked_for_before_it_is_needed(objects: Objects) -> None:
    objects.require_space(1)
    with pytest.raises(ArtifactError, match="storing a clip needs"):
        objects.require_space(1 << 60)


def test_a_store_that_cannot_be_made_is_a_plain_error() -> None:
    with pytest.raises(ArtifactError, match="cannot write to the artifact store"), Objects(Path("/proc/x")).part("a"):
        pass


FULL_FOLDER = [f"{n:064x}" for n in range(WORTH_LISTING)]
OTHER = "f" * 64


def _fill_a_folder(objects: Objects) -> None:
    (objects.root / "00").mkdir(parents=True)
    for name in FULL_FOLDER[1:]:
        (objects.root / "00" / f"{name}.mp4").write_bytes(FILM)


@pytest.mark.parametrize("disturb", ["", "unreadable folder", "folder is a file", "no store", "in another folder"])
def test_listing_gives_what_a_look_at_each_object_gives(objects: Objects, disturb: str) -> None:
    _fill_a_folder(objects)
    asked = [(name, suffix) for name in (*FULL_FOLDER, OTHER, _add(objects).sha256) for suffix in (".mp4", ".png")]
    folder = objects.root / "00"
    match disturb:
        case "unreadable folder":
            folder.chmod(0o300)
        case "folder is a file":
            folder.rename(objects.root / "elsewhere")
            folder.write_bytes(b"")
        case "no store":
            objects = Objects(objects.root / "nowhere")
        case "in another folder":
            (folder / f"{OTHER}.mp4").write_bytes(FILM)
    try:
        assert sorted(objects.having(asked)) == sorted(one for one in asked if objects.has(*one))
    finally:
        folder.chmod(0o700)


def test_many_objects_of_a_folder_cost_one_list(objects: Objects) -> None:
    looks: list[str] = []

    class Counting(Objects):
        def has(self, sha256: str, suffix: str, size: int | None = None) -> bool:
            looks.append(sha256)
            return super().has(sha256, suffix, size)

    _fill_a_folder(objects)
    counting = Counting(objects.root.parent)
    assert len(list(counting.having((name, ".mp4") for name in FULL_FOLDER))) == len(FULL_FOLDER) - 1
    assert looks == [FULL_FOLDER[0]]  # which does not exist


@pytest.mark.parametrize("name", ["../" + "0" * 61, "A" * 64, "", "0" * 63 + "/"])
def test_a_name_that_is_none_is_refused_in_a_list_too(objects: Objects, name: str) -> None:
    with pytest.raises(ArtifactError, match="not the name of an object"):
        list(objects.having([(name, ".mp4")]))
