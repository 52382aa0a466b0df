"""`clipform cancel`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clip: Annotated[str, typer.Argument(metavar="CLIP")],
    take: Annotated[int | None, typer.Option(min=1, help="Which take, where several are in flight.")] = None,
) -> None:
    """Cancel a task that is still queued, where the provider can. A task that runs is left to finish.

    Exit codes: 0 cancelled, 3 not cancelled, 64 no such task.
    """
    from reconciler.engine.connections import one_off
    from reconciler.engine.operations import cancel
    from reconciler.engine.run.session import open_session

    own: Context = context.obj
    with open_session(own.workspace, "cancel") as session:
        remote = one_off.ProviderAccess(own.workspace.load(), own.connect, session.store.snapshot())
        words = cancel.cancel(session, clip, take, remote)
    own.view.note(f"{clip}: {words}.", {"clip": clip})
