"""`clipform mcp`"""

from __future__ import annotations

import typer

from reconciler.cli.context import Context
from reconciler.diagnostics import no_extra


def run(context: typer.Context) -> None:
    """Serve this project to an agent, over MCP on standard input and output.

    The agent can validate, plan, and look at clips, costs, models, fields and pictures: that is free, and sends nothing
    to a provider. It can apply only a plan that somebody has signed with `clipform approve-plan`, by its digest.

    Needs the extra clipform[mcp].

    Exit codes: 0 ended, 1 no project, or the extra is missing; 64 wrong command line.
    """
    app: Context = context.obj
    root = app.workspace.root
    try:
        from reconciler.agents.server import server
    except ModuleNotFoundError as error:
        raise no_extra("the MCP server", "mcp") from error
    from reconciler.api.program import Program

    server(Program(root, app.clock, app.workspace.env, app.workspace.overlay)).run("stdio")
