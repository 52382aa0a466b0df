"""Compute the plan: compare what is wanted with the records and the disk, and give each take a step with its reason.

The planner asks about one take in the order of cost: is the artifact stored (free), is a task running or uncertain
(already paid), may it be generated (costs money). A file of the user's blocks before anything is spent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache, cached_property, partial

from reconciler.events import take_name
from reconciler.frozen import dataclass
from reconciler.plan import cuts, finals, remedies
from reconciler.plan.approvals import NO_APPROVALS, Approvals
from reconciler.plan.facts import PlanFacts
from reconciler.plan.handed import elsewhere, standing
from reconciler.plan.leftovers import Leftovers
from reconciler.plan.model import GENERATES, Action, Cost, Disk, Plan, Reason, Step, Wanted
from reconciler.plan.rehearsals import set_aside
from reconciler.plan.remedies import Block, describe_attempt
from reconciler.plan.timing import typical_seconds
from reconciler.plan.vendor_drafts import TASK
from reconciler.providers.base import LOCAL
from reconciler.records import BLOCKED, OPEN, Attempt, LockEntry, Snapshot, State, is_paid_failure
from reconciler.spec.graph import in_order

_MAKES = GENERATES | {Action.RESUME, Action.ASSEMBLE}
_NOOP, _UP_TO_DATE = Action.NOOP, Reason.UP_TO_DATE  # a name of a module is found faster than a member of an enum
_NEW, _REHEARSED, _FREE = Reason.NEW, Reason.REHEARSED, Cost(Decimal(0))
_HAD_ARTIFACT = frozenset({State.FETCHED, State.DONE})
_IN_PROGRESS = OPEN - _HAD_ARTIFACT
_ENDED = {State.NOT_SENT: Reason.NOT_SENT, State.CANCELLED: Reason.CANCELLED, State.ABANDONED: Reason.SEND_AGAIN}


@dataclass(frozen=True, slots=True)
class PlanScope:
    """`only` names the clips to act on, None for all; `force` those whose foreign outputs may be moved aside.
    `approvals` says what may be bought; `now` is the time in UTC seconds, 0 where it does not matter."""

    only: frozenset[str] | None = None
    force: frozenset[str] = frozenset()
    approvals: Approvals = NO_APPROVALS
    now: float = 0.0

    def selects(self, clip: str) -> bool:
        """True if apply may act on a clip."""
        return self.only is None or clip in self.only


_WHOLE = PlanScope()


def compute(
    wanted: Sequence[Wanted],
    snapshot: Snapshot,
    disk: Disk,
    *,
    locked: Mapping[str, LockEntry] | None = None,
    scope: PlanScope = _WHOLE,
) -> Plan:
    """Return the plan of a whole project, or of what `scope` selects of it.

    `locked` has the entries of the project's lock file by key. The needs must be free of circles; `spec` checks that.
    """
    records, rehearsals = set_aside(snapshot, locked or {}, wanted)
    return _Planner(wanted, PlanFacts(records, disk, locked or {}, rehearsals), scope).plan()


class _Planner:
    def __init__(self, wanted: Sequence[Wanted], facts: PlanFacts, scope: PlanScope) -> None:
        by_ident = {(w.clip, w.take): w for w in wanted}
        self.wanted = [by_ident[ident] for ident in in_order({ident: w.needs for ident, w in by_ident.items()})]
        self.facts, self.snapshot, self.scope = facts, facts.snapshot, scope
        self.declared = by_ident
        self.takes = Counter([w.clip for w in wanted])
        keys = {w.key for w in wanted}
        self.unresolved = Counter(
            (a.clip, a.take)
            for a in self.snapshot.attempts.values()
            if a.state in OPEN | BLOCKED or (a.key in keys and is_paid_failure(a))
        )
        self.highest = remedies.highest_takes(self.unresolved)
        self.guarded = facts.guarded(wanted)
        self.outputs = {w.output for w in wanted if w.output}
        self.movable = facts.movable(self.outputs)
        self.moved: set[str] = set()
        self.steps: dict[tuple[str, int], Step] = {}
        self.makers: dict[str, tuple[str, int]] = {}  # the one take that generates, or resumes, each key
        self.unplaced: set[str] = set()  # keys in progress whose takes are protected: fetched, not placed
        self.typical_seconds = cache(partial(typical_seconds, self.snapshot))  # by kind and model
        self.pending: set[str] = set()  # keys whose artifacts this plan brings

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The take that holds, or is to hold, each key."""
        bound = sorted(self.facts.bound_keys.items())
        takes = {clip: take for (clip, take), _ in bound} | self.takes
        names = {key: take_name(*ident, takes[ident[0]]) for ident, key in reversed(bound)}
        return names | {w.key: w.name for w in reversed(self.wanted)}

    def plan(self) -> Plan:
        for w in self.wanted:
            step = self._decide(w)
            self.steps[w.clip, w.take] = step
            if step.action is not _NOOP and (step.action in GENERATES or step.action is Action.RESUME):
                self.pending.add(step.key)
        leftovers = Leftovers(self.facts, self.wanted, self.steps, self.guarded)
        steps = [
            *self.steps.values(),
            *leftovers.unreferenced(self.unplaced - set(self.makers), self.unresolved),
            *leftovers.removals(self.moved),
        ]
        selected = tuple(step for step in steps if self.scope.selects(step.clip))
        currency = next((w.cost.currency for w in self.wanted if w.cost.currency), "")
        guarded = {bound.clip for path, bound in self.guarded.items() if path not in self.moved}
        gone = (b for b in leftovers.undeclared if self.scope.selects(b.clip) and b.clip not in guarded)
        unbind = tuple((bound.clip, bound.take) for bound in gone)
        return Plan(selected, unbind=unbind, currency=currency)

    def _decide(self, w: Wanted) -> Step:
        w = self._settled(w) if w.kind == cuts.KIND else w
        if w.key in self.facts.results and (sha256 := self.facts.unchanged(w)) is not None:
            return self._up_to_date(w, sha256)
        if (entry := self.facts.copied(w.key)) is not None:
            return self._copy(w, entry)
        sha256 = self.facts.stored(w.key) or self.facts.placed(w)
        if sha256 is not None:
            return self._use(w, sha256)
        attempt = self.snapshot.attempts.get(w.key)
        if attempt is not None and attempt.state in BLOCKED | _IN_PROGRESS:
            return self._resume(w, attempt)
        if w.key in self.snapshot.handed:
            return self._handed(w)
        is_locked = self.facts.locked_elsewhere(w.key, attempt)
        is_recorded = w.key in self.snapshot.generations
        if (is_recorded or (is_locked and w.output is not None)) and (sha256 := self.facts.shared(w.key)) is not None:
            return self._take_shared(w, sha256)
        if attempt is not None:  # closed: it concerns the clip under its present name
            block = self._block_of(replace(attempt, clip=w.clip, take=w.take))
            if block is not None and not (block.reason is Reason.FAILED_PAID and (is_locked or w.free)):
                return self._blocked(w, block)
        if w.output is None and is_locked and not is_recorded:
            return self._step(w, Action.NOOP, Reason.LOCKED_TAKE)  # in a fresh clone: only picked takes have outputs
        return self._generate(w, attempt)

    def _up_to_date(self, w: Wanted, sha256: str) -> Step:
        """Return the step of a take with nothing to do: of most, so it is made with as few words as possible."""
        held, document = self.facts.held_key(w), w.document if w.kind == cuts.KIND else ""
        about = (w.key, w.provider, w.kind, w.model, w.output, held)
        return Step(
            w.clip, w.take, _NOOP, _UP_TO_DATE, *about, needs=w.needs, sha256=sha256, takes=w.takes, document=document
        )

    def _settled(self, w: Wanted) -> Wanted:
        """Return a cut with its key, as far as this plan does not make what it shows."""
        steps = {self.declared[need].key: self.steps[need] for need in w.needs}

        def find(key: str) -> tuple[str, str | None]:
            step = steps[key]
            is_made = step.action in _MAKES or step.needs_a_maker
            return step.key, None if is_made else step.sha256 or self.facts.recorded(step.key)

        document = cuts.settled(w.document, find)
        return replace(w, document=document, key=cuts.key_of(document))

    def _block_of(self, attempt: Attempt) -> Block | None:
        is_renamed = attempt.clip not in self.takes  # how many takes it had is not on record
        several = is_renamed or self.unresolved[attempt.clip, attempt.take] > 1
        takes = max(self.takes[attempt.clip], self.highest.get(attempt.clip, 1))
        return remedies.of_attempt(attempt, takes=takes, several=several)

    def _use(self, w: Wanted, sha256: str) -> Step:
        """Return the step of a take whose artifact exists."""
        fact = self.facts.output(w.output)
        if w.output is None or (fact.exists and fact.sha256 == sha256):
            if w.beside and not self.facts.output(w.beside).exists:
                return self._step(w, Action.RESTORE, Reason.OUTPUT_MISSING, detail=w.beside, sha256=sha256)
            return self._up_to_date(w, sha256)
        if fact.barred:
            return self._blocked(w, remedies.barred(w.output, fact.barred))
        if self.facts.is_foreign(w.output):
            if w.clip not in self.scope.force:
                return self._blocked(w, remedies.foreign_file(w.clip, w.output))
            return self._step(w, Action.RESTORE, Reason.FOREIGN, sha256=sha256)
        if self._takes_protected(w):
            return self._protected(w)
        if fact.exists:
            return self._step(w, Action.RESTORE, Reason.OUTPUT_OTHER, sha256=sha256)
        source = self._move_from(sha256)
        if source is not None:
            return replace(self._step(w, Action.MOVE, Reason.RENAMED, sha256=sha256), previous_output=source)
        bound = self.snapshot.bindings.get((w.clip, w.take))
        reason = Reason.OUTPUT_MISSING if bound and bound.key == w.key else Reason.KNOWN
        return self._step(w, Action.RESTORE, reason, sha256=sha256)

    def _copy(self, w: Wanted, entry: LockEntry) -> Step:
        """Return the step of a take whose artifact only an older output of the lock file has. That file is moved if it
        may be; else it stays, because nothing but the lock file calls it ours."""
        step, path = self._use(w, entry.sha256), entry.output
        if step.action is not Action.RESTORE or path is None:
            return step
        may_move = path in self.facts.disk.movable and path not in self.moved
        if may_move and not self.facts.output(w.output).exists:
            self.moved.add(path)
            return replace(step, action=Action.MOVE, reason=Reason.RENAMED, previous_output=path)
        lines = () if path in self.outputs else remedies.old_file(path)
        return replace(step, reason=Reason.COPIED, previous_output=path, way_out=lines)

    def _take_shared(self, w: Wanted, sha256: str) -> Step:
        """Return the step of a take whose artifact is in the shared cache only."""
        step = self._use(w, sha256)
        if step.action in (Action.RESTORE, Action.NOOP):
            return replace(step, action=Action.RESTORE, reason=Reason.CACHED)
        return step

    def _move_from(self, sha256: str) -> str | None:
        """Take a path that holds this artifact unchanged and that no other take uses."""
        paths = self.movable.get(sha256)
        if not paths:
            return None
        self.moved.add(paths[0])
        return paths.popleft()

    def _resume(self, w: Wanted, attempt: Attempt) -> Step:
        """Return the step of a take whose request is in progress or waits for a decision."""
        if attempt.state in BLOCKED and (block := self._block_of(attempt)) is not None:
            return remedies.at_provider(self._blocked(w, block), attempt)
        if self._takes_protected(w):
            self.unplaced |= set() if w.free else {w.key}
            return self._protected(w)
        if self._has_maker(w):
            return self._shared(w)
        if attempt.kind == LOCAL:  # it ended with its process
            return self._step(w, Action.RESUME, Reason.INTERRUPTED)
        reason = Reason.STALLED if attempt.state is State.STALLED else Reason.IN_FLIGHT
        detail, holder = describe_attempt(attempt), self.snapshot.holders.get(attempt.id)
        if holder is not None and holder.is_held and not holder.is_own:
            reason, detail = Reason.ELSEWHERE, elsewhere(attempt, holder)
        step = remedies.at_provider(self._step(w, Action.RESUME, reason, detail=detail), attempt)
        return step if w.free else replace(step, needs=())  # it was sent with all it needed; links expire

    def _handed(self, w: Wanted) -> Step:
        """Return the step of a take that workers carry out."""
        if self._takes_protected(w):
            return self._protected(w)
        if self._has_maker(w):
            return self._shared(w)
        order = self.snapshot.handed[w.key]
        step = self._step(w, Action.RESUME, Reason.HANDED, detail=standing(order))
        return replace(step, expected=self.typical_seconds(w.kind, w.model))

    def _has_maker(self, w: Wanted) -> bool:
        """True if another selected take generates this key; otherwise this take becomes its maker."""
        maker = self.makers.get(w.key)
        if maker is not None and (self.scope.selects(maker[0]) or not self.scope.selects(w.clip)):
            return True
        self.makers[w.key] = (w.clip, w.take)
        return False

    def _shared(self, w: Wanted) -> Step:
        """Return the step of a take that waits for another clip with the same key: only that one pays."""
        return replace(self._step(w, Action.RESTORE, Reason.SHARED), needs=(self.makers[w.key],))

    def _generate(self, w: Wanted, attempt: Attempt | None) -> Step:
        is_lost = w.key in self.snapshot.generations or (attempt is not None and attempt.state in _HAD_ARTIFACT)
        block = self._obstacle(w) or (None if w.free else self._paid_before(w, attempt, is_lost=is_lost))
        if block is not None:
            return self._protected(w) if block.reason is Reason.PROTECTED else self._blocked(w, block)
        if self.scope.approvals.refuses(w, self.facts.recorded):
            return self._unapproved(w)
        if self._has_maker(w):
            return self._shared(w)
        if w.kind == cuts.KIND:
            return self._assemble(w, is_lost=is_lost)
        if self.facts.held_key(w) is not None:
            step = self._step(w, Action.REPLACE, Reason.CHANGED)
        elif is_lost or (attempt is None and self.facts.line(w.key) is not None):
            step = self._step(w, Action.CREATE, Reason.ARTIFACT_LOST, detail=self._name_in_lock(w))
        elif attempt is not None:
            reason = _ENDED.get(attempt.state, Reason.FAILED_BEFORE)
            step = self._step(w, Action.CREATE, reason, detail="" if reason is Reason.SEND_AGAIN else attempt.message)
        else:
            step = self._step(w, Action.CREATE, _REHEARSED if w.key in self.facts.rehearsals else _NEW)
        return finals.with_deadline(step, w, self.snapshot) if TASK in w.document else step

    def _assemble(self, w: Wanted, *, is_lost: bool) -> Step:
        """Return the step that makes a cut; it says which clips this plan makes first."""
        bound = self.snapshot.bindings.get((w.clip, w.take))
        awaited = sorted({clip for clip, take in w.needs if self.steps[clip, take].action in _MAKES})
        detail = f"waits for: {', '.join(awaited)}" if awaited else ""
        held = self.facts.held_key(w) is not None
        reason = Reason.CHANGED if held else Reason.REASSEMBLED if is_lost else Reason.UNASSEMBLED
        differing = cuts.changes(bound.document, w.document) if bound is not None and held else ()
        return replace(self._step(w, Action.ASSEMBLE, reason, detail=detail), changes=differing)

    def _name_in_lock(self, w: Wanted) -> str:
        """Return under which other name the lock file has a take's video; empty if there is none."""
        line = self.facts.line(w.key)
        if line is None or (line.clip, line.take) == (w.clip, w.take):
            return ""
        return f"clipform.lock has it as {take_name(line.clip, line.take, self.takes[line.clip])}"

    def _obstacle(self, w: Wanted) -> Block | None:
        """Return what keeps a take from being generated at any price."""
        fact = self.facts.output(w.output)
        if w.output is not None and fact.barred:
            return remedies.barred(w.output, fact.barred)
        if w.output is not None and self.facts.is_foreign(w.output) and w.clip not in self.scope.force:
            return remedies.foreign_file(w.clip, w.output)
        if self._takes_protected(w):
            return self._protection(w)
        missing = sorted({clip for clip, take in w.needs if self._is_unavailable((clip, take))})
        if missing:
            unselected = not all(self.scope.selects(clip) for clip in missing)
            verb = "waits for:" if w.kind == cuts.KIND else "needs"
            return remedies.upstream(w.clip, missing, verb, selected=unselected)
        return finals.unusable(w, self.snapshot, self.scope.now, self.takes) if TASK in w.document else None

    def _paid_before(self, w: Wanted, attempt: Attempt | None, *, is_lost: bool) -> Block | None:
        """Return the block of a key that was bought before, so that generating it again needs consent."""
        name = w.name
        if is_lost:
            return remedies.artifact_lost(name, self.snapshot.generations.get(w.key), attempt)
        if self.facts.locked_elsewhere(w.key, attempt):
            return remedies.elsewhere(name, self.facts.locked[w.key])
        return None

    def _is_unavailable(self, need: tuple[str, int]) -> bool:
        """True if the artifact of a needed clip will not arrive, however long the run waits."""
        step = self.steps.get(need)
        if step is None or self.facts.stored(step.key) is not None:
            return False
        is_elsewhere = step.reason is Reason.LOCKED_TAKE
        return is_elsewhere or step.action is Action.BLOCKED or not self.scope.selects(step.clip)

    def _takes_protected(self, w: Wanted) -> bool:
        """True if the take would replace a protected video: its own, or that of another clip at its output."""
        is_own = w.protect and self.facts.would_replace(w)
        return is_own or (w.output in self.guarded and self.facts.replaces_output(w))

    def _protection(self, w: Wanted) -> Block:
        bound = self.guarded.get(w.output or "") or self.snapshot.bindings.get((w.clip, w.take))
        generation = self.snapshot.generations.get(bound.key) if bound else None
        if bound is None or bound.clip == w.clip:
            return remedies.protected(w.clip, generation)
        return remedies.protected(bound.clip, generation, path=w.output or "", gone=bound.clip not in self.takes)

    def _protected(self, w: Wanted) -> Step:
        differing = self.facts.changes(w, self.pending, self.names)
        return replace(self._blocked(w, self._protection(w)), changes=differing)

    def _unapproved(self, w: Wanted) -> Step:
        """Return the step of a take that waits for approval, with what is to be approved."""
        step = self._blocked(w, remedies.needs_approval(w, self.scope.approvals.rule))
        step = replace(step, changes=self.facts.changes(w, self.pending, self.names), cost=w.cost, brief=w.brief)
        return finals.with_deadline(step, w, self.snapshot) if TASK in w.document else step

    def _blocked(self, w: Wanted, block: Block) -> Step:
        return replace(self._step(w, Action.BLOCKED, block.reason, detail=block.detail), way_out=block.way_out)

    def _step(self, w: Wanted, action: Action, reason: Reason, *, sha256: str | None = None, detail: str = "") -> Step:
        is_new = action in GENERATES
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
            previous_key=self.facts.held_key(w),
            changes=self.facts.changes(w, self.pending, self.names) if action is Action.REPLACE else (),
            cost=w.cost if is_new else _FREE,
            expected=self.typical_seconds(w.kind, w.model) if is_new else None,
            needs=w.needs,
            detail=detail,
            server_defaults=w.server_defaults if is_new else (),
            sha256=sha256,
            takes=w.takes,
            brief=w.brief if action is Action.CREATE else None,
            document=w.document if w.kind == cuts.KIND else "",
            tier=w.tier if is_new else "",
            tier_why=w.tier_why if is_new else "",
        )
