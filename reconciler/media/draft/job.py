"""The call that a worker executes: one scene into files that are complete or absent."""

from __future__ import annotations

from pathlib import Path

from reconciler.diagnostics import MediaError
from reconciler.media.draft.render import Progress, render
from reconciler.media.draft.scene import read_scene
from reconciler.media.draft.type import face
from reconciler.media.frames import extract_frame


def prepare() -> None:
    """Load what every draft needs: codecs by this module's imports, and the typeface, which takes longest."""
    face(16)


def render_job(body: object, video: str, last_frame: str | None, *, progress: Progress) -> None:
    """Render `body` into `video`, and its last frame too if a path for it is given."""
    target = Path(video)
    part = target.with_name(target.name + ".part")
    render(read_scene(body), part, progress)
    if last_frame is not None:
        extract_frame(part, "last_frame", last_frame)
    try:
        part.replace(target)
    except OSError as error:
        raise MediaError(f"{target.name} could not be put in place: {error}") from error
