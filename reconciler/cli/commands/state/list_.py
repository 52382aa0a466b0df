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
    project: Annotated[
        str | None, typer.Option(metavar="P", help="Only what this project of the shared state asked for.")
    ] = None,
) -> None:
    """List every key that was bought, imported or asked for, with its state.

    Clips that were renamed or removed are in the list too: it is of records, not of files. Of a shared state it is what
    all projects have, and says who makes what is in flight, since when and until when nobody else may.

    Exit codes: 0 done, 1 unreadable state, or --project without a shared state, 5 the database does not answer.
    """
    from reconciler.views.purchases import listed

    app: Context = context.obj
    keys = None
    if project is not None:
        from reconciler.engine.operations.shared_state import keys_of

        app.require_trust()
        keys = keys_of(app.workspace, project)
    app.view.show(*listed(app.project.records(), in_flight=in_flight, keys=keys), app.access.offline())
