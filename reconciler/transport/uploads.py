"""Hands a local file to a vendor that hosts inputs: walks the dialect's steps until one is the end."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Protocol

from reconciler.diagnostics import ProviderError
from reconciler.providers.abilities import (
    AskFirst,
    Hosted,
    PutBytes,
    SendForm,
    UploadAction,
    UploadRefused,
    Uploads,
    UploadStep,
)
from reconciler.providers.base import PollTrouble, Reply, Request
from reconciler.transport.ports import Clock

STEPS = 40
"""More steps than any vendor takes: a file that is still not ready then never will be."""
LARGEST = 512 * 1024 * 1024
"""Bytes of a file for a vendor that names no limit; it is held in memory, so that what is hashed is what is sent."""


class Channels(Protocol):
    """The three ways a step goes out."""

    async def ask(self, request: Request) -> Reply | PollTrouble:
        """A request with credentials."""

    async def form(self, step: SendForm, name: str, content_type: str, content: bytes) -> Reply | PollTrouble:
        """A form with credentials."""

    async def put(self, url: str, content_type: str, content: bytes) -> Reply:
        """Bytes for a foreign host, without credentials. Raises ProviderError."""


class _File:
    """What is sent, read once."""

    def __init__(self, path: Path, sha256: str, content_type: str, most: int) -> None:
        self.content = _read(path, most)
        if hashlib.sha256(self.content).hexdigest() != sha256:
            raise ProviderError(f"{path.name} changed while it was being published", code="input-changed")
        suffix = path.suffix.lower()
        self.name = sha256[:32] + (suffix if suffix[1:].isalnum() and suffix.isascii() else "")
        self.content_type = content_type


async def upload(dialect: Uploads, channels: Channels, clock: Clock, path: Path, sha256: str, kind: str) -> Hosted:
    """The URL that stands for the file. Its name there is its hash, never the user's. Raises ProviderError."""
    file = _File(path, sha256, kind, dialect.upload_max_bytes or LARGEST)
    step: UploadStep = dialect.upload(file.name, kind)
    for _ in range(STEPS):
        match step:
            case Hosted():
                return step
            case UploadRefused(message) | PollTrouble(message):
                raise ProviderError(f"{path.name} could not be published: {message}", code="upload")
            case _:
                reply = await _do(step, channels, clock, file)
                step = reply if isinstance(reply, PollTrouble) else dialect.read_upload(step, reply)
    raise ProviderError(f"{path.name} could not be published: the provider is not done with it", code="upload")


async def _do(step: UploadAction, channels: Channels, clock: Clock, file: _File) -> Reply | PollTrouble:
    match step:
        case AskFirst(request, wait):
            await clock.sleep(min(wait, 60.0))
            return await channels.ask(request)
        case SendForm():
            return await channels.form(step, file.name, file.content_type, file.content)
        case PutBytes(url, content_type):
            return await channels.put(url, content_type, file.content)


def _read(path: Path, most: int) -> bytes:
    """A regular file's bytes through one descriptor; a pipe or a device would never end."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ProviderError(f"{path.name} is not a regular file", code="upload")
        content = file.read(most + 1)
    if len(content) > most:
        raise ProviderError(f"{path.name} is larger than the {most} bytes that the provider takes", code="upload")
    return content
