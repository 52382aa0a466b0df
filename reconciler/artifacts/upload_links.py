"""What vendors host for us, so that no file is uploaded twice while its link lives.

`state/hosted`, written as the hash cache is: the first line is the SHA-256 of the rest, and a file that is damaged in
any way is as good as none. The rest is JSON: "alias/kind/sha256" → [URL, the Unix second from which on it is no longer
used]. Losing the file costs uploads, which are free; so it needs no place in the database.

A link with a query, a fragment or a password may be a key to what it names (RELIABILITY I7): it lives in memory only.
So does one whose life nobody tells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.providers.capabilities import Hosted
from reconciler.state import disk

MARGIN = 3600.0
"""Seconds before its end in which a link is no longer handed out: the vendor may fetch it late."""

Handle = tuple[str, float]


def usable_until(life: float | None, now: float) -> float:
    """Until when a link that lives `life` seconds may be handed out; a short-lived one for half of its life."""
    return float("inf") if life is None else now + max(life - MARGIN, life / 2)


class Handles:
    """Links by provider and content. `state` is the folder of the state, whose lock the caller holds."""

    def __init__(self, state: Path, clock: Callable[[], float]) -> None:
        self._file, self._clock = state / "hosted", clock
        self._known: dict[str, Handle] | None = None

    def find(self, alias: str, kind: str, sha256: str) -> str | None:
        """The link under which a provider has a content, while it is good for a while yet."""
        url, until = self._table().get(_name(alias, kind, sha256), ("", 0.0))
        return url if self._clock() < until else None

    def remember(self, alias: str, kind: str, sha256: str, hosted: Hosted) -> None:
        """Take note of a link, on disk at once: the run may die before its end."""
        now = self._clock()
        table = {name: handle for name, handle in self._table().items() if now < handle[1]}
        table[_name(alias, kind, sha256)] = (hosted.url, usable_until(hosted.life, now))
        self._known = table
        self._save({name: handle for name, handle in table.items() if _may_be_kept(handle)})

    def _save(self, table: dict[str, Handle]) -> None:
        """Failing is not an error: the next run uploads again."""
        body = json.dumps(table, sort_keys=True, separators=(",", ":")).encode()
        with suppress(OSError):
            disk.replace(self._file, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    def _table(self) -> dict[str, Handle]:
        if self._known is None:
            self._known = _load(self._file)
        return self._known


def _name(alias: str, kind: str, sha256: str) -> str:
    return f"{alias}/{kind}/{sha256}"


def _may_be_kept(handle: Handle) -> bool:
    url, until = handle
    parts = urlsplit(url)
    return until != float("inf") and not (parts.query or parts.fragment or "@" in parts.netloc)


def _load(file: Path) -> dict[str, Handle]:
    with suppress(OSError, ValueError, TypeError, AttributeError):
        check, _, body = file.read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() == check:
            return {name: (str(url), float(until)) for name, (url, until) in json.loads(body).items()}
    return {}
