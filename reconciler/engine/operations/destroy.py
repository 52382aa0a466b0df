"""`destroy`: remove outputs and bindings. Artifacts stay until `gc`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from reconciler.engine.connections.providers import Connect
from reconciler.engine.ports import Sink
from reconciler.engine.run.apply import ApplyOptions, Run
from reconciler.engine.run.session import Session
from reconciler.events import Summary
from reconciler.plan import remedies
from reconciler.plan.model import Action, Plan, Reason, Step
from reconciler.project.model import Choice, Confirm, Planned


def destroy(session: Session, choice: Choice, confirm: Confirm, sink: Sink, connect: Connect) -> Summary:
    """Remove the outputs and bindings of the chosen clips. Raises Refused when that is not confirmed."""
    workspace = session.workspace
    loaded = workspace.load(choice.draft)
    planned = workspace.plan(choice, loaded, session.store.snapshot())
    plan = destruction(planned, choice.clips)
    confirm(plan)
    return Run(session, replace(planned, plan=plan), ApplyOptions(choice), sink, connect).execute()


def destruction(planned: Planned, names: Collection[str] = ()) -> Plan:
    """Return the plan of `destroy`: every output and binding of the chosen clips, except protected or edited ones.

    A protected clip that is no longer declared is removed if it is one of `names`: no pattern selects it by chance."""
    declared = {order.clip.name: order.clip.spec.protect for order in planned.loaded.orders}
    chosen, generations = planned.scope.only, planned.snapshot.generations
    most = remedies.highest_takes(planned.snapshot.bindings) | {w.clip: w.takes for w in planned.loaded.wanted}
    steps: list[Step] = []
    unbind: list[tuple[str, int]] = []
    for (clip, take), bound in sorted(planned.snapshot.bindings.items()):
        if chosen is not None and clip not in chosen:
            continue
        if declared.get(clip, bound.protect and clip not in names):
            step = remedies.protected_file(bound, generations.get(bound.key), gone=clip not in declared)
            steps.append(replace(step, takes=most[clip]))
            continue
        unbind.append((clip, take))
        fact = planned.disk.outputs.get(bound.output or "")
        if bound.output is None or fact is None or not fact.exists:
            continue
        placed = planned.snapshot.placed.get(bound.output)
        ours = placed is not None and placed.sha256 == fact.sha256
        reason = Reason.DESTROYED if ours else Reason.EDITED
        steps.append(Step(clip, take, Action.REMOVE, reason, bound.key, output=bound.output, takes=most[clip]))
    return Plan(tuple(steps), unbind=tuple(unbind))
