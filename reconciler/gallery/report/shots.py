"""What the pieces of a film show: each with its file, and which frames of it. Reads the files' headers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ClipformError, UsageError
from reconciler.frozen import dataclass
from reconciler.media.cut.survey import survey
from reconciler.media.headers import read_header
from reconciler.next_command import command
from reconciler.plan.model import Disk, Step
from reconciler.project.model import Planned
from reconciler.project.workspace import Workspace
from reconciler.spec.cut_fields import PieceDecl
from reconciler.spec.project import Cut


@dataclass(frozen=True, slots=True)
class FilmShot:
    """A piece or a sound of a film, in frames of its rate: from `first` to before `last` of `length` in the file.
    A title has no file, and only a clip has a key."""

    name: str
    key: str = ""
    take: int = 1
    sha256: str = ""
    path: Path | None = None
    first: int = 0
    last: int = 0
    length: int = 0
    dissolve: int = 0  # frames that are shown together with the last ones of the shot before
    audio: bool = False
    size: tuple[int, int] = (0, 0)

    @property
    def frames(self) -> int:
        """How many frames of it the film shows."""
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class FilmShots:
    """A film as its shots, one after the other, and its other sounds, each with the frames at which it begins and is
    played again. `size` is its width and height, if known; `left_out` says what no timeline has."""

    name: str
    shots: tuple[FilmShot, ...]
    fps: int
    size: tuple[int, int] | None = None
    sounds: tuple[tuple[FilmShot, tuple[int, ...]], ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return sum(shot.frames - shot.dissolve for shot in self.shots)


def declared_cut(planned: Planned, name: str) -> Cut:
    """Return a film of the project. Raises UsageError if it has no such film."""
    films = planned.loaded.project.cuts
    cut = next((cut for cut in films if cut.name == name), None)
    if cut is None:
        names = ", ".join(film.name for film in films) or "none"
        raise UsageError(f"no film is named '{name}'", help=f"films of this project: {names}")
    return cut


def film_shots(workspace: Workspace, planned: Planned, cut: Cut, *, draft: bool) -> FilmShots:
    """Return the shots of a film. `planned` has the whole project. Raises ClipformError while a piece is not made, or
    is not stored here."""
    picked = {(w.clip, w.take) for w in planned.loaded.wanted if w.output is not None}
    steps = {step.clip: step for step in planned.plan.steps if step.ident in picked}
    document = json.loads(steps[cut.name].document)
    pieces = list(zip(cut.spec.sequence, document["pieces"], strict=True))
    missing = dict.fromkeys(piece.source for piece, values in pieces if "clip" in values)
    if missing:
        text = f"{cut.name} shows {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not made yet"
        raise ClipformError(text, help=command("apply", cut.name), code="unmade")
    files = _Files(workspace.root, workspace.objects(draft), planned.disk)
    shots = tuple(_shot(piece, values, document["fps"], steps, files) for piece, values in pieces)
    film = FilmShots(cut.name, shots, document["fps"])
    return replace(
        film,
        size=cut.spec.size or next((shot.size for shot in shots if shot.key), None),
        sounds=tuple(_sounds(cut, document.get("audio", ()), film, workspace.root)),
        left_out=tuple(_left_out(cut)),
    )


def _sounds(
    cut: Cut, documents: Sequence[Mapping[str, Any]], film: FilmShots, root: Path
) -> Iterator[tuple[FilmShot, tuple[int, ...]]]:
    """Yield each sound with the frames of the film at which it begins. What would be heard after the end is cut."""
    for sound, values in zip(cut.spec.audio, documents, strict=True):
        path, at = root / sound.file, values.get("at", {"piece": 0, "frame": 0})
        before = film.shots[: at["piece"]]
        begin = sum(shot.frames - shot.dissolve for shot in before) - film.shots[at["piece"]].dissolve + at["frame"]
        length = round((read_header(path, sound.file)[1].seconds or 0) * film.fps)
        if length > 0 and begin < film.frames:
            again = range(begin, film.frames, length) if sound.loop else (begin,)
            last = min(length, film.frames - begin)
            shot = FilmShot(sound.file, sha256=values["sha256"], path=path, last=last, length=length, audio=True)
            yield shot, tuple(again)


def _left_out(cut: Cut) -> Iterator[str]:
    """Yield what no timeline has of a film."""
    spec = cut.spec
    levels = [name for name in ("gain", "duck", "fade") if any(getattr(sound, name) for sound in spec.audio)]
    levels += ["volume"] if any(piece.volume not in (None, 1) for piece in spec.sequence) else []
    levels += ["loudness"] if spec.loudness is not None else []
    if levels:
        yield f"how loud it is left out: {', '.join(levels)}"
    if spec.subtitles is not None:
        yield f"subtitles left out: {spec.subtitles.file}"


@dataclass(frozen=True, slots=True)
class _Files:
    """Finds videos: at an output, which has a name that people know, or else in the store."""

    root: Path
    objects: Objects
    disk: Disk

    def of(self, step: Step, sha256: str) -> Path:
        fact = self.disk.outputs.get(step.output or "")
        if step.output is not None and fact is not None and fact.sha256 == sha256:
            return self.root / step.output
        if not self.objects.has(sha256, ".mp4"):
            text = f"the video of {step.name} is not stored here"
            raise ClipformError(text, help=command("apply", step.clip), code="unmade")
        return self.objects.path(sha256, ".mp4")


def _shot(piece: PieceDecl, values: Mapping[str, Any], fps: int, steps: Mapping[str, Step], files: _Files) -> FilmShot:
    dissolve = values.get("dissolve", 0)
    if piece.still is not None:
        path, length = files.root / piece.still, values["for"]
        return FilmShot(piece.still, "", 1, values["still"], path, 0, length, length, dissolve)
    if piece.title is not None:
        return FilmShot(piece.title, last=values["for"], length=values["for"], dissolve=dissolve)
    step, first = steps[piece.source], values.get("in", 0)
    path = files.of(step, values["sha256"])
    media = survey(path, first, values.get("out", -1), fps)
    last = values.get("out", media.frames)
    if not first < last <= media.frames:
        text = f"{step.clip} ends at {media.frames / fps:g} s, and is shown from {first / fps:g} s to {last / fps:g} s"
        raise ClipformError(text, help="change its in or out", code="input")
    return FilmShot(
        name=step.clip,
        key=step.key,
        take=step.take,
        sha256=values["sha256"],
        path=path,
        first=first,
        last=last,
        length=media.frames,
        dissolve=dissolve,
        audio=media.audio,
        size=(media.width, media.height),
    )
