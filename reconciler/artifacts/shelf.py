"""The shared cache of a team: a bucket or a folder with the videos that its members made.

    objects/<sha256>     the bytes of an artifact
    results/<key>.json   a lock file of one line: the result of a key

Bytes come before the reference to them. An object is named by its content, and what is fetched is hashed on its way, so
another content is never used. A store's own error texts never leave this module: they may quote a signed request.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.artifacts import files
from reconciler.artifacts.buckets import bucket_of, connect
from reconciler.artifacts.hashing import LIMIT
from reconciler.artifacts.store import ByteSink, Objects
from reconciler.diagnostics import ArtifactError, ClipformError
from reconciler.next_command import command
from reconciler.records import LockEntry
from reconciler.state import lockfile
from reconciler.state.paths import SHARED

if TYPE_CHECKING:
    from obstore.store import ObjectStore

UNREACHABLE: Final = "shared-cache"
"""The code of an error that says nothing about the content: the store is gone, or refuses."""
DAMAGED: Final = "shared-object"
"""The code of an error for an object that is not what its name says."""
NOT_SHARED: Final = "shared-absent"
"""The code of an error for an object that the store does not have."""

AT_ONCE: Final = 8
"""Concurrent transfers."""
_WHOLE: Final = 64 << 20
"""Bytes that are written in one request, and only if the name is free; more are sent in parts."""


class Shelf:
    """The store of a `cache` section. `env` has the credentials; `state` keeps the memory of what the store has."""

    def __init__(self, section: Mapping[str, object], env: Mapping[str, str], state: Path) -> None:
        """Raises ClipformError for an invalid section. Makes no request."""
        self.bucket = bucket_of(section, "cache.remote", env)
        self._env = env
        self.memory = Memory(
            state / SHARED, f"{self.bucket.endpoint} {self.bucket.scheme} {self.bucket.name}/{self.bucket.prefix}"
        )

    @cached_property
    def _store(self) -> ObjectStore:
        try:
            return connect(self.bucket, self._env, shared=True)
        except ClipformError as error:
            raise ArtifactError(f"cache: {error.message}", help=error.help, code=UNREACHABLE) from None

    # --- objects ------------------------------------------------------------------------------

    async def fetch(self, sha256: str, suffix: str, objects: Objects) -> None:
        """Bring an artifact into the store of this machine. Raises ArtifactError; then nothing was stored."""
        name = f"objects/{sha256}"
        with objects.part(f"shared-{sha256[:12]}") as part:
            with self._asked("read", name):
                await self._stream(name, part)
            if part.sha256 != sha256:
                self.memory.forget(sha256)
                text = f"{name} in the shared cache {self.bucket} is damaged: its content has another SHA-256"
                help = f"remove that object, then run on a machine that has the video:\n{command('push', '--again')}"
                raise ArtifactError(text, help=help, code=DAMAGED)
            part.commit(suffix)

    async def _stream(self, name: str, part: ByteSink) -> None:
        import obstore

        answer = await obstore.get_async(self._store, name)
        part.expect(min(answer.meta["size"], LIMIT))
        size = 0
        async for chunk in answer.stream():
            size += len(chunk)
            if size > LIMIT:
                return  # it cannot have the SHA-256 of a video that was stored
            part.write(bytes(chunk))

    async def put(self, sha256: str, file: Path, size: int) -> None:
        """Upload an artifact, unless the store has it. An object of another size is damaged, and replaced."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        name = f"objects/{sha256}"
        with self._asked("write", name):
            if size <= _WHOLE:
                with suppress(AlreadyExistsError):
                    content = await asyncio.to_thread(file.read_bytes)
                    await obstore.put_async(self._store, name, content, mode="create", use_multipart=False)
                    return
            if await self._size(name) != size:
                await obstore.put_async(self._store, name, file)

    async def _size(self, name: str) -> int | None:
        import obstore

        try:
            return (await obstore.head_async(self._store, name))["size"]
        except FileNotFoundError:
            return None

    # --- results ------------------------------------------------------------------------------

    async def put_result(self, entry: LockEntry) -> None:
        """Write the result of a key, whose bytes are there, unless the key has one: the first purchase stays."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        name = _result_name(entry.key, entry.rehearsal)
        with self._asked("write", name), suppress(AlreadyExistsError):
            line = lockfile.dumps([entry]).encode()
            await obstore.put_async(self._store, name, line, mode="create", use_multipart=False)
        self.memory.add(entry.key, entry.sha256)

    @contextmanager
    def _asked(self, doing: str, name: str) -> Iterator[None]:
        """Translate the errors of the store."""
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

        try:
            yield
        except FileNotFoundError:
            help = f"a machine that has it shares it:\n{command('push')}"
            raise ArtifactError(
                f"the shared cache {self.bucket} does not have {name}", help=help, code=NOT_SHARED
            ) from None
        except (BaseError, OSError) as error:
            code = re.search(r"<Code>([A-Za-z]{3,60})</Code>", str(error))
            why = f" ({code[1]})" if code else ""
            refused = isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError)
            help = "check the credentials in the environment" if refused else "check its address and the network"
            text = f"the shared cache {self.bucket} {'refuses to' if refused else 'cannot'} {doing} {name}{why}"
            raise ArtifactError(text, help=help, code=UNREACHABLE) from None


class Memory:
    """What was seen in a store, by key, so that nothing is asked twice. A cache file: losing it costs requests."""

    def __init__(self, file: Path, address: str) -> None:
        self._file, self._address = file, address
        self.changed = False

    @cached_property
    def _seen(self) -> dict[str, str]:
        stores = files.read_cache(self._file, lambda value: {str(key): str(sha256) for key, sha256 in value.items()})
        return stores.get(self._address, {})

    def has(self, key: str, sha256: str) -> bool:
        """True if the store was seen with this result of a key."""
        return self._seen.get(key) == sha256

    def add(self, key: str, sha256: str) -> None:
        """Note that the store has a result of a key, and its bytes."""
        self.changed = self.changed or not self.has(key, sha256)
        self._seen[key] = sha256

    def forget(self, sha256: str) -> None:
        """Forget an artifact that the store lacks after all."""
        for key in [key for key, seen in self._seen.items() if seen == sha256]:
            self.changed = True
            del self._seen[key]

    def save(self) -> None:
        """Write the file if there is news. Failing is not an error: the next run asks again."""
        if self.changed:
            with suppress(OSError):
                files.write_cache(self._file, {self._address: self._seen})
            self.changed = False


def _result_name(key: str, rehearsal: bool) -> str:
    """Return the name of a key's result. Rehearsals have a place of their own."""
    return f"{'rehearsals/' if rehearsal else ''}results/{key.replace(':', '-')}.json"
