"""Reading an input to send it: once, through one descriptor, and only if it is what was planned.

A key is computed from a file's hash long before the file is sent; in between it may be saved again, or be replaced by
a link or a pipe. Whoever sends bytes takes them from here: what is hashed is what is sent (F79).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.artifacts import files
from reconciler.diagnostics import ArtifactError
from reconciler.state import disk

HEAD = 4096
"""Bytes from which a media format is recognised."""


class InputFile:
    """An open input. `size` and `head` are enough to decide how it is sent; `content` is what is sent."""

    def __init__(self, shown: str, descriptor: int) -> None:
        self._shown, self._descriptor = shown, descriptor
        self.size = os.fstat(descriptor).st_size
        self.head = os.pread(descriptor, HEAD, 0)

    def content(self, sha256: str) -> bytes:
        """Everything in it. ArtifactError, code `changed`, unless that is what was planned; never reads past `size`."""
        found = bytearray()
        with disk.translated(f"read {self._shown}", ArtifactError):
            for chunk in files.chunks(self._descriptor):
                found += chunk
                if len(found) > self.size:
                    break
        if len(found) != self.size or hashlib.sha256(found).hexdigest() != sha256:
            help = "clipform apply plans again with the new content"
            raise ArtifactError(f"{self._shown} changed while applying", help=help, code="changed")
        return bytes(found)


@contextmanager
def opened(path: Path, shown: str) -> Iterator[InputFile]:
    """A regular file, open. `shown` is what messages call it. Opening never waits, so that a FIFO cannot hang us."""
    with disk.translated(f"read {shown}", ArtifactError):
        descriptor = os.open(os.path.realpath(path), disk.READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArtifactError(f"{shown} is not a regular file", code="not-a-file")
        yield InputFile(shown, descriptor)
    finally:
        os.close(descriptor)
