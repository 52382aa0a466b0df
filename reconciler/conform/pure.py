"""The rule that a dialect only translates: what it did itself would be sent unrecorded, unpaced, and perhaps twice."""

from __future__ import annotations

import sys
import threading
from functools import cache

from reconciler.conform.clips import clip_of, job_of, resolved
from reconciler.conform.contract import Contract, fill
from reconciler.conform.rule import Rule, once, require
from reconciler.providers.base import Reply
from reconciler.providers.capabilities import SpokenOverHttp

_DOINGS = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "time.sleep")
"""Beginnings of Python's audit events. Reading a file is none of them: an import does it."""


class _Watch(threading.local):
    seen: list[str] | None = None


_watch = _Watch()


@once(
    "a dialect opens no connection, starts nothing and waits for nothing",
    "return a Request: clipform sends it, after it has recorded it",
)
def only_translates(contract: Contract) -> None:
    _listen()
    recorded = contract.load("replies")
    rows = [fill(row, {"<task>": recorded["task"]}) for row in (*recorded["submit"], *recorded["polls"])]
    _watch.seen = []
    try:
        for sample in contract.samples("accepted", "cases"):
            sample.dialect.submit(job_of(clip_of(sample), resolved(sample)))
        dialect = contract.dialect
        dialect.poll(recorded["task"], None)
        for row in rows:
            reply = Reply(row.get("status", 200), row.get("reply"), row.get("headers", {}))
            dialect.read_submit(reply)
            dialect.read_poll(recorded["task"], reply)
        if isinstance(dialect, SpokenOverHttp):
            dialect.auth_headers(recorded["auth"]["credentials"])
        seen = _watch.seen
    finally:
        _watch.seen = None
    require(not seen, f"it did {', '.join(dict.fromkeys(seen))}")


RULES: tuple[Rule, ...] = (only_translates,)


@cache
def _listen() -> None:
    """Listen to audit events, once in a process: Python has no way to stop it again."""
    sys.addaudithook(_note)


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _watch.seen is not None and event.startswith(_DOINGS):
        _watch.seen.append(event)
