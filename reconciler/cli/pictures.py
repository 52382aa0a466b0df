"""Show the posters of finished takes below a result, in a terminal that can draw them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.diagnostics import ClipformError

if TYPE_CHECKING:
    from reconciler.cli.context import Context
    from reconciler.project.model import Planned

_MOST = 24


def show_pictures(app: Context, planned: Planned, *, draft: bool, picked: bool) -> None:
    """Draw a poster of each take that has its video; only of the picked ones if `picked`.

    The command goes on without a poster that cannot be made.
    """
    if not app.view.can_draw:
        return
    from reconciler.media.thumbnails import cache_folder, make

    snapshot, objects = planned.snapshot, app.workspace.objects(draft)
    names: list[tuple[str, str]] = []
    for step in planned.plan.steps:
        generation = snapshot.generations.get(step.key)
        if generation is not None and objects.has(generation.sha256, ".mp4") and (step.output or not picked):
            names.append((step.name, generation.sha256))
    del names[_MOST:]
    videos = {sha256: objects.path(sha256, ".mp4") for _, sha256 in names}
    with suppress(ClipformError), cache_folder(app.workspace.state_dir(draft)) as cache:
        posters = make(videos, cache, previews=False).posters
        app.view.pictures([(name, posters[sha256]) for name, sha256 in names if sha256 in posters])
