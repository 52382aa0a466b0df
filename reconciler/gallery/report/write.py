"""From a plan to files: which videos are where, their pictures, the folder, the sheet."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files as package_files
from pathlib import Path

from reconciler.artifacts.store import Objects
from reconciler.diagnostics import UsageError
from reconciler.gallery.document import comparison as before
from reconciler.gallery.document import export
from reconciler.gallery.document.cards import DocumentContext
from reconciler.gallery.document.comparison import Comparison
from reconciler.gallery.document.index import Known
from reconciler.gallery.document.media import Value, shelf
from reconciler.gallery.report.folder import ReportFolder
from reconciler.media.thumbnails import Thumbnails, cache_folder, draw_sheet, make
from reconciler.project import saved_plan
from reconciler.project.model import Choice, Planned
from reconciler.project.revision import read_revision
from reconciler.project.saved_plan import SavedPlan
from reconciler.project.workspace import STATE, Workspace
from reconciler.state.history import LogEntry
from reconciler.state.store import Store

INDEX = "index.html"
_PAGE = "page.html"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a report was asked to be. `out` None: no folder, only a sheet."""

    choice: Choice = Choice()
    out: Path | None = None
    sheet: Path | None = None
    since: str | None = None
    saved: tuple[str, SavedPlan] | None = None  # the plan file's name, and what it holds
    whole_videos: bool = True


@dataclass(frozen=True, slots=True)
class Done:
    """What was written. `unreadable`: videos that do not decode; `damaged`: those whose bytes are not theirs."""

    clips: int
    videos: int
    drawn: int
    size: int = 0
    removed: int = 0
    unreadable: int = 0
    damaged: int = 0
    sheets: tuple[str, ...] = ()
    since: Value | None = None


def write(workspace: Workspace, wish: Wish) -> Done:
    """Write a report, a sheet, or both. Raises ClipformError before anything is written."""
    choice = wish.saved[1].choice if wish.saved else wish.choice
    planned = workspace.plan(choice, workspace.load(choice.draft))
    folder = ReportFolder(wish.out) if wish.out is not None else None
    setting = DocumentContext(workspace.root.name, live=False, draft=choice.draft, now=workspace.clock.now())
    with _compared(workspace, wish, planned) as (comparison, extra):
        found = export.values(planned, setting, _events(workspace, choice.draft), comparison)
        videos = _found(export.videos(found), workspace, choice.draft, planned, extra)
        with cache_folder(workspace.root / STATE) as cache:
            made = make(videos, cache, previews=folder is not None)
            done = Done(_count(found), len(videos), made.drawn, since=comparison.head if comparison else None)
            if folder is not None:
                done = _write_folder(
                    folder, found, planned, _Media(workspace.root, videos, made, wish.whole_videos), done
                )
            if wish.sheet is not None:
                posters = {sha: str(path) for sha, path in made.posters.items()}
                sheet = export.sheet(_document(found), posters)
                done = replace(done, sheets=tuple(draw_sheet(sheet.dumps(), wish.sheet)))
    return done


@contextmanager
def _compared(
    workspace: Workspace, wish: Wish, planned: Planned
) -> Iterator[tuple[Comparison | None, Mapping[str, Path]]]:
    """What is shown as "before", and where the videos are that only git has."""
    if wish.saved is not None:
        name, saved = wish.saved
        saved_plan.require_fresh(saved, planned)
        yield before.since_plan(Known(planned), name), {}
    elif wish.since is not None:
        with read_revision(workspace, wish.since, planned, draft=wish.choice.draft) as found:
            chosen = planned.scope.only
            yield before.since_revision(Known(planned), found, chosen), found.files
    else:
        yield None, {}


@dataclass(frozen=True, slots=True)
class _Media:
    """What may be copied."""

    root: Path
    videos: Mapping[str, Path]
    made: Thumbnails
    whole: bool


def _write_folder(folder: ReportFolder, found: Value, planned: Planned, media: _Media, done: Done) -> Done:
    """Everything by name, the data last: a page that opens finds what it speaks of."""
    assets, inputs = _assets(), _inside(export.inputs(planned), media.root)
    copies = _copies(media)
    folder.claim([*assets, *inputs, *copies, "data.js"])
    damaged = {
        name for name, (source, sha) in copies.items() if not (folder.kept(name) or folder.copy(name, source, sha))
    }
    there = {name for name, path in inputs.items() if folder.kept(name) or folder.copy(name, path, _sha256(name))}
    for name, content in assets.items():
        folder.put(name, content)
    pictures = export.Pictures(
        videos=media.videos.keys() if media.whole else (),
        previews={sha for sha in media.made.previews if f"media/{sha}.preview.mp4" not in damaged},
        damaged={sha for sha in media.videos if f"media/{sha}.mp4" in damaged},
        inputs=there,
    )
    shown = export.dressed(export.discreet(found, str(media.root)), pictures)
    folder.put("data.js", export.script(shown))
    removed = folder.finish()
    unreadable = len(media.videos) - len(pictures.previews)
    return replace(done, size=folder.size(), removed=len(removed), unreadable=unreadable, damaged=len(pictures.damaged))


def _inside(inputs: Mapping[str, str], root: Path) -> dict[str, Path]:
    """The pictures that lie in the project. What it may read elsewhere is not its own to hand on."""
    real = {name: Path(os.path.realpath(root / path)) for name, path in inputs.items()}
    return {name: path for name, path in real.items() if path.is_relative_to(root)}


def _sha256(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


def _copies(media: _Media) -> dict[str, tuple[Path, str]]:
    """Where each media file comes from, and what its content must be ("" when nobody knows)."""
    found = {f"media/{sha}.jpg": (path, "") for sha, path in media.made.posters.items()}
    found |= {f"media/{sha}.preview.mp4": (path, "") for sha, path in media.made.previews.items()}
    if media.whole:
        found |= {f"media/{sha}.mp4": (path, sha) for sha, path in media.videos.items()}
    return found


def _assets() -> dict[str, bytes]:
    """The page and what it loads, by their names in a report."""
    folder = package_files("reconciler.gallery") / "page"
    found = {f"assets/{item.name}": item.read_bytes() for item in folder.iterdir() if item.is_file()}
    template = found.pop(f"assets/{_PAGE}").decode()
    return {INDEX: export.page(template).encode(), **found}


def _found(
    wanted: list[str], workspace: Workspace, draft: bool, planned: Planned, extra: Mapping[str, Path]
) -> dict[str, Path]:
    """Where each video is: in the store, at an output, or taken out of git."""
    objects, outputs = workspace.objects(draft), shelf(planned).outputs
    facts = {fact.sha256: path for path, fact in planned.disk.outputs.items() if fact.sha256}
    found = {}
    for sha in wanted:
        path = _place(sha, objects, outputs.get(sha) or facts.get(sha), workspace.root) or extra.get(sha)
        if path is not None:
            found[sha] = path
    return found


def _place(sha: str, objects: Objects, output: str | None, root: Path) -> Path | None:
    if objects.has(sha, ".mp4"):
        return objects.path(sha, ".mp4")
    return root / output if output is not None and (root / output).is_file() else None


def _events(workspace: Workspace, draft: bool) -> list[LogEntry]:
    store = Store.read(workspace.state_dir(draft), workspace.clock.now)
    if store is None:
        return []
    with store:
        return store.events()


def _document(found: Value) -> Value:
    document = found["document"]
    assert isinstance(document, dict)
    return document


def _count(found: Value) -> int:
    cards = _document(found)["cards"]
    assert isinstance(cards, list)
    return len(cards)


def target(directory: Path, out: Path | None, root: Path) -> Path:
    """Where a report goes: `report/` in the project, else where it was told to. Raises UsageError for the state."""
    chosen = root / "report" if out is None else directory / out
    real = Path(os.path.realpath(chosen))
    if real == root or root.is_relative_to(real) or real.is_relative_to(root / STATE):
        raise UsageError(f"a report cannot be written to {out}", help="clipform report --out report")
    return real
