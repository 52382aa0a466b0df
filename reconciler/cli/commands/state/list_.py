"""`clipform state list`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    in_flight: Annotated[
        bool, typer.Option("--in-flight", help="Only what was sent, or may have been, and has no result yet.")
    ] = False,
) -> None:
    """List every key that was bought, imported or asked for, with its state.

    Clips that were renamed or removed are in the list too: it is of records, not of files.

    Exit codes: 0 done, 1 unreadable state.
    """
    from reconciler.views.purchases import listed

    app: Context = context.obj
    app.view.show(*listed(app.workspace.snapshot(False), in_flight=in_flight))
