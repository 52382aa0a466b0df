"""`inspect`: say which clip a file is, by its bytes, else by its tag, else by its pictures."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO, Final

from reconciler.artifacts import files
from reconciler.artifacts.hashing import LIMIT
from reconciler.diagnostics import ArtifactError, MediaError, UsageError
from reconciler.media import fingerprints
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.media.marks.read import marks, tag_of
from reconciler.media.marks.sign import signed
from reconciler.project import git
from reconciler.project.origins import CARRIES_TAG, SAME_BYTES, SAME_PICTURES, SIGNED, Inspected, Origin, origins_of
from reconciler.project.workspace import Workspace
from reconciler.state import disk
from reconciler.state.paths import LOCK_FILE

SUFFIXES: Final = (".mp4", ".mov", ".m4v")
PIPED: Final = "-"
"""The name of the file that a command is piped."""

_BLOCK: Final = 1 << 20
_MARKS: Final = "fingerprints-2"  # another name for each change of what they are
_SHORTEST: Final = 3
"""Pictures that must be alike, at least: fewer are no evidence."""


def files_at(path: str) -> tuple[Path, ...]:
    """Return a file, or the videos in a folder and below it. Raises UsageError if there are none."""
    if not os.path.isdir(path):
        return (Path(path),)
    videos = tuple(sorted(file for file in Path(path).rglob("*") if file.suffix.lower() in SUFFIXES))
    if not videos:
        raise UsageError(f"{path} has no videos", help=f"inspect looks at {', '.join(SUFFIXES)} in a folder")
    return videos


@contextmanager
def received(stream: BinaryIO, limit: int = LIMIT) -> Iterator[Path]:
    """Yield a file with what comes from a stream: nobody else can read it, and it is gone afterwards. Raises UsageError
    for more than `limit` bytes, ClipformError where it cannot be written."""
    with tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        path = Path(folder) / PIPED
        with disk.translated(f"keep what is piped in {folder}"), path.open("xb") as file:
            while block := stream.read(_BLOCK):
                if file.tell() + len(block) > limit:
                    raise UsageError(f"more than {limit >> 30} GiB were piped, so no video of a provider")
                file.write(block)
        yield path


def inspect(workspace: Workspace, paths: Iterable[Path]) -> list[Inspected]:
    """Say of each file which clip it is. Files are only read; nothing is asked of a provider."""
    origins: dict[str, list[Origin]] = {}
    for origin in origins_of(workspace):
        origins.setdefault(origin.sha256, []).append(origin)
    looked = [_by_bytes(path, origins) for path in paths]
    if any(not each.how and not each.problem for each in looked):
        looked = asyncio.run(_by_pictures(workspace, looked, origins))
    commit = cache(partial(git.brought, workspace.root, LOCK_FILE))  # git reads the history of the file for each
    return [replace(each, origins=tuple(replace(o, commit=commit(o.sha256)) for o in each.origins)) for each in looked]


def _by_bytes(path: Path, origins: Mapping[str, Sequence[Origin]]) -> Inspected:
    real = Path(os.path.realpath(path))
    try:
        with files.folder(real.parent) as folder, files.opened(real.name, folder) as descriptor:
            size = os.fstat(descriptor).st_size
            if size > LIMIT:
                return Inspected(str(path), problem=f"larger than {LIMIT >> 30} GiB, so no video of a provider")
            sha256 = files.digest(descriptor)[0]
    except (OSError, ArtifactError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.message
        return Inspected(str(path), problem=f"cannot be read: {reason}")
    matches = origins.get(sha256)
    return Inspected(str(path), SAME_BYTES, tuple(matches)) if matches else Inspected(str(path))


async def _by_pictures(
    workspace: Workspace, looked: Sequence[Inspected], origins: Mapping[str, Sequence[Origin]]
) -> list[Inspected]:
    """Compare the pictures of what is not known by its bytes with those of every stored video."""
    file = workspace.state_dir(draft=False) / "cache" / _MARKS
    stored = files.read_cache(file, lambda marks: [str(mark) for mark in marks])
    before = len(stored)
    async with aclosing(DraftRenderer(workspace.state_dir(draft=False) / "scratch")) as renderer:
        videos = _videos(workspace, [sha256 for sha256 in origins if sha256 not in stored])
        marks = await asyncio.gather(*(_marks(renderer, video) for video in videos.values()))
        for sha256, every in zip(videos, marks, strict=True):
            stored[sha256] = [] if isinstance(every, MediaError) else fingerprints.representative(every)
        if len(stored) > before and file.parent.parent.is_dir():
            disk.make_directories(file.parent)
            files.write_cache(file, stored)
        rich = {sha256: few for sha256, few in stored.items() if len(few) >= _SHORTEST and sha256 in origins}
        return [await _nearest(renderer, each, rich, origins) for each in looked]


def _videos(workspace: Workspace, sha256s: Iterable[str]) -> dict[str, Path]:
    """Return the stored file of each video that this machine has."""
    stores = [workspace.objects(draft) for draft in (False, True)]
    places = ((sha256, store.path(sha256, ".mp4")) for sha256 in sha256s for store in stores)
    return {sha256: path for sha256, path in places if path.is_file()}


async def _marks(renderer: DraftRenderer, video: Path) -> list[str] | MediaError:
    try:
        return await renderer.run(fingerprints.fingerprints, str(video))
    except MediaError as error:
        return error


async def _nearest(
    renderer: DraftRenderer,
    each: Inspected,
    rich: Mapping[str, Sequence[str]],
    origins: Mapping[str, Sequence[Origin]],
) -> Inspected:
    if each.how or each.problem:
        return each
    marks = await _marks(renderer, Path(each.file))
    if isinstance(marks, MediaError):
        return replace(each, problem=marks.message)
    distances = {sha256: fingerprints.distance(few, marks) for sha256, few in rich.items()}
    named, doubt = await _named(renderer, each.file, distances, origins)
    if named:
        return replace(each, how=CARRIES_TAG, origins=named)
    if signed_as := _origins(await renderer.run(signed, each.file), origins):
        return replace(each, how=SIGNED, origins=signed_as)
    each = replace(each, problem=doubt)
    near = sorted((bits, sha256) for sha256, bits in distances.items() if bits is not None)
    if not near or near[0][0] > fingerprints.LIMIT:
        return each
    alike = tuple(origin for bits, sha256 in near if bits == near[0][0] for origin in origins[sha256])
    return Inspected(each.file, SAME_PICTURES, alike, near[0][0], doubt)


async def _named(
    renderer: DraftRenderer,
    file: str,
    distances: Mapping[str, int | None],
    origins: Mapping[str, Sequence[Origin]],
) -> tuple[tuple[Origin, ...], str]:
    """Return the takes that a file's tag names, or why it is not believed: anybody can write one, so the pictures of
    the video that it names must be alike, as far as that is stored."""
    try:
        tag = tag_of(await renderer.run(marks, file))
    except MediaError:
        return (), ""
    named = _origins(tag, origins)
    if not tag or not named:
        return (), f"its tag names {tag['clip']}, and no such video is on record here" if tag else ""
    bits = distances.get(tag["sha256"])
    if bits is not None and bits > fingerprints.LIMIT:
        return (), f"its tag names {tag['clip']}, which shows other pictures"
    return named, ""


def _origins(named: Mapping[str, str], origins: Mapping[str, Sequence[Origin]]) -> tuple[Origin, ...]:
    """Return the takes that a tag or an assertion names, by content and key."""
    return tuple(each for each in origins.get(named.get("sha256", ""), ()) if each.key == named.get("key"))
