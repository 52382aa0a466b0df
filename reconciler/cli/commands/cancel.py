"""`clipform cancel`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.diagnostics import ClipformError, Refused, StateError, StateLocked


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
    app: Context = context.obj
    failed: ClipformError | None = None
    for name in app.project.names(clip):
        try:
            app.view.note(f"{name}: {app.project.cancel(name, take, trust=trust)}.", {"clip": name})
        except (StateError, StateLocked, Refused):
            raise
        except ClipformError as error:
            if failed is not None:
                app.view.error(failed)
            failed = error
    if failed is not None:
        raise failed
