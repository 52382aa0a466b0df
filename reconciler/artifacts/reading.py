"""Reads an input in order to send it: once, through one descriptor, and only if its content is the planned one.

A key is computed from a file's hash long before the file is sent; meanwhile the file may be saved again, or be replaced
by a link or a pipe. All sent bytes come from here, so they are the hashed ones (never-pay-twice#f79).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from reconciler.artifacts import files
from reconciler.diagnostics import ArtifactError
from reconciler.next_command import command
from reconciler.state import disk

CHANGED: Final = "changed"
"""The code of an error for a file whose content is not the expected one."""

HEAD = 4096
"""Bytes that identify a media format."""


class InputFile:
    """An open input. `size` and `head` decide how it is sent; `content` is sent."""

    def __init__(self, label: str, descriptor: int) -> None:
        self._label, self._descriptor = label, descriptor
        self.size = os.fstat(descriptor).st_size
        self.head = os.pread(descriptor, HEAD, 0)

    def content(self, sha256: str) -> bytes:
        """Return the content. Raises ArtifactError, code `CHANGED`, if its hash differs; never reads past `size`."""
        return b"".join(self._checked(sha256, self.size + 1))

    def file(self, sha256: str) -> BinaryIO:
        """Return the open file, for content that is too large to be held in memory. Raises as `content`."""
        for _ in self._checked(sha256, files.CHUNK):
            pass
        return open(self._descriptor, "rb", closefd=False)

    def _checked(self, sha256: str, at_once: int) -> Iterator[bytes]:
        """Yield the content, so many bytes at once. Raises ArtifactError at its end if it is not the planned one."""
        hasher, size = hashlib.sha256(), 0
        with disk.translated(f"read {self._label}", ArtifactError):
            for chunk in files.chunks(self._descriptor, at_once):
                size += len(chunk)
                if size > self.size:
                    break
                hasher.update(chunk)
                yield chunk
        if size != self.size or hasher.hexdigest() != sha256:
            help = f"{command('apply')} plans again with the new content"
            raise ArtifactError(f"{self._label} changed while applying", help=help, code=CHANGED)


@contextmanager
def opened(path: Path, label: str) -> Iterator[InputFile]:
    """Open a regular file; messages call it `label`. Opening never blocks, so that a FIFO cannot hang us."""
    with disk.translated(f"read {label}", ArtifactError):
        descriptor = os.open(os.path.realpath(path), disk.READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArtifactError(f"{label} is not a regular file", code="not-a-file")
        yield InputFile(label, descriptor)
    finally:
        os.close(descriptor)
