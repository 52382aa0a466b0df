"""`clipform resolve`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.next_command import command


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

    The same goes for a paid task without a result, and for a failure that counts as paid. It submits nothing itself.
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
            lines = [f"- {item.clip}: {describe_attempt(item)}" for item in attempts]
            app.ask([*lines, paid_in_full(attempts)], yes=yes, question="Settle all of them?")
            for item in attempts:
                (resolve.allow_again if resubmit else resolve.abandon)(session, item)
        text = f"{len(attempts)} requests are settled. {command('plan')} shows what follows and its cost."
        app.view.note(text, {"clips": [item.clip for item in attempts]})
        return
    clip = only_one(clip, clips)
    with open_session(app.workspace, "resolve") as session:
        unresolved = resolve.unresolved_attempt(session, clip, take, attempt, reopen=task is not None)
        if task is not None:
            loaded = app.workspace.load()
            app.require_trust(trust=trust)
            remote = one_off.ProviderAccess(loaded, app.connect)
            adopt_task.adopt_task(session, unresolved, task, remote)
            app.view.note(
                f"{clip}: task {task} is adopted. {command('apply')} downloads it.", {"clip": clip, "task": task}
            )
            return
        app.ask([f"{clip}: {describe_attempt(unresolved)}"], yes=yes, question="It counts as paid in full.")
        if resubmit:
            resolve.allow_again(session, unresolved)
            app.view.note(f"{clip} can be generated again. {command('plan')} shows the cost.", {"clip": clip})
        else:
            next_lines = resolve.abandon(session, unresolved)
            app.view.note("\n".join([f"{clip} is abandoned.", *(f"- {line}" for line in next_lines)]), {"clip": clip})
