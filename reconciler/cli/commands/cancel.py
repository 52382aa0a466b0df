"""`clipform cancel`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clip: arguments.ClipName,
    take: Annotated[int | None, typer.Option(min=1, help="Take number, when several are in flight.")] = None,
    trust: arguments.Trust = False,
) -> None:
    """Cancel a queued task, if the provider supports it. A running task is left to finish.

    Exit codes: 0 cancelled, 3 not cancelled, 64 no such task.
    """
    from reconciler.engine.connections import one_off
    from reconciler.engine.operations import cancel
    from reconciler.engine.run.session import open_session

    app: Context = context.obj
    with open_session(app.workspace, "cancel") as session:
        loaded = app.workspace.load()
        app.require_trust(trust=trust)
        remote = one_off.ProviderAccess(loaded, app.connect)
        outcome = cancel.cancel(session, clip, take, remote)
    app.view.note(f"{clip}: {outcome}.", {"clip": clip})
