"""`clipform graph`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid flowchart.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="Print Graphviz DOT.")] = False,
) -> None:
    """Show which clips use frames or videos of other clips, and which films show them.

    Exit codes: 0 done, 1 invalid spec, 64 wrong command line.
    """
    from reconciler.diagnostics import UsageError
    from reconciler.views.graph import graph

    app: Context = context.obj
    if mermaid and dot:
        raise UsageError("choose --mermaid or --dot, not both")
    form = "mermaid" if mermaid else "dot" if dot else "text"
    app.view.text(graph(app.workspace.load().project, form))
