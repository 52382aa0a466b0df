"""Links to files that providers host, so that no file is uploaded twice while its link is valid.

`state/hosted` is a cache file (see `files.read_cache`): "alias/kind/sha256" → [URL, the Unix second after which it is
not used]. Losing it costs uploads, which are free, so it needs no place in the database.

A link with a query, a fragment or a password may grant access by itself (never-pay-twice#i7): it is kept in memory
only. So is a link of unknown lifetime.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reconciler.artifacts import files
from reconciler.providers.capabilities import Hosted

MARGIN = 3600.0
"""Seconds before its expiry in which a link is not used: the provider may fetch it late."""

Link = tuple[str, float]


def usable_until(life: float | None, now: float) -> float:
    """Return until when a link that lives `life` seconds may be used; a short-lived one for half of its life."""
    return float("inf") if life is None else now + max(life - MARGIN, life / 2)


class UploadLinks:
    """Links by provider and content. `state` is the state folder, whose lock the caller holds."""

    def __init__(self, state: Path, clock: Callable[[], float]) -> None:
        self._file, self._clock = state / "hosted", clock
        self._links: dict[str, Link] | None = None

    def find(self, alias: str, kind: str, sha256: str) -> str | None:
        """Return the link to a content at a provider, if it stays valid long enough."""
        url, until = self._table().get(_name(alias, kind, sha256), ("", 0.0))
        return url if self._clock() < until else None

    def remember(self, alias: str, kind: str, sha256: str, hosted: Hosted) -> None:
        """Record a link, on disk at once: the run may die before its end."""
        now = self._clock()
        table = {name: link for name, link in self._table().items() if now < link[1]}
        table[_name(alias, kind, sha256)] = (hosted.url, usable_until(hosted.life, now))
        self._links = table
        with suppress(OSError):  # not an error: the next run uploads again
            files.write_cache(self._file, {name: link for name, link in table.items() if _may_be_saved(link)})

    def _table(self) -> dict[str, Link]:
        if self._links is None:
            self._links = files.read_cache(self._file, _link)
        return self._links


def _name(alias: str, kind: str, sha256: str) -> str:
    return f"{alias}/{kind}/{sha256}"


def _may_be_saved(link: Link) -> bool:
    url, until = link
    parts = urlsplit(url)
    return until != float("inf") and not (parts.query or parts.fragment or "@" in parts.netloc)


def _link(value: Any) -> Link:
    url, until = value
    return (str(url), float(until))
