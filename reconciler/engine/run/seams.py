"""Measures how well a frozen seam fits what comes before it now; a plan says so."""

from __future__ import annotations

from contextlib import suppress

from reconciler.artifacts.files import write_cache
from reconciler.diagnostics import MediaError
from reconciler.engine.ports import Workers
from reconciler.engine.run.session import Session
from reconciler.media.likeness import likeness
from reconciler.project.model import Loaded
from reconciler.project.open_seams import measured, moved_on
from reconciler.spec.values import Frame
from reconciler.state.paths import SEAMS


async def measure(session: Session, loaded: Loaded, workers: Workers) -> None:
    """Compare the frame that each frozen seam keeps with that of the clip's present version, once for each pair. Those
    whose videos are not both stored wait for a later run."""
    seams = () if session.draft else moved_on(loaded.orders)
    file = session.workspace.state_dir(False) / SEAMS
    values = measured(file) if seams else {}
    fresh: dict[str, float] = {}
    for seam in seams:
        present = session.store.generation(seam.present)
        if present is None:
            continue
        videos = [session.objects.path(sha256, ".mp4") for sha256 in (seam.held.sha256, present.sha256)]
        if seam.pair not in values and seam.part is not Frame.VIDEO and all(video.is_file() for video in videos):
            with suppress(MediaError):
                fresh[seam.pair] = await workers.run(likeness, *videos, seam.part.value)
    if fresh:
        with suppress(OSError):  # it is measured again
            write_cache(file, values | fresh)
