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
    from reconciler.diagnostics import UsageError
    from reconciler.next_command import command
    from reconciler.views.purchases import matching, shown

    app: Context = context.obj
    records = app.workspace.snapshot(False)
    keys = matching(records, key)
    if len(keys) != 1:
        text = f"{len(keys)} keys begin with '{key}'" if keys else f"no key begins with '{key}'"
        raise UsageError(text, help=f"{command('state', 'list')} lists all keys")
    app.view.show(*shown(keys[0], records, app.workspace.attempts(keys[0])))
