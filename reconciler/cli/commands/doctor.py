"""`clipform doctor`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask each provider for the time and what is left; buys nothing.")
    ] = False,
) -> None:
    """Check SQLite, the file system and its locks, free space, the clock, codecs, fonts and credentials.

    Exit codes: 0 all well, 3 something is not.
    """
    from reconciler.engine.operations.doctor import checkup

    own: Context = context.obj
    found = list(checkup(own.workspace))
    if online:
        from reconciler.engine.connections.one_off import ProviderAccess
        from reconciler.engine.operations import doctor_online as providers

        known = providers.on_record(own.workspace)
        found += providers.checkup(ProviderAccess(own.workspace.load(), own.connect, known))
    own.view.checks(found)
    if not all(item.ok for item in found):
        raise typer.Exit(3)
