"""The receipts: a record of purchases that survives a full disk and a lost database.

`DIR/receipts` is a file of JSON lines in space that is allocated *before* the first request is sent
(never-pay-twice#s3-4, #m8). A line is written and synced after the intent is committed, and another before the accepted
task is. Lines:

    seq, store, time          number of the line, id of the store, UTC seconds
    event                     intent · accepted · void (nothing was bought) · resubmit · abandon (the user's decisions)
    marker                    which attempt: unique for ever, while numbers start again with a new database
    attempt                   its number in the store named
    intent also:              key, clip, take, provider, kind, model, seed, cost_micros, currency, endpoint, account,
                              expires_after
    accepted also:            task

Never a prompt, a link or a secret. The rest of the allocated space is NUL bytes. A line torn by a crash stays where
it is and is passed over; the next one begins on a line of its own. Append only, no index: a thousand clips are 400 KB.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from stat import S_ISREG
from typing import Protocol

from reconciler import money
from reconciler.diagnostics import StateError
from reconciler.frozen import dataclass
from reconciler.records import Attempt, TakeProvenance
from reconciler.state import disk
from reconciler.state.paths import RECEIPTS

BLOCK = 64 * 1024
LINE = 2048
"""Bytes reserved for the answer of each open intent, and the longest line with a task id."""
_TAIL = 4 * LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(TakeProvenance):
    """One line. A field that the event does not have is None or empty."""

    seq: int
    store: str
    event: str  # intent | accepted | void | resubmit | abandon
    time: float
    marker: str
    attempt: int
    key: str = ""
    clip: str = ""
    take: int = 0
    provider: str = ""
    kind: str = ""
    model: str = ""
    endpoint: str = ""
    account: str = ""
    expires_after: int | None = None


class SharedReceipts(Protocol):
    """Where the machines of a team keep a copy of each receipt. `place` names it, the same for all of them; `latest` is
    the newest event of the shared state, by number and time, which is noted there with the next permit."""

    place: str
    latest: tuple[int, float]

    def require_open(self) -> None:
        """Raise StateError if nothing can be written there."""

    def keep(self, event: str, marker: str, line: bytes, store: str) -> None:
        """Begin to write a copy of a line, of the state with this id. Never raises: the file has it."""

    def permission(self, marker: str) -> Future[str]:
        """Return what gives the reason why a request must not be sent, empty if it may, once its intent is there."""

    def settled(self, marker: str, void: bytes) -> tuple[Receipt, ...]:
        """Return what is there about a request in doubt. One without an intent there was never sent, and is not from
        then on: `void` takes its place. Raises ClipformError."""

    def high(self, store: str) -> tuple[int, float]:
        """Return the newest event that was noted there of a shared state; 0 and 0 if there is none. Raises as above."""

    def newer(self, since: float) -> tuple[Receipt, ...]:
        """Return all that was written there since a time (UTC seconds), in order. Raises as above."""


class Receipts:
    """The open file, for the one process that holds the lock. `lines` is its content when it was opened.

    With `shared`, a team has a copy of each line, and the intent's copy is the permit for its request.
    """

    def __init__(
        self, descriptor: int, store: str, clock: Callable[[], float], shared: SharedReceipts | None = None
    ) -> None:
        self._descriptor = descriptor
        self.shared = shared
        self._store = store
        self._clock = clock
        data = _content(descriptor)
        self.lines = parse(data)
        self._end = len(data)
        self._torn = bool(data) and not data.endswith(b"\n")
        self._seq = max((line.seq for line in self.lines), default=0)
        self._awaiting: set[str] = set()

    @classmethod
    @contextmanager
    def open(
        cls, directory: Path, store: str, clock: Callable[[], float], shared: SharedReceipts | None = None
    ) -> Iterator[Receipts]:
        """Open `DIR/receipts`, creating it when needed. `store` is the id of the database it goes with."""
        with disk.translated("open the receipts"):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(directory / RECEIPTS, flags, 0o600)
        try:
            with disk.translated("read the receipts"):
                if not S_ISREG(os.fstat(descriptor).st_mode):
                    raise StateError("state/receipts is not a regular file", code="receipts")
                disk.sync_directory(directory)
                receipts = cls(descriptor, store, clock, shared)
            yield receipts
        finally:
            os.close(descriptor)

    def make_room(self) -> None:
        """Reserve space for one more intent and for the answers of all open ones; called before the intent's commit.

        A full disk fails here, before there is a record that the user would have to be asked about.
        """
        if self.shared is not None:
            self.shared.require_open()
        with disk.translated("reserve space for the receipts"):
            self._reserve(LINE * (len(self._awaiting) + 2))

    def intent(self, attempt: Attempt, account: str = "") -> None:
        """Write an intent; called after its commit and before the request. `account` is `NewAttempt.account`."""
        self.make_room()
        names = ("key", "clip", "take", "provider", "kind", "model", "seed", "cost_micros", "currency", "endpoint")
        values = {name: getattr(attempt, name) for name in (*names, "expires_after")}
        self._write("intent", attempt, {**values, "account": account})
        self._awaiting.add(attempt.marker)

    def accepted(self, attempt: Attempt, task: str) -> None:
        """Write the task id as soon as it is read, before or instead of the commit. Needs no space on the disk."""
        self._write("accepted", attempt, {"task": task})
        self._awaiting.discard(attempt.marker)

    def void(self, attempt: Attempt) -> None:
        """Write that certainly nothing was bought."""
        self._write("void", attempt, {})
        self._awaiting.discard(attempt.marker)

    def consent(self, attempt: Attempt, word: str) -> None:
        """Write the user's decision about an attempt, a key of `CONSENTS`, before its commit."""
        self._write(word, attempt, {})

    @property
    def place(self) -> str:
        """Where the team has copies; empty if it has none."""
        return self.shared.place if self.shared is not None else ""

    def settled(self, attempt: Attempt) -> tuple[Receipt, ...]:
        """Return what the team's copies say about a request in doubt, as `SharedReceipts.settled`."""
        return () if self.shared is None else self.shared.settled(attempt.marker, self._line("void", attempt, {}))

    def _line(self, event: str, attempt: Attempt, more: Mapping[str, object]) -> bytes:
        head = {"seq": self._seq + 1, "store": self._store, "event": event, "time": self._clock()}
        values = {**head, "marker": attempt.marker, "attempt": attempt.id, **more}
        return json.dumps({name: value for name, value in values.items() if value is not None}).encode() + b"\n"

    def _write(self, event: str, attempt: Attempt, more: Mapping[str, object]) -> None:
        line = self._line(event, attempt, more)
        with disk.translated("write the receipts"):
            if len(line) > LINE:
                self._reserve(len(line) + LINE)
            self._put(b"\n" + line if self._torn else line)
        self._seq += 1
        if self.shared is not None:
            self.shared.keep(event, attempt.marker, line, self._store)

    def _put(self, data: bytes) -> None:
        self._torn = True  # until all of it is written and durable
        while data:
            written = os.pwrite(self._descriptor, data, self._end)
            self._end += written
            data = data[written:]
        disk.sync(self._descriptor)
        self._torn = False

    def _reserve(self, size: int) -> None:
        """Allocate `size` bytes beyond the end, or raise, before anything depends on them."""
        allocated = os.fstat(self._descriptor).st_size
        while allocated < self._end + size:
            _allocate(self._descriptor, allocated)
            allocated += BLOCK
            disk.sync(self._descriptor)


def stamp(directory: Path) -> tuple[int, ...]:
    """Return values that change with `DIR/receipts`."""
    return disk.stamp(directory / RECEIPTS)


def read(directory: Path) -> tuple[Receipt, ...]:
    """Return the receipts of `DIR/receipts`, none when it is absent. Read-only."""
    return parse(_read_file(directory))


def newest(directory: Path) -> str | None:
    """Return the marker of the last receipt, empty if unreadable, None if there is none. Faster than `read`."""
    data = _read_file(directory)
    return next((line.marker for line in reversed(parse(data[-_TAIL:]))), "") if data else None


def _read_file(directory: Path) -> bytes:
    with disk.translated("read the receipts"):
        try:
            descriptor = os.open(directory / RECEIPTS, disk.READ)
        except FileNotFoundError:
            return b""
        try:
            return _content(descriptor) if S_ISREG(os.fstat(descriptor).st_mode) else b""
        finally:
            os.close(descriptor)


def parse(data: bytes) -> tuple[Receipt, ...]:
    """Return the receipts of the file's content, in order. Lines that are torn or not receipts are skipped."""
    receipts = (_receipt(line) for line in data.split(b"\n"))
    return tuple(receipt for receipt in receipts if receipt is not None)


def _receipt(line: bytes) -> Receipt | None:
    try:
        receipt = Receipt(**json.loads(line))
        receipt = replace(receipt, cost_micros=money.checked(receipt.cost_micros))  # a purchase at an unknown price
        # A task id from a torn or garbled line would be polled for nothing: every field must have its type.
        return receipt if _well_formed(asdict(receipt)) else None
    except (ValueError, TypeError, RecursionError):
        return None


_END_OF_TIME = 253_402_300_800  # the year 10000: dates end there
_TEXTS = (
    *("store", "event", "marker", "key", "clip", "provider", "kind", "model"),
    *("currency", "endpoint", "account"),
)


def _well_formed(values: Mapping[str, object]) -> bool:
    texts = all(_is_text(values[name]) for name in _TEXTS)
    whole = all(_is_whole(values[name]) for name in ("seq", "attempt", "take"))
    optional = all(values[name] is None or _is_whole(values[name]) for name in ("seed", "expires_after"))
    time = values["time"]
    timed = isinstance(time, float | int) and 0 <= time < _END_OF_TIME
    return (
        texts
        and whole
        and optional
        and timed
        and (values["task"] is None or _is_text(values["task"]))
        and bool(values["marker"])
    )


def _is_text(value: object) -> bool:
    """True for a text that the database can hold: one with a lone surrogate has no UTF-8."""
    return isinstance(value, str) and (value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value))


def _is_whole(value: object) -> bool:
    """True for a whole number that the database can hold."""
    return type(value) is int and abs(value) < 2**63


def _content(descriptor: int) -> bytes:
    """Return the content without the NUL bytes of the reserved space."""
    size = os.fstat(descriptor).st_size
    parts, offset = [], 0
    while offset < size and (chunk := os.pread(descriptor, 1 << 20, offset)):
        parts.append(chunk)
        offset += len(chunk)
    return b"".join(parts).rstrip(b"\0")


def _allocate(descriptor: int, offset: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, offset, BLOCK)
    else:  # macOS: writing zeros does the same, slower
        os.pwrite(descriptor, bytes(BLOCK), offset)
