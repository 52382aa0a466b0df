"""`clipform fmt`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit with 3 if a file would change.")] = False,
    sort: Annotated[bool, typer.Option("--sort", help="Also put the keys of clips and sections in order.")] = False,
) -> None:
    """Format the project's YAML files.

    It indents by two spaces, quotes texts that other tools take for a number, a yes or a date, and removes
    needless blanks. Comments, order and style stay, and no clip changes, so nothing is generated again.

    Exit codes: 0 done, 1 a file is not valid YAML, 3 a file is not formatted (--check).
    """
    app: Context = context.obj
    changed = app.project.format(check=check, sort=sort)
    verb = "would change" if check else "formatted"
    text = "\n".join(f"{name}: {verb}" for name in changed) or "All files are formatted."
    app.view.note(text, {"check": check, "changed": changed})
    if check and changed:
        raise typer.Exit(3)
