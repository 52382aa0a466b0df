"""The project's `publish` store: gives local media a URL, for providers that accept only URLs.

An object's name is the SHA-256 of its content, so a file is uploaded once for all users, and only the store itself says
what it holds: one check per file and run, because a clean-up rule of the bucket could make a local record wrong. A
presigned link grants access by itself: it is created for each use and never stored or shown. For the same reason the
store's error texts never leave this module: they quote the signed request.

obstore is called in threads: after its own asynchronous calls Python can abort at exit.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote

from reconciler.artifacts.buckets import bucket_of, connect, open_address, store_error
from reconciler.diagnostics import ArtifactError
from reconciler.frozen import dataclass

if TYPE_CHECKING:
    from obstore import Attributes
    from obstore.store import ObjectStore, S3Store

LONGEST: Final = 7 * 24 * 3600.0
"""Seconds; no store signs for longer."""
DEFAULT_LIFE: Final = 24 * 3600.0
AT_ONCE: Final = 4
"""Concurrent uploads: each file is held in memory."""


@dataclass(frozen=True, slots=True)
class Published:
    """A link to a published object, valid for `life` seconds; None while the object exists."""

    url: str = field(repr=False)
    life: float | None


class Publisher:
    """The store of a `publish` section. `env` supplies the credentials."""

    def __init__(self, section: Mapping[str, object], env: Mapping[str, str]) -> None:
        """Raises ClipformError for an invalid section. `open` checks the credentials."""
        self.bucket = bucket_of(section, "publish.store", env)
        self.public_url = open_address(str(section.get("public_url", "")), "publish.public_url", env).rstrip("/")
        self.life = float(str(section.get("expires", DEFAULT_LIFE)))
        if self.life > LONGEST:
            raise store_error("publish.expires: stores sign for at most 7 days", "set 168h or less")
        if self.bucket.scheme == "file" and not self.public_url:
            help = "add `public_url:`, the address that serves the folder"
            raise store_error("publish: a folder store cannot create links", help)
        self._env = env
        self._opened: ObjectStore | None = None
        self._present: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._uploads = asyncio.Semaphore(AT_ONCE)

    def __repr__(self) -> str:
        return f"Publisher({self.bucket})"

    def open(self) -> ObjectStore:
        """Return the store, with credentials; makes no request. Raises ClipformError: call it before paying."""
        if self._opened is None:
            self._opened = connect(self.bucket, self._env)
        return self._opened

    async def publish(self, name: str, content_type: str, read: Callable[[], bytes]) -> Published:
        """Upload what `read` returns as `name`, unless present; return a link. Raises ArtifactError, or as `read`."""
        async with self._locks.setdefault(name, asyncio.Lock()):
            if name not in self._present:
                await self._ensure(name, content_type, read)
                self._present.add(name)
        return await self._link(name)

    async def _ensure(self, name: str, content_type: str, read: Callable[[], bytes]) -> None:
        async with self._uploads:
            content = await asyncio.to_thread(read)
            size = await self._size(name)
            if size is None:
                await self._put(name, content_type, content)
            elif size != len(content):
                message = f"the publish store {self.bucket} has a different object named {name}"
                help = "remove that object: clipform names objects by their content"
                raise ArtifactError(message, help=help, code="publish")

    async def _size(self, name: str) -> int | None:
        """Return the size of an object in the store; None if it is missing.

        S3 answers "forbidden" instead of "not found" without permission to list the bucket: then the write decides.
        """
        import obstore
        from obstore.exceptions import BaseError, PermissionDeniedError

        try:
            return (await asyncio.to_thread(obstore.head, self.open(), name))["size"]
        except (FileNotFoundError, PermissionDeniedError):
            return None
        except (BaseError, OSError) as error:
            raise self._failed("look into", error) from None

    async def _put(self, name: str, content_type: str, content: bytes) -> None:
        """Create an object, unless another run just did."""
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

        try:
            await self._create(name, content_type, content)
        except (AlreadyExistsError, PreconditionError):
            return
        except (BaseError, OSError) as error:
            raise self._failed("write to", error) from None

    async def _create(self, name: str, content_type: str, content: bytes) -> None:
        """Create an object; overwrite in a store without "only if absent": the same name means the same content."""
        import obstore

        put = partial(obstore.put, self.open(), name, content, use_multipart=False)
        about: Attributes | None = None if self.bucket.scheme == "file" else {"Content-Type": content_type}
        try:
            await asyncio.to_thread(put, mode="create", attributes=about)
        except NotImplementedError:
            await asyncio.to_thread(put, attributes=about)

    async def _link(self, name: str) -> Published:
        import obstore
        from obstore.exceptions import BaseError

        if self.public_url:
            return Published(f"{self.public_url}/{quote(name)}", None)
        try:
            signing = cast("S3Store", self.open())  # a folder cannot sign, and always has a public address
            url = await asyncio.to_thread(obstore.sign, signing, "GET", name, timedelta(seconds=self.life))
        except (BaseError, OSError, ValueError) as error:
            raise self._failed("sign a link to", error) from None
        return Published(url, self.life)

    def _failed(self, doing: str, error: Exception) -> ArtifactError:
        """Return an error with the kind of failure and the store's own code; the remaining text may hold signatures."""
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
