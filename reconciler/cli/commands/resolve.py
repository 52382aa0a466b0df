"""`clipform resolve`"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clip: Annotated[str, typer.Argument(metavar="CLIP")],
    task: Annotated[str | None, typer.Option(metavar="ID", help="It was accepted: this is its task.")] = None,
    resubmit: Annotated[
        bool, typer.Option("--resubmit", help="Pay once more: the next apply may make it again.")
    ] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Give it up; it counts as paid.")] = False,
    take: Annotated[int | None, typer.Option(min=1, help="Which take, where several wait.")] = None,
    attempt: Annotated[int | None, typer.Option(min=1, help="Which attempt, where a take has several.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Settle a request that may have been accepted, or a paid task without a result. Sends nothing itself.

    Exit codes: 0 done, 1 the spec is wrong or no task can settle it, 3 the provider does not know the task, 4 not
    confirmed, 5 another process holds the state, 64 nothing to settle.
    """
    from reconciler.cli.parsing import one_way
    from reconciler.engine.connections import one_off
    from reconciler.engine.operations import adopt_task, resolve
    from reconciler.engine.run.session import open_session
    from reconciler.plan.remedies import describe_attempt

    own: Context = context.obj
    one_way(task=task, resubmit=resubmit, abandon=abandon)
    with open_session(own.workspace, "resolve") as session:
        found = resolve.unresolved_attempt(session, clip, take, attempt)
        if task is not None:
            agree = partial(own.agree, yes=yes)
            remote = one_off.ProviderAccess(own.workspace.load(), own.connect, session.store.snapshot(), agree)
            adopt_task.adopt_task(session, found, task, remote)
            own.view.note(f"{clip}: task {task} is adopted. clipform apply collects it.", {"clip": clip, "task": task})
            return
        own.ask([f"{clip}: {describe_attempt(found)}"], yes=yes, question="It counts as paid in full. Go on?")
        if resubmit:
            resolve.allow_again(session, found)
            own.view.note(f"{clip} may be made again: clipform plan shows what that costs.", {"clip": clip})
        else:
            resolve.abandon(session, found)
            own.view.note(f"{clip} is given up. clipform retake {clip} makes another version.", {"clip": clip})
