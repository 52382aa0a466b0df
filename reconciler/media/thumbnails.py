"""Posters and previews of videos, made in parallel in worker processes and cached.

They are cached by the video's hash under `state/cache`, where the live gallery keeps its posters too. Losing that
folder costs a few seconds. A project without a state does not get one for thumbnails.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import Final

from reconciler.diagnostics import ClipformError, MediaError
from reconciler.frozen import dataclass
from reconciler.media.worker_pool import WorkerPool
from reconciler.state import disk

POSTER_SIDE: Final = 960
"""Pixels: a card of 480 points on a screen of double density."""

PREVIEW_SIDE: Final = 400

_FORMS: Final = {"posters": "{}.jpg", "previews": "{}.mp4"}
_POSTER: Final = "reconciler.media.posters:poster"
_BLANK: Final = "reconciler.media.posters:blank_poster"
_PREVIEW: Final = "reconciler.media.previews:preview"
_SHEET: Final = "reconciler.media.sheets:draw_sheet"


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """The existing files of each video, by its SHA-256; an undecodable one has a plain poster and no preview."""

    posters: Mapping[str, Path]
    previews: Mapping[str, Path]
    drawn: int = 0  # files made by this call


@contextmanager
def cache_folder(state: Path) -> Iterator[Path]:
    """Yield `state/cache` if there is a state, else a temporary folder."""
    if state.is_dir():
        yield state / "cache"
        return
    with tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        yield Path(folder)


def forget(cache: Path, sha256: str) -> None:
    """Remove the thumbnails of a deleted video. A file that cannot be removed does no harm."""
    for kind, form in _FORMS.items():
        with suppress(OSError):
            (cache / kind / form.format(sha256)).unlink()


def make(videos: Mapping[str, Path], cache: Path, *, previews: bool) -> Thumbnails:
    """Make a poster of every video, and a preview. Raises ClipformError if they cannot be written."""
    return asyncio.run(_make(videos, cache, previews))


async def _make(videos: Mapping[str, Path], cache: Path, previews: bool) -> Thumbnails:
    kinds = {kind: form for kind, form in _FORMS.items() if kind == "posters" or previews}
    with disk.translated("write thumbnails", ClipformError):
        for kind in kinds:
            disk.make_directories(cache / kind)
    paths = {kind: {sha: cache / kind / form.format(sha) for sha in videos} for kind, form in kinds.items()}
    missing = [(kind, sha) for kind, by_video in paths.items() for sha, path in by_video.items() if not path.is_file()]
    try:
        async with aclosing(WorkerPool()) as pool, asyncio.TaskGroup() as group:
            for kind, sha in missing:
                draw = _poster if kind == "posters" else _preview
                group.create_task(draw(pool, videos[sha], paths[kind][sha]))
    except* ClipformError as errors:
        raise errors.exceptions[0] from errors
    existing = {
        kind: {sha: path for sha, path in by_video.items() if path.is_file()} for kind, by_video in paths.items()
    }
    return Thumbnails(existing["posters"], existing.get("previews", {}), len(missing))


async def _poster(pool: WorkerPool, video: Path, out: Path) -> None:
    """Make a poster; a video that kills the worker gets the plain card too."""
    try:
        await pool.call(_POSTER, [str(video), str(out), POSTER_SIDE])
    except MediaError as error:
        if error.code == "disk-full":
            raise
        await pool.call(_BLANK, [str(out), POSTER_SIDE])


async def _preview(pool: WorkerPool, video: Path, out: Path) -> None:
    """Make a preview; a video that cannot be decoded has none."""
    try:
        await pool.call(_PREVIEW, [str(video), str(out), PREVIEW_SIDE])
    except MediaError as error:
        if error.code == "disk-full":
            raise


def draw_sheet(sheet: str, out: Path) -> Sequence[str]:
    """Draw a contact sheet (`media.facts.Sheet.dumps`); return its files. Raises ClipformError, as for a user's
    file."""
    try:
        written = asyncio.run(_draw_sheet(sheet, out))
    except MediaError as error:
        raise ClipformError(error.message, help=error.help, code=error.code) from error
    return [str(path) for path in written] if isinstance(written, list) else []


async def _draw_sheet(sheet: str, out: Path) -> object:
    async with aclosing(WorkerPool(1)) as pool:
        return await pool.call(_SHEET, [sheet, str(out)])
