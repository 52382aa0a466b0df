"""`clipform approve`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError


def run(
    context: typer.Context,
    clips: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLIP]...", help="Clips or patterns to approve; CLIP#TAKE is one take."),
    ] = None,
    take: Annotated[int | None, typer.Option(min=1, metavar="N", help="Approve this take only.")] = None,
    message: Annotated[str, typer.Option("--message", "-m", metavar="TEXT", help="A note, such as why.")] = "",
    list_: Annotated[bool, typer.Option("--list", help="List what is approved and what waits.")] = False,
) -> None:
    """Approve what a clip would buy, after you have looked at its draft; costs nothing.

    It writes a line to clipform.approvals, for git. The line approves exactly what would be bought now: another prompt,
    model, picture or seed needs another approval, and another name does not. `approval` in the project file says which
    clips need it.

    Exit codes: 0 done, 1 the spec is invalid or there is nothing to look at, 64 no such clip or take.
    """
    from reconciler.cli.parsing import clip_and_take
    from reconciler.views import approved

    app: Context = context.obj
    if list_ == bool(clips):
        raise UsageError("name clips, or use --list")
    if list_:
        listing = app.project.approvals()
        app.view.note(approved.listing(listing), approved.data(listing))
        return
    for pattern in clips or ():
        name, number = clip_and_take(pattern, take)
        lines = app.project.approve(app.project.names(name), number, message)
        app.view.note(approved.added(name, lines), {"approved": [approved.line_data(line) for line in lines]})
