"""Exports a film for an editing program: the timeline, and copies of its files if asked."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import quote

from reconciler.diagnostics import ArtifactError
from reconciler.frozen import dataclass
from reconciler.gallery.report.edl import edl, reel_table
from reconciler.gallery.report.folder import FolderKind, ReportFolder
from reconciler.gallery.report.shots import FilmShot, declared_cut, film_shots
from reconciler.gallery.report.timeline import FORMATS, many, require_library, timeline
from reconciler.project.model import Choice
from reconciler.project.workspace import Workspace

EXPORT: Final = FolderKind(
    "an export",
    re.compile(r"[\w.-]+\.(otio|xml|fcpxml|edl|csv)|media/[\w-]+\.\w{1,5}", re.ASCII),
    ("export", "FILM", "--as", "otio", "--to", "DIR"),
)


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """The options of an export: the film, one of the FORMATS, the folder, and whether files are copied into it."""

    film: str
    kind: str
    folder: Path
    with_media: bool = False
    draft: bool = False


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written: names in the folder, the timeline first. `seconds`: of the film."""

    request: ExportRequest
    files: tuple[str, ...]
    pieces: int
    seconds: float
    left_out: tuple[str, ...]

    def lines(self, folder: str) -> list[str]:
        """Return what to print; `folder` is its path as the user would write it."""
        names = [name for name in self.files if "/" not in name]
        copies = len(self.files) - len(names)
        also = f", and {many(copies, 'file')} in media/" if copies else ""
        text = f"{folder}/{', '.join(names)}: {many(self.pieces, 'piece')}, {self.seconds:g} s{also}"
        return [f"Wrote {text}.", *(f"{note}." for note in self.left_out)]

    def document(self, folder: str) -> dict[str, object]:
        """Return it as JSON values."""
        values = {"film": self.request.film, "as": self.request.kind, "out": folder, "files": list(self.files)}
        return {**values, "pieces": self.pieces, "seconds": self.seconds, "left_out": list(self.left_out)}


def export_film(workspace: Workspace, request: ExportRequest) -> ExportResult:
    """Write the timeline of a film. Raises ClipformError before it writes anything."""
    require_library(request.kind)
    planned = workspace.plan(Choice(draft=request.draft), workspace.load(request.draft))
    cut = declared_cut(planned, request.film)
    film = film_shots(workspace, planned, cut, draft=request.draft)
    linked = (*film.shots, *((shot for shot, _ in film.sounds) if request.kind != "edl" else ()))
    copies = {_copy_name(shot): shot for shot in linked if shot.path is not None} if request.with_media else {}

    def address(shot: FilmShot) -> str:
        if request.with_media:
            return _copy_name(shot)
        path = os.path.relpath(os.path.realpath(shot.path or ""), request.folder)
        return path if request.kind == "edl" else quote(path)

    files = {}
    if request.kind == "edl":
        written = edl(film, address)
        files[f"{cut.name}.reels.csv"] = reel_table(film.shots, address)
    else:
        written = timeline(film, request.kind, address)
    files = {f"{cut.name}{FORMATS[request.kind].suffix}": written.text, **files}
    folder = ReportFolder(request.folder, EXPORT)
    folder.claim([*files, *copies])
    for name, shot in copies.items():
        if shot.path is not None and not folder.keep(name) and not folder.copy(name, shot.path, shot.sha256):
            raise ArtifactError(f"the video of {shot.name} cannot be copied: it is missing or damaged", code="damaged")
    for name, text in files.items():
        folder.put(name, text.encode())
    folder.keep_all()
    folder.finish()
    seconds = round(film.frames / film.fps, 3)
    return ExportResult(request, (*files, *copies), len(film.shots), seconds, (*written.left_out, *film.left_out))


def _copy_name(shot: FilmShot) -> str:
    """Return the name of a copy. It says what is in it, so that another take never has the name of this one."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", shot.name).strip("-")
    return f"media/{plain}-{shot.sha256[:12]}{shot.path.suffix if shot.path else ''}"
