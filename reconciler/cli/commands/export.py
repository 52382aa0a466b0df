"""`clipform export`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    film: Annotated[str, typer.Argument(metavar="FILM", help="Name of the film.")],
    kind: Annotated[
        str, typer.Option("--as", metavar="FORMAT", help="otio, premiere (also read by DaVinci Resolve), fcpx or edl.")
    ],
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Output directory [default: export/].")] = None,
    with_media: Annotated[
        bool, typer.Option("--with-media", help="Copy videos, pictures and sounds into it; else they are linked.")
    ] = False,
    draft: arguments.Draft = False,
) -> None:
    """Write a film as a timeline for an editing program.

    Each piece is linked to its whole file, so that an editor can make it longer than in the film. Needs the extra
    clipform[timeline].

    Exit codes: 0 done, 1 a piece is not made yet, the library is missing, or the folder holds other files, 64 wrong
    command line.
    """
    from reconciler.gallery.report.film_export import EXPORT, ExportRequest, export_film
    from reconciler.gallery.report.folder import target
    from reconciler.state.paths import DRAFTS

    app: Context = context.obj
    root = app.workspace.root
    folder = root / DRAFTS / EXPORT.noun if draft and to is None else target(app.directory, to, root, EXPORT)
    result = export_film(app.workspace, ExportRequest(film, kind, folder, with_media, draft))
    shown_folder = app.shown_path(folder)
    app.view.note("\n".join(result.lines(shown_folder)), result.document(shown_folder))
