"""`clipform doctor`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask each provider for its time and your balance; costs nothing.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Also check providers that no clip uses.")] = False,
    trust: arguments.Trust = False,
) -> None:
    """Check this machine and the credentials.

    It checks SQLite, the file system and its locks, free space, the clock, codecs, fonts and credentials.

    Exit codes: 0 no problem found, 3 a check failed.
    """
    from reconciler.engine.operations.doctor import checkup

    app: Context = context.obj
    checks = list(checkup(app.workspace, every=every))
    if online:
        from reconciler.engine.connections.one_off import ProviderAccess
        from reconciler.engine.operations import doctor_online as providers

        loaded = app.workspace.load()
        app.require_trust(trust=trust, aliases=loaded.project.providers if every else ())
        checks += providers.checkup(ProviderAccess(loaded, app.connect), every=every)
    app.view.checks(checks)
    if not all(check.ok for check in checks):
        raise typer.Exit(3)
