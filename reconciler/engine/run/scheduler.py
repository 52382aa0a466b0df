"""Decides which step may start: dependencies, then the providers' limits, in plan order. Pure, without tasks.

A step's task is created only when it is admitted, so that ten thousand waiting clips cost ten thousand small records
and nothing else. Resumed tasks are admitted before new ones and need no slot: they have one at the provider already,
and their links expire while they wait. Those that would have to start again (drafts) wait like all others.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.events import Event, EventKind
from reconciler.plan.model import Action, Step

Ident = tuple[str, int]


class Scheduler:
    """The steps of a run that are waiting, ready and running. `limits` is the concurrency by provider alias; `local`
    names the aliases whose tasks ended with the process that started them."""

    def __init__(self, steps: Sequence[Step], limits: Mapping[str, int], local: Collection[str] = ()) -> None:
        self.steps = {step.ident: step for step in steps}
        self.rank = {ident: (step.action is not Action.RESUME, i) for i, (ident, step) in enumerate(self.steps.items())}
        self.limits, self.local = limits, local
        self.running: Counter[str] = Counter()
        self.users: dict[Ident, list[Ident]] = defaultdict(list)
        self.lost: set[Ident] = set()  # reported once, however many of their needs fail
        self.waits: dict[Ident, set[Ident]] = {}
        self.ready: dict[str, list[tuple[tuple[bool, int], Ident]]] = defaultdict(list)
        for ident, step in self.steps.items():
            needs = {need for need in step.needs if need in self.steps}
            for need in needs:
                self.users[need].append(ident)
            if needs:
                self.waits[ident] = needs
            else:
                self._push(ident)

    def held(self) -> Iterator[Event]:
        """Yield an event for each step that waits for others."""
        for ident, needs in self.waits.items():
            step, names = self.steps[ident], tuple(sorted(self.steps[need].name for need in needs))
            event = Event(EventKind.WAITING, step.clip, step.take, step.action.value, f"waits for {', '.join(names)}")
            yield replace(event, takes=step.takes, needs=names)

    def _push(self, ident: Ident) -> None:
        heapq.heappush(self.ready[self.steps[ident].provider], (self.rank[ident], ident))

    def admit(self) -> Step | None:
        """Return the next step that may start; None while every ready one waits for a slot."""
        best: str | None = None
        for alias, heap in self.ready.items():
            if heap and self._has_slot(heap[0]) and (best is None or heap[0][0] < self.ready[best][0][0]):
                best = alias
        if best is None:
            return None
        _, ident = heapq.heappop(self.ready[best])
        self.running[best] += 1
        return self.steps[ident]

    def _has_slot(self, first: tuple[tuple[bool, int], Ident]) -> bool:
        step = self.steps[first[1]]
        resumed = step.action is Action.RESUME and step.provider not in self.local
        return resumed or self.running[step.provider] < self.limits.get(step.provider, 1)

    def finish(self, step: Step, *, succeeded: bool) -> tuple[Step, ...]:
        """Give the slot back. Returns the steps that can no longer be made because this one failed, nearest first."""
        self.running[step.provider] -= 1
        if not succeeded:
            return self._skip(step.ident)
        for user in self.users.pop(step.ident, []):
            self.waits[user].discard(step.ident)
            if not self.waits[user]:
                self._push(user)
        return ()

    def _skip(self, ident: Ident) -> tuple[Step, ...]:
        queue = [ident]
        for gone in queue:
            for user in self.users.pop(gone, []):
                if user not in self.lost:
                    self.lost.add(user)
                    queue.append(user)
        return tuple(self.steps[gone] for gone in queue[1:])

    def unfinished(self) -> tuple[Step, ...]:
        """Return the steps that a run which stops early has neither admitted nor skipped."""
        waiting = {ident for ident, needs in self.waits.items() if needs and ident not in self.lost}
        queued = {ident for heap in self.ready.values() for _, ident in heap}
        return tuple(step for ident, step in self.steps.items() if ident in waiting | queued)
