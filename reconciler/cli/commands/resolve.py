"""`clipform resolve`"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.diagnostics import ClipformError, UsageError
from reconciler.events import take_name
from reconciler.next_command import command

if TYPE_CHECKING:
    from reconciler.engine.run.session import Session
    from reconciler.plan.model import Wanted
    from reconciler.records import Attempt


def run(
    context: typer.Context,
    clip: arguments.ClipPattern,
    task: Annotated[str | None, typer.Option(metavar="ID", help="The request was accepted as this task.")] = None,
    resubmit: Annotated[
        bool, typer.Option("--resubmit", help="Pay again: let the next apply submit it once more.")
    ] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Abandon it; it counts as paid.")] = False,
    take: Annotated[int | None, typer.Option(min=1, help="Take number, when several are unresolved.")] = None,
    attempt: Annotated[int | None, typer.Option(min=1, help="Attempt number, when a take has several.")] = None,
    yes: arguments.Yes = False,
    trust: arguments.Trust = False,
) -> None:
    """Decide about a request whose outcome is unknown.

    The same goes for a paid task without a result, for a failure that counts as paid, and (--resubmit) for a clip that
    another working copy has claimed in the shared cache and never shared. It submits nothing itself.
    --task also takes back an earlier --abandon, as long as nothing was bought since.
    For several clips ('is:blocked') it lists all their requests with their prices and asks once.

    Exit codes: 0 done, 1 invalid spec or no task can resolve it, 3 the provider does not know the task, 4 not
    confirmed, 5 another process holds the state, 64 nothing to resolve.
    """
    from reconciler.cli.parsing import clip_and_take, named_clips, only_one, require_one
    from reconciler.engine.connections import one_off
    from reconciler.engine.operations import adopt_task, resolve
    from reconciler.engine.run.session import open_session
    from reconciler.plan.remedies import describe_attempt, paid_in_full

    app: Context = context.obj
    require_one(task=task, resubmit=resubmit, abandon=abandon)
    clip, take = clip_and_take(clip, take)
    clips = named_clips(app.workspace, clip)
    if len(clips) > 1 and not (task or take or attempt):
        with open_session(app.workspace, "resolve") as session:
            attempts = resolve.unresolved_attempts(session, clips, resubmit=resubmit)
            wanted = _wanted(app)
            lines = [f"- {_name(wanted, item)}: {describe_attempt(item)}" for item in attempts]
            again = [f"The next apply sends them again ({_estimate(wanted, *attempts)})."] if resubmit else []
            app.ask([*lines, paid_in_full(attempts), *again], yes=yes, question="Settle all of them?")
            for item in attempts:
                (resolve.allow_again if resubmit else resolve.abandon)(session, item)
        text = f"{len(attempts)} requests are settled. {command('plan')} shows what follows and its cost."
        app.view.note(" ".join([text, *again]), {"clips": [item.clip for item in attempts]})
        return
    clip = only_one(clip, clips)
    with open_session(app.workspace, "resolve") as session:
        try:
            unresolved = resolve.unresolved_attempt(session, clip, take, attempt, reopen=task is not None)
        except UsageError:
            if resubmit and _released(app, session, (clip, take), yes=yes, trust=trust):
                return
            raise
        if task is not None:
            loaded = app.workspace.load()
            app.require_trust(trust=trust)
            remote = one_off.ProviderAccess(loaded, app.connect)
            adopt_task.adopt_task(session, unresolved, task, remote)
            app.view.note(
                f"{clip}: task {task} is adopted. {command('apply')} downloads it.", {"clip": clip, "task": task}
            )
            return
        wanted = _wanted(app)
        name, price = _name(wanted, unresolved), _estimate(wanted, unresolved) if resubmit else ""
        lines = [f"{name}: {describe_attempt(unresolved)}"]
        lines += [f"The next apply sends it again ({price})."] if resubmit else []
        app.ask(lines, yes=yes, question="It counts as paid in full.")
        if resubmit:
            resolve.allow_again(session, unresolved)
            app.view.note(f"{name} can be generated again: {command('apply')} sends it ({price}).", {"clip": clip})
        else:
            next_lines = resolve.abandon(session, unresolved)
            app.view.note("\n".join([f"{name} is abandoned.", *(f"- {line}" for line in next_lines)]), {"clip": clip})


def _name(wanted: Iterable[Wanted], attempt: Attempt) -> str:
    """Return the take of an attempt as every command writes it."""
    takes = max((w.takes for w in wanted if w.clip == attempt.clip), default=1)
    return take_name(attempt.clip, attempt.take, takes)


def _estimate(wanted: Iterable[Wanted], *attempts: Attempt) -> str:
    """Return what it costs to send requests again, at the prices of today."""
    from reconciler.plan.model import Action, Cost, Plan, Reason, Step
    from reconciler.views.format import plan_total

    costs = {w.key: w.cost for w in wanted}
    again = [(item, costs.get(item.key, Cost(None))) for item in attempts]
    steps = (Step(a.clip, a.take, Action.CREATE, Reason.SEND_AGAIN, a.key, cost=cost) for a, cost in again)
    return f"estimate: {plan_total(Plan(tuple(steps), currency=again[0][1].currency))}"


def _wanted(app: Context) -> tuple[Wanted, ...]:
    """Return the takes that the project declares; none with a broken spec, where a request can still be settled."""
    try:
        return app.workspace.load().wanted
    except ClipformError:
        return ()


def _released(app: Context, session: Session, place: tuple[str, int | None], *, yes: bool, trust: bool) -> bool:
    """Ask about the claim by which another working copy keeps this one from buying a clip, and delete it. Returns False
    without one."""
    from reconciler.engine.operations import share

    clip, take = place
    if not app.workspace.load().project.cache:
        return False
    app.require_trust(trust=trust)
    claim = share.foreign_claim(session, clip, take)
    if claim is None:
        return False
    app.ask([f"{clip}: {claim}"], yes=yes, question="If it was bought there, it is paid for twice.")
    share.release(session, claim)
    app.view.note(f"{clip} can be bought here. {command('plan')} shows the cost.", {"clip": clip})
    return True
