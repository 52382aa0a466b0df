"""Durable files: whole or absent, and the operating system's errors in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from reconciler.diagnostics import ArtifactError, StateError
from reconciler.state import disk

# what the system says, what we say, and the code that goes with it
WORDS = [
    (errno.ENOSPC, "the disk is full", "disk-full"),
    (errno.EDQUOT, "the disk is full", "disk-full"),
    (errno.EFBIG, "the disk is full", "disk-full"),
    (errno.EROFS, "the file system is read-only", "read-only"),
    (errno.EACCES, "permission denied", "read-only"),
    (errno.EPERM, "permission denied", "read-only"),
    (errno.EIO, "input/output error", "io"),
]


@pytest.mark.parametrize(("number", "words", "code"), WORDS)
def test_an_error_is_told_in_words(number: int, words: str, code: str) -> None:
    for kind in (StateError, ArtifactError):
        with pytest.raises(kind, match=f"cannot write x: {words}") as error, disk.translated("write x", kind):
            raise OSError(number, os.strerror(number), "/home/someone/private")
        assert error.value.code == code
        assert "private" not in error.value.message


def test_a_replaced_file_is_the_old_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    disk.replace(path, b"old")
    for name in ("fsync", "replace", "write"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, _fail)
            with pytest.raises(OSError, match="broken"):
                disk.replace(path, b"new")
        assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("file", b"old")]
    disk.replace(path, b"new")
    assert path.read_bytes() == b"new"


def _fail(*_: object) -> int:
    raise OSError(errno.EIO, "broken")


def test_folders_are_made_once(tmp_path: Path) -> None:
    for _ in range(2):
        disk.make_directories(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()
