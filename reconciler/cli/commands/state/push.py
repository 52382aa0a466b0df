"""`clipform state push`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(context: typer.Context, trust: arguments.Trust = False) -> None:
    """Carry the records of this working copy into the shared state, by marker and key. It buys nothing.

    It may be repeated, and needs no consent: what is there stays, and two purchases of one key are both kept and named.
    From then on `state/clipform.db` is a mirror, and nothing is bought by it. Drafts stay here. Run `clipform push`
    first: the videos are not in the database.

    Exit codes: 0 done, 1 invalid spec or no shared state, 3 something waits, 4 not trusted, 5 the database does not
    answer, or another process holds the state.
    """
    from reconciler.engine.operations.shared_state import push
    from reconciler.views.purchases import carried

    app: Context = context.obj
    app.require_trust(trust=trust)
    text, data = carried("push", push(app.workspace))
    app.view.note(text, data)
    if data["waiting"]:
        raise typer.Exit(3)
