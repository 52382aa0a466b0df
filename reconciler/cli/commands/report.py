"""`clipform report`"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError


def run(
    context: typer.Context,
    clips: arguments.Clips = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Output directory [default: report/].")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="REV", help="Show before and after, compared with a git revision.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Show before and after, for what a saved plan replaces.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Write a contact sheet; without --out, only that.")
    ] = None,
    draft: arguments.Draft = False,
    no_videos: Annotated[
        bool, typer.Option("--no-videos", help="Leave out the videos; keep posters and short previews.")
    ] = False,
) -> None:
    """Write the gallery as files, or a contact sheet.

    The gallery opens from disk, without a server. The contact sheet of films alone has their pieces in order.

    Exit codes: 0 done, 1 the spec is invalid or the folder holds other files, 4 the saved plan is stale, 64 wrong
    command line.
    """
    from reconciler import Choice, read_plan
    from reconciler.cli.parsing import picture_name
    from reconciler.gallery.report.folder import target
    from reconciler.gallery.report.summary import data, text
    from reconciler.gallery.report.write import ReportRequest, write

    app: Context = context.obj
    if plan is not None and (clips or since is not None or draft):
        raise UsageError("--plan cannot be combined with clips, --since or --draft")
    folder = None if out is None and sheet is not None else target(app.directory, out, app.workspace.root)
    saved = None if plan is None else read_plan(app.directory / plan)
    if saved is not None:
        app.use_overlay(saved.overlay)
    request = ReportRequest(
        choice=Choice(tuple(clips or ()), draft=draft, look=True, shows=True),
        out=folder,
        sheet=None if sheet is None else app.directory / picture_name(sheet),
        since=since,
        saved=None if plan is None or saved is None else (plan.name, saved),
        whole_videos=not no_videos,
    )
    result = write(app.workspace, request)
    result = replace(result, sheets=tuple(app.shown_path(Path(path)) for path in result.sheets))
    shown_folder = None if folder is None else app.shown_path(folder)
    app.view.note(text(result, shown_folder), data(result, shown_folder))
