"""Decides from a provider's list what became of uncertain requests. Pure (never-pay-twice#s3-2, #s3-6).

A listed task fits a request to some degree (`Fit`): it is surely another one, it may be it, it shows the whole request,
or it carries a number that was drawn for this attempt: its seed or its `expires_after`. The verdicts for all
uncertain requests of a provider together, from the listed tasks that no other attempt has:

    listed                                              verdict
    exactly one carries our number                      Matched
    as many show the whole request as were sent         Matched, in the order of their times; Ask with `again` while
                                                        one is older than the request and the list may lag
    more, or fewer, or some that only may be it         Ask
    none that may be it, and all of §3.6 holds          Absent
    none that may be it, and something is missing       Ask; `again`: when another reading may decide

A task that may be it is never passed over: "another one" needs a contradiction, not just a missing echo, and a value
contradicts only if the provider is documented, or seen with a task of ours, to report it as it was sent. A wrong
`Matched` gives a clip another's video, a wrong `Absent` pays twice; a needless `Ask` costs somebody a minute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from enum import IntEnum

from reconciler.engine.uncertain.absence import APART, Absent, Ask, ListReading, Proof, ProofTerms, first_look
from reconciler.engine.uncertain.requests import UncertainRequest, sent_facts
from reconciler.frozen import dataclass
from reconciler.providers.base import Scalar
from reconciler.providers.capabilities import Listed

SLACK = 300.0
"""Seconds by which a task's time may lie outside the time of its request, with the clocks compared."""
DAY = 86_400.0
"""Seconds by which our clock may have been set back since a request was sent."""


@dataclass(frozen=True, slots=True)
class Matched:
    """It was accepted; `task` is its task."""

    task: str
    why: str


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
    requests = [replace(r, looked=first_look(r.attempt, r.looked, readings)) for r in requests]
    skew = next((reading.date - reading.at for reading in reversed(readings) if reading.date is not None), None)
    listed = {task.task: task for reading in readings for task in reading.tasks if task.task not in claimed}
    evidence = reported((task for reading in readings for task in reading.tasks), claimed)
    fits = {request.attempt: _fits(request, listed.values(), skew, evidence) for request in requests}
    verdicts = _marked(requests, fits)
    taken = {verdict.task for verdict in verdicts.values() if isinstance(verdict, Matched)}
    for candidates in fits.values():
        for task in taken & candidates.keys():
            del candidates[task]
    undecided = [request for request in requests if request.attempt not in verdicts]
    proof = Proof(readings, terms, claimed)
    for group in _alike(undecided):
        verdicts |= _group(group, [d for d in undecided if d not in group], fits, listed, proof)
    return {number: verdicts[number] for number in asked}


# --- one task, one request ------------------------------------------------------------------


def fit(request: UncertainRequest, task: Listed, skew: float | None, evidence: Reported) -> Fit:
    """Return how well a listed task fits a request, its time included. `skew`: by how much the provider's clock is
    ahead of ours; None: unknown."""
    if _contradicts(request, task, evidence):
        return Fit.OTHER
    marked = _same_mark(request, task)
    if task.created is None:
        return Fit.MAYBE
    if not _possible(request, task.created, skew):
        return Fit.MAYBE if marked or _same_seed(request, task) or _shows_all(request, task) else Fit.OTHER
    if marked and task.echo.get("model") == request.model:
        return Fit.MARKED
    near = skew is not None and request.since - SLACK <= task.created - skew <= request.until + SLACK
    return Fit.WHOLE if near and _shows_all(request, task) else Fit.MAYBE


def _possible(request: UncertainRequest, created: float, skew: float | None) -> bool:
    """Return True if a task of this time may be the request's.

    It is not from after the first look, by the provider's clock. The time of the request is known by our clock only,
    which may have been set since: forward, so that the task seems newer than it is, or back by as much as a day.
    """
    early = skew is not None and created - skew < request.since - SLACK - DAY
    return not early and (request.looked is None or created <= request.looked + SLACK)


def _fits(request: UncertainRequest, tasks: Iterable[Listed], skew: float | None, evidence: Reported) -> dict[str, Fit]:
    degrees = {task.task: fit(request, task, skew, evidence) for task in tasks}
    return {task: degree for task, degree in degrees.items() if degree is not Fit.OTHER}


def _same_seed(request: UncertainRequest, task: Listed) -> bool:
    return request.seed is not None and task.echo.get("seed") == request.seed


def _same_mark(request: UncertainRequest, task: Listed) -> bool:
    """True if the task shows a number that was drawn for this request alone, or the draft that it is the final of."""
    if request.draft_task and task.echo.get("draft_task") == request.draft_task:
        return task.echo.get("resolution") in (None, request.params.get("resolution"))
    expires_after = request.expires_after
    marked = expires_after is not None and task.echo.get("expires_after") == expires_after
    return marked or (request.drawn and _same_seed(request, task))


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
    if request.draft_task is not None and shown.get("draft_task", request.draft_task) != request.draft_task:
        return True  # the final of another draft
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


# --- all of a provider ----------------------------------------------------------------------


def _marked(requests: Sequence[UncertainRequest], fits: Mapping[int, Mapping[str, Fit]]) -> dict[int, Verdict]:
    """Return verdicts for the requests whose seed, `expires_after` or draft is listed."""
    marks = {d.attempt: [task for task, degree in fits[d.attempt].items() if degree is Fit.MARKED] for d in requests}
    holders: defaultdict[str, int] = defaultdict(int)
    for tasks in marks.values():
        for task in tasks:
            holders[task] += 1
    verdicts: dict[int, Verdict] = {}
    for number, tasks in marks.items():
        if len(tasks) == 1 and holders[tasks[0]] == 1:
            verdicts[number] = Matched(tasks[0], "it has the number, or the draft, of this request alone")
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
    proof: Proof,
) -> dict[int, Verdict]:
    """Decide about requests that ask for the same: assigned by order only if the counts match (never-pay-twice#f42)."""
    candidates = {task for request in group for task in fits[request.attempt]}
    if not candidates:
        return {request.attempt: proof.verdict(request) for request in group}
    ordered = sorted(candidates, key=lambda task: (listed[task].created or 0.0, task))
    unsure = [t for t in ordered if any(fits[request.attempt].get(t) is not Fit.WHOLE for request in group)]
    rivals = any(candidates & fits[request.attempt].keys() for request in others)
    if any(request.flying for request in group):
        verdict = Ask("the same request is being sent now", again=proof.readings[-1].steady + APART)
    elif unsure:
        verdict = Ask(f"{_names(unsure)} may be it, and does not show enough to tell")
    elif rivals:
        verdict = Ask(f"{_names(ordered)} may be it, and may be another request's")
    elif len(ordered) != len(group):
        verdict = Ask(f"{len(group)} such requests are uncertain, and {_names(ordered)} may be theirs")
    elif (again := proof.complete_at(group, listed[ordered[0]])) is not None:
        verdict = Ask(f"{_names(ordered)} may be it, or an earlier one of another computer's", again=again)
    else:
        why = "it shows this very request" if len(group) == 1 else "as many show this very request as were sent"
        return {request.attempt: Matched(task, why) for request, task in zip(group, ordered, strict=True)}
    return {request.attempt: verdict for request in group}


def _names(tasks: Sequence[str]) -> str:
    names = ", ".join(tasks[:3])
    more = f" and {len(tasks) - 3} more" if len(tasks) > 3 else ""
    return f"task{'s' if len(tasks) > 1 else ''} {names}{more}"
