"""`clipform graph`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid flowchart.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="For Graphviz.")] = False,
) -> None:
    """Show which clip takes frames or video of which.

    Exit codes: 0 done, 1 the spec is wrong, 64 wrong command line.
    """
    from reconciler.diagnostics import UsageError
    from reconciler.views.graph import graph

    own: Context = context.obj
    if mermaid and dot:
        raise UsageError("--mermaid and --dot exclude each other")
    form = "mermaid" if mermaid else "dot" if dot else "text"
    own.view.text(graph(own.workspace.load().project.clips, form))
