"""The project's `publish` store: gives local media a URL, for providers that take nothing else.

An object's name is its content's SHA-256, so a file is put there once whoever publishes it, and the truth about what is
there is the store itself: one look per file and run, and no memory of ours that a clean-up rule of the bucket could
make a lie. A presigned link is a key to what it names: it is made anew for each use, handed out, and kept and shown
nowhere. For the same reason no text of the store's errors leaves this module: they quote the request that was signed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote

from reconciler.artifacts.buckets import bucket_of, connect, open_address, wrong
from reconciler.diagnostics import ArtifactError

if TYPE_CHECKING:
    from obstore import Attributes
    from obstore.store import ObjectStore, S3Store

LONGEST: Final = 7 * 24 * 3600.0
"""Seconds: no store signs for longer."""
DEFAULT_LIFE: Final = 24 * 3600.0
AT_ONCE: Final = 4
"""Files on their way at once: each is in memory whole."""


@dataclass(frozen=True, slots=True)
class Published:
    """A link to a published object, good for `life` seconds; None for as long as the object is there."""

    url: str = field(repr=False)
    life: float | None


class Publisher:
    """The store of a `publish` section. `env` is where credentials are looked up."""

    def __init__(self, section: Mapping[str, object], env: Mapping[str, str]) -> None:
        """Raises ClipformError for a section that makes no sense. Credentials are another matter: see `open`."""
        self.bucket = bucket_of(section, "publish.store")
        self.public_url = open_address(str(section.get("public_url", "")), "publish.public_url").rstrip("/")
        self.life = float(str(section.get("expires", DEFAULT_LIFE)))
        if self.life > LONGEST:
            raise wrong("publish.expires: stores sign for at most 7 days", "set 168h or less")
        if self.bucket.scheme == "file" and not self.public_url:
            raise wrong("publish: a folder has no links of its own", "add `public_url:`, where the folder can be read")
        self._env = env
        self._opened: ObjectStore | None = None
        self._seen: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    def __repr__(self) -> str:
        return f"Publisher({self.bucket})"

    def open(self) -> ObjectStore:
        """The store, with a way in. Raises ClipformError, so call it before any money is spent. Contacts nobody."""
        if self._opened is None:
            self._opened = connect(self.bucket, self._env)
        return self._opened

    async def publish(self, name: str, content_type: str, read: Callable[[], bytes]) -> Published:
        """A link to the content that `read` gives, as `name`. Raises ArtifactError, and what `read` does."""
        async with self._locks.setdefault(name, asyncio.Lock()):
            if name not in self._seen:
                await self._ensure(name, content_type, read)
                self._seen.add(name)
        return await self._link(name)

    async def _ensure(self, name: str, content_type: str, read: Callable[[], bytes]) -> None:
        async with self._turns:
            content = await asyncio.to_thread(read)
            found = await self._size(name)
            if found is None:
                await self._put(name, content_type, content)
            elif found != len(content):
                message = f"the publish store {self.bucket} has something else as {name}"
                help = "remove that object: clipform names objects by their content"
                raise ArtifactError(message, help=help, code="publish")

    async def _size(self, name: str) -> int | None:
        """Of what the store has under a name; None when it has nothing.

        S3 says "forbidden" instead of "not found" to whoever may not list the bucket: then the write will tell.
        """
        import obstore
        from obstore.exceptions import BaseError, PermissionDeniedError

        try:
            return (await obstore.head_async(self.open(), name))["size"]
        except (FileNotFoundError, PermissionDeniedError):
            return None
        except (BaseError, OSError) as error:
            raise self._failed("look into", error) from None

    async def _put(self, name: str, content_type: str, content: bytes) -> None:
        """Create it, unless another run just did."""
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

        try:
            await self._create(name, content_type, content)
        except (AlreadyExistsError, PreconditionError):
            return
        except (BaseError, OSError) as error:
            raise self._failed("write to", error) from None

    async def _create(self, name: str, content_type: str, content: bytes) -> None:
        """A store that cannot say "only if absent" is written to all the same: by its name the content is the same."""
        import obstore

        store = self.open()
        about: Attributes | None = None if self.bucket.scheme == "file" else {"Content-Type": content_type}
        try:
            await obstore.put_async(store, name, content, mode="create", attributes=about, use_multipart=False)
        except NotImplementedError:
            await obstore.put_async(store, name, content, attributes=about, use_multipart=False)

    async def _link(self, name: str) -> Published:
        import obstore
        from obstore.exceptions import BaseError

        if self.public_url:
            return Published(f"{self.public_url}/{quote(name)}", None)
        try:
            signing = cast("S3Store", self.open())  # a folder, the one that cannot sign, has a public address
            url = await obstore.sign_async(signing, "GET", name, timedelta(seconds=self.life))
        except (BaseError, OSError, ValueError) as error:
            raise self._failed("sign a link to", error) from None
        return Published(url, self.life)

    def _failed(self, doing: str, error: Exception) -> ArtifactError:
        """What went wrong, by the error's kind and the store's own code: the rest of its text may hold signatures."""
        from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

        code = re.search(r"<Code>([A-Za-z]{3,60})</Code>", str(error))
        why = f" ({code[1]})" if code else ""
        match error:
            case PermissionDeniedError() | UnauthenticatedError() | PermissionError():
                help = "check the credentials in the environment, and that they may read and write objects there"
            case FileNotFoundError():
                help = "check the name of the bucket, its region and its endpoint"
            case _:
                help = "check endpoint, region and network, then run the same command again"
        return ArtifactError(f"cannot {doing} the publish store {self.bucket}{why}", help=help, code="publish")
