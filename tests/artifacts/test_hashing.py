"""Hashing inputs: one descriptor, regular files of the project only, and a cache that is never wrong (F23, F79)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.artifacts import files
from reconciler.artifacts.allowed_paths import AllowedPaths
from reconciler.artifacts.hashing import Hashed, Hasher
from reconciler.diagnostics import ArtifactError

BYTES = b"still" * 100
HASHED = Hashed(hashlib.sha256(BYTES).hexdigest(), len(BYTES))


def _hasher(root: Path, later: float = 60.0, allow: Sequence[str] = ()) -> Hasher:
    """A hasher whose clock is so many seconds after the newest file."""
    newest = max((path.stat().st_ctime for path in root.rglob("*") if path.is_file()), default=0.0)
    return Hasher(AllowedPaths.of(root, root / "state", allow), lambda: newest + later, limit=10_000)


@pytest.fixture
def still(root: Path) -> Path:
    (root / "still.png").write_bytes(BYTES)
    return root / "still.png"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one each time that a file's content is read."""
    seen: list[int] = []
    digest = files.digest
    monkeypatch.setattr(files, "digest", lambda descriptor: (seen.append(descriptor), digest(descriptor))[1])
    return seen


def test_an_unchanged_file_is_read_once(root: Path, still: Path, reads: list[int]) -> None:
    for _ in range(3):
        hasher = _hasher(root)
        assert hasher.hash("still.png") == HASHED
        assert hasher.hash("./still.png") == HASHED
        hasher.save()
    assert len(reads) == 1


def test_a_file_that_has_just_changed_is_read_again(root: Path, still: Path, reads: list[int]) -> None:
    for _ in range(3):
        hasher = _hasher(root, later=1.9)
        hasher.hash("still.png")
        hasher.save()
    assert len(reads) == 3


def test_a_changed_file_has_a_new_hash_even_if_it_looks_the_same(root: Path, still: Path) -> None:
    hasher = _hasher(root)
    hasher.hash("still.png")
    hasher.save()
    status = still.stat()
    still.write_bytes(BYTES[::-1])
    os.utime(still, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert _hasher(root).hash("still.png").sha256 == hashlib.sha256(BYTES[::-1]).hexdigest()


@pytest.mark.parametrize("damage", [b"", b"x", b"0" * 64 + b"\n{}", b"\xff" * 200])
def test_a_damaged_cache_is_no_cache(root: Path, still: Path, damage: bytes) -> None:
    (root / "state" / "hashes").write_bytes(damage)
    assert _hasher(root).hash("still.png") == HASHED


def test_no_bit_of_the_cache_can_change_a_hash(root: Path, still: Path) -> None:
    hasher = _hasher(root)
    hasher.hash("still.png")
    hasher.save()
    data = (root / "state" / "hashes").read_bytes()
    for offset in range(len(data)):
        (root / "state" / "hashes").write_bytes(data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :])
        assert _hasher(root).hash("still.png") == HASHED


def test_a_cache_that_cannot_be_written_is_not_an_error(root: Path, still: Path) -> None:
    hasher = _hasher(root)
    hasher.hash("still.png")
    (root / "state" / "hashes").mkdir()
    hasher.save()
    (root / "state" / "hashes").rmdir()
    (root / "state").rmdir()
    hasher.save()
    assert not (root / "state").exists()  # looking does not make a state


def _code(root: Path, path: str) -> str:
    with pytest.raises(ArtifactError) as error:
        _hasher(root).hash(path)
    assert str(root) not in error.value.message
    return error.value.code


def test_what_cannot_be_an_input_is_told_by_its_code(root: Path, tmp_path: Path) -> None:
    (tmp_path / "private.png").write_bytes(BYTES)
    (root / "folder").mkdir()
    (root / "large.png").write_bytes(bytes(10_001))
    os.mkfifo(root / "fifo")
    (root / "out").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")
    (root / "state" / "clipform.db").write_bytes(b"db")
    cases = {
        **{"missing.png": "missing", "large.png/x": "missing", "a\0b": "not-a-file", "loop": "io"},
        **{"folder": "not-a-file", "fifo": "not-a-file", "large.png": "too-large", "../private.png": "outside"},
        **{"out/private.png": "outside", "/dev/zero": "outside", "state/clipform.db": "in-state"},
    }
    assert {path: _code(root, path) for path in cases} == cases


def test_a_link_within_the_project_is_followed(root: Path, still: Path) -> None:
    (root / "link.png").symlink_to("still.png")
    assert _hasher(root).hash("link.png") == HASHED
    assert _hasher(root).hash(str(still)) == HASHED


def test_what_the_project_allows_may_be_read_and_nothing_beside_it(root: Path, tmp_path: Path) -> None:
    for folder in ("brand", "brandy", "brand/sub"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "lamp.png").write_bytes(BYTES)
    (tmp_path / "brand/out.png").symlink_to(tmp_path / "brandy/lamp.png")
    (root / "link").symlink_to(tmp_path / "brand")
    (root / "state/clipform.db").write_bytes(b"db")
    (tmp_path / "brand/state").symlink_to(root / "state")
    for allow in ("../brand", str(tmp_path / "brand"), "link"):
        hasher = _hasher(root, allow=[allow])
        for path in ("../brand/lamp.png", str(tmp_path / "brand/sub/lamp.png"), "link/lamp.png"):
            assert hasher.hash(path) == HASHED
        for path in ("../brandy/lamp.png", "../brand/out.png"):
            with pytest.raises(ArtifactError, match="is outside the project") as refused:
                hasher.hash(path)
            assert refused.value.help.endswith("\ninputs: {allow: [../brandy]}")
        with pytest.raises(ArtifactError, match="state folder"):
            hasher.hash("../brand/state/clipform.db")


def test_a_file_outside_is_read_once_too(root: Path, tmp_path: Path, reads: list[int]) -> None:
    (tmp_path / "brand").mkdir()
    (tmp_path / "brand/lamp.png").write_bytes(BYTES)
    (root / "still.png").write_bytes(BYTES)
    for _ in range(3):
        hasher = _hasher(root, allow=["../brand"])
        hasher.hash("../brand/lamp.png")
        hasher.save()
    assert len(reads) == 1


def test_a_clock_that_jumps_makes_no_hash_stale(root: Path, still: Path) -> None:
    for number, later in enumerate((60.0, -1e6, 1e6, 0.0, -1.0, 3600.0)):
        content = bytes([number]) * len(BYTES)
        still.write_bytes(content)
        for _ in range(2):
            hasher = _hasher(root, later)
            assert hasher.hash("still.png").sha256 == hashlib.sha256(content).hexdigest()
            hasher.save()


def test_a_file_that_changes_while_it_is_read_has_no_hash(
    root: Path, still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = files.digest

    def slowly(descriptor: int) -> tuple[str, int]:
        found = digest(descriptor)
        still.write_bytes(BYTES + b"more")
        return found

    monkeypatch.setattr(files, "digest", slowly)
    assert _code(root, "still.png") == "changing"


@given(st.text(max_size=20))
def test_any_path_is_a_hash_or_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    hasher = Hasher(
        AllowedPaths.of(tmp_path_factory.getbasetemp(), tmp_path_factory.getbasetemp() / "state"), lambda: 0.0
    )
    with pytest.raises(ArtifactError):
        hasher.hash(path)
