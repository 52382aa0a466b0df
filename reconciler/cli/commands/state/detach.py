"""`clipform state detach`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(context: typer.Context, trust: arguments.Trust = False) -> None:
    """Make the records of this working copy a state of their own again. It buys nothing.

    They are brought up to date first. Then take the section `state` out of the project file. The shared state keeps all
    that it has; what is bought in both from then on is paid for twice.

    Exit codes: 0 done, 1 invalid spec or no shared state, 3 something waits, 4 not trusted, 5 the database does not
    answer, or another process holds the state.
    """
    from reconciler.engine.operations.shared_state import detach
    from reconciler.views.purchases import carried

    app: Context = context.obj
    app.require_trust(trust=trust)
    text, data = carried("detach", detach(app.workspace))
    app.view.note(text, data)
    if data["waiting"]:
        raise typer.Exit(3)
