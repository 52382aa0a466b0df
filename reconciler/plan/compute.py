"""The plan: from what is wanted, what is remembered and what is on disk to steps, each with its reason.

The order of the questions for one wanted take is the order of what they cost: is the artifact at hand (free), is
a task under way or in doubt (paid already), may it be made (costs). A file of the user's blocks before
anything is spent.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.plan import remedies
from reconciler.plan.changes import changes
from reconciler.plan.model import GENERATES, Action, Disk, OutputFact, Plan, Reason, Step, Wanted
from reconciler.plan.remedies import Block, describe_attempt
from reconciler.records import BLOCKED, OPEN, Attempt, LockEntry, Snapshot, State

_HAD = frozenset({State.FETCHED, State.DONE})  # its artifact was in the store
_UNDER_WAY = OPEN - _HAD
_ABSENT = OutputFact()


@dataclass(frozen=True, slots=True)
class PlanScope:
    """`only` names the clips to act on, None for all; `force` those whose foreign outputs may be moved aside."""

    only: frozenset[str] | None = None
    force: frozenset[str] = frozenset()

    def selects(self, clip: str) -> bool:
        """Whether apply may act on a clip."""
        return self.only is None or clip in self.only


def compute(
    wanted: Sequence[Wanted],
    snapshot: Snapshot,
    disk: Disk,
    *,
    locked: Mapping[str, LockEntry] | None = None,
    scope: PlanScope = PlanScope(),
) -> Plan:
    """The plan of a whole project, or of what `scope` selects of it.

    `locked` is what the project's lock file knows, by key. Raises nothing: a cycle was
    refused by `spec`.
    """
    return _Planner(wanted, snapshot, disk, locked or {}, scope).plan()


class _Planner:
    def __init__(
        self,
        wanted: Sequence[Wanted],
        snapshot: Snapshot,
        disk: Disk,
        locked: Mapping[str, LockEntry],
        scope: PlanScope,
    ) -> None:
        self.wanted = in_order(wanted)
        self.snapshot = snapshot
        self.disk = disk
        self.locked = locked
        self.locked_keys = {(entry.clip, entry.take): key for key, entry in locked.items()}
        self.locked_files = {entry.sha256 for entry in locked.values()}
        self.scope = scope
        self.ids = {(w.clip, w.take) for w in wanted}
        self.takes = Counter(w.clip for w in wanted)
        self.unsettled = Counter((a.clip, a.take) for a in snapshot.attempts.values() if a.state in OPEN | BLOCKED)
        self.outputs = {w.output for w in wanted if w.output}
        self.protected = {w.clip for w in wanted if w.protect}
        self.gone = [b for ident, b in sorted(snapshot.bindings.items()) if ident not in self.ids]
        self.movable = self._movable()
        self.moved: set[str] = set()
        self.steps: dict[tuple[str, int], Step] = {}
        self.makers: dict[str, tuple[str, int]] = {}  # the one take that makes, or resumes, each key
        self.unplaced: set[str] = set()  # keys under way whose takes are protected: brought home, not placed

    def plan(self) -> Plan:
        for item in self.wanted:
            self.steps[item.clip, item.take] = self._decide(item)
        steps = [s for s in self.steps.values() if self.scope.selects(s.clip)]
        steps += [s for s in (*self._unreferenced(), *self._removals()) if self.scope.selects(s.clip)]
        expected = _expected_total(steps)
        currency = next((w.cost.currency for w in self.wanted if w.cost.currency), "")
        unbind = tuple((b.clip, b.take) for b in self.gone if self.scope.selects(b.clip))
        return Plan(tuple(steps), unbind=unbind, currency=currency, expected=expected)

    # --- one take ---------------------------------------------------------------------------

    def _decide(self, w: Wanted) -> Step:
        sha = self._at_hand(w.key) or self._at_its_output(w)
        if sha is not None:
            return self._have(w, sha)
        attempt = self.snapshot.attempts.get(w.key)
        if attempt is not None and attempt.state in BLOCKED | _UNDER_WAY:
            return self._in_hand(w, attempt)
        if (
            attempt is not None
            and (final := self._settled_by_hand(replace(attempt, clip=w.clip, take=w.take))) is not None
        ):
            return self._blocked(w, final)  # closed: what is done now is done to the clip as it is called now
        if w.output is None and self._by_others(w, attempt) and w.key not in self.snapshot.generations:
            return self._step(w, Action.NOOP, Reason.LOCKED_TAKE)  # in a fresh clone: only picked takes have outputs
        return self._make(w, attempt)

    def _by_others(self, w: Wanted, attempt: Attempt | None) -> bool:
        """Whether the lock file knows a purchase of the key, and nobody said here that it may be made once more. An
        attempt of our own that came to nothing says nothing against it."""
        return w.key in self.locked and (attempt is None or attempt.state is not State.ABANDONED)

    def _settled_by_hand(self, attempt: Attempt) -> remedies.Block | None:
        renamed = attempt.clip not in self.takes  # its takes are not known by the name that it was sent with
        several = renamed or self.unsettled[attempt.clip, attempt.take] > 1
        return remedies.of_attempt(attempt, takes=self.takes[attempt.clip], several=several)

    def _at_hand(self, key: str) -> str | None:
        """The artifact of a key if its bytes are in the store: by our own record, else by the project's lock."""
        known = self.snapshot.generations.get(key)
        entry = known or self.locked.get(key)
        return entry.sha256 if entry is not None and entry.sha256 in self.disk.objects else None

    def _at_its_output(self, w: Wanted) -> str | None:
        """The artifact of a key that is lost from the store while the output still holds it: nothing is missing."""
        entry = self.snapshot.generations.get(w.key) or self.locked.get(w.key)
        if entry is None or w.output is None:
            return None
        return entry.sha256 if self._fact(w.output).sha256 == entry.sha256 else None

    def _have(self, w: Wanted, sha: str) -> Step:
        if w.output is None:
            return self._step(w, Action.NOOP, Reason.UP_TO_DATE, sha256=sha)
        fact = self._fact(w.output)
        if fact.exists and fact.sha256 == sha:
            return self._step(w, Action.NOOP, Reason.UP_TO_DATE, sha256=sha)
        if fact.barred:
            return self._blocked(w, remedies.barred(w.output, fact.barred))
        if self._blocks(w.output):
            forced = w.clip in self.scope.force
            return self._step(w, Action.RESTORE, Reason.FOREIGN, sha256=sha) if forced else self._foreign(w)
        if w.protect and self._would_replace(w):
            return self._protected(w)
        if not fact.exists:
            source = self._move_from(sha)
            if source is not None:
                return replace(self._step(w, Action.MOVE, Reason.RENAMED, sha256=sha), previous_output=source)
            bound = self.snapshot.bindings.get((w.clip, w.take))
            reason = Reason.OUTPUT_MISSING if bound and bound.key == w.key else Reason.KNOWN
            return self._step(w, Action.RESTORE, reason, sha256=sha)
        return self._step(w, Action.RESTORE, Reason.OUTPUT_OTHER, sha256=sha)

    def _move_from(self, sha: str) -> str | None:
        """Where this very picture lies now, untouched by the user and wanted there by nobody else."""
        paths = self.movable.get(sha)
        if not paths:
            return None
        self.moved.add(paths[0])
        return paths.popleft()

    def _in_hand(self, w: Wanted, attempt: Attempt) -> Step:
        if attempt.state in BLOCKED and (block := self._settled_by_hand(attempt)) is not None:
            return _where(self._blocked(w, block), attempt)
        if w.protect and self._would_replace(w):
            self.unplaced |= set() if w.free else {w.key}
            return self._protected(w)
        if self._made_elsewhere(w):
            return self._shared(w)
        reason = Reason.STALLED if attempt.state is State.STALLED else Reason.IN_FLIGHT
        step = _where(self._step(w, Action.RESUME, reason, detail=describe_attempt(attempt)), attempt)
        return step if w.free else replace(step, needs=())  # it was sent with all it needed; links expire

    def _made_elsewhere(self, w: Wanted) -> bool:
        """Whether another selected take makes this key already; if not, this one is its maker from now on."""
        maker = self.makers.get(w.key)
        if maker is not None and (self.scope.selects(maker[0]) or not self.scope.selects(w.clip)):
            return True
        self.makers[w.key] = (w.clip, w.take)
        return False

    def _shared(self, w: Wanted) -> Step:
        """Two clips that want the same picture: one pays, the other waits for it."""
        return replace(self._step(w, Action.RESTORE, Reason.SHARED), needs=(self.makers[w.key],))

    def _make(self, w: Wanted, attempt: Attempt | None) -> Step:
        if w.output is not None and (by := self._fact(w.output).barred):
            return self._blocked(w, remedies.barred(w.output, by))
        if self._blocks(w.output) and w.clip not in self.scope.force:
            return self._foreign(w)
        if w.protect and self._would_replace(w):
            return self._protected(w)
        missing = sorted({clip for clip, take in w.needs if self._unavailable((clip, take))})
        if missing:
            chosen = not all(self.scope.selects(clip) for clip in missing)
            return self._blocked(w, remedies.upstream(w.clip, missing, chosen=chosen))
        lost = w.key in self.snapshot.generations or (attempt is not None and attempt.state in _HAD)
        if lost and not w.free:
            return self._blocked(w, remedies.artifact_lost(w.clip, self.snapshot.generations.get(w.key), attempt))
        if self._by_others(w, attempt) and not w.free:
            return self._blocked(w, remedies.elsewhere(w.clip, self.locked[w.key]))
        if self._made_elsewhere(w):
            return self._shared(w)
        bound = self.snapshot.bindings.get((w.clip, w.take))
        if self._held(w) is not None:
            found = changes(bound.document, w.document) if bound is not None else ()  # the lock file has no documents
            step = self._step(w, Action.REPLACE, Reason.CHANGED)
        elif lost:
            found, step = (), self._step(w, Action.CREATE, Reason.ARTIFACT_LOST)
        else:
            found, step = (), self._step(w, Action.CREATE, Reason.FAILED_BEFORE if attempt else Reason.NEW)
        return replace(step, changes=found, cost=w.cost, expected=self._expected(w))

    def _held(self, w: Wanted) -> str | None:
        """The other key that a take holds: by our record, else (in a fresh clone) by the lock file."""
        bound = self.snapshot.bindings.get((w.clip, w.take))
        held = bound.key if bound is not None else self.locked_keys.get((w.clip, w.take))
        return held if held != w.key else None

    def _would_replace(self, w: Wanted) -> bool:
        """Whether making it would replace what the take holds, or what we placed at its output."""
        if self._held(w) is not None:
            return True
        known = self.snapshot.generations.get(w.key)
        fact = self._fact(w.output) if w.output is not None else _ABSENT
        return fact.exists and not self._blocks(w.output) and (known is None or known.sha256 != fact.sha256)

    def _blocks(self, output: str | None) -> bool:
        """Whether a file of the user's lies there."""
        fact = self._fact(output) if output is not None else _ABSENT
        return output is not None and fact.exists and not self._ours(output, fact)

    def _unavailable(self, need: tuple[str, int]) -> bool:
        """Whether the artifact of a clip that is needed will not be there, however long we wait."""
        step = self.steps.get(need)
        if step is None or self._at_hand(step.key) is not None:
            return False
        elsewhere = step.reason is Reason.LOCKED_TAKE
        return elsewhere or step.action is Action.BLOCKED or not self.scope.selects(step.clip)

    # --- what nobody wants any more ---------------------------------------------------------

    def _unreferenced(self) -> Iterable[Step]:
        """Paid tasks whose key no wanted take has: they are left to finish and their results kept. One that is in doubt
        still waits for its answer: it may be money."""
        keys = {w.key for w in self.wanted} - (self.unplaced - set(self.makers))
        for key, attempt in sorted(self.snapshot.attempts.items(), key=lambda pair: pair[1].id):
            lost = attempt.state is State.FETCHED and self._at_hand(key) is None
            if key in keys or lost or attempt.state not in OPEN | BLOCKED:
                continue
            step = Step(
                clip=attempt.clip,
                take=attempt.take,
                action=Action.RESUME,
                reason=Reason.NOT_REFERENCED,
                key=key,
                provider=attempt.provider,
                kind=attempt.kind,
                model=attempt.model,
                detail=describe_attempt(attempt),
            )
            if attempt.state in BLOCKED:
                take = (attempt.clip, attempt.take)
                several = take in self.ids or self.unsettled[take] > 1  # the version now wanted may come to wait too
                way_out = remedies.settle(attempt, takes=self.takes[attempt.clip], several=several)
                step = replace(step, action=Action.BLOCKED, way_out=way_out)
            yield step

    def _removals(self) -> Iterable[Step]:
        for bound in self.gone:
            path = bound.output
            if path is None or path in self.outputs or path in self.moved:
                continue
            fact = self._fact(path)
            if not fact.exists:
                continue
            reason = Reason.UNDECLARED if self._ours(path, fact) else Reason.EDITED
            yield Step(bound.clip, bound.take, Action.REMOVE, reason, bound.key, output=path)
        yield from self._left_behind()

    def _left_behind(self) -> Iterable[Step]:
        """Outputs that a clip which is still declared no longer uses: its output path changed and its key as well."""
        for (clip, take), bound in sorted(self.snapshot.bindings.items()):
            path = bound.output
            if (clip, take) not in self.ids or path is None or path in self.outputs or path in self.moved:
                continue
            step = self.steps[clip, take]
            if step.action is Action.BLOCKED or (clip in self.protected and step.key != bound.key):
                continue
            fact = self._fact(path)
            if fact.exists and self._ours(path, fact):
                yield Step(clip, take, Action.REMOVE, Reason.UNDECLARED, bound.key, output=path)

    # --- helpers ----------------------------------------------------------------------------

    def _movable(self) -> Mapping[str, deque[str]]:
        found: dict[str, deque[str]] = defaultdict(deque)
        for path, placed in sorted(self.snapshot.placed.items()):
            if path not in self.outputs and self._fact(path).sha256 == placed.sha256:
                found[placed.sha256].append(path)
        return found

    def _fact(self, path: str) -> OutputFact:
        return self.disk.outputs.get(path, _ABSENT)

    def _ours(self, path: str, fact: OutputFact) -> bool:
        """By our record; where there is none, as in a fresh clone, by the lock file: then it is a file that we made."""
        placed = self.snapshot.placed.get(path)
        return fact.sha256 == placed.sha256 if placed is not None else fact.sha256 in self.locked_files

    def _expected(self, w: Wanted) -> float | None:
        return usual(self.snapshot, w.kind, w.model)

    def _foreign(self, w: Wanted) -> Step:
        return self._blocked(w, remedies.foreign_file(w.clip, w.output or ""))

    def _protected(self, w: Wanted) -> Step:
        bound = self.snapshot.bindings.get((w.clip, w.take))
        found = changes(bound.document, w.document) if bound else ()
        made = self.snapshot.generations.get(bound.key) if bound else None
        return replace(self._blocked(w, remedies.protected(w.clip, made)), changes=found)

    def _blocked(self, w: Wanted, block: Block) -> Step:
        return replace(self._step(w, Action.BLOCKED, block.reason, detail=block.known), way_out=block.way_out)

    def _step(self, w: Wanted, action: Action, reason: Reason, *, sha256: str | None = None, detail: str = "") -> Step:
        return Step(
            clip=w.clip,
            take=w.take,
            action=action,
            reason=reason,
            key=w.key,
            provider=w.provider,
            kind=w.kind,
            model=w.model,
            output=w.output,
            previous_key=self._held(w),
            needs=w.needs,
            detail=detail,
            server_defaults=w.server_defaults if action in GENERATES else (),
            sha256=sha256,
        )


def in_order(wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """The same takes with every need before its user, otherwise in the order given (Kahn's algorithm on a heap)."""
    place = {(w.clip, w.take): i for i, w in enumerate(wanted)}
    waits = {i: sum(1 for need in set(w.needs) if need in place) for i, w in enumerate(wanted)}
    users: dict[int, list[int]] = defaultdict(list)
    for i, w in enumerate(wanted):
        for need in set(w.needs):
            if need in place:
                users[place[need]].append(i)
    ready = [i for i, count in waits.items() if count == 0]
    heapq.heapify(ready)
    found: list[Wanted] = []
    while ready:
        i = heapq.heappop(ready)
        found.append(wanted[i])
        for user in users[i]:
            waits[user] -= 1
            if waits[user] == 0:
                heapq.heappush(ready, user)
    return tuple(found)


def _where(step: Step, attempt: Attempt) -> Step:
    """A step about a task that exists names the provider that has it, which the clip may since have left."""
    return replace(step, provider=attempt.provider, kind=attempt.kind, model=attempt.model)


def usual(snapshot: Snapshot, kind: str, model: str) -> float | None:
    """The median of the seconds that such generations took here before."""
    past = sorted(snapshot.timings.get((kind, model), ()))
    return past[len(past) // 2] if past else None


def _expected_total(steps: Sequence[Step]) -> float | None:
    """The longest chain of expected times; None when nothing is known about anything that would be made."""
    finish: dict[tuple[str, int], float] = {}
    known_any = False
    for step in steps:
        if step.action not in GENERATES:
            continue
        known_any = known_any or step.expected is not None
        before = max((finish.get(need, 0.0) for need in step.needs), default=0.0)
        finish[step.clip, step.take] = before + (step.expected or 0.0)
    return max(finish.values()) if known_any and finish else None
