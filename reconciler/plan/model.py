"""The values of a plan: actions, their reasons from a closed list, field-level changes, cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from reconciler.diagnostics import Diagnostic


class Action(StrEnum):
    """What apply does with one take of a clip (or with a file that nobody declares any more)."""

    CREATE = "create"
    REPLACE = "replace"
    RESUME = "resume"
    RESTORE = "restore"
    MOVE = "move"
    REMOVE = "remove"
    NOOP = "noop"
    BLOCKED = "blocked"


class Reason(StrEnum):
    """Why. Shown to the user, never branched on outside `plan`; each has a sentence in `SENTENCES`."""

    NEW = "new"
    CHANGED = "changed"
    FAILED_BEFORE = "failed_before"
    ARTIFACT_LOST = "artifact_lost"
    IN_FLIGHT = "in_flight"
    STALLED = "stalled"
    NOT_REFERENCED = "not_referenced"
    OUTPUT_MISSING = "output_missing"
    OUTPUT_OTHER = "output_other"
    KNOWN = "known"
    SHARED = "shared"
    RENAMED = "renamed"
    UNDECLARED = "undeclared"
    DESTROYED = "destroyed"
    EDITED = "edited"
    UP_TO_DATE = "up_to_date"
    UNCERTAIN = "uncertain"
    VANISHED = "vanished"
    NO_OUTPUT = "no_output"
    LINK_EXPIRED = "link_expired"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    PROTECTED = "protected"
    FOREIGN = "foreign"
    BARRED = "barred"
    UPSTREAM = "upstream"
    PAID_BEFORE = "paid_before"
    LOCKED_BEFORE = "locked_before"
    LOCKED_TAKE = "locked_take"
    GIVEN_UP = "given_up"


SENTENCES: Mapping[Reason, str] = {
    Reason.NEW: "never made before",
    Reason.CHANGED: "what shapes the picture changed",
    Reason.FAILED_BEFORE: "the last attempt did not succeed",
    Reason.ARTIFACT_LOST: "its artifact is no longer in the store; making it again is free",
    Reason.IN_FLIGHT: "a task is already in flight",
    Reason.STALLED: "its task is past its deadline; it is paid and is looked at again, never sent again",
    Reason.NOT_REFERENCED: "a paid task that no clip wants any more; its result is kept under its own key",
    Reason.OUTPUT_MISSING: "its output is gone; the artifact is at hand",
    Reason.OUTPUT_OTHER: "its output holds another version that we placed; the artifact is at hand",
    Reason.KNOWN: "this was made before; the artifact is at hand",
    Reason.SHARED: "the same picture as another clip's; it is made once",
    Reason.RENAMED: "the same picture at another path",
    Reason.UNDECLARED: "no longer declared",
    Reason.DESTROYED: "you asked to remove it; its artifact stays until gc",
    Reason.EDITED: "edited by hand: the file is left",
    Reason.UP_TO_DATE: "up to date",
    Reason.UNCERTAIN: "its request may have been accepted; it is never sent again by itself",
    Reason.VANISHED: "the provider no longer knows its task",
    Reason.NO_OUTPUT: "the provider reported success without a video",
    Reason.LINK_EXPIRED: "the link to its result died before it was fetched",
    Reason.QUARANTINED: "what came back is not a sound video",
    Reason.REFUSED: "the provider refused this request; the same one would be refused again",
    Reason.PROTECTED: "it is protected; remove `protect` from its YAML first",
    Reason.FOREIGN: "the file at its output is not one that clipform placed",
    Reason.BARRED: "the way to its output leads through a link or a file",
    Reason.UPSTREAM: "a clip that it depends on cannot be made",
    Reason.LOCKED_BEFORE: "clipform.lock says that it was made before, and its file is not here",
    Reason.LOCKED_TAKE: "clipform.lock says that it was made before; its file is elsewhere, and nothing here needs it",
    Reason.GIVEN_UP: "you gave this request up; it counts as paid",
    Reason.PAID_BEFORE: "it was paid for before and its artifact is gone; buying it again needs your word",
}


GENERATES = frozenset({Action.CREATE, Action.REPLACE})


@dataclass(frozen=True, slots=True)
class Change:
    """One field of the identity document, before and after; None where it was or is not stated."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount; `amount` None means that no price is known ("unpriced")."""

    amount: Decimal | None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One take of one clip as the spec wants it, with its key known. `output` is None for a take that is not picked."""

    clip: str
    take: int
    key: str
    document: str
    provider: str
    kind: str
    model: str
    output: str | None = None
    needs: tuple[tuple[str, int], ...] = ()  # (clip, take) whose artifact must be there first
    protect: bool = False
    free: bool = False  # the line bills nothing
    cost: Cost = Cost(None)
    tags: tuple[str, ...] = ()
    server_defaults: tuple[str, ...] = ()  # fields that the provider will choose


@dataclass(frozen=True, slots=True)
class OutputFact:
    """What is at an output path: nothing, something that is not a regular file, or content. `barred` names what stands
    in the way to it: a link or a file where a folder should be."""

    exists: bool = False
    sha256: str | None = None  # None: absent, or not a regular file
    barred: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """Facts about the disk that a plan rests on."""

    outputs: Mapping[str, OutputFact] = field(default_factory=dict)
    objects: frozenset[str] = frozenset()  # SHA-256 of the artifacts in the store


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a plan."""

    clip: str
    take: int
    action: Action
    reason: Reason
    key: str
    provider: str = ""
    kind: str = ""
    model: str = ""
    output: str | None = None
    previous_key: str | None = None
    previous_output: str | None = None
    changes: tuple[Change, ...] = ()
    cost: Cost = Cost(Decimal(0))
    needs: tuple[tuple[str, int], ...] = ()
    expected: float | None = None  # seconds, from own history
    detail: str = ""  # what is known: task, account alias, time, cost
    way_out: tuple[str, ...] = ()  # commands that settle it
    server_defaults: tuple[str, ...] = ()
    sha256: str | None = None  # of the artifact at hand

    @property
    def name(self) -> str:
        """The clip, with its take when it is not the first."""
        return self.clip if self.take == 1 else f"{self.clip}#{self.take}"

    @property
    def ident(self) -> tuple[str, int]:
        """What `needs` of other steps refer to. A task that nobody wants any more goes by its key, and a file that goes
        away by its path: the clip may have another step of its own."""
        if self.reason is Reason.NOT_REFERENCED:
            return (self.key, 0)
        return (self.output or "", 0) if self.action is Action.REMOVE else (self.clip, self.take)

    @property
    def needs_a_maker(self) -> bool:
        """A restore that waits for the clip which makes the same picture."""
        return self.reason is Reason.SHARED


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps in the order in which apply admits them, dependencies first."""

    steps: tuple[Step, ...]
    unbind: tuple[tuple[str, int], ...] = ()  # bindings to forget: bookkeeping, nothing visible changes
    diagnostics: tuple[Diagnostic, ...] = ()
    currency: str = ""
    expected: float | None = None
    places: tuple[tuple[str, str], ...] = ()  # where keys would be sent: a digest by alias, and of the store as ""

    def counts(self) -> dict[str, int]:
        """How many steps of each action, every action named."""
        found = Counter(step.action for step in self.steps)
        return {action.value: found.get(action, 0) for action in Action}

    def changes(self) -> tuple[Step, ...]:
        """The steps that do something when applied."""
        return tuple(s for s in self.steps if s.action not in (Action.NOOP, Action.BLOCKED))

    def generating(self) -> tuple[Step, ...]:
        """The steps that ask a provider for something new."""
        return tuple(s for s in self.steps if s.action in GENERATES)

    def blocked(self) -> tuple[Step, ...]:
        """The steps that need a person."""
        return tuple(s for s in self.steps if s.action is Action.BLOCKED)

    def has_changes(self) -> bool:
        """Would apply do anything?"""
        return bool(self.changes())

    def total(self) -> Decimal:
        """The known cost of everything that would be generated."""
        return sum((s.cost.amount for s in self.generating() if s.cost.amount is not None), Decimal(0))

    def unpriced(self) -> int:
        """How many generations have no known price."""
        return sum(1 for s in self.generating() if s.cost.amount is None)
