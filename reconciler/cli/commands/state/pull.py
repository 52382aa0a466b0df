"""`clipform state pull`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(context: typer.Context, trust: arguments.Trust = False) -> None:
    """Bring the records of this working copy up to date with the shared state. It buys nothing.

    A plan without a connection shows what they have.

    Exit codes: 0 done, 1 invalid spec or no shared state, 3 something waits, 4 not trusted, 5 the database does not
    answer, or another process holds the state.
    """
    from reconciler.engine.operations.shared_state import pull
    from reconciler.views.purchases import carried

    app: Context = context.obj
    app.require_trust(trust=trust)
    text, data = carried("pull", pull(app.workspace))
    app.view.note(text, data)
    if data["waiting"]:
        raise typer.Exit(3)
