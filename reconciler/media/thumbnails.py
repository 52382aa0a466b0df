"""Posters and previews of videos, made side by side in worker processes and kept for the next time.

They are kept by the video's content under `state/cache`, where the live gallery keeps its posters too. Losing that
folder costs a few seconds. A project that has no state is not given one for the sake of pictures.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.diagnostics import ClipformError, MediaError
from reconciler.media.worker_pool import WorkerPool
from reconciler.state import disk

POSTER_SIDE: Final = 640
"""Points: a card of 320 on a screen of double density."""

PREVIEW_SIDE: Final = 400

_FORMS: Final = {"posters": "{}.jpg", "previews": "{}.mp4"}
_POSTER: Final = "reconciler.media.posters:poster"
_BLANK: Final = "reconciler.media.posters:blank_poster"
_PREVIEW: Final = "reconciler.media.previews:preview"
_SHEET: Final = "reconciler.media.sheets:draw_sheet"


@dataclass(frozen=True, slots=True)
class Made:
    """What there is of each video, by its SHA-256; one that does not decode has a plain poster and no preview."""

    posters: Mapping[str, Path]
    previews: Mapping[str, Path]
    drawn: int = 0  # pictures that were made now


@contextmanager
def cache_folder(state: Path) -> Iterator[Path]:
    """`state/cache` where there is a state, else a folder that is gone afterwards."""
    if state.is_dir():
        yield state / "cache"
        return
    with tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        yield Path(folder)


def forget(cache: Path, sha256: str) -> None:
    """Remove the pictures of a video that is gone. What cannot be removed does no harm."""
    for kind, form in _FORMS.items():
        with suppress(OSError):
            (cache / kind / form.format(sha256)).unlink()


def make(videos: Mapping[str, Path], cache: Path, *, previews: bool) -> Made:
    """A poster of every video, and a preview. Raises ClipformError where they cannot be written."""
    return asyncio.run(_make(videos, cache, previews))


async def _make(videos: Mapping[str, Path], cache: Path, previews: bool) -> Made:
    kinds = {kind: form for kind, form in _FORMS.items() if kind == "posters" or previews}
    with disk.translated("keep pictures", ClipformError):
        for kind in kinds:
            disk.make_directories(cache / kind)
    paths = {kind: {sha: cache / kind / form.format(sha) for sha in videos} for kind, form in kinds.items()}
    missing = [(kind, sha) for kind, found in paths.items() for sha, path in found.items() if not path.is_file()]
    crew = WorkerPool()
    try:
        async with asyncio.TaskGroup() as group:
            for kind, sha in missing:
                draw = _poster if kind == "posters" else _preview
                group.create_task(draw(crew, videos[sha], paths[kind][sha]))
    except* ClipformError as errors:
        raise errors.exceptions[0] from errors
    finally:
        await crew.aclose()
    there = {kind: {sha: path for sha, path in found.items() if path.is_file()} for kind, found in paths.items()}
    return Made(there["posters"], there.get("previews", {}), len(missing))


async def _poster(crew: WorkerPool, video: Path, out: Path) -> None:
    """What kills a worker gets the plain card too."""
    try:
        await crew.call(_POSTER, [str(video), str(out), POSTER_SIDE])
    except MediaError as error:
        if error.code == "disk-full":
            raise
        await crew.call(_BLANK, [str(out), POSTER_SIDE])


async def _preview(crew: WorkerPool, video: Path, out: Path) -> None:
    """A video that does not decode has none."""
    try:
        await crew.call(_PREVIEW, [str(video), str(out), PREVIEW_SIDE])
    except MediaError as error:
        if error.code == "disk-full":
            raise


def draw_sheet(sheet: str, out: Path) -> Sequence[str]:
    """Draw a contact sheet (`media.sheets.Sheet.dumps`); its files. Raises ClipformError where a file
    stands that is no contact sheet."""
    try:
        found = asyncio.run(_draw_sheet(sheet, out))
    except MediaError as error:
        raise ClipformError(error.message, help=error.help, code=error.code) from error
    return [str(path) for path in found] if isinstance(found, list) else []


async def _draw_sheet(sheet: str, out: Path) -> object:
    crew = WorkerPool(1)
    try:
        return await crew.call(_SHEET, [sheet, str(out)])
    finally:
        await crew.aclose()
