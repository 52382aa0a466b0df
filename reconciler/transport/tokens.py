"""The short-lived credential of `Tokens` dialects, shared by all tasks and all processes of a user.

A new token kills the one before, so two processes that each fetched their own would for ever undo each other's work.
The token therefore lies in a file: `CACHE/tokens/NAME.json`, mode 0600 in a folder of mode 0700, guarded by a kernel
lock on `NAME.lock`; NAME is a hash of the base URL and the account's id, so it says nothing. CACHE is the user's own
cache folder (`cache_folder`), never the project: the state holds no secret. Fields: `token`; `renew`, the Unix second
from which on it is fetched anew. A file that others could have written or read is not believed. Where no file can be
kept, the token lives in memory only.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from reconciler.providers.base import PollTrouble, Refusal, Reply, Request
from reconciler.providers.capabilities import Token, Tokens
from reconciler.transport.account import Account
from reconciler.transport.ports import Environment

WAIT = 60.0
"""Seconds to wait for another process that is fetching; its request is bounded by less."""
_STEP = 0.1

Exchange = Callable[[Request], Awaitable[Reply | PollTrouble]]


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str = field(repr=False)
    renew: float


class TokenKeeper:
    """Gives the token, and fetches one when there is none: one fetcher at a time, here and among processes."""

    def __init__(self, dialect: Tokens, account: Account, world: Environment, exchange: Exchange) -> None:
        self._dialect, self._account, self._clock, self._exchange = dialect, account, world.clock, exchange
        self._single = asyncio.Lock()
        self._kept: _Kept | None = None
        name = hashlib.sha256(json.dumps([account.base_url, account.name]).encode()).hexdigest()[:32]
        self._path = None if world.cache is None else world.cache / "tokens" / f"{name}.json"

    async def get(self, refused: str = "") -> str | PollTrouble:
        """A token that is not `refused`, which the provider just turned down, or why there is none."""
        async with self._single:
            if (kept := self._usable(self._kept, refused)) is not None:
                return kept.token
            async with self._alone():
                self._kept = self._usable(self._read(), refused)
                return self._kept.token if self._kept else await self._fetch()

    def _usable(self, kept: _Kept | None, refused: str) -> _Kept | None:
        good = kept is not None and kept.token != refused and self._clock.now() < kept.renew
        return kept if good else None

    async def _fetch(self) -> str | PollTrouble:
        reply = await self._exchange(self._dialect.token_request(self._account.credentials))
        if isinstance(reply, PollTrouble):
            return reply
        now = self._clock.now()
        theirs = _server_time(reply, now)
        answer = self._dialect.read_token(reply, theirs)
        if isinstance(answer, PollTrouble):
            return answer
        if not isinstance(answer, Token):
            return PollTrouble(f"no access token: {answer.message or answer.code}", refusal=Refusal.CREDENTIALS)
        life = max(0.0, answer.expires - theirs)  # by the server's clock: ours may be wrong by a day
        self._kept = _Kept(answer.text, now + max(life - self._dialect.token_margin, life / 2))
        self._write(self._kept)
        return answer.text

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Hold the lock among processes; without a place for it, or when its holder hangs, go on without."""
        descriptor = self._open_lock()
        try:
            waited = 0.0
            while descriptor is not None and not _locked(descriptor) and waited < WAIT:
                await self._clock.sleep(_STEP)
                waited += _STEP
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _open_lock(self) -> int | None:
        if self._path is None:
            return None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            return os.open(self._path.with_suffix(".lock"), flags, 0o600)
        except OSError:
            return None

    def _read(self) -> _Kept | None:
        if self._path is None:
            return None
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                about = os.fstat(descriptor)
                if about.st_uid != os.getuid() or stat.S_IMODE(about.st_mode) & 0o077:
                    return None
                found = json.loads(file.read(64 * 1024))
            token, renew = found["token"], found["renew"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        sound = isinstance(token, str) and token.isascii() and token.isprintable() and isinstance(renew, int | float)
        return _Kept(token, float(renew)) if sound else None

    def _write(self, kept: _Kept) -> None:
        """Whole or not at all. No fsync: a token that is lost is fetched again."""
        if self._path is None:
            return
        draft = self._path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with suppress(OSError):
            draft.unlink(missing_ok=True)
            with open(os.open(draft, flags, 0o600), "w", encoding="ascii") as file:
                json.dump({"token": kept.token, "renew": kept.renew}, file)
            draft.replace(self._path)


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """`CLIPFORM_CACHE`, else the user's cache folder. Not the runtime folder: not every session has one, and two
    processes with different places for the token would keep killing each other's."""
    if environ.get("CLIPFORM_CACHE"):
        return Path(environ["CLIPFORM_CACHE"])
    base, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
    if base.startswith("/"):
        return Path(base) / "clipform"
    return Path(home) / ".cache" / "clipform" if home.startswith("/") else None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: as without a file
    return True


def _server_time(reply: Reply, ours: float) -> float:
    try:
        found: datetime = parsedate_to_datetime(reply.headers.get("date", ""))
        return found.timestamp() if found.tzinfo else ours
    except (ValueError, TypeError, IndexError, OverflowError):
        return ours
