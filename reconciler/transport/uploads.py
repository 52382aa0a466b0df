"""Hands a local file to a vendor that hosts inputs: walks the dialect's steps until one is the end."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.clock import Clock
from reconciler.diagnostics import ProviderError
from reconciler.providers.base import PollTrouble, Reply
from reconciler.providers.capabilities import (
    AskFirst,
    Hosted,
    PutBytes,
    SendForm,
    UploadAction,
    UploadRefused,
    Uploads,
    UploadStep,
)
from reconciler.transport import replies
from reconciler.transport.channel import Channel
from reconciler.transport.fetch import Media
from reconciler.transport.pacing import Rank

STEPS = 40
"""More steps than any vendor takes: a file that is still not ready then never will be."""
LONGEST_WAIT = 60.0
"""Seconds between two looks at a file, whatever the step says."""
LARGEST = 512 * 1024 * 1024
"""Bytes of a file for a vendor that names no limit; it is held in memory, so that what is hashed is what is sent."""


@dataclass(frozen=True, slots=True)
class File:
    """What is sent, read once, under a name that is its hash and never the user's."""

    label: str
    name: str
    content_type: str
    content: bytes = field(repr=False)

    @classmethod
    def read(cls, path: Path, sha256: str, content_type: str, most: int | None) -> File:
        """The file, if it still is what was hashed. Raises ProviderError."""
        content = _read(path, most or LARGEST)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ProviderError(f"{path.name} changed while it was being published", code="input-changed")
        suffix = path.suffix.lower()
        plain = suffix[1:].isalnum() and suffix.isascii()
        return cls(path.name, sha256[:32] + (suffix if plain else ""), content_type, content)


async def upload(dialect: Uploads, channel: Channel, media: Media, clock: Clock, file: File) -> Hosted:
    """The URL that stands for the file. Raises ProviderError."""

    async def do(step: UploadAction) -> Reply | PollTrouble:
        match step:
            case AskFirst(request, wait):
                await clock.sleep(min(wait, LONGEST_WAIT))
                return await channel.ask(request, Rank.SUBMIT)
            case SendForm(path, name):
                return await channel.form(path, replies.Form(name, file.name, file.content_type, file.content))
            case PutBytes(url, content_type):
                return await media.put(url, content_type, file.content)

    step: UploadStep = dialect.upload(file.name, file.content_type)
    for _ in range(STEPS):
        match step:
            case Hosted():
                return step
            case UploadRefused(message) | PollTrouble(message):
                words = channel.redactor.text(message)
                raise ProviderError(f"{file.label} could not be published: {words}", code="upload")
            case _:
                reply = await do(step)
                step = reply if isinstance(reply, PollTrouble) else dialect.read_upload(step, reply)
    raise ProviderError(f"{file.label} could not be published: the provider is not done with it", code="upload")


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
