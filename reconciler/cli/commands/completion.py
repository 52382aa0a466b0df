"""`clipform completion`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    shell: Annotated[str | None, typer.Argument(metavar="[SHELL]", help="bash, zsh, fish; else yours.")] = None,
) -> None:
    """Print a script that completes commands, options, clips and takes.

    Nothing is installed: put the line at the script's head into your shell's start file.

    Exit codes: 0 done, 64 no such shell.
    """
    import os

    from reconciler.cli.shells import SCRIPTS
    from reconciler.diagnostics import UsageError

    own: Context = context.obj
    name = shell or os.environ.get("SHELL", "").rpartition("/")[2]
    if name not in SCRIPTS:
        known = ", ".join(SCRIPTS)
        raise UsageError(f"no completion for the shell '{name}'", help=f"shells: {known}\nclipform completion bash")
    own.view.text(SCRIPTS[name])
