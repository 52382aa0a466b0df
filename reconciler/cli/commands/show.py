"""`clipform show`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.cli.pictures import show_pictures
from reconciler.diagnostics import UsageError
from reconciler.next_command import command


def run(
    context: typer.Context,
    clip: arguments.ClipName,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Of a film: which clip plays then, such as 00:12 or 12.5.")
    ] = None,
    draft: arguments.Draft = False,
) -> None:
    """Show one clip in full.

    It shows its inputs, each take, its stored file and its task; of a film, its pieces with their times.

    Exit codes: 0 done, 1 invalid spec, 64 no such clip.
    """
    from reconciler.cli.parsing import film_time, one_clip
    from reconciler.views.show import show

    app: Context = context.obj
    planned = app.project.look(clip, draft=draft, whole=True)
    if at is not None:
        from reconciler.views.film import playing

        name = one_clip(clip, planned.plan)
        film = next((step for step in planned.plan.steps if step.document), None)
        if film is None:
            raise UsageError(f"{name} is a clip; --at is for films", help=command("show", name))
        app.view.note(*playing(film, planned, film_time(at)))
        return
    artifacts = app.project.artifacts(draft=draft)
    app.view.show(*show(one_clip(clip, planned.plan), planned, artifacts), app.access.offline())
    show_pictures(app, planned, draft=draft, picked=False)
