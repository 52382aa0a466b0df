"""`destroy`: remove outputs and bindings. Artifacts stay until `gc`."""

from __future__ import annotations

from dataclasses import replace

from reconciler.engine.connections.providers import Connect
from reconciler.engine.ports import Sink
from reconciler.engine.run.apply import ApplyOptions, Run
from reconciler.engine.run.session import Session
from reconciler.events import Summary
from reconciler.plan.model import Action, Plan, Reason, Step
from reconciler.project.model import Choice, Confirm, Planned


def destroy(session: Session, choice: Choice, confirm: Confirm, sink: Sink, connect: Connect) -> Summary:
    """Remove the outputs and bindings of the chosen clips. Raises Refused when that is not confirmed."""
    workspace = session.workspace
    loaded = workspace.load(choice.draft)
    planned = workspace.plan(choice, loaded, session.store.snapshot())
    plan = destruction(planned, planned.scope.only)
    confirm(plan)
    return Run(session, replace(planned, plan=plan), ApplyOptions(choice), sink, connect).execute()


def destruction(planned: Planned, chosen: frozenset[str] | None) -> Plan:
    """Return the plan of `destroy`: every output and binding of the chosen clips, except protected or edited ones."""
    protected = {order.clip.name for order in planned.loaded.orders if order.clip.spec.protect}
    steps: list[Step] = []
    unbind: list[tuple[str, int]] = []
    for (clip, take), bound in sorted(planned.snapshot.bindings.items()):
        if chosen is not None and clip not in chosen:
            continue
        if clip in protected:
            steps.append(Step(clip, take, Action.BLOCKED, Reason.PROTECTED, bound.key, output=bound.output))
            continue
        unbind.append((clip, take))
        fact = planned.disk.outputs.get(bound.output or "")
        if bound.output is None or fact is None or not fact.exists:
            continue
        placed = planned.snapshot.placed.get(bound.output)
        ours = placed is not None and placed.sha256 == fact.sha256
        reason = Reason.DESTROYED if ours else Reason.EDITED
        steps.append(Step(clip, take, Action.REMOVE, reason, bound.key, output=bound.output))
    return Plan(tuple(steps), unbind=tuple(unbind))
