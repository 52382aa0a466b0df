"""`clipform emulate`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.context import Context

if TYPE_CHECKING:
    from reconciler.emulator.vendor import Vendor


def run(
    context: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65534, help="API port; videos are on the next one. 0 picks two.")
    ] = 8790,
    latency: Annotated[float, typer.Option(min=0, help="Seconds from submit to result.")] = 2.0,
    faults: Annotated[Path | None, typer.Option(metavar="FILE", help="YAML or JSON file of faults to inject.")] = None,
    ledger: Annotated[Path | None, typer.Option(metavar="FILE", help="Append every accepted task to it.")] = None,
    list_rate: Annotated[
        float, typer.Option(min=0, help="List requests a second that Ark accepts from an account; 0: any number.")
    ] = 1.0,
    kind: Annotated[list[str] | None, typer.Option(help="Also emulate this kind of a plug-in.")] = None,
    list_faults: Annotated[bool, typer.Option("--list-faults", help="List the faults, then exit.")] = False,
    render: Annotated[
        bool, typer.Option("--render/--no-render", help="Render each clip, or return a placeholder immediately.")
    ] = True,
) -> None:
    """Emulate all providers on this machine.

    Rehearsals are free and yield real mp4 files. It prints a `providers:` block for your project and runs until Ctrl-C.

    Exit codes: 0 stopped with Ctrl-C, 1 could not start, 64 wrong command line.
    """
    from reconciler.emulator import server
    from reconciler.emulator.api import KINDS
    from reconciler.emulator.welcome import block, fault_table

    app: Context = context.obj
    if list_faults:
        app.view.text(fault_table())
        return

    def listening(where: server.Listening) -> None:
        if app.options.json:
            app.view.note("listening", {"api": where.api, "media": where.media})
        else:
            app.view.text(block(where, (*KINDS, *(vendor.kind for vendor in others))))

    others = tuple(map(_vendor, kind or ()))
    server.run(server.Options(port, latency, faults, ledger, render, list_rate, others), listening)


def _vendor(kind: str) -> type[Vendor]:
    from reconciler.conform.rehearsal import emulated
    from reconciler.conform.suite import find

    return emulated(find(kind))
