"""`clipform report`"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError


def run(
    context: typer.Context,
    clips: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP]...", help="Names, globs, tag:, is:, +NAME, NAME+.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to; report/ if not said.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="REV", help="Show before and after: what changed since a git revision.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Show before and after: what a saved plan would replace.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="A contact sheet; without --out nothing else.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Of the drafts.")] = False,
    no_videos: Annotated[
        bool, typer.Option("--no-videos", help="Leave the videos out: posters and short previews are enough.")
    ] = False,
) -> None:
    """Write the gallery as files that open from disk, or a contact sheet.

    Exit codes: 0 done, 1 the spec is wrong or the folder holds other things, 4 the saved plan is stale, 64 wrong
    command line.
    """
    from reconciler.cli.parsing import picture_name
    from reconciler.gallery.report.summary import data, text
    from reconciler.gallery.report.write import ReportRequest, target, write
    from reconciler.project.model import Choice
    from reconciler.project.saved_plan import read

    own: Context = context.obj
    if plan is not None and (clips or since is not None or draft):
        raise UsageError("--plan takes no clips, no --since and no --draft: the plan says what it is about")
    folder = None if out is None and sheet is not None else target(own.directory, out, own.workspace.root)
    request = ReportRequest(
        choice=Choice(tuple(clips or ()), draft=draft),
        out=folder,
        sheet=None if sheet is None else own.directory / picture_name(sheet),
        since=since,
        saved=None if plan is None else (plan.name, read(own.directory / plan)),
        whole_videos=not no_videos,
    )
    result = write(own.workspace, request)
    result = replace(result, sheets=tuple(own.shown_path(Path(path)) for path in result.sheets))
    shown = None if folder is None else own.shown_path(folder)
    own.view.note(text(result, shown), data(result, shown))
