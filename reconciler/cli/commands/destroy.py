"""`clipform destroy`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clips: Annotated[list[str] | None, typer.Argument(metavar="[CLIP]...")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Of the drafts.")] = False,
) -> None:
    """Remove outputs and bindings. Artifacts stay in the store until `gc`, so apply brings everything back for free.

    Exit codes: 0 done, 1 the spec is wrong, 3 something is protected or could not be removed, 4 not confirmed.
    """
    from reconciler.engine.operations.destroy import destroy
    from reconciler.engine.run.session import open_session
    from reconciler.project.model import Choice

    own: Context = context.obj
    with open_session(own.workspace, "destroy", draft) as session:
        summary = destroy(
            session,
            Choice(tuple(clips or ()), draft=draft),
            lambda plan: own.confirm(plan, yes=yes, question="Remove these files?"),
            own.view,
            own.connect,
        )
    own.view.summary(summary)
    raise typer.Exit(summary.exit_code)
