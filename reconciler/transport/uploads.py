"""Uploads a local file to a provider that hosts inputs, by executing the dialect's steps until the last one."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import field
from pathlib import Path

from reconciler.clock import Clock
from reconciler.diagnostics import ProviderError
from reconciler.frozen import dataclass
from reconciler.providers import capabilities
from reconciler.providers.base import PollTrouble, Reply
from reconciler.transport import replies
from reconciler.transport.channel import Channel
from reconciler.transport.fetch import MediaClient
from reconciler.transport.pacing import Rank

STEPS = 40
"""More steps than any provider needs: a file that is still not ready after these never will be."""
LONGEST_WAIT = 60.0
"""Seconds between two status checks of a file, whatever the step asks for."""
LARGEST = 512 * 1024 * 1024
"""Bytes of a file for a provider without a limit; it is held in memory, so the hashed bytes are the sent ones.
"""


@dataclass(frozen=True, slots=True)
class UploadFile:
    """A file to upload, read once, named by its hash and never by the user's name."""

    label: str
    name: str
    content_type: str
    content: bytes = field(repr=False)

    @classmethod
    def read(cls, path: Path, sha256: str, content_type: str, maximum: int | None) -> UploadFile:
        """Read a file and check that it still has this hash. Raises ProviderError."""
        content = _read(path, maximum or LARGEST)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ProviderError(f"{path.name} changed while it was being published", code="input-changed")
        suffix = path.suffix.lower()
        is_plain = suffix[1:].isalnum() and suffix.isascii()
        return cls(path.name, sha256[:32] + (suffix if is_plain else ""), content_type, content)


async def upload(
    dialect: capabilities.Uploads, channel: Channel, media: MediaClient, clock: Clock, file: UploadFile
) -> capabilities.Hosted:
    """Upload a file; return its URL. Raises ProviderError."""

    async def do(step: capabilities.UploadAction) -> Reply | PollTrouble:
        match step:
            case capabilities.AskFirst(request, wait):
                await clock.sleep(min(wait, LONGEST_WAIT))
                return await channel.ask(request, Rank.SUBMIT)
            case capabilities.SendForm(path, name):
                return await channel.form(path, replies.Form(name, file.name, file.content_type, file.content))
            case capabilities.PutBytes(url, content_type):
                return await media.put(url, content_type, file.content)

    step: capabilities.UploadStep = dialect.upload(file.name, file.content_type)
    for _ in range(STEPS):
        match step:
            case capabilities.Hosted():
                return step
            case capabilities.UploadRefused(message) | PollTrouble(message):
                reason = channel.redactor.text(message)
                raise ProviderError(f"{file.label} could not be published: {reason}", code="upload")
            case _:
                reply = await do(step)
                step = reply if isinstance(reply, PollTrouble) else dialect.read_upload(step, reply)
    text = f"{file.label} could not be published: the provider did not finish processing it"
    raise ProviderError(text, code="upload")


def _read(path: Path, maximum: int) -> bytes:
    """Return a regular file's bytes through one descriptor; reading a pipe or a device may never end."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ProviderError(f"{path.name} is not a regular file", code="upload")
        content = file.read(maximum + 1)
    if len(content) > maximum:
        raise ProviderError(f"{path.name} is larger than {maximum} bytes, the provider's limit", code="upload")
    return content
