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
    from reconciler.project.shared_state import offline_warning
    from reconciler.views.purchases import only_key, shown

    app: Context = context.obj
    records = app.workspace.snapshot(False)
    chosen = only_key(records, key)
    app.view.show(*shown(chosen, records, app.workspace.attempts(chosen)), offline_warning(app.workspace.as_of))
