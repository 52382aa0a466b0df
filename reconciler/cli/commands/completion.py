"""`clipform completion`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context
from reconciler.next_command import command


def run(
    context: typer.Context,
    shell: Annotated[
        str | None, typer.Argument(metavar="[SHELL]", help="bash, zsh or fish; by default your shell.")
    ] = None,
) -> None:
    """Print a shell script that completes commands, clips and takes.

    It installs nothing: add the line at the top of the script to your shell's startup file.

    Exit codes: 0 done, 64 unknown shell.
    """
    import os

    from reconciler.cli.shells import SCRIPTS
    from reconciler.diagnostics import UsageError

    app: Context = context.obj
    name = shell or os.environ.get("SHELL", "").rpartition("/")[2]
    if name not in SCRIPTS:
        raise UsageError(
            f"unknown shell '{name}'", help=f"shells: {', '.join(SCRIPTS)}\n{command('completion', 'bash')}"
        )
    app.view.text(SCRIPTS[name])
