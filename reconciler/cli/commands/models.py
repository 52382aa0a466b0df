"""`clipform models`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context
from reconciler.diagnostics import ClipformError


def run(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option(help="Only this kind of provider.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model or line.")] = None,
    duration: Annotated[int | None, typer.Option(metavar="SECONDS", help="Offers this length.")] = None,
    resolution: Annotated[str | None, typer.Option(help="Offers 480p, 720p, 1080p, 2k or 4k.")] = None,
    ratio: Annotated[str | None, typer.Option(help="Offers this ratio.")] = None,
    mode: Annotated[str | None, typer.Option(help="text, first_frame, frames, references, edit or extend.")] = None,
    images: Annotated[int, typer.Option(min=0, help="Accepts this many reference pictures.")] = 0,
    videos: Annotated[int, typer.Option(min=0, help="Accepts this many reference videos.")] = 0,
    audios: Annotated[int, typer.Option(min=0, help="Accepts this many reference audios.")] = 0,
    audio: Annotated[bool, typer.Option("--audio", help="Has an audio switch.")] = False,
    seed: Annotated[bool, typer.Option("--seed", help="Accepts a seed.")] = False,
    camera_fixed: Annotated[bool, typer.Option("--camera-fixed", help="Has a camera lock.")] = False,
    watermark: Annotated[bool, typer.Option("--watermark", help="Has a watermark switch.")] = False,
    return_last_frame: Annotated[bool, typer.Option("--return-last-frame", help="Can return its last frame.")] = False,
) -> None:
    """List all models, or only those that can make a given shot.

    Kinds of other packages are listed in a project that has them, and with --kind.

    Exit codes: 0 done, 64 wrong command line.
    """
    from reconciler.cli.parsing import mode_named
    from reconciler.providers import registry
    from reconciler.providers.search import Needs, lines

    app: Context = context.obj
    switches = {
        "audio": audio,
        "camera_fixed": camera_fixed,
        "watermark": watermark,
        "return_last_frame": return_last_frame,
    }
    needs = Needs(
        kind=kind,
        model=model,
        mode=mode_named(mode),
        duration=duration,
        resolution=resolution,
        ratio=ratio,
        switches=tuple(name for name, needed in switches.items() if needed),
        seed=seed,
        images=images,
        videos=videos,
        audios=audios,
    )
    named = {kind} if kind else _named(app)
    app.view.models(list(lines(registry.catalogues(name for name in named if name), needs)))


def _named(app: Context) -> set[str]:
    """Return the kinds that the project has; none outside a project, or if its file cannot be read."""
    from reconciler.spec.load import read_project

    try:
        project = read_project(app.workspace.files, app.workspace.overlay)
    except ClipformError:
        return set()
    return {config.kind for config in project.providers.values()}
