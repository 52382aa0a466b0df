"""`clipform emulate`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65534, help="Results are on the next one; 0: any two free.")] = 8790,
    latency: Annotated[float, typer.Option(min=0, help="Seconds a task takes, in the queue and in the making.")] = 2.0,
    faults: Annotated[Path | None, typer.Option(metavar="FILE", help="YAML or JSON: what is to go wrong.")] = None,
    ledger: Annotated[Path | None, typer.Option(metavar="FILE", help="Append every accepted task here.")] = None,
    list_faults: Annotated[bool, typer.Option("--list-faults", help="Show what can go wrong, and end.")] = False,
    render: Annotated[
        bool, typer.Option("--render/--no-render", help="Draw each clip, or send a plain one at once.")
    ] = True,
) -> None:
    """Stand in for all vendors on this machine: free rehearsals, with real mp4 files.

    Prints the providers: block that points a project here, and runs until Ctrl-C.

    Exit codes: 0 ended by Ctrl-C, 1 it could not start, 64 wrong command line.
    """
    from reconciler.emulator import server
    from reconciler.emulator.api import KINDS
    from reconciler.emulator.welcome import block, fault_table

    own: Context = context.obj
    if list_faults:
        own.view.text(fault_table())
        return

    def listening(where: server.Listening) -> None:
        if own.options.json:
            own.view.note("listening", {"api": where.api, "media": where.media})
        else:
            own.view.text(block(where, KINDS))

    server.run(server.Options(port, latency, faults, ledger, render), listening)
