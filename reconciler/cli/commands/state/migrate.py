"""`clipform state migrate`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(context: typer.Context, trust: arguments.Trust = False) -> None:
    """Create the tables of the shared state, or bring them up to date.

    It needs a role that may create a schema. All other commands need one that may read and write its tables.

    Exit codes: 0 done, 1 invalid spec, no shared state or no rights, 4 not trusted, 5 the database does not answer.
    """
    from reconciler.engine.operations.shared_state import migrate

    app: Context = context.obj
    app.require_trust(trust=trust)
    schema = migrate(app.workspace)
    app.view.note(f"The shared state is ready, in the schema {schema}.", {"schema": schema})
