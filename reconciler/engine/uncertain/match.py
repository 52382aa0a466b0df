"""What a provider's list says about requests that may have been accepted: a pure decision (RELIABILITY §3.2, §3.6).

A listed task fits a request to some degree (`Fit`): it is surely another one, it may be it, it shows the whole request,
or it carries the seed that we drew for this very attempt. From there, for all requests in doubt at a provider at once:

    listed, of what nobody claims                       then
    exactly one carries our seed                        Found
    as many show the whole request as were sent         Found, in the order of their times
    more, or fewer, or some that only may be it         Ask
    none that may be it, and all of §3.6 holds          Absent
    none that may be it, and something is missing       Ask: `again` says from when on time alone may have helped

Nothing that may be it is ever passed over: "another one" needs a contradiction, not just a missing echo. A wrong
`Matched` gives a clip another's video, a wrong `Absent` pays twice; a needless `Ask` costs somebody a minute.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from reconciler.providers.base import Model, Scalar
from reconciler.providers.capabilities import Coverage, Listed
from reconciler.providers.check import defaults_v1
from reconciler.records import Attempt, State

SETTLE = 120.0
"""Seconds that pass at the least before a request that is not listed may be believed not to exist (M5)."""
APART = 30.0
"""Seconds between the two readings of a proof."""
SLACK = 300.0
"""Seconds by which a task's time may lie outside of the time of its request, once the clocks are compared."""
JITTER = 2.0
"""Seconds by which two comparisons of the same two clocks may differ: a `Date` has whole seconds, and travels."""


@dataclass(frozen=True, slots=True)
class ListReading:
    """A list as it was read; `at` is when the reading began, by our clock."""

    at: float
    tasks: tuple[Listed, ...]
    complete: bool = True
    skew: float | None = None  # seconds by which the provider's clock is ahead


@dataclass(frozen=True, slots=True)
class ProofTerms:
    """What the proof of an absence rests on beside the readings. `patience`: seconds that a submit may be silent."""

    coverage: Coverage | None
    patience: float = 0.0

    @property
    def settle(self) -> float:
        """Seconds after which whatever was accepted is listed."""
        return max(2 * self.patience, self.coverage.lag if self.coverage else 0.0, SETTLE)


@dataclass(frozen=True, slots=True)
class UncertainRequest:
    """A request that may have been accepted, as the provider would show it. What we do not know is None.

    It was sent between `since` and `until`. `drawn`: the seed is our own and belongs to this attempt alone. `alike` is
    equal for requests that ask for the same. A request that is on its way just now (`flying`), or is in doubt at
    another alias of the provider (`rival`), gets no verdict: it is here for what it may have in common with others.
    """

    attempt: int
    since: float
    until: float
    model: str
    seed: int | None = None
    drawn: bool = False
    reports_seed: bool = False  # the model shows the seed that it was sent
    prompt: str | None = None
    shown: Mapping[str, Scalar] = field(default_factory=dict)  # duration, resolution, ratio, audio
    media: tuple[str | None, ...] | None = None  # URLs; None where it went out under one that is not on record
    alike: str = ""
    own_account: bool = True  # the list is surely of the account that it was sent to
    plain: bool = True  # without options of the vendor's own, which a list may filter by: Ark's `service_tier`
    again: bool = False  # the attempt before it was in doubt as well, and was found absent
    flying: bool = False
    rival: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    """It was accepted: this is its task."""

    task: str
    why: str


@dataclass(frozen=True, slots=True)
class Absent:
    """It was not accepted: proven by two readings at these times."""

    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must say. `again`: from when on another reading may answer instead; None when none will."""

    reason: str
    again: float | None = None


Verdict = Matched | Absent | Ask


class Fit(IntEnum):
    """How a listed task goes with a request."""

    OTHER = 0
    MAYBE = 1
    WHOLE = 2
    MARKED = 3


def decide(
    doubts: Sequence[UncertainRequest], claimed: Collection[str], readings: Sequence[ListReading], terms: ProofTerms
) -> dict[int, Verdict]:
    """A verdict for each request in doubt at one provider. `claimed`: tasks that other attempts have."""
    asked = [doubt.attempt for doubt in doubts if not (doubt.flying or doubt.rival)]
    if not readings:
        return dict.fromkeys(asked, Ask("its list was not read"))
    skew = next((reading.skew for reading in reversed(readings) if reading.skew is not None), 0.0)
    listed = {task.task: task for reading in readings for task in reading.tasks if task.task not in claimed}
    fits = {doubt.attempt: _fits(doubt, listed.values(), skew) for doubt in doubts}
    verdicts = _marked(doubts, fits)
    taken = {verdict.task for verdict in verdicts.values() if isinstance(verdict, Matched)}
    for found in fits.values():
        for task in taken & found.keys():
            del found[task]
    rest = [doubt for doubt in doubts if doubt.attempt not in verdicts]
    proof = _Proof(readings, terms, frozenset(claimed))
    for group in _alike(rest):
        verdicts |= _group(group, [d for d in rest if d not in group], fits, listed, proof)
    return {number: verdicts[number] for number in asked}


# --- one task, one request ------------------------------------------------------------------


def fit(doubt: UncertainRequest, task: Listed, skew: float = 0.0) -> Fit:
    """How a listed task goes with a request, its time included."""
    if _contradicts(doubt, task):
        return Fit.OTHER
    if doubt.drawn and task.echo.get("seed") == doubt.seed and task.echo.get("model") == doubt.model:
        degree = Fit.MARKED
    else:
        degree = Fit.WHOLE if _shows_all(doubt, task) else Fit.MAYBE
    if task.created is None:
        return Fit.MAYBE
    if doubt.since - SLACK <= task.created - skew <= doubt.until + SLACK:
        return degree
    return Fit.OTHER if degree is Fit.MAYBE and not _same_seed(doubt, task) else Fit.MAYBE


def _fits(doubt: UncertainRequest, tasks: Iterable[Listed], skew: float) -> dict[str, Fit]:
    found = {task.task: fit(doubt, task, skew) for task in tasks}
    return {task: degree for task, degree in found.items() if degree is not Fit.OTHER}


def _same_seed(doubt: UncertainRequest, task: Listed) -> bool:
    return doubt.seed is not None and task.echo.get("seed") == doubt.seed


def _contradicts(doubt: UncertainRequest, task: Listed) -> bool:
    """Whether what it shows cannot be this request. A vendor may rename a model and host a picture elsewhere, and
    chooses what was left to it, also a seed of its own unless the model reports the one that it was sent; it
    does not change a text, a length that was stated, or add pictures."""
    echo, seed, seconds = task.echo, task.echo.get("seed"), doubt.shown.get("duration")
    if doubt.drawn and _same_seed(doubt, task):
        return False
    if doubt.reports_seed and doubt.seed is not None and isinstance(seed, int) and seed >= 0 and seed != doubt.seed:
        return True
    said, length = echo.get("prompt"), echo.get("duration")
    if doubt.prompt is not None and isinstance(said, str) and said.split() != doubt.prompt.split():
        return True
    if isinstance(seconds, int) and isinstance(length, int) and seconds > 0 and length != seconds:
        return True
    return doubt.media is not None and bool(task.media) and len(task.media) != len(doubt.media)


def _shows_all(doubt: UncertainRequest, task: Listed) -> bool:
    """Whether all that it shows is what was asked for, and that is enough: model, length, pictures, and the prompt, or
    the seed that was stated where a vendor shows no prompt."""
    echo = task.echo
    asked: dict[str, Scalar | None] = {"model": doubt.model, **doubt.shown}
    if echo.get("model") != doubt.model or "duration" not in asked or echo.get("duration") != asked["duration"]:
        return False
    if any(name in echo and echo[name] != value for name, value in asked.items() if value != "adaptive"):
        return False
    if "prompt" not in echo:
        return _same_seed(doubt, task) and doubt.prompt is not None
    if doubt.prompt is None or doubt.media is None or len(doubt.media) != len(task.media):
        return False
    return all(ours in (None, theirs) for ours, theirs in zip(doubt.media, task.media, strict=True))


@dataclass(frozen=True, slots=True)
class _Proof:
    """What a list's silence is judged by."""

    readings: Sequence[ListReading]
    terms: ProofTerms
    claimed: frozenset[str]

    def alive(self, doubt: UncertainRequest, reading: ListReading) -> bool:
        """Whether the list shows some task from after the request's time began, or one that we know."""
        since = doubt.since - SLACK + (reading.skew or 0.0)
        new = any(task.created is not None and task.created >= since for task in reading.tasks)
        return new or any(task.task in self.claimed for task in reading.tasks)

    def forward(self, doubt: UncertainRequest, reading: ListReading) -> float:
        """By how many seconds our clock was set forward between the first look for a request and this one: as much as
        the provider's fell behind. That time has not passed."""
        skews = [r.skew for r in self.readings if r.at >= doubt.until and r.skew is not None]
        return max(0.0, skews[0] - reading.skew - JITTER) if skews and reading.skew is not None else 0.0


# --- all of a provider ----------------------------------------------------------------------


def _marked(doubts: Sequence[UncertainRequest], fits: Mapping[int, Mapping[str, Fit]]) -> dict[int, Verdict]:
    """Those whose seed is listed."""
    marks = {d.attempt: [task for task, degree in fits[d.attempt].items() if degree is Fit.MARKED] for d in doubts}
    holders: defaultdict[str, int] = defaultdict(int)
    for tasks in marks.values():
        for task in tasks:
            holders[task] += 1
    found: dict[int, Verdict] = {}
    for number, tasks in marks.items():
        if len(tasks) == 1 and holders[tasks[0]] == 1:
            found[number] = Matched(tasks[0], "it has the seed that was drawn for this request")
        elif tasks:
            found[number] = Ask(f"{_names(tasks)} carry its seed")
    return found


def _alike(doubts: Iterable[UncertainRequest]) -> list[list[UncertainRequest]]:
    """Groups of requests that ask for the same, each in the order of the attempts. A drawn seed makes each its own."""
    groups: dict[str, list[UncertainRequest]] = {}
    for doubt in sorted(doubts, key=lambda d: d.attempt):
        own = doubt.drawn or not doubt.alike
        groups.setdefault(f"#{doubt.attempt}" if own else doubt.alike, []).append(doubt)
    return list(groups.values())


def _group(
    group: Sequence[UncertainRequest],
    others: Sequence[UncertainRequest],
    fits: Mapping[int, Mapping[str, Fit]],
    listed: Mapping[str, Listed],
    proof: _Proof,
) -> dict[int, Verdict]:
    """Requests that ask for the same: counted, and assigned by order only when the counts match (F42)."""
    candidates = {task for doubt in group for task in fits[doubt.attempt]}
    if not candidates:
        return {doubt.attempt: _absent(doubt, proof) for doubt in group}
    ordered = sorted(candidates, key=lambda task: (listed[task].created or 0.0, task))
    unsure = [t for t in ordered if any(fits[doubt.attempt].get(t) is not Fit.WHOLE for doubt in group)]
    rivals = any(candidates & fits[doubt.attempt].keys() for doubt in others)
    if any(doubt.flying for doubt in group):
        verdict = Ask("the same request is on its way just now", again=proof.readings[-1].at + APART)
    elif unsure:
        verdict = Ask(f"{_names(unsure)} may be it, and does not show enough to tell")
    elif rivals:
        verdict = Ask(f"{_names(ordered)} may be it, and may be another request's")
    elif len(ordered) != len(group):
        verdict = Ask(f"{len(group)} such requests are in doubt, and {_names(ordered)} may be theirs")
    else:
        why = "it shows this very request" if len(group) == 1 else "as many show this very request as were sent"
        return {doubt.attempt: Matched(task, why) for doubt, task in zip(group, ordered, strict=True)}
    return {doubt.attempt: verdict for doubt in group}


def _absent(doubt: UncertainRequest, proof: _Proof) -> Verdict:
    """No task may be it. Whether that proves that there is none: all five conditions of §3.6, and three of sense."""
    coverage, last = proof.terms.coverage, proof.readings[-1]
    if coverage is None or not doubt.plain:
        return Ask("its list does not show it, and is not known to show everything")
    if not doubt.own_account:
        return Ask("its list does not show it, and may be another account's")
    if last.at > doubt.since + coverage.kept - SLACK:
        return Ask("its list does not show it, and no longer shows tasks of that time")
    if not last.complete or last.skew is None:
        return Ask("its list does not show it, and could not be read whole, with the provider's time")
    if not proof.alive(doubt, last):
        return Ask("its list does not show it, nor any task that would prove the list alive")
    if doubt.again:
        return Ask("it was in doubt twice in a row, and is not listed")
    ripe, set_forward = doubt.until + proof.terms.settle, proof.forward(doubt, last)
    whole = [r for r in proof.readings if r.complete and r.skew is not None and proof.alive(doubt, r)]
    passed = [time for r in whole if (time := r.at - proof.forward(doubt, r)) >= ripe]
    if not passed:
        return Ask("its list does not show it yet", again=ripe + set_forward)
    if passed[-1] - passed[0] < APART:
        return Ask("its list does not show it; a second look decides", again=passed[0] + APART + set_forward)
    return Absent(passed[0], passed[-1])


def _names(tasks: Sequence[str]) -> str:
    shown = ", ".join(tasks[:3])
    more = f" and {len(tasks) - 3} more" if len(tasks) > 3 else ""
    return f"task{'s' if len(tasks) > 1 else ''} {shown}{more}"


# --- from records ---------------------------------------------------------------------------


def uncertain_request(attempt: Attempt, document: str, model: Model | None) -> UncertainRequest:
    """An attempt as the provider would show it. `document` is the identity document of its key, empty when lost; what
    it leaves out are the model's defaults."""
    flying = attempt.state is State.SUBMITTING
    until = float("inf") if flying else attempt.updated
    reports = model is not None and model.reports_seed
    bare = UncertainRequest(
        attempt.id, attempt.created, until, attempt.model, attempt.seed, reports_seed=reports, flying=flying
    )
    if not document or model is None:
        return bare
    told = json.loads(document)
    stated = told.get("params", {})
    params = {**defaults_v1(model), **stated}
    media = tuple(item.get("url") for item in told.get("inputs", []))
    return replace(
        bare,
        drawn=attempt.seed is not None and "seed" not in stated,
        prompt=told.get("prompt", ""),
        shown={name: params[name] for name in ("duration", "resolution", "ratio", "audio") if name in params},
        media=media,
        plain=not told.get("options"),
        alike=json.dumps({name: value for name, value in told.items() if name not in ("take", "retake")}),
    )


# --- in plans -------------------------------------------------------------------------------
