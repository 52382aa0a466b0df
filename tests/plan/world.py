"""A world to plan in, as a reader writes it down, and what becomes of it when a plan is carried out.

The content of a file stands for its own SHA-256: plans only ever compare them. The picture of key `v1:aa` is the text
`film v1:aa`, wherever it lies.

    wanted:   takes as the spec wants them
              {clip, key, output, provider, take, needs, protect, says, cost, tags, rehearses}
              without `output` the take is not picked; `provider: draft` is free, anything else is paid; of a
              `provider: cut`, which is a film, the key is that of what it says
    records:  what we remember
              {clip, key, state, output, provider, take, says, task, reason, message, held, collected, protect}
              `state` is an attempt's. A `fetched` one has its picture in the store; a `done` one too, is what the take
              holds, and was placed at `output`; `held: no` when the take holds something else since; `collected: yes`
              when gc forgot the picture; `state: known` has no attempt (imported); `rehearsal: yes` when it was made
              at an address of this machine, where the provider of a take with `rehearses: yes` still is
    placed:   {path: content} of files that we placed, where `records` does not say it
    lost:     contents that are no longer in the store
    shared:   contents that the shared cache is asked for, where the store lacks them
    holders:  {key: name} of who carries out an attempt; `me` is this working copy, `nobody` has let it go
    handed:   {key: note} of the open orders that workers have; an empty note: nobody has begun
    lock:     {key: content} of the lock file, and `store:` contents that are there beside those of `records`
    at_lock:  {take: key}: whose line of the lock file that is, where it matters
    lock_outputs: {key: path} where its line says that the file was placed
    on_disk:  {path: content}; null for something that is no regular file
    movable:  paths that only the lock file calls ours, and that may be moved
    barred:   {path: what stands in the way to it}
    now:      the time in seconds, by which drafts of vendors expire; a record may say when it was `created`
    approval: what `approval.required` says, and `approved:` the keys that are approved
    only:     the clips selected; force: those whose foreign files may be moved aside
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from reconciler.plan.approvals import NO_APPROVALS, Approvals
from reconciler.plan.compute import PlanScope, compute
from reconciler.plan.cuts import is_settled, key_of, settled
from reconciler.plan.model import GENERATES, Action, Cost, Disk, OutputFact, Plan, Reason, Step, Wanted
from reconciler.records import Attempt, Binding, Generation, Handed, Holder, LockEntry, Money, Placed, Snapshot, State
from reconciler.spec.approval_fields import ApprovalDecl

Given = Mapping[str, object]

BY: Mapping[str, Any] = {"provider": "studio", "kind": "ark", "model": "m1"}
NOBODY: Mapping[str, Any] = {"provider": "", "kind": "", "model": ""}


@dataclass(frozen=True)
class World:
    """Everything that a plan is made from."""

    wanted: tuple[Wanted, ...] = ()
    snapshot: Snapshot = field(default_factory=Snapshot)
    disk: Disk = field(default_factory=Disk)
    locked: Mapping[str, str] = field(default_factory=dict)
    scope: PlanScope = PlanScope()
    at_lock: Mapping[str, tuple[str, int]] = field(default_factory=dict)  # the take, by key
    lock_outputs: Mapping[str, str] = field(default_factory=dict)

    def plan(self) -> Plan:
        locked = {key: self._line(key, content) for key, content in self.locked.items()}
        return compute(self.wanted, self.snapshot, self.disk, locked=locked, scope=self.scope)

    def _line(self, key: str, content: str) -> LockEntry:
        clip, take = self.at_lock.get(key, ("", 1))
        return LockEntry(content, ".mp4", output=self.lock_outputs.get(key), key=key, clip=clip, take=take, **NOBODY)


def film(key: str) -> str:
    """The picture of a key."""
    return f"film {key}"


def document(says: Given) -> str:
    """A canonical identity document that says these things."""
    return json.dumps(says, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if says else ""


def wanted(given: Given) -> Wanted:
    """One entry of `wanted:`."""
    known = {"clip", "key", "output", "provider", "take", "needs", "protect", "says", "cost", "tags", "rehearses"}
    assert given.keys() <= known, f"unknown: {given.keys() - known}"
    provider = str(given.get("provider", "studio"))
    kind = {"draft": "draft", "cut": "cut"}.get(provider, "ark")
    free = kind != "ark"
    cost = None if "cost" not in given else Decimal(str(given["cost"]))
    return Wanted(
        clip=str(given["clip"]),
        take=int(str(given.get("take", 1))),
        key=_key(given),
        document=document(given.get("says", {})),  # type: ignore[arg-type]  # YAML, by the reader's hand
        provider=provider,
        kind=kind,
        model="animatic" if free else "m1",
        output=given.get("output"),  # type: ignore[arg-type]  # as above
        needs=tuple(_ident(name) for name in given.get("needs", ())),  # type: ignore[attr-defined]  # as above
        protect=bool(given.get("protect", False)),
        free=free,
        cost=Cost(Decimal(0) if free else cost, "USD"),
        tags=tuple(given.get("tags", ())),  # type: ignore[arg-type]  # as above
        rehearses=bool(given.get("rehearses", False)),
    )


def _key(given: Given) -> str:
    return str(given["key"]) if "key" in given else key_of(document(given["says"]))  # type: ignore[arg-type]  # as above


def _ident(name: str) -> tuple[str, int]:
    clip, _, take = name.partition("#")
    return clip, int(take or 1)


_RECORD = {"clip", "key", "state", "output", "provider", "take", "says", "task", "reason", "message"}
_RECORD |= {"held", "collected", "kind", "money", "cost_micros", "rehearsal", "protect", "created"}


def snapshot(records: Sequence[Given], placed: Mapping[str, str]) -> Snapshot:
    """What `records:` and `placed:` mean."""
    found = Snapshot(generations={}, attempts={}, bindings={}, placed={})
    lying, rehearsals = dict(placed), [_key(given) for given in records if given.get("rehearsal")]
    for number, given in enumerate(records, 1):
        assert given.keys() <= _RECORD, f"unknown: {given.keys() - _RECORD}"
        clip, take, key, state = str(given["clip"]), int(str(given.get("take", 1))), _key(given), given["state"]
        says, output = document(given.get("says", {})), given.get("output")  # type: ignore[arg-type]  # as above
        if state != "known":
            names = ("kind", "task", "reason", "message", "cost_micros", "created")
            facts = {name: given[name] for name in names if name in given}
            facts |= {"money": Money(given["money"])} if "money" in given else {}
            found.attempts[key] = attempt(number, key, State(state), clip=clip, take=take, **facts)  # type: ignore[index]
        if state in ("fetched", "done", "known") and not given.get("collected"):
            by = BY | {name: given[name] for name in ("provider", "task", "cost_micros") if name in given}
            found.generations[key] = Generation(key, film(key), says, **by)  # type: ignore[index]
            if given.get("held", state != "fetched"):
                protect = bool(given.get("protect", False))
                found.bindings[clip, take] = Binding(clip, take, key, output, says, protect)  # type: ignore[index,arg-type]
                lying |= {str(output): film(key)} if output is not None and output not in placed else {}
    placed_files = {path: Placed(path, content, 1, 1, 1) for path, content in lying.items()}
    return replace(found, placed=placed_files, rehearsals=frozenset(rehearsals))


def attempt(number: int, key: str, state: State, **facts: object) -> Attempt:
    """An attempt at a key."""
    values: dict[str, object] = {"clip": "hero", "take": 1, "provider": "studio", "kind": "ark", "model": "m1"}
    values |= {"marker": f"marker-{number}", "created": 0.0, "updated": 0.0, **facts}
    return Attempt(id=number, key=key, state=state, **values)  # type: ignore[arg-type]  # names are checked at run time


def order(key: str, note: str) -> Handed:
    """An order that workers have."""
    return Handed(key, "studio", "hero", "", note, "worker-1@rack" if note else "", 0.0, 60.0, True, True)


def holder(name: str) -> Holder:
    """Who carries out an attempt."""
    return Holder(name, "film", "studio", "key-1", State.ACCEPTED, 0.0, 60.0, name != "nobody", name == "me")


def world(given: Given) -> World:
    """The world that a case describes."""
    known = {"wanted", "records", "placed", "lost", "lock", "at_lock", "lock_outputs"}
    known |= {
        "store",
        "shared",
        "handed",
        "holders",
        "on_disk",
        "only",
        "force",
        "barred",
        "movable",
        "approval",
        "approved",
        "now",
    }
    assert given.keys() <= known, f"unknown: {given.keys() - known}"
    records = snapshot(given.get("records", ()), given.get("placed", {}))  # type: ignore[arg-type]  # as above
    orders: Mapping[str, str] = given.get("handed", {})  # type: ignore[assignment]  # as above
    records = replace(records, handed={key: order(key, note) for key, note in orders.items()})
    names: Mapping[str, str] = given.get("holders", {})  # type: ignore[assignment]  # as above
    records = replace(records, holders={records.attempts[key].id: holder(name) for key, name in names.items()})
    lock: Mapping[str, str] = given.get("lock", {})  # type: ignore[assignment]  # as above
    store = {made.sha256 for made in records.generations.values()} | set(given.get("store", ()))  # type: ignore[call-overload]
    outputs = {path: OutputFact(True, content) for path, content in given.get("on_disk", {}).items()}  # type: ignore[attr-defined]
    outputs |= {path: OutputFact(barred=by) for path, by in given.get("barred", {}).items()}  # type: ignore[attr-defined]
    only = given.get("only")
    takes = [wanted(item) for item in given.get("wanted", ())]  # type: ignore[attr-defined]  # as above
    count = Counter(take.clip for take in takes)
    return World(
        tuple(replace(take, takes=count[take.clip]) for take in takes),
        records,
        Disk(
            outputs,
            frozenset(store - set(given.get("lost", ()))),  # type: ignore[call-overload]
            frozenset(given.get("shared", ())),  # type: ignore[call-overload]
            frozenset(given.get("movable", ())),  # type: ignore[call-overload]
        ),
        lock,
        PlanScope(
            None if only is None else frozenset(only),  # type: ignore[call-overload]
            frozenset(given.get("force", ())),  # type: ignore[call-overload]
            approvals(given),
            float(str(given.get("now", 0))),
        ),
        {key: _ident(name) for name, key in given.get("at_lock", {}).items()},  # type: ignore[attr-defined]  # as above
        given.get("lock_outputs", {}),  # type: ignore[arg-type]  # as above
    )


def approvals(given: Given) -> Approvals:
    """What `approval:` and `approved:` mean."""
    keys = frozenset(given.get("approved", ()))  # type: ignore[call-overload]  # as above
    return (
        Approvals(ApprovalDecl.model_validate({"required": given["approval"]}).rule(), keys)
        if "approval" in given
        else NO_APPROVALS
    )


def paid(plan: Plan, takes: Sequence[Wanted]) -> list[Step]:
    """The steps that buy something."""
    free = {(w.clip, w.take) for w in takes if w.free}
    return [step for step in plan.generating() if (step.clip, step.take) not in free]


# --- a pure apply -----------------------------------------------------------------------------


class Carried:
    """A world in which everything succeeds: what the engine does to records and files, and nothing else."""

    def __init__(self, before: World) -> None:
        self.before = before
        self.generations = dict(before.snapshot.generations)
        self.attempts = dict(before.snapshot.attempts)
        self.bindings = dict(before.snapshot.bindings)
        self.placed = dict(before.snapshot.placed)
        self.outputs = dict(before.disk.outputs)
        self.objects = set(before.disk.objects)
        self.wanted = {(w.clip, w.take): w for w in before.wanted}
        self.keys: dict[str, str] = {}  # of films, by the key that they had before they were made
        self.bought: list[str] = []  # keys that a provider was asked for, in order
        self.overwritten: list[str] = []  # paths where something was replaced

    def world(self) -> World:
        records = replace(
            self.before.snapshot,
            generations=self.generations,
            attempts=self.attempts,
            bindings=self.bindings,
            placed=self.placed,
            rehearsals=self.before.snapshot.rehearsals - set(self.bought),
        )
        return replace(
            self.before,
            snapshot=records,
            disk=replace(self.before.disk, outputs=self.outputs, objects=frozenset(self.objects)),
        )

    def carry_out(self, plan: Plan) -> World:
        """The driver's order: what is free, what must be made, what nobody wants."""
        ready = [s for s in plan.steps if s.action is not Action.BLOCKED]
        for action in (Action.NOOP, Action.MOVE, Action.RESTORE):
            for step in ready:
                if step.action is action and not step.needs_a_maker:
                    self._free(step)
        for step in ready:
            if step.action in GENERATES | {Action.RESUME}:
                self._make(step)
            elif step.action is Action.ASSEMBLE:
                self._assemble(step)
        for step in ready:
            if step.needs_a_maker:
                self._hold(step, self.generations[step.key].sha256)
        for step in ready:
            if step.action is Action.REMOVE:
                self._remove(step)
        for ident in plan.unbind:
            self.bindings.pop(ident, None)
        return self.world()

    def _free(self, step: Step) -> None:
        if step.action is Action.NOOP and step.output is not None:
            self.objects.add(step.sha256 or "")  # the output holds it: back into the store, if it was lost there
        if step.reason is Reason.LOCKED_TAKE:
            return  # it is elsewhere, and nothing here needs it
        if step.previous_output in self.outputs:
            self.objects.add(self.outputs[str(step.previous_output)].sha256 or "")
        if step.reason is Reason.CACHED and step.sha256 in self.before.disk.shared:
            self.objects.add(step.sha256)
        assert step.sha256 is not None and step.sha256 in self.objects, f"{step.name}: nothing to place"
        if step.key not in self.generations:  # only the lock file knew it
            self.generations[step.key] = Generation(step.key, step.sha256, "", **BY)
        if step.action is Action.MOVE:
            assert step.previous_output is not None and step.output not in self.outputs
            del self.outputs[step.previous_output]
            self.placed.pop(step.previous_output, None)
        self._hold(step, step.sha256)

    def _make(self, step: Step) -> None:
        for need in step.needs if step.action in GENERATES else ():
            needed = self.wanted[need]
            made = self.generations.get(needed.key)
            sha = made.sha256 if made else self.before.locked.get(needed.key)
            assert sha in self.objects, f"{step.name} was started before {need} was there"
        known = self.attempts.get(step.key)
        if step.reason is Reason.HANDED:
            known = attempt(1000, step.key, State.ACCEPTED, clip=step.clip)  # a worker's
        if step.action is Action.RESUME:
            assert known is not None
            self.attempts[step.key] = replace(known, state=State.DONE)
        else:
            self.bought.append(step.key)
            self.attempts[step.key] = attempt(1000 + len(self.bought), step.key, State.DONE, clip=step.clip)
        self.generations[step.key] = Generation(
            step.key, film(step.key), "", provider=step.provider, kind=step.kind, model=step.model
        )
        self.objects.add(film(step.key))
        if step.reason is not Reason.NOT_REFERENCED:
            self._hold(step, film(step.key))

    def _assemble(self, step: Step) -> None:
        """A film has the key of what its pieces are now."""
        keys = {**{w.key: w.key for w in self.before.wanted}, **self.keys}
        made = {key: self.generations.get(now) for key, now in keys.items()}
        done = settled(step.document, lambda key: (key, one.sha256 if (one := made.get(key)) else None))
        assert is_settled(done), f"{step.name} was started before all that it shows was there"
        self.keys[step.key] = key = key_of(done)
        self.wanted[step.ident] = replace(self.wanted[step.ident], key=key, document=done)
        self.generations[key] = Generation(key, film(key), done, provider="cut", kind="cut", model="v1")
        self.objects.add(film(key))
        self._hold(step, film(key))

    def _hold(self, step: Step, sha: str) -> None:
        """Place and bind. A file of the user's stops that, unless it may be moved aside."""
        w = self.wanted[step.clip, step.take]
        if w.output is not None:
            there, record = self.outputs.get(w.output, OutputFact()), self.placed.get(w.output)
            named = record is None and there.sha256 in self.before.locked.values()
            ours = named or (record is not None and record.sha256 == there.sha256)
            if there.exists and there.sha256 != sha and not ours and w.clip not in self.before.scope.force:
                return
            if there.exists and there.sha256 != sha:
                self.overwritten.append(w.output)
                if named:
                    self._adopt(str(there.sha256))
            self.outputs[w.output] = OutputFact(True, sha)
            self.placed[w.output] = Placed(w.output, sha, 1, 1, 1)
        self.bindings[w.clip, w.take] = Binding(w.clip, w.take, w.key, w.output, w.document)

    def _adopt(self, sha: str) -> None:
        """What only the lock file knew goes into the store before another picture takes its place."""
        self.objects.add(sha)
        for key, content in self.before.locked.items():
            if content == sha and key not in self.generations:
                self.generations[key] = Generation(key, sha, "", **BY)

    def _remove(self, step: Step) -> None:
        assert step.output is not None
        there, record = self.outputs.get(step.output), self.placed.pop(step.output, None)
        if there and record and there.sha256 == record.sha256 and step.reason is not Reason.EDITED:
            del self.outputs[step.output]
