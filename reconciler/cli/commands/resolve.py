"""`clipform resolve`"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.diagnostics import ClipformError, UsageError
from reconciler.next_command import command

if TYPE_CHECKING:
    from reconciler import Attempt
    from reconciler.plan.model import Wanted


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
    from reconciler.cli.parsing import clip_and_take, only_one, require_one
    from reconciler.views import unresolved

    app: Context = context.obj
    require_one(task=task, resubmit=resubmit, abandon=abandon)
    clip, take = clip_and_take(clip, take)
    clips = app.project.names(clip)
    if len(clips) == 1 or task or take or attempt:
        clip = only_one(clip, clips)
        clips = (clip,)
    if task is not None:
        app.project.adopt(clip, task, take, attempt, trust=trust)
        app.view.note(f"{clip}: task {task} is adopted. {command('apply')} downloads it.", {"clip": clip, "task": task})
        return
    question = unresolved.Question(_wanted(app), is_one=len(clips) == 1, resubmit=resubmit)

    def confirm(attempts: Sequence[Attempt]) -> None:
        app.ask(question.lines(attempts), yes=yes, question=question.text)

    try:
        attempts, next_lines = app.project.resolve(clips, confirm, resubmit=resubmit, take=take, attempt=attempt)
    except UsageError:
        if resubmit and len(clips) == 1 and _released(app, clip, take, yes=yes, trust=trust):
            return
        raise
    app.view.note(*question.answer(attempts, next_lines))


def _wanted(app: Context) -> tuple[Wanted, ...]:
    """Return the takes that the project declares; none with a broken spec, where a request can still be settled."""
    try:
        return app.project.wanted()
    except ClipformError:
        return ()


def _released(app: Context, clip: str, take: int | None, *, yes: bool, trust: bool) -> bool:
    """Ask about the claim by which another working copy keeps this one from buying a clip, and delete it."""
    question = "If it was bought there, it is paid for twice."
    agree = partial(app.ask, yes=yes, question=question)
    is_released = app.project.release(clip, take, lambda claim: agree([f"{clip}: {claim}"]), trust=trust)
    if is_released:
        app.view.note(f"{clip} can be bought here. {command('plan')} shows the cost.", {"clip": clip})
    return is_released
