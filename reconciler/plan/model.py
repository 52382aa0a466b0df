"""The values of a plan: actions, their reasons from a closed list, field-level changes, cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import field, replace
from decimal import Decimal
from enum import StrEnum

from reconciler.diagnostics import Diagnostic
from reconciler.events import take_name
from reconciler.frozen import dataclass
from reconciler.spec.matrix import declared_name
from reconciler.spec.values import LookUse


class Action(StrEnum):
    """What apply does with one take of a clip, or with a file that is no longer declared."""

    __hash__ = str.__hash__  # that of enums is a function in Python

    CREATE = "create"
    REPLACE = "replace"
    RESUME = "resume"
    RESTORE = "restore"
    MOVE = "move"
    ASSEMBLE = "assemble"
    REMOVE = "remove"
    NOOP = "noop"
    BLOCKED = "blocked"


class Reason(StrEnum):
    """Why a step is in the plan. Only `plan` decides by it."""

    __hash__ = str.__hash__  # that of enums is a function in Python

    sentence: str
    """The reason as people read it."""

    def __new__(cls, value: str, sentence: str) -> Reason:
        """Make a member."""
        reason = str.__new__(cls, value)
        reason._value_, reason.sentence = value, sentence
        return reason

    NEW = "new", "never generated before"
    CHANGED = "changed", "the prompt, settings or inputs changed"
    UNASSEMBLED = "unassembled", "never assembled before"
    REASSEMBLED = "reassembled", "its film is not here; assembling it again is free"
    REHEARSED = "rehearsed", "only rehearsed so far, at an address of this machine; the real video replaces that file"
    FAILED_BEFORE = "failed_before", "the last attempt failed"
    NOT_SENT = "not_sent", "the last attempt ended before anything was sent"
    CANCELLED = "cancelled", "its last task was cancelled"
    SEND_AGAIN = "send_again", "you asked to send it again"
    ARTIFACT_LOST = "artifact_lost", "generated before, but its video is not here; generating it again is free"
    IN_FLIGHT = "in_flight", "its task was submitted before; apply collects it"
    ELSEWHERE = "elsewhere", "somebody else is making it; free for you"
    HANDED = "handed", "it was handed to the workers"
    INTERRUPTED = "interrupted", "interrupted; the next apply draws it again"
    DRAWING = "drawing", "another clipform is drawing it now"
    STALLED = "stalled", "its task is past the deadline; it is paid, so clipform polls it again and never resends it"
    NOT_REFERENCED = (
        "not_referenced",
        "no clip uses this request any more; a video that it gives is stored under its own key",
    )
    OUTPUT_MISSING = "output_missing", "the output file is missing; the video is stored (free)"
    OUTPUT_OTHER = "output_other", "another version is in place; this one is stored (free)"
    COPIED = "copied", "clipform.lock names this video at another path; it is copied (free)"
    KNOWN = "known", "generated before; the video is stored (free)"
    SHARED = "shared", "same video as another clip; it is generated once"
    RENAMED = "renamed", "same video, new path (free)"
    UNDECLARED = "undeclared", "no longer declared"
    DESTROYED = "destroyed", "you asked to remove it; the stored video remains until gc"
    EDITED = "edited", "no longer declared, but edited by hand; the file stays"
    UP_TO_DATE = "up_to_date", "up to date"
    UNCERTAIN = "uncertain", "the provider may have accepted the request; clipform never resends it on its own"
    VANISHED = "vanished", "the provider no longer knows the task"
    NO_OUTPUT = "no_output", "the provider reported success but returned no video"
    LINK_EXPIRED = "link_expired", "the download link expired before the video was fetched"
    QUARANTINED = "quarantined", "the downloaded file is not a valid video"
    REFUSED = "refused", "the provider refused this request and would refuse it again"
    DRAFT_UNUSABLE = "draft_unusable", "its draft cannot become a final any more"
    NEEDS_APPROVAL = "needs_approval", "needs approval"
    PROTECTED = "protected", "the clip is protected until its YAML says otherwise"
    FOREIGN = "foreign", "clipform did not create the file at the output path"
    BARRED = "barred", "the output path goes through a symlink or a file"
    UPSTREAM = "upstream", "a clip that it depends on cannot be generated"
    LOCKED_BEFORE = "locked_before", "recorded in clipform.lock, but the video is not on this machine"
    LOCKED_TAKE = "locked_take", "recorded in clipform.lock; the file is on another machine and is not needed here"
    FAILED_PAID = "failed_paid", "it failed and counts as paid; clipform never pays for another try on its own"
    GIVEN_UP = "given_up", "you abandoned this request; it counts as paid"
    CACHED = "cached", "the shared cache has its video"
    PAID_BEFORE = (
        "paid_before",
        "already paid for, but the stored video is missing; generating it again needs your approval",
    )


GENERATES = frozenset({Action.CREATE, Action.REPLACE})
"""The actions that ask a provider for a new video."""

_COUNTS = (int, type(None))
_HEADLINE = 3  # changes that a headline names


@dataclass(frozen=True, slots=True)
class Change:
    """One field of the identity document, before and after; None where it was or is not stated.

    `note` is a whole phrase for a change that its two values do not explain."""

    field: str
    before: object
    after: object
    note: str = ""

    @property
    def phrase(self) -> str:
        """The change in a few words, such as `duration 5 → 8` or `prompt changed`."""
        if self.note:
            return self.note
        if not self.is_explained:
            return f"{self.field} changed"
        before, after = (0 if self.field == "retake" and v is None else v for v in (self.before, self.after))
        return f"{self.field} {plain_value(before)} → {plain_value(after)}"

    @property
    def is_explained(self) -> bool:
        """True if the phrase is enough: it quotes numbers and yes/no, never texts."""
        return bool(self.note) or (isinstance(self.before, _COUNTS) and isinstance(self.after, _COUNTS))


def plain_value(value: object) -> str:
    """Return a field's value as a user writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "(not stated)" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount; None without a known price ("unpriced"). Of a range it is the upper end, which is reserved and capped;
    `least` is the lower end."""

    amount: Decimal | None
    currency: str = ""
    least: Decimal | None = None
    source: str = ""  # of the price, with its age


@dataclass(frozen=True, slots=True)
class Brief:
    """What a new video is asked for, as people read it: its prompt, and facts such as duration, ratio and frames."""

    prompt: str
    facts: tuple[tuple[str, str], ...]  # name and value


@dataclass(frozen=True, slots=True)
class Wanted:
    """One take of a clip as the spec declares it, with its key. `output` is None unless the take is picked."""

    clip: str
    take: int
    key: str
    document: str
    provider: str
    kind: str
    model: str
    output: str | None = None
    needs: tuple[tuple[str, int], ...] = ()  # (clip, take) whose artifacts it is made from
    protect: bool = False
    free: bool = False  # the model bills nothing
    cost: Cost = Cost(None)
    tags: tuple[str, ...] = ()
    server_defaults: tuple[str, ...] = ()  # fields that the provider will choose
    rehearses: bool = False  # its provider is at an address of this machine
    takes: int = 1  # of the clip
    brief: Brief | None = None
    looks: tuple[LookUse, ...] = ()
    table: str = ""  # the declaration whose row the clip is
    tier: str = ""  # flex or standard, where one was chosen, and why
    tier_why: str = ""
    beside: str = ""  # the path of a film's subtitles beside its output

    @property
    def name(self) -> str:
        """The clip, with its take if it has several."""
        return take_name(self.clip, self.take, self.takes)

    @property
    def declared(self) -> str:
        """The name of the clip's declaration."""
        return self.table or declared_name(self.clip)


@dataclass(frozen=True, slots=True)
class OutputFact:
    """What is at an output path: nothing, something that is not a regular file, or content. `barred` is the symlink or
    file in its path where a folder should be."""

    exists: bool = False
    sha256: str | None = None  # None: absent, or not a regular file
    barred: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """The facts about the disk that a plan depends on."""

    outputs: Mapping[str, OutputFact] = field(default_factory=dict)
    objects: frozenset[str] = frozenset()  # SHA-256 of the artifacts in the store
    shared: frozenset[str] = frozenset()  # and of those to be taken from the shared cache
    movable: frozenset[str] = frozenset()  # paths that only the lock file calls clipform's, and that may be moved


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
    expected: float | None = None  # seconds, by this project's history
    detail: str = ""  # the facts: task, provider, time, cost
    way_out: tuple[str, ...] = ()  # remedies, each a command with its meaning
    server_defaults: tuple[str, ...] = ()
    sha256: str | None = None  # of the artifact that exists
    takes: int = 1  # of the clip
    brief: Brief | None = None  # of a new video
    tier: str = ""  # at which a new video is bought, and why
    tier_why: str = ""
    document: str = ""  # of a cut, with the content of each piece that is known

    @property
    def name(self) -> str:
        """The clip, with its take if it has several."""
        return take_name(self.clip, self.take, self.takes)

    @property
    def headline(self) -> str:
        """Why the step is in the plan: what changed where that is known, else the reason's sentence."""
        phrases = [change.phrase for change in self.headline_changes]
        more = len(self.changes) - len(phrases)
        return ", ".join(phrases) + (f" and {more} more" if more else "") if phrases else self.reason.sentence

    @property
    def headline_changes(self) -> tuple[Change, ...]:
        """The changes that the headline names, the prompt's first."""
        if self.reason is not Reason.CHANGED:
            return ()
        return tuple(sorted(self.changes, key=lambda change: change.field != "prompt")[:_HEADLINE])

    @property
    def ident(self) -> tuple[str, int]:
        """The identity that `needs` of other steps refer to. An unreferenced task has its key and a removed file its
        path, because their clip may have another step."""
        if self.reason is Reason.NOT_REFERENCED:
            return (self.key, 0)
        return (self.output or "", 0) if self.action is Action.REMOVE else (self.clip, self.take)

    @property
    def needs_a_maker(self) -> bool:
        """True for a restore that waits for the clip that generates the same video."""
        return self.reason is Reason.SHARED


@dataclass(frozen=True, slots=True, order=True)
class Demand:
    """What a project asks of this machine beyond the ordinary: an address, a variable or a path, and its use."""

    subject: str
    use: str
    is_asked: bool = True  # False: it is listed, and needs no consent

    def __str__(self) -> str:
        return f"{self.subject} {self.use}"


@dataclass(frozen=True, slots=True)
class LookChange:
    """Looks, and the steps of the takes that differ in them alone."""

    looks: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Cascade:
    """The clips that change by themselves (`causes`, mostly one), and the steps that only follow them.

    `is_planned`: the plan generates the causes too; else their new videos exist. `seams` are the clips that begin
    it, if none of them would follow with a frozen seam."""

    causes: tuple[str, ...]
    steps: tuple[Step, ...]
    is_planned: bool
    seams: tuple[str, ...] = ()

    @property
    def clips(self) -> tuple[str, ...]:
        """The clips that follow, in the order of the plan."""
        return tuple(dict.fromkeys(step.clip for step in self.steps))


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps in the order in which apply admits them, dependencies first."""

    steps: tuple[Step, ...]
    unbind: tuple[tuple[str, int], ...] = ()  # bindings to delete from the records; no file changes
    diagnostics: tuple[Diagnostic, ...] = ()
    currency: str = ""
    expected: float | None = None
    demands: tuple[Demand, ...] = ()
    places: tuple[tuple[str, str], ...] = ()  # a digest of where each provider's key goes, "" for the store
    looks: tuple[LookChange, ...] = ()
    cascades: tuple[Cascade, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()  # former and present names of clips whose records go with the name

    def counts(self) -> dict[str, int]:
        """Return the number of steps of each action."""
        counts = Counter(step.action for step in self.steps)
        return {action.value: counts.get(action, 0) for action in Action}

    def changes(self) -> tuple[Step, ...]:
        """Return the steps that do something."""
        return tuple(s for s in self.steps if s.action not in (Action.NOOP, Action.BLOCKED))

    def generating(self) -> tuple[Step, ...]:
        """Return the steps that ask a provider for a new video."""
        return tuple(s for s in self.steps if s.action in GENERATES)

    def blocked(self) -> tuple[Step, ...]:
        """Return the steps that wait for a person."""
        return tuple(s for s in self.steps if s.action is Action.BLOCKED)

    def has_changes(self) -> bool:
        """True if apply would do anything."""
        return bool(self.changes())

    def total(self) -> Decimal:
        """Return the known cost of all generations."""
        return sum((s.cost.amount for s in self.generating() if s.cost.amount is not None), Decimal(0))

    def least(self) -> Decimal | None:
        """Return the least that all generations with a price may cost; None if no price is a range."""
        costs = [s.cost for s in self.generating() if s.cost.amount is not None]
        if all(cost.least is None for cost in costs):
            return None
        return sum((cost.amount or Decimal(0) if cost.least is None else cost.least for cost in costs), Decimal(0))

    def unpriced(self) -> int:
        """Return how many generations have no known price."""
        return sum(1 for s in self.generating() if s.cost.amount is None)


def drawn_elsewhere(plan: Plan) -> Plan:
    """Return the plan while another process has the state: it is drawing the drafts that seem to be interrupted."""

    def drawn(step: Step) -> Step:
        return replace(step, reason=Reason.DRAWING) if step.reason is Reason.INTERRUPTED else step

    return replace(plan, steps=tuple(map(drawn, plan.steps)))
