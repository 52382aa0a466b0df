"""The short-lived token of `Tokens` dialects, shared by all tasks and all processes of a user.

A new token invalidates the previous one, so processes that each fetched their own would keep invalidating each other's.
The token is therefore kept in a file: `CACHE/tokens/NAME.json`, mode 0600 in a folder of mode 0700, guarded by a kernel
lock on `NAME.lock`; NAME is a hash of the base URL and the account's id and reveals neither. CACHE is the user's cache
folder (`cache_folder`), never the project: the state holds no secret. Fields: `token`; `renew`, the Unix second after
which it is fetched again. A file that other users could have written or read is ignored. If no file can be written, the
token is kept in memory only.
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
from dataclasses import field
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from reconciler.frozen import dataclass
from reconciler.providers.base import PollTrouble, Refusal, Reply, Request
from reconciler.providers.capabilities import Token, Tokens
from reconciler.transport.account import Account
from reconciler.transport.ports import Environment

WAIT = 60.0
"""Seconds to wait for another process that is fetching; its own request has a shorter timeout."""
_STEP = 0.1

Exchange = Callable[[Request], Awaitable[Reply | PollTrouble]]


@dataclass(frozen=True, slots=True)
class _CachedToken:
    token: str = field(repr=False)
    renew: float


class TokenKeeper:
    """Returns the token and fetches it when missing: one fetch at a time, within this process and among processes."""

    def __init__(self, dialect: Tokens, account: Account, environment: Environment, exchange: Exchange) -> None:
        self._dialect, self._account, self._clock, self._exchange = dialect, account, environment.clock, exchange
        self._fetching = asyncio.Lock()
        self._cached: _CachedToken | None = None
        name = hashlib.sha256(json.dumps([account.base_url, account.name]).encode()).hexdigest()[:32]
        self._path = None if environment.cache is None else environment.cache / "tokens" / f"{name}.json"

    async def get(self, refused: str = "") -> str | PollTrouble:
        """Return a token other than `refused`, which the provider just rejected, or the reason why there is none."""
        async with self._fetching:
            if (cached := self._usable(self._cached, refused)) is not None:
                return cached.token
            async with self._process_lock():
                self._cached = self._usable(self._read(), refused)
                return self._cached.token if self._cached else await self._fetch()

    def _usable(self, cached: _CachedToken | None, refused: str) -> _CachedToken | None:
        usable = cached is not None and cached.token != refused and self._clock.now() < cached.renew
        return cached if usable else None

    async def _fetch(self) -> str | PollTrouble:
        reply = await self._exchange(self._dialect.token_request(self._account.credentials))
        if isinstance(reply, PollTrouble):
            return reply
        now = self._clock.now()
        server_now = _server_time(reply, now)
        answer = self._dialect.read_token(reply, server_now)
        if isinstance(answer, PollTrouble):
            return answer
        if not isinstance(answer, Token):
            return PollTrouble(f"no access token: {answer.message or answer.code}", refusal=Refusal.CREDENTIALS)
        life = max(0.0, answer.expires - server_now)  # by the server's clock: ours may be wrong by a day
        self._cached = _CachedToken(answer.text, now + max(life - self._dialect.token_margin, life / 2))
        self._write(self._cached)
        return answer.text

    @asynccontextmanager
    async def _process_lock(self) -> AsyncIterator[None]:
        """Hold the lock among processes; without a lock file, or when its holder hangs, continue without."""
        descriptor = self._open_lock()
        try:
            waited = 0.0
            while descriptor is not None and not _try_lock(descriptor) and waited < WAIT:
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

    def _read(self) -> _CachedToken | None:
        if self._path is None:
            return None
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
                    return None
                content = json.loads(file.read(64 * 1024))
            token, renew = content["token"], content["renew"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        valid = isinstance(token, str) and token.isascii() and token.isprintable() and isinstance(renew, int | float)
        return _CachedToken(token, float(renew)) if valid else None

    def _write(self, cached: _CachedToken) -> None:
        """Replace the file atomically. No fsync: a lost token is fetched again."""
        if self._path is None:
            return
        temporary = self._path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
            with open(os.open(temporary, flags, 0o600), "w", encoding="ascii") as file:
                json.dump({"token": cached.token, "renew": cached.renew}, file)
            temporary.replace(self._path)


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Return `CLIPFORM_CACHE`, else the user's cache folder. Not the runtime folder: not every session has one, and two
    processes with different folders would keep invalidating each other's token."""
    if environ.get("CLIPFORM_CACHE"):
        return Path(environ["CLIPFORM_CACHE"])
    base, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
    if base.startswith("/"):
        return Path(base) / "clipform"
    return Path(home) / ".cache" / "clipform" if home.startswith("/") else None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: as without a file
    return True


def _server_time(reply: Reply, fallback: float) -> float:
    try:
        date: datetime = parsedate_to_datetime(reply.headers.get("date", ""))
        return date.timestamp() if date.tzinfo else fallback
    except (ValueError, TypeError, IndexError, OverflowError):
        return fallback
