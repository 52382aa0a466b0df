"""`clipform state show`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="A key, or how it begins.")],
) -> None:
    """Show all that the records have of one key: its requests, its result, and who holds it.

    Exit codes: 0 done, 1 unreadable state, 64 no such key.
    """
    from reconciler.views.purchases import only_key, shown

    app: Context = context.obj
    records = app.project.records()
    chosen = only_key(records, key)
    app.view.show(*shown(chosen, records, app.project.attempts(chosen)), app.access.offline())
