"""The records: attempts and the table of their moves, artifacts, generations, bindings.

These are plain frozen values. `state` stores them, `plan` and `engine.attempt.next_step` decide from them; nothing here
does I/O. The table `MOVES` is the single source of the attempt's state machine: the database trigger is
generated from it, and a move that is not listed cannot be written by any code path.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import field, fields
from enum import StrEnum
from typing import Any, TypeVar

from reconciler.frozen import dataclass

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class State(StrEnum):
    """The state of one attempt (one purchase order)."""

    __hash__ = str.__hash__  # that of enums is a function in Python

    SUBMITTING = "submitting"  # intent is durable; the request may or may not have gone out
    NOT_SENT = "not_sent"  # closed: no byte reached the provider
    REFUSED = "refused"  # closed: the provider surely did not accept it
    UNCERTAIN = "uncertain"  # it may have been accepted; only a look-up or the user can decide
    ACCEPTED = "accepted"  # we hold the task id; it is queued or running
    STALLED = "stalled"  # past its deadline; paid, never re-sent
    READY = "ready"  # the provider has a result that is not downloaded yet
    FETCHED = "fetched"  # the artifact is durable in the store
    DONE = "done"  # closed: placed at its output, or not picked
    FAILED = "failed"  # closed: the provider says that it failed
    CANCELLED = "cancelled"  # closed
    VANISHED = "vanished"  # the provider no longer knows the task
    NO_OUTPUT = "no_output"  # success without a video
    RESULT_EXPIRED = "result_expired"  # the link died before the download
    QUARANTINED = "quarantined"  # the result is not a sound video; its bytes are kept
    ABANDONED = "abandoned"  # closed with the user's consent


OPEN = frozenset({State.SUBMITTING, State.ACCEPTED, State.STALLED, State.READY, State.FETCHED})
"""States from which a later run carries on."""

BLOCKED = frozenset({State.UNCERTAIN, State.VANISHED, State.NO_OUTPUT, State.RESULT_EXPIRED, State.QUARANTINED})
"""States that only a person (or a proof) may end."""

UNDECIDED = frozenset({State.SUBMITTING, State.UNCERTAIN})
"""States without a record of the answer: a receipt may still have it."""

LOOKED_AT_AGAIN = BLOCKED - {State.UNCERTAIN}
"""Paid for, with a task but without a result. A provider's answer is not always final, so the user may have the task
polled again; nothing is submitted for that."""

ADOPTED_AGAIN = frozenset({State.FETCHED, State.DONE, State.FAILED, State.CANCELLED, State.ABANDONED})
"""Over, although the provider may still have the video: the user may have the same task looked at again (free)."""

_POLLED = (State.READY, State.NO_OUTPUT, State.FAILED, State.VANISHED, State.CANCELLED)

MOVES: Mapping[State, frozenset[State]] = {
    State.SUBMITTING: frozenset({State.NOT_SENT, State.REFUSED, State.ACCEPTED, State.UNCERTAIN}),
    State.UNCERTAIN: frozenset({State.ACCEPTED, State.NOT_SENT, State.ABANDONED}),
    State.ACCEPTED: frozenset({State.STALLED, *_POLLED}),
    State.STALLED: frozenset({State.ACCEPTED, *_POLLED, State.ABANDONED}),
    State.READY: frozenset({State.FETCHED, State.RESULT_EXPIRED, State.QUARANTINED}),
    **dict.fromkeys(ADOPTED_AGAIN, frozenset({State.ACCEPTED})),
    State.FETCHED: frozenset({State.DONE, State.ACCEPTED}),
    State.FAILED: frozenset({State.ABANDONED, State.ACCEPTED}),
    **dict.fromkeys(LOOKED_AT_AGAIN, frozenset({State.ACCEPTED, State.ABANDONED})),
}
"""The states that each state may move to. A state that is absent is terminal."""

ABANDONED = "abandoned"
"""The reason of an ABANDONED attempt whose key is not bought again without consent. Any other reason ("resubmit") lets
the next apply generate it again."""


CONSENTS: Mapping[str, tuple[str, str]] = {
    "resubmit": ("resubmit", "abandoned, to be generated again"),
    "abandon": (ABANDONED, "abandoned by the user"),
}
"""The user's decisions that end an attempt, by the option of `resolve`: reason and message of the ABANDONED attempt."""


class Money(StrEnum):
    """How an attempt's amount counts under a budget."""

    __hash__ = str.__hash__  # that of enums is a function in Python

    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"


COUNTS: Mapping[State, Money] = {
    **dict.fromkeys(OPEN | {State.UNCERTAIN}, Money.RESERVED),
    **dict.fromkeys((State.NOT_SENT, State.REFUSED), Money.RELEASED),
    **dict.fromkeys(BLOCKED - {State.UNCERTAIN}, Money.SETTLED),
    **dict.fromkeys((State.FETCHED, State.DONE, State.FAILED, State.CANCELLED, State.ABANDONED), Money.SETTLED),
}
"""How an attempt's amount counts in a state, unless the dialect says otherwise (failures that are free)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Who made a result, and for how much. Records inherit these fields, so that they are flat in memory as on disk.

    `provider` is an alias of the project file, `kind` its type. `seed` is the seed that was sent. `cost_micros` is in
    millionths of `currency`; None: no price is known.
    """

    provider: str
    kind: str
    model: str
    task: str | None = None
    seed: int | None = None
    cost_micros: int | None = None
    currency: str = ""

    def provenance(self, **changes: Any) -> dict[str, Any]:
        """Return these fields by name, with `changes`: another record is made with them."""
        return {item.name: getattr(self, item.name) for item in fields(Provenance)} | changes


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeProvenance(Provenance):
    """Provenance of one take of a clip; `key` is the identity of its content."""

    key: str
    clip: str
    take: int

    def take_provenance(self, **changes: Any) -> dict[str, Any]:
        """Return these fields by name, with `changes`: another record is made with them."""
        return {item.name: getattr(self, item.name) for item in fields(TakeProvenance)} | changes


@dataclass(frozen=True, slots=True)
class Attempt(TakeProvenance):
    """One purchase order for one key. `provider`, `kind`, `model` and `endpoint` are frozen when it is written.

    `endpoint` is the base URL that it was sent to: its task is asked for there, whatever the project file says since.
    Empty for what was written before schema 2, and for drafts.
    Times are UTC seconds since the epoch. `document` is the identity document of the key. `expires_after` was drawn for
    this attempt alone, and its task shows it. `looked` is when it was first looked for, by the provider's clock.
    """

    id: int
    state: State
    marker: str
    created: float
    updated: float
    money: Money = Money.RESERVED
    reason: str = ""  # class of a refusal or failure, e.g. "moderation"
    message: str = ""  # the provider's message, escaped only when displayed
    sha256: str | None = None
    document: str = ""
    endpoint: str = ""
    expires_after: int | None = None
    looked: float | None = None


def is_paid_failure(attempt: Attempt) -> bool:
    """True for a failure that is booked as paid: its key is bought again only with the user's consent."""
    return attempt.state is State.FAILED and attempt.money is not Money.RELEASED and attempt.cost_micros != 0


@dataclass(frozen=True, slots=True)
class Holder:
    """Who carries out an attempt of a shared store, since when, and until when nobody else may: `is_held` says if that
    is so now, and `is_own` if it is this working copy. Times are UTC seconds by the database's clock. `account` is a
    digest, empty for drafts."""

    name: str
    project: str
    provider: str
    account: str
    state: State
    since: float
    until: float
    is_held: bool
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Artifact:
    """A verified file in the store. Duration in milliseconds, sides in pixels, size in bytes."""

    sha256: str
    size: int
    suffix: str  # ".mp4" or ".png"
    duration_ms: int = 0
    width: int = 0
    height: int = 0
    audio: bool = False


@dataclass(frozen=True, slots=True)
class Generation(Provenance):
    """The result of a key: its artifact, who made it, and what it was made from."""

    key: str
    sha256: str
    document: str  # canonical JSON of the identity document: what the field-by-field diff compares
    created: float = 0.0
    elapsed: float = 0.0  # seconds from submit to fetched; 0 when it was imported
    mismatch: str = ""  # how the result differs from the request (never-pay-twice#i19)
    origin: str = "generated"  # generated | imported | locked


@dataclass(frozen=True, slots=True)
class Seam:
    """What a frozen seam holds on to: the key of the version of `clip` whose frame a take was made from in `field`, and
    the SHA-256 of its video. The frame is made from that again."""

    field: str
    clip: str
    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class LockEntry(TakeProvenance):
    """One line of `clipform.lock`: the artifact that a take holds, and who made it; `rehearsal`: at an address of this
    machine. `output` is where the picked take was placed; lines of older versions lack it. `seams` are the frozen ones
    of its clip."""

    sha256: str
    suffix: str
    rehearsal: bool = False
    output: str | None = None
    seams: tuple[Seam, ...] = ()

    def named(self) -> tuple[str, ...]:
        """Return the SHA-256 of all artifacts that the line names."""
        return (self.sha256, *(seam.sha256 for seam in self.seams))


@dataclass(frozen=True, slots=True)
class Binding:
    """The key that a take of a clip holds, and, for the picked take, its output. `protect` is what its YAML last said:
    a protected clip's lines may be deleted."""

    clip: str
    take: int
    key: str
    output: str | None = None  # path relative to the project root
    document: str = ""
    protect: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A file that clipform placed at an output: its content, and its stat, which shows cheaply if it is unchanged."""

    output: str
    sha256: str
    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Handed:
    """What is known of an order that was handed to workers, as `state.wants` has it. Times are UTC seconds.

    `kind` is empty while it is open. `is_served`: a worker with credentials of its account is alive; `is_ready`: what
    it needs is there.
    """

    key: str
    account: str
    clip: str
    kind: str
    note: str
    holder: str
    since: float
    changed: float
    is_served: bool
    is_ready: bool


class RecordTable(Mapping[K, R]):
    """Records by key, held as columns: a plan of ten thousand takes asks for a field of all, and for few whole records.

    `columns` has the cells of each field, in the order in which `read` takes them.
    """

    def __init__(self, keys: Iterable[K], columns: Mapping[str, list[Any]], read: Callable[..., R]) -> None:
        self._columns, self._read = columns, read
        self._places = {key: place for place, key in enumerate(keys)}
        self._made: dict[K, R] = {}

    def __getitem__(self, key: K) -> R:
        if key not in self._made:
            place = self._places[key]
            self._made[key] = self._read(*[cells[place] for cells in self._columns.values()])
        return self._made[key]

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[K]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return repr(dict(self))

    def column(self, name: str) -> dict[K, Any]:
        """Return one field of all records."""
        return dict(zip(self._places, self._columns[name], strict=True))


def column(records: Mapping[K, Any], name: str) -> Mapping[K, Any]:
    """Return one field of all records by key."""
    if isinstance(records, RecordTable):
        return records.column(name)
    return {key: getattr(record, name) for key, record in records.items()}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that planning needs from the state, read in one transaction.

    `attempts` holds the newest attempt of each key, `timings` the seconds that past generations took per (kind, model),
    newest last, `spent` what is paid or reserved, in millionths by currency, `rehearsed` the part of it that was at
    addresses of this machine, and `booked` the same by key and by whether it was there. `counted` has likewise what
    the lock file said was bought: millionths and currency. `rehearsals` are the keys whose results were made there.
    `holders` has, by the number of the attempt, who carries out what is under way in a shared store, of all projects.
    `handed` has the open orders of workers by key.
    """

    store: str = ""  # id of this store
    sequence: int = 0  # number of the newest event
    generations: Mapping[str, Generation] = field(default_factory=dict)
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    bindings: Mapping[tuple[str, int], Binding] = field(default_factory=dict)
    placed: Mapping[str, Placed] = field(default_factory=dict)
    timings: Mapping[tuple[str, str], tuple[float, ...]] = field(default_factory=dict)
    spent: Mapping[str, int] = field(default_factory=dict)
    rehearsed: Mapping[str, int] = field(default_factory=dict)
    booked: Mapping[tuple[str, bool], int] = field(default_factory=dict)
    counted: Mapping[tuple[str, bool], tuple[int, str]] = field(default_factory=dict)
    rehearsals: frozenset[str] = frozenset()
    holders: Mapping[int, Holder] = field(default_factory=dict)
    handed: Mapping[str, Handed] = field(default_factory=dict)
