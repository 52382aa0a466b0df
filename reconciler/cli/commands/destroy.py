"""`clipform destroy`"""

from __future__ import annotations

from functools import partial

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clips: arguments.Clips = None,
    yes: arguments.Yes = False,
    draft: arguments.Draft = False,
) -> None:
    """Remove placed videos. They stay in the store until `gc`, so apply restores everything for free.

    Exit codes: 0 done, 1 invalid spec, 3 something is protected or could not be removed, 4 not confirmed.
    """
    from reconciler import Choice

    app: Context = context.obj
    confirm = partial(app.confirm, yes=yes, question="Remove these files?", in_full=True)
    summary = app.project.destroy(Choice(tuple(clips or ()), draft=draft), confirm)
    app.view.summary(summary)
    raise typer.Exit(summary.exit_code)
