"""`clipform cancel`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.diagnostics import ClipformError


def run(
    context: typer.Context,
    clip: arguments.ClipPattern,
    take: Annotated[int | None, typer.Option(min=1, help="Take number, when several are in flight.")] = None,
    trust: arguments.Trust = False,
) -> None:
    """Cancel a queued task, if the provider supports it. A running task is left to finish.

    An order that no worker has begun is withdrawn.

    Exit codes: 0 cancelled, 3 not cancelled, 64 no such task.
    """
    from reconciler.cli.parsing import named_clips
    from reconciler.engine.connections import one_off
    from reconciler.engine.operations import cancel
    from reconciler.engine.run.session import open_session

    app: Context = context.obj
    failed: ClipformError | None = None
    clips = named_clips(app.workspace, clip)
    with open_session(app.workspace, "cancel") as session:
        loaded = app.workspace.load()
        app.require_trust(trust=trust)
        remote = one_off.ProviderAccess(loaded, app.connect)
        for name in clips:
            try:
                app.view.note(f"{name}: {cancel.cancel(session, name, take, remote)}.", {"clip": name})
            except ClipformError as error:
                if failed is not None:
                    app.view.error(failed)
                failed = error
    if failed is not None:
        raise failed
