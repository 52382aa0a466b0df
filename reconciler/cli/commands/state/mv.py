"""`clipform state mv`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    names: Annotated[
        tuple[str, str],
        typer.Option("--project", metavar="OLD NEW", help="The name that a project has, and the one that it gets."),
    ],
    trust: arguments.Trust = False,
) -> None:
    """Give a project of the shared state another name, or join it to another project. It buys nothing.

    What it bought counts under the budget of the new name from then on, and its caps go along; of two caps the smaller
    one stays. Write the new name as `state.project` in every working copy: until then what it buys counts under the old
    one.

    Exit codes: 0 done, 1 invalid spec, no shared state or no rights, 4 not trusted, 5 the database does not answer,
    64 no such project.
    """
    from reconciler.engine.operations.shared_state import relabel

    app: Context = context.obj
    app.require_trust(trust=trust)
    old, new = names
    count = relabel(app.workspace, old, new)
    requests = f"{count} request{'' if count == 1 else 's'}"
    text = f"{requests} of {old} count as those of {new}. Write `project: {new}` in the section `state`."
    app.view.note(text, {"old": old, "new": new, "requests": count})
