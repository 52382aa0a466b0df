"""The gallery's documents. Each attribute becomes the JSON member of that name, which the page's script reads. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from reconciler.frozen import dataclass

FORMAT_VERSION = 1

Value = dict[str, object]
"""A JSON object."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money as decimal text."""

    amount: str
    currency: str | None


@dataclass(frozen=True, slots=True)
class Estimate(Amount):
    """The price of one generation: the upper end of a range, whose lower end is `least`. `source` names where the price
    is from and its age."""

    least: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Bill(Amount):
    """The sum of the known prices, and the number of generations without a price. `least` is the lower end, if a price
    is a range."""

    unpriced: int
    least: str | None


@dataclass(frozen=True, slots=True)
class Video:
    """A stored video. `video`, `poster` and `preview` are relative addresses; a report fills in `preview`."""

    sha256: str
    video: str
    poster: str
    preview: str | None
    width: int
    height: int
    seconds: float
    audio: bool
    bytes: int


@dataclass(frozen=True, slots=True)
class Running:
    """Progress of a step in the current run. `elapsed` and `expected` are seconds, `progress` is a percentage."""

    progress: int | None = None
    elapsed: float = 0.0
    expected: float | None = None
    phase: str = ""


@dataclass(frozen=True, slots=True)
class FilmPiece:
    """A piece of a film: of a clip or another film, words, or a picture with its path as words and its address in
    `still`. It shows the seconds from `first` to `last` of the video, None for its end. For `dissolve` seconds the
    piece before it is shown too. `shown` is its video, if there is one, and else `draft` its draft."""

    clip: str
    text: str
    still: str | None
    first: float
    last: float | None
    dissolve: float
    shown: Video | None
    draft: Video | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One clip, described by the step of its picked take. The defaults are those of a clip that is not declared."""

    id: str
    state: str
    action: str
    reason: str
    sentence: str
    detail: str
    way_out: tuple[str, ...]
    running: Running | None
    provider: str
    kind: str
    model: str
    output: str
    cost: Amount | None
    created: str | None
    mismatch: str
    shown: Video | None
    due: Bill | None  # of all takes that the plan generates
    apply: Value | None
    declared: str
    also: tuple[Value, ...] = ()  # the other steps of the clip in the plan, such as those of its other takes
    tags: tuple[str, ...] = ()
    description: str = ""
    file: Value | None = None  # path and line of its declaration
    mode: str = ""
    duration: int | None = None
    ratio: object = None
    resolution: object = None
    estimate: Estimate | None = None
    prompt: str = ""
    pick: int = 1
    takes: int = 1
    needs: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()
    pieces: tuple[FilmPiece, ...] = ()  # of a film
    since: str | None = None  # in a comparison: same, changed, renamed, added, removed


@dataclass(frozen=True, slots=True)
class SessionTotal:
    """The running total of a watch session. `offer`: true if a plan waits for approval."""

    spent: str
    unpriced: int
    currency: str | None
    cap: str | None
    offer: bool


@dataclass(frozen=True, slots=True)
class Since:
    """The subject of a comparison, and the number of clips in each group."""

    kind: str  # revision or plan
    label: str
    commit: str
    time: str | None
    same: int
    changed: int
    added: int
    removed: int
    renamed: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """The Document without its cards. `stale`: the cards are older than the errors in `diagnostics`."""

    project: str
    live: bool
    acts: bool  # the page may change and apply something
    draft: bool
    title: str
    summary: Mapping[str, int]
    cost: Bill
    expected: float | None  # seconds
    diagnostics: tuple[Value, ...]
    stale: bool
    revision: str = ""
    generated: str = ""
    session: SessionTotal | None = None
    restart: str = ""  # the command that shows the live page again
    cascades: tuple[Value, ...] = ()  # a sentence about each
    since: Since | None = None
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class Document:
    """The whole gallery. In JSON the members of the head are members of the document."""

    head: Head
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class TakeApproval:
    """Whether the key of a take may be bought: `by` whom it is approved, empty if nobody did. `of` is what is looked at
    before, and `seen` that video; None if it is not there."""

    of: str
    seen: Video | None
    by: str = ""
    at: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Take:
    """One take of a clip, with its result if it has one."""

    take: int
    key: str
    seed: int | None
    account: str
    task: str | None
    media: Video | None
    cost: Amount | None
    created: str | None
    took: float | None
    mismatch: str
    origin: str
    picked: bool = False
    state: str = "ready"
    estimate: Estimate | None = None
    attempt: str = ""
    draft: Video | None = None  # while it has no video
    approval: TakeApproval | None = None  # where the project asks for one, and before it is bought


@dataclass(frozen=True, slots=True)
class TakeVersion:
    """A version of a take: a key that it has held, or that the YAML declares now (`current`). `changes`: since the
    version before it in the list."""

    take: int
    number: int  # as `history` has it
    key: str
    current: bool
    time: str | None
    cost: Amount | None
    media: Video | None
    changes: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A clip at the earlier side of a comparison."""

    shown: Video | None
    prompt: str
    facts: tuple[tuple[str, str], ...]
    changes: tuple[Value, ...]
    output: str
    pick: int
    cost: Amount | None
    note: str
    pieces: tuple[FilmPiece, ...] = ()  # of a film


@dataclass(frozen=True, slots=True)
class Detail:
    """One clip in full: its takes, previous result, changes, inputs, settings, versions and history."""

    card: Card
    takes: tuple[Take, ...]
    previous: Take | None
    changes: tuple[Value, ...]
    inputs: tuple[Value, ...]
    facts: tuple[tuple[str, str], ...]
    events: tuple[Value, ...]
    versions: tuple[TakeVersion, ...] = ()  # of the takes that have more than one; in the live gallery
    before: Earlier | None = None
    format_version: int = FORMAT_VERSION


def members(value: object) -> Value:
    """Return the JSON members of a document, for `json.dumps(default=…)`; their values are not yet encoded."""
    if isinstance(value, Document):
        return members(value.head) | {"cards": value.cards}
    values = {name: getattr(value, name) for name in value.__dataclass_fields__}  # type: ignore[attr-defined]  # not `fields`: it takes as long as the rest
    if "since" in values and values["since"] is None:  # the members of a comparison are in a comparison only
        del values["since"]
    return values


def dumps(value: object) -> str:
    """Return the JSON of a document, or of a value that contains some."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=members)


def encoded(value: object) -> bytes:
    """Return the JSON as it is sent. A lone surrogate, as a provider's reply may contain, becomes `?`."""
    return dumps(value).encode("utf-8", "replace")
