"""The shared cache of a team: a bucket or a folder with the videos that its members made.

    objects/<sha256>     the bytes of an artifact
    inputs/<sha256>      the bytes of a local input, for workers that send it to a provider
    results/<key>.json   a lock file of one line: the result of a key
    claims/<key>.json    which working copy buys a key; created only if it is absent, before anything is sent
    receipts/<marker>    of a team with a database: what its purchases leave behind, see `bucket_receipts`

Bytes come before the reference to them. An object is named by its content, and what is fetched is hashed on its way, so
another content is never used. The calls block: after obstore's asynchronous ones Python can abort at exit. A store's
own error texts never leave this module: they may quote a signed request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.artifacts import files
from reconciler.artifacts.buckets import bucket_of, connect
from reconciler.artifacts.hashing import LIMIT
from reconciler.artifacts.reading import opened
from reconciler.artifacts.store import Objects, Part
from reconciler.diagnostics import ArtifactError, ClipformError
from reconciler.frozen import dataclass
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
_AT_ONE_TIME: Final = 16 << 20
"""Bytes that are read into memory as a whole: of a folder the library's stream comes in pieces of 8 KiB, which takes
three times as long."""
_MARK: Final = "clipform-cache.txt"
_SMALL: Final = 64 << 10
"""The most bytes of a result or a claim."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who buys a key. `owner` is a digest of the working copy; the other fields are for people."""

    key: str
    owner: str
    project: str
    machine: str
    time: str
    marker: str
    rehearsal: bool = False

    def __str__(self) -> str:
        return f"{self.machine} claimed it for {self.project} at {self.time} ({self.marker[:8]})"


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file of the shared cache, and its size in bytes."""

    folder: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """Its name there."""
        return f"{self.folder}/{self.sha256}"


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

    def fetch(self, sha256: str, suffix: str, objects: Objects, folder: str = "objects") -> None:
        """Bring an artifact into the store of this machine. Raises ArtifactError; then nothing was stored."""
        name = f"{folder}/{sha256}"
        with objects.part(f"shared-{sha256[:12]}") as part:
            with self._asked("read", name):
                self._stream(name, part)
            if part.sha256 != sha256:
                self.memory.forget(sha256)
                text = f"{name} in the shared cache {self.bucket} is damaged: its content has another SHA-256"
                help = f"remove that object, then run on a machine that has the video:\n{command('push', '--again')}"
                raise ArtifactError(text, help=help, code=DAMAGED)
            part.commit(suffix)

    def _stream(self, name: str, part: Part) -> None:
        import obstore

        answer = obstore.get(self._store, name)
        part.expect(min(announced := answer.meta["size"], LIMIT))
        size = 0
        for chunk in [answer.bytes()] if announced <= _AT_ONE_TIME else answer.stream():
            size += len(chunk)
            if size > LIMIT:
                return  # it cannot have the SHA-256 of a video that was stored
            part.write(memoryview(chunk))

    def put(self, sha256: str, file: Path, folder: str = "objects", label: str = "", since: float = 0.0) -> None:
        """Upload a file, unless the store has its content, written since then (UTC seconds). An object of another size
        is damaged, and replaced.

        Raises ArtifactError, code `CHANGED`, if the bytes that would be sent have another hash: nobody is to get them.
        """
        import obstore

        name = f"{folder}/{sha256}"
        with self._asked("look for", name):
            present = self._present(name)
        with opened(file, label or file.name) as source:
            if present is not None and present[0] == source.size and present[1] >= since:
                return
            if source.size > _WHOLE:
                content = source.file(sha256)
                with self._asked("write", name):
                    obstore.put(self._store, name, content)
            elif present is None:
                self.create(name, source.content(sha256))
            else:
                self.write(name, source.content(sha256))

    def _present(self, name: str) -> tuple[int, float] | None:
        """Return the size of an object and when it was written (UTC seconds); None if there is none."""
        import obstore

        try:
            meta = obstore.head(self._store, name)
        except FileNotFoundError:
            return None
        return meta["size"], meta["last_modified"].timestamp()

    def set_up(self) -> None:
        """Mark a folder as a shared cache, once."""
        if self.bucket.scheme == "file" and not self.memory.has("", _MARK):
            self.create(_MARK, b"A shared cache of clipform.\n")
            self.memory.add("", _MARK)

    def require_set_up(self) -> None:
        """Raise ArtifactError for a folder that was never set up: on a disk that is not mounted every name is free."""
        if self.bucket.scheme == "file" and self.small(_MARK) is None:
            text = f"{self.bucket} was never set up as a shared cache, or its disk is not mounted"
            raise ArtifactError(text, help=f"set up a new one:\n{command('push')}", code=UNREACHABLE)

    # --- results ------------------------------------------------------------------------------

    def put_result(self, entry: LockEntry) -> None:
        """Write the result of a key, whose bytes are there, unless the key has one: the first purchase stays."""
        self.create(_name("results", entry.key, entry.rehearsal), lockfile.dumps([entry]).encode())
        self.memory.add(entry.key, entry.sha256)

    def result(self, key: str, rehearsal: bool) -> LockEntry | None:
        """Return the result of a key, None if nobody has shared one. Raises ArtifactError for any other content."""
        name = _name("results", key, rehearsal)
        content = self.small(name)
        try:
            entries = () if content is None else lockfile.loads(content.decode())
        except (ClipformError, UnicodeDecodeError):
            raise self._damaged(name) from None
        if content is not None and [(entry.key, entry.rehearsal) for entry in entries] != [(key, rehearsal)]:
            raise self._damaged(name)
        return entries[0] if entries else None

    # --- claims -------------------------------------------------------------------------------

    def claim(self, claim: Claim) -> Claim:
        """Create the claim of a key if there is none, and return the one that is there.

        Raises ArtifactError for a folder that was never set up: a disk that is not mounted has no claims at all.
        """
        name = _name("claims", claim.key, claim.rehearsal)
        self.require_set_up()
        while True:
            if self.create(name, json.dumps(asdict(claim), sort_keys=True).encode()):
                return claim
            if (present := self.claimed(claim.key, claim.rehearsal)) is not None:
                return present

    def claimed(self, key: str, rehearsal: bool) -> Claim | None:
        """Return the claim of a key. Raises ArtifactError for any other content."""
        name = _name("claims", key, rehearsal)
        content = self.small(name)
        if content is None:
            return None
        try:
            claim = Claim(**json.loads(content))
        except (ValueError, TypeError, RecursionError):
            raise self._damaged(name) from None
        texts = (claim.key, claim.owner, claim.project, claim.machine, claim.time, claim.marker)
        if claim.key != key or not all(isinstance(text, str) for text in texts):
            raise self._damaged(name)
        return claim

    def release(self, claim: Claim) -> None:
        """Delete this claim; another that came in its place stays. Only its owner does so, after nothing was bought, or
        a person who decides about it."""
        if self.claimed(claim.key, claim.rehearsal) == claim:
            self.delete(_name("claims", claim.key, claim.rehearsal))

    # --- cleaning up --------------------------------------------------------------------------

    def listing(self, folder: str) -> dict[str, tuple[int, float]]:
        """Return the objects of a folder by name, each with its size and when it was written (UTC seconds)."""
        import obstore

        with self._asked("list", folder):
            listed = [meta for batch in obstore.list(self._store, folder) for meta in batch]
        return {meta["path"].rpartition("/")[2]: (meta["size"], meta["last_modified"].timestamp()) for meta in listed}

    def keys(self, rehearsal: bool) -> list[str]:
        """Return the keys that have a result."""
        names = self.listing(_name("results", "", rehearsal).rpartition("/")[0])
        return sorted(name.removesuffix(".json").replace("-", ":", 1) for name in names)

    def forget(self, key: str, rehearsal: bool) -> None:
        """Delete the result of a key, and its claim: it may be bought again."""
        for folder in ("results", "claims"):
            self.delete(_name(folder, key, rehearsal))

    def delete(self, name: str) -> None:
        """Delete an object, if it is there."""
        import obstore

        with self._asked("delete", name), suppress(FileNotFoundError):
            obstore.delete(self._store, name)

    # --- requests -----------------------------------------------------------------------------

    def write(self, name: str, content: bytes) -> None:
        """Write a small object, over the one that has its name."""
        import obstore

        with self._asked("write", name):
            obstore.put(self._store, name, content, use_multipart=False)

    def create(self, name: str, content: bytes) -> bool:
        """Write an object if its name is free. Returns False if it is not."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with self._asked("write", name):
            try:
                obstore.put(self._store, name, content, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
        return True

    def small(self, name: str) -> bytes | None:
        """Return the content of a small object, None if there is none."""
        import obstore

        with self._asked("read", name):
            try:
                answer = obstore.get(self._store, name)
                return bytes(answer.bytes()) if answer.meta["size"] <= _SMALL else b""
            except FileNotFoundError:
                return None

    def _damaged(self, name: str) -> ArtifactError:
        text = f"{name} in the shared cache {self.bucket} is damaged"
        return ArtifactError(text, help="look at that object, and remove it if nobody needs it", code=DAMAGED)

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
        except (BaseError, OSError, NotImplementedError) as error:
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
        stores = files.read_cache(file, lambda value: {str(key): str(sha256) for key, sha256 in value.items()})
        self._seen = stores.get(address, {})

    def has(self, key: str, sha256: str) -> bool:
        """True if the store was seen with this result of a key."""
        return self._seen.get(key) == sha256

    def add(self, key: str, sha256: str) -> None:
        """Note that the store has a result of a key, and its bytes."""
        self.changed = self.changed or not self.has(key, sha256)
        self._seen[key] = sha256

    def forget(self, sha256: str) -> None:
        """Forget an artifact that the store lacks after all."""
        for key in [key for key, seen in [*self._seen.items()] if seen == sha256]:
            self.changed = True
            del self._seen[key]

    def save(self) -> None:
        """Write the file if there is news. Failing is not an error: the next run asks again."""
        if self.changed:
            with suppress(OSError):
                files.write_cache(self._file, {self._address: self._seen})
            self.changed = False


def _name(folder: str, key: str, rehearsal: bool) -> str:
    """Return the name of an object about a key. Rehearsals have a place of their own."""
    return f"{'rehearsals/' if rehearsal else ''}{folder}/{key.replace(':', '-')}.json"
