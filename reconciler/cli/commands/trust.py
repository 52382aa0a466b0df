"""`clipform trust`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    list_: Annotated[bool, typer.Option("--list", help="List what is trusted, and change nothing.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Trust nothing of this project any more.")] = False,
) -> None:
    """Decide what a project may do that is not ordinary.

    It shows addresses that a key or an input would be sent to, environment variables in addresses, and files outside
    the project, and asks. The answer is remembered in your configuration folder, for this project folder and this list.

    Exit codes: 0 trusted, or nothing to ask; 1 invalid spec; 4 not confirmed; 64 wrong command line.
    """
    from reconciler.cli.parsing import require_one

    app: Context = context.obj
    root = str(app.workspace.root)
    if list_ or forget:
        require_one(list=list_, forget=forget)
    if list_:
        lines = app.access.memory.projects().get(root, [])
        app.view.note("\n".join(lines) or "nothing of this project is trusted", {"project": root, "trusted": lines})
    elif forget:
        is_known = app.access.memory.forget(app.workspace.root)
        text = "forgotten" if is_known else "nothing of this project is trusted"
        app.view.note(text, {"project": root, "forgotten": is_known})
    else:
        aliases = app.workspace.load().project.providers
        app.require_trust(aliases=aliases)
        demands = [str(demand) for demand in app.workspace.demands(*aliases)]
        text = "trusted" if demands else "this project asks for nothing that is not ordinary"
        app.view.note(text, {"project": root, "asks_for": demands})
