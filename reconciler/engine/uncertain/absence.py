"""Decides if a list that does not show a request proves that it was not accepted. Pure (never-pay-twice#s3-6).

Time is measured in the provider's own: between two of its answers, by their `Date`. The first look at a list after the
request ended starts the measurement, and is on record. A clock here that is set, or that stops between two runs,
changes nothing; a provider that gives no date leaves a question.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from reconciler.engine.uncertain.requests import UncertainRequest
from reconciler.frozen import dataclass
from reconciler.providers.capabilities import Coverage, Listed

SETTLE = 120.0
"""Seconds that must pass before a request that is not listed may count as absent (never-pay-twice#m5)."""
APART = 30.0
"""Seconds between the two readings of a proof."""
MARGIN = 300.0
"""Seconds before the end of a list's retention from which on it proves nothing."""

TICK = 5.0
"""Seconds by which a task may seem older than its request: a list has whole seconds, and takes a while to arrive."""


@dataclass(frozen=True, slots=True)
class ListReading:
    """One reading of a list. It began at `at` by our wall clock and at `steady` by our monotonic one; `date` is the
    provider's time. `after`: the attempts that were uncertain when it began."""

    at: float
    steady: float
    tasks: tuple[Listed, ...]
    complete: bool = True
    date: float | None = None
    after: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class ProofTerms:
    """What a proof of absence needs beside the readings. `submit_silence`: seconds that a submit may be silent."""

    coverage: Coverage | None
    submit_silence: float = 0.0

    @property
    def settle(self) -> float:
        """Seconds after which every accepted request is listed."""
        return max(2 * self.submit_silence, self.coverage.lag if self.coverage else 0.0, SETTLE)


@dataclass(frozen=True, slots=True)
class Absent:
    """It was not accepted: proven by two readings at these times of the provider."""

    first: float
    second: float


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must decide. `again`: when, by our monotonic clock, another reading may decide instead; None: never."""

    reason: str
    again: float | None = None


def first_look(attempt: int, looked: float | None, readings: Sequence[ListReading]) -> float | None:
    """Return when the provider first answered after a request ended: the time on record, else the first reading's."""
    dates = (reading.date for reading in readings if attempt in reading.after)
    return next((date for date in (looked, *dates) if date is not None), None)


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence that a request which is not listed was not accepted. `claimed`: the tasks that are on record."""

    readings: Sequence[ListReading]
    terms: ProofTerms
    claimed: Collection[str]

    def verdict(self, request: UncertainRequest) -> Absent | Ask:
        """Decide about a request that no listed task may be."""
        coverage, last, looked = self.terms.coverage, self.readings[-1], request.looked
        if coverage is None or not request.plain:
            return Ask("its list does not show it, and is not known to show everything")
        if not request.own_account:
            return Ask("its list does not show it, and may be another account's")
        if not last.complete or last.date is None or looked is None:
            return Ask("its list does not show it, and could not be read completely with the provider's time")
        if max(last.at - request.since, last.date - looked) > coverage.retention - MARGIN:
            return Ask("its list does not show it, and no longer shows tasks of that time")
        if not self._alive(last, looked):
            return Ask("its list shows neither it nor any task that proves the list current")
        if request.again:
            return Ask("it was uncertain twice in a row, and is not listed")
        return self._by_time(request.attempt, looked, last.steady + looked + self.terms.settle - last.date)

    def complete_at(self, requests: Sequence[UncertainRequest], oldest: Listed) -> float | None:
        """Return when the list shows all that these requests led to, by our monotonic clock; None: it does not matter.

        It matters while a listed task is older than the requests: it may be another computer's, and ours comes later.
        """
        last, looks = self.readings[-1], [request.looked for request in requests if request.looked is not None]
        if last.date is None or oldest.created is None or not looks:
            return None
        age = min(request.since for request in requests) - (oldest.created - (last.date - last.at))
        wait = max(looks) + self.terms.settle - last.date
        return last.steady + wait if age > TICK and wait > 0 else None

    def _by_time(self, attempt: int, looked: float, again: float) -> Absent | Ask:
        settled = [
            (reading.date, reading.steady)
            for reading in self.readings
            if attempt in reading.after and reading.date is not None and reading.date - looked >= self.terms.settle
            if reading.complete and self._alive(reading, looked)
        ]
        if not settled:
            return Ask("its list does not show it yet", again=again)
        (first, began), (second, ended) = settled[0], settled[-1]
        if (missing := APART - min(second - first, ended - began)) > 0:
            return Ask("its list does not show it; a second look decides", again=self.readings[-1].steady + missing)
        return Absent(first, second)

    def _alive(self, reading: ListReading, looked: float) -> bool:
        """Return True if the list shows a task from after the first look, or a task that is on record."""
        new = any(task.created is not None and task.created >= looked for task in reading.tasks)
        return new or any(task.task in self.claimed for task in reading.tasks)
