"""Writes a report: locates the videos, makes their pictures, and fills the folder and the contact sheet."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files as package_files
from pathlib import Path

from reconciler.frozen import dataclass
from reconciler.gallery.document import comparison, export
from reconciler.gallery.document.cards import DocumentContext
from reconciler.gallery.document.comparison import Comparison
from reconciler.gallery.document.index import PlanIndex
from reconciler.gallery.document.media import media_index
from reconciler.gallery.document.model import Since
from reconciler.gallery.report.folder import ReportFolder
from reconciler.media.thumbnails import Thumbnails, cache_folder, draw_sheet, make
from reconciler.project import saved_plan
from reconciler.project.model import Choice, Planned
from reconciler.project.revision import read_revision
from reconciler.project.saved_plan import SavedPlan
from reconciler.project.workspace import Workspace
from reconciler.state.paths import STATE

INDEX = "index.html"
_PAGE = "page.html"


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """The options of a report. `out` None: no folder, only a sheet."""

    choice: Choice = Choice()
    out: Path | None = None
    sheet: Path | None = None
    since: str | None = None
    saved: tuple[str, SavedPlan] | None = None  # the plan file's name and content
    whole_videos: bool = True


@dataclass(frozen=True, slots=True)
class ReportResult:
    """Counts of what was written. `unreadable`: videos that do not decode; `damaged`: videos with another hash."""

    clips: int
    videos: int
    drawn: int
    size: int = 0
    removed: int = 0
    unreadable: int = 0
    damaged: int = 0
    sheets: tuple[str, ...] = ()
    since: Since | None = None


def write(workspace: Workspace, request: ReportRequest) -> ReportResult:
    """Write a report, a contact sheet, or both. Raises ClipformError before it writes anything."""
    choice = request.saved[1].choice if request.saved else request.choice
    planned = workspace.plan(choice, workspace.load(choice.draft))
    folder = ReportFolder(request.out) if request.out is not None else None
    context = DocumentContext(workspace.root.name, live=False, draft=choice.draft, now=workspace.clock.now())
    with _compared(workspace, request, planned) as (compared, extracted):
        data = export.values(planned, context, workspace.events(choice.draft), compared)
        videos = _locate(export.videos(data), workspace, choice.draft, planned, extracted)
        with cache_folder(workspace.root / STATE) as cache:
            pictures = make(videos, cache, previews=folder is not None)
            cards, since = data.document.cards, compared.head if compared else None
            result = ReportResult(len(cards), len(videos), pictures.drawn, since=since)
            if folder is not None:
                media = _Media(workspace.root, videos, pictures, request.whole_videos)
                result = _write_folder(folder, data, planned, media, result)
            if request.sheet is not None:
                stills = {address: str(workspace.root / path) for address, path in export.inputs(planned).items()}
                posters = {sha: str(path) for sha, path in pictures.posters.items()} | stills
                sheet = export.sheet(data.document, posters, choice.clips)
                result = replace(result, sheets=tuple(draw_sheet(sheet.dumps(), request.sheet)))
    return result


@contextmanager
def _compared(
    workspace: Workspace, request: ReportRequest, planned: Planned
) -> Iterator[tuple[Comparison | None, Mapping[str, Path]]]:
    """Yield the comparison, if one is requested, and the paths of videos that were extracted from git, by SHA-256."""
    if request.saved is not None:
        name, saved = request.saved
        saved_plan.require_fresh(saved, planned)
        yield comparison.since_plan(PlanIndex(planned), name), {}
    elif request.since is not None:
        with read_revision(workspace, request.since, planned, draft=request.choice.draft) as revision:
            chosen = planned.scope.only
            yield comparison.since_revision(PlanIndex(planned), revision, chosen), revision.files
    else:
        yield None, {}


@dataclass(frozen=True, slots=True)
class _Media:
    """The videos and pictures to copy. `whole`: copy the videos too."""

    root: Path
    videos: Mapping[str, Path]
    pictures: Thumbnails
    whole: bool


def _write_folder(
    folder: ReportFolder, data: export.ReportData, planned: Planned, media: _Media, result: ReportResult
) -> ReportResult:
    """Write all files, the data last, so that every file named in it exists."""
    assets, inputs = _assets(), _inside(export.inputs(planned), media.root)
    copies = _copies(media)
    folder.claim([*assets, *inputs, *copies, "data.js"])
    copied = {name for name, (source, sha) in copies.items() if folder.keep(name) or folder.copy(name, source, sha)}
    included = {name for name, path in inputs.items() if folder.keep(name) or folder.copy(name, path, Path(name).stem)}
    for name, content in assets.items():
        folder.put(name, content)
    pictures = export.Pictures(
        videos=media.videos.keys() if media.whole else (),
        previews={sha for sha in media.pictures.previews if f"media/{sha}.preview.mp4" in copied},
        damaged={sha for sha in media.videos if media.whole and f"media/{sha}.mp4" not in copied},
        inputs=included,
    )
    folder.put("data.js", export.script(data, str(media.root), pictures))
    removed = folder.finish()
    unreadable = len(media.videos) - len(pictures.previews)
    return replace(
        result, size=folder.size(), removed=len(removed), unreadable=unreadable, damaged=len(pictures.damaged)
    )


def _inside(inputs: Mapping[str, str], root: Path) -> dict[str, Path]:
    """Return the input pictures inside the root. Inputs from elsewhere are not published."""
    real = {name: Path(os.path.realpath(root / path)) for name, path in inputs.items()}
    return {name: path for name, path in real.items() if path.is_relative_to(root)}


def _copies(media: _Media) -> dict[str, tuple[Path, str]]:
    """Return the source and the required SHA-256 ("": any) of each media file, by its name in the report."""
    copies = {f"media/{sha}.jpg": (path, "") for sha, path in media.pictures.posters.items()}
    copies |= {f"media/{sha}.preview.mp4": (path, "") for sha, path in media.pictures.previews.items()}
    if media.whole:
        copies |= {f"media/{sha}.mp4": (path, sha) for sha, path in media.videos.items()}
    return copies


def _assets() -> dict[str, bytes]:
    folder = package_files("reconciler.gallery") / "page"
    assets = {f"assets/{file.name}": file.read_bytes() for file in folder.iterdir() if file.is_file()}
    template = assets.pop(f"assets/{_PAGE}").decode()
    return {INDEX: export.page(template).encode(), **assets}


def _locate(
    videos: list[str], workspace: Workspace, draft: bool, planned: Planned, extracted: Mapping[str, Path]
) -> dict[str, Path]:
    """Return the path of each video: in the store, at an output, or extracted from git."""
    objects, outputs = workspace.objects(draft), media_index(planned).outputs
    facts = {fact.sha256: path for path, fact in planned.disk.outputs.items() if fact.sha256}
    paths = {}
    for sha in videos:
        output = outputs.get(sha) or facts.get(sha)
        if objects.has(sha, ".mp4"):
            paths[sha] = objects.path(sha, ".mp4")
        elif output is not None and (workspace.root / output).is_file():
            paths[sha] = workspace.root / output
        elif sha in extracted:
            paths[sha] = extracted[sha]
    return paths
