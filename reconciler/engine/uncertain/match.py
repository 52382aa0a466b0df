"""Decides from a provider's list what became of uncertain requests. Pure (never-pay-twice#s3-2, #s3-6).

A listed task fits a request to some degree (`Fit`): it is surely another one, it may be it, it shows the whole request,
or it carries a number that was drawn for this attempt: its seed or its `expires_after`. The verdicts for all
uncertain requests of a provider together, from the listed tasks that no other attempt has:

    listed                                              verdict
    exactly one carries our number                      Matched
    as many show the whole request as were sent         Matched, in the order of their times
    more, or fewer, or some that only may be it         Ask
    none that may be it, and all of §3.6 holds          Absent
    none that may be it, and something is missing       Ask; `again`: when another reading may decide

A task that may be it is never passed over: "another one" needs a contradiction, not just a missing echo, and a value
contradicts only if the provider is documented, or seen with a task of ours, to report it as it was sent. A wrong
`Matched` gives a clip another's video, a wrong `Absent` pays twice; a needless `Ask` costs somebody a minute.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import IntEnum

from reconciler.providers.base import Model, Scalar
from reconciler.providers.capabilities import Coverage, Listed
from reconciler.providers.check import defaults_v1
from reconciler.records import Attempt, State

SETTLE = 120.0
"""Seconds that must pass before a request that is not listed may count as absent (never-pay-twice#m5)."""
APART = 30.0
"""Seconds between the two readings of a proof."""
SLACK = 300.0
"""Seconds by which a task's time may lie outside the time of its request, with the clocks compared."""
JITTER = 2.0
"""Seconds by which two comparisons of the same two clocks may differ: a `Date` has whole seconds, and travels."""


@dataclass(frozen=True, slots=True)
class ListReading:
    """One reading of a list; `at` is when it began, by our clock."""

    at: float
    tasks: tuple[Listed, ...]
    complete: bool = True
    skew: float | None = None  # seconds by which the provider's clock is ahead


@dataclass(frozen=True, slots=True)
class ProofTerms:
    """What a proof of absence needs beside the readings. `patience`: seconds that a submit may be silent."""

    coverage: Coverage | None
    patience: float = 0.0

    @property
    def settle(self) -> float:
        """Seconds after which every accepted request is listed."""
        return max(2 * self.patience, self.coverage.lag if self.coverage else 0.0, SETTLE)


@dataclass(frozen=True, slots=True)
class UncertainRequest:
    """A request that may have been accepted, as the provider would show it. What is unknown is None.

    It was sent between `since` and `until`. `drawn`: the seed was drawn for this attempt alone. `alike` is equal for
    requests that ask for the same. A request that is being sent (`flying`), or is uncertain at another alias of the
    provider (`rival`), gets no verdict: it is here because listed tasks may be its own.
    """

    attempt: int
    since: float
    until: float
    model: str
    seed: int | None = None
    drawn: bool = False
    expires_after: int | None = None  # drawn for this attempt alone
    reports: frozenset[str] = frozenset()  # facts that the vendor's documents say it shows as they were sent
    prompt: str | None = None
    params: Mapping[str, Scalar] = field(default_factory=dict)  # duration, resolution, ratio, audio
    media: tuple[str | None, ...] | None = None  # URLs; None where it went out under one that is not on record
    alike: str = ""
    own_account: bool = True  # the list is surely of the account that it was sent to
    plain: bool = True  # without the provider's own options, which a list may filter by: Ark's `service_tier`
    again: bool = False  # the attempt before it was uncertain too, and proven absent
    flying: bool = False
    rival: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    """It was accepted; `task` is its task."""

    task: str
    why: str


@dataclass(frozen=True, slots=True)
class Absent:
    """It was not accepted: proven by two readings at these times."""

    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must decide. `again`: when another reading may decide instead; None: never."""

    reason: str
    again: float | None = None


Verdict = Matched | Absent | Ask
Claimed = Mapping[str, UncertainRequest | None]
"""The tasks of other attempts, each with its request if that is on record."""
Reported = Set[tuple[str, str]]
"""Model and name of the facts that a list is seen to report as they were sent."""


class Fit(IntEnum):
    """How well a listed task fits a request."""

    OTHER = 0
    MAYBE = 1
    WHOLE = 2
    MARKED = 3


def decide(
    requests: Sequence[UncertainRequest], claimed: Claimed, readings: Sequence[ListReading], terms: ProofTerms
) -> dict[int, Verdict]:
    """Return a verdict for each uncertain request of one provider."""
    asked = [request.attempt for request in requests if not (request.flying or request.rival)]
    if not readings:
        return dict.fromkeys(asked, Ask("its list was not read"))
    skew = next((reading.skew for reading in reversed(readings) if reading.skew is not None), 0.0)
    listed = {task.task: task for reading in readings for task in reading.tasks if task.task not in claimed}
    evidence = reported((task for reading in readings for task in reading.tasks), claimed)
    fits = {request.attempt: _fits(request, listed.values(), skew, evidence) for request in requests}
    verdicts = _marked(requests, fits)
    taken = {verdict.task for verdict in verdicts.values() if isinstance(verdict, Matched)}
    for candidates in fits.values():
        for task in taken & candidates.keys():
            del candidates[task]
    undecided = [request for request in requests if request.attempt not in verdicts]
    proof = _Proof(readings, terms, frozenset(claimed))
    for group in _alike(undecided):
        verdicts |= _group(group, [d for d in undecided if d not in group], fits, listed, proof)
    return {number: verdicts[number] for number in asked}


# --- one task, one request ------------------------------------------------------------------


def fit(request: UncertainRequest, task: Listed, skew: float = 0.0, evidence: Reported = frozenset()) -> Fit:
    """Return how well a listed task fits a request, its time included."""
    if _contradicts(request, task, evidence):
        return Fit.OTHER
    if _same_mark(request, task) and task.echo.get("model") == request.model:
        degree = Fit.MARKED
    else:
        degree = Fit.WHOLE if _shows_all(request, task) else Fit.MAYBE
    if task.created is None:
        return Fit.MAYBE
    if request.since - SLACK <= task.created - skew <= request.until + SLACK:
        return degree
    same = _same_seed(request, task) or _same_mark(request, task)
    return Fit.OTHER if degree is Fit.MAYBE and not same else Fit.MAYBE


def _fits(request: UncertainRequest, tasks: Iterable[Listed], skew: float, evidence: Reported) -> dict[str, Fit]:
    degrees = {task.task: fit(request, task, skew, evidence) for task in tasks}
    return {task: degree for task, degree in degrees.items() if degree is not Fit.OTHER}


def _same_seed(request: UncertainRequest, task: Listed) -> bool:
    return request.seed is not None and task.echo.get("seed") == request.seed


def _same_mark(request: UncertainRequest, task: Listed) -> bool:
    """True if the task shows a number that was drawn for this request alone."""
    expires_after = request.expires_after
    marked = expires_after is not None and task.echo.get("expires_after") == expires_after
    return marked or (request.drawn and _same_seed(request, task))


def sent_facts(request: UncertainRequest) -> dict[str, object]:
    """Return what a request is known to have stated, by the names of an echo."""
    seconds = request.params.get("duration")
    facts = {
        "seed": request.seed,
        "expires_after": request.expires_after,
        "prompt": None if request.prompt is None else request.prompt.split(),
        "duration": seconds if isinstance(seconds, int) and seconds > 0 else None,
        "media": None if request.media is None else len(request.media),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _shown_facts(task: Listed) -> dict[str, object]:
    """Return what a listed task shows, for comparison with `sent_facts`."""
    facts: dict[str, object] = dict(task.echo)
    seed, prompt = facts.pop("seed", None), facts.pop("prompt", None)
    if isinstance(seed, int) and seed >= 0:
        facts["seed"] = seed
    if isinstance(prompt, str):
        facts["prompt"] = prompt.split()
    return {**facts, "media": len(task.media)} if task.media else facts


def reported(tasks: Iterable[Listed], claimed: Claimed) -> Reported:
    """Return model and name of each fact that the list is seen to report: a task of ours shows it as it was sent."""
    pairs = ((request, _shown_facts(task)) for task in tasks if (request := claimed.get(task.task)) is not None)
    return frozenset(
        (request.model, name)
        for request, shown in pairs
        for name, value in sent_facts(request).items()
        if shown.get(name) == value
    )


def _contradicts(request: UncertainRequest, task: Listed, evidence: Reported) -> bool:
    """True if the task cannot be this request: it shows another value of a fact that the vendor reports as it was sent.

    That it does so is a documented fact of the vendor, or the same list shows it with one of our own tasks. A vendor
    may choose what the request left open, report a value of its own, or report nothing while the task runs.
    """
    if _same_mark(request, task):
        return False
    shown = _shown_facts(task)
    return any(
        name in shown and shown[name] != value and (name in request.reports or (request.model, name) in evidence)
        for name, value in sent_facts(request).items()
    )


def _shows_all(request: UncertainRequest, task: Listed) -> bool:
    """True if the task shows the whole request and nothing else: model, length, pictures, and the prompt, or the stated
    seed where the provider shows no prompt."""
    echo = task.echo
    asked: dict[str, Scalar | None] = {"model": request.model, **request.params}
    if echo.get("model") != request.model or "duration" not in asked or echo.get("duration") != asked["duration"]:
        return False
    if any(name in echo and echo[name] != value for name, value in asked.items() if value != "adaptive"):
        return False
    if "prompt" not in echo:
        return _same_seed(request, task) and request.prompt is not None
    if request.prompt is None or request.media is None or len(request.media) != len(task.media):
        return False
    return all(ours in (None, theirs) for ours, theirs in zip(request.media, task.media, strict=True))


@dataclass(frozen=True, slots=True)
class _Proof:
    """The evidence that a request which is not listed was not accepted."""

    readings: Sequence[ListReading]
    terms: ProofTerms
    claimed: frozenset[str]

    def alive(self, request: UncertainRequest, reading: ListReading) -> bool:
        """True if the list shows a task from after the request was sent, or a task that is on record."""
        since = request.since - SLACK + (reading.skew or 0.0)
        new = any(task.created is not None and task.created >= since for task in reading.tasks)
        return new or any(task.task in self.claimed for task in reading.tasks)

    def forward(self, request: UncertainRequest, reading: ListReading) -> float:
        """Return by how many seconds our clock was set forward since the first reading for a request: as much as the
        provider's fell behind. That time has not passed."""
        skews = [r.skew for r in self.readings if r.at >= request.until and r.skew is not None]
        return max(0.0, skews[0] - reading.skew - JITTER) if skews and reading.skew is not None else 0.0


# --- all of a provider ----------------------------------------------------------------------


def _marked(requests: Sequence[UncertainRequest], fits: Mapping[int, Mapping[str, Fit]]) -> dict[int, Verdict]:
    """Return verdicts for the requests whose seed or `expires_after` is listed."""
    marks = {d.attempt: [task for task, degree in fits[d.attempt].items() if degree is Fit.MARKED] for d in requests}
    holders: defaultdict[str, int] = defaultdict(int)
    for tasks in marks.values():
        for task in tasks:
            holders[task] += 1
    verdicts: dict[int, Verdict] = {}
    for number, tasks in marks.items():
        if len(tasks) == 1 and holders[tasks[0]] == 1:
            verdicts[number] = Matched(tasks[0], "it has the number that was drawn for this request")
        elif tasks:
            verdicts[number] = Ask(f"{_names(tasks)} carry its number")
    return verdicts


def _alike(requests: Iterable[UncertainRequest]) -> list[list[UncertainRequest]]:
    """Group requests that ask for the same, in the order of their attempts. One with a drawn number is alone."""
    groups: dict[str, list[UncertainRequest]] = {}
    for request in sorted(requests, key=lambda d: d.attempt):
        alone = request.drawn or request.expires_after is not None or not request.alike
        groups.setdefault(f"#{request.attempt}" if alone else request.alike, []).append(request)
    return list(groups.values())


def _group(
    group: Sequence[UncertainRequest],
    others: Sequence[UncertainRequest],
    fits: Mapping[int, Mapping[str, Fit]],
    listed: Mapping[str, Listed],
    proof: _Proof,
) -> dict[int, Verdict]:
    """Decide about requests that ask for the same: assigned by order only if the counts match (never-pay-twice#f42)."""
    candidates = {task for request in group for task in fits[request.attempt]}
    if not candidates:
        return {request.attempt: _absent(request, proof) for request in group}
    ordered = sorted(candidates, key=lambda task: (listed[task].created or 0.0, task))
    unsure = [t for t in ordered if any(fits[request.attempt].get(t) is not Fit.WHOLE for request in group)]
    rivals = any(candidates & fits[request.attempt].keys() for request in others)
    if any(request.flying for request in group):
        verdict = Ask("the same request is being sent now", again=proof.readings[-1].at + APART)
    elif unsure:
        verdict = Ask(f"{_names(unsure)} may be it, and does not show enough to tell")
    elif rivals:
        verdict = Ask(f"{_names(ordered)} may be it, and may be another request's")
    elif len(ordered) != len(group):
        verdict = Ask(f"{len(group)} such requests are uncertain, and {_names(ordered)} may be theirs")
    else:
        why = "it shows this very request" if len(group) == 1 else "as many show this very request as were sent"
        return {request.attempt: Matched(task, why) for request, task in zip(group, ordered, strict=True)}
    return {request.attempt: verdict for request in group}


def _absent(request: UncertainRequest, proof: _Proof) -> Verdict:
    """Decide if a list without any task that may be it proves absence: the conditions of never-pay-twice#s3-6."""
    coverage, last = proof.terms.coverage, proof.readings[-1]
    if coverage is None or not request.plain:
        return Ask("its list does not show it, and is not known to show everything")
    if not request.own_account:
        return Ask("its list does not show it, and may be another account's")
    if last.at > request.since + coverage.retention - SLACK:
        return Ask("its list does not show it, and no longer shows tasks of that time")
    if not last.complete or last.skew is None:
        return Ask("its list does not show it, and could not be read completely with the provider's time")
    if not proof.alive(request, last):
        return Ask("its list shows neither it nor any task that proves the list current")
    if request.again:
        return Ask("it was uncertain twice in a row, and is not listed")
    ripe, set_forward = request.until + proof.terms.settle, proof.forward(request, last)
    whole = [r for r in proof.readings if r.complete and r.skew is not None and proof.alive(request, r)]
    passed = [time for r in whole if (time := r.at - proof.forward(request, r)) >= ripe]
    if not passed:
        return Ask("its list does not show it yet", again=ripe + set_forward)
    if passed[-1] - passed[0] < APART:
        return Ask("its list does not show it; a second look decides", again=passed[0] + APART + set_forward)
    return Absent(passed[0], passed[-1])


def _names(tasks: Sequence[str]) -> str:
    names = ", ".join(tasks[:3])
    more = f" and {len(tasks) - 3} more" if len(tasks) > 3 else ""
    return f"task{'s' if len(tasks) > 1 else ''} {names}{more}"


# --- from records ---------------------------------------------------------------------------


def uncertain_request(attempt: Attempt, document: str, model: Model | None) -> UncertainRequest:
    """Return an attempt as the provider would show it.

    `document` is the identity document of its key. What it leaves out are the model's defaults. Without it nothing but
    the record is known, so the request may have had options of the provider's own.
    """
    flying = attempt.state is State.SUBMITTING
    until = float("inf") if flying else attempt.updated
    reports = frozenset({"seed"} if model is not None and model.reports_seed else ())
    bare = UncertainRequest(attempt.id, attempt.created, until, attempt.model, attempt.seed, flying=flying)
    bare = replace(bare, expires_after=attempt.expires_after, reports=reports, plain=False)
    if not document or model is None:
        return bare
    identity = json.loads(document)
    stated = identity.get("params", {})
    params = {**defaults_v1(model), **stated}
    media = tuple(item.get("url") for item in identity.get("inputs", []))
    return replace(
        bare,
        drawn=attempt.seed is not None and "seed" not in stated,
        prompt=identity.get("prompt", ""),
        params={name: params[name] for name in ("duration", "resolution", "ratio", "audio") if name in params},
        media=media,
        plain=not identity.get("options"),
        alike=json.dumps({name: value for name, value in identity.items() if name not in ("take", "retake")}),
    )
