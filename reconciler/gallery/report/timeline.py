"""Writes a film as a timeline that editing programs read, by OpenTimelineIO (the extra `clipform[timeline]`).

A dissolve of D frames is shown by both shots for D frames. In a timeline, shots follow each other and a transition
reaches into both: so the first shot ends and the second begins in the middle of those D frames. What the film leaves
out of a file at both ends is there for the editor, as handles.

What the formats cannot keep, as measured with the adapters of version 1.0.0: FCPXML loses transitions, an EDL has one
track of pictures and no dissolve at a title. Titles are gaps with a marker: no adapter keeps their words otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from reconciler.diagnostics import UsageError, no_extra
from reconciler.frozen import dataclass
from reconciler.gallery.report.shots import FilmShot, FilmShots

Address = Callable[[FilmShot], str]
"""Returns where a timeline finds the file of a shot."""


@dataclass(frozen=True, slots=True)
class TimelineFormat:
    """A format: the adapter that writes it, and the ending of its files."""

    adapter: str
    suffix: str


FORMATS: Final = {
    "otio": TimelineFormat("otio_json", ".otio"),
    "premiere": TimelineFormat("fcp_xml", ".xml"),
    "fcpx": TimelineFormat("fcpx_xml", ".fcpxml"),
    "edl": TimelineFormat("cmx_3600", ".edl"),
}


@dataclass(frozen=True, slots=True)
class TimelineText:
    """A timeline as text, and what it could not keep, as sentences."""

    text: str
    left_out: tuple[str, ...] = ()


def timeline(film: FilmShots, kind: str, address: Address) -> TimelineText:
    """Return a film in one of the FORMATS that have tracks. Raises ClipformError without the library."""
    library = require_library(kind)
    shots, fps = film.shots, film.fps
    track = library.schema.Track("Video", kind=library.schema.TrackKind.Video)
    track.extend(items(library, film, address, [shot.dissolve > 0 and kind != "fcpx" for shot in shots]))
    whole = library.schema.Timeline(film.name, metadata={"clipform": {"film": film.name, "fps": fps}})
    whole.tracks.append(track)
    if any(shot.audio for shot in shots):
        sound = library.schema.Track("Audio", kind=library.schema.TrackKind.Audio)
        sound.extend(_sounds(library, film, address))
        whole.tracks.append(sound)
    for shot, begins in film.sounds:
        sound = library.schema.Track(shot.name, kind=library.schema.TrackKind.Audio)
        sound.extend(_music(library, film, shot, begins, address))
        whole.tracks.append(sound)
    if kind == "premiere":  # it keeps no marker of a gap
        whole.tracks.markers.extend(_title_marks(library, film))
    text = library.adapters.write_to_string(whole, adapter_name=FORMATS[kind].adapter)
    if film.size is not None:
        text = _with_size(text, *film.size)
    lost = sum(1 for shot in shots if shot.dissolve) if kind == "fcpx" else 0
    notes = (f"{many(lost, 'transition')} left out: FCPXML is written with cuts only",) if lost else ()
    return TimelineText(f"{text.rstrip()}\n", notes)


def _with_size(text: str, width: int, height: int) -> str:
    """Return a timeline with its size in pixels, for which two adapters leave an empty place."""
    size = f"<width>{width}</width><height>{height}</height>"
    text = text.replace("<format/>", f"<format><samplecharacteristics>{size}</samplecharacteristics></format>", 1)
    return text.replace(' name=""/>', f' width="{width}" height="{height}"/>', 1)


def require_library(kind: str) -> Any:
    """Return the library that writes a format. Raises ClipformError where it is not installed, and UsageError for a
    format that is not one of FORMATS."""
    if kind not in FORMATS:
        raise UsageError(f"unknown format '{kind}'", help=f"formats: {', '.join(FORMATS)}")
    try:
        import opentimelineio  # type: ignore[import-untyped]  # it has no types
    except ImportError:
        names: Sequence[str] = ()
    else:
        names = opentimelineio.adapters.available_adapter_names()
    if FORMATS[kind].adapter not in names:
        raise no_extra(f"--as {kind}", "timeline")
    return opentimelineio


def edges(shots: Sequence[FilmShot]) -> Iterator[tuple[FilmShot, int, int]]:
    """Yield each shot with the first frame of it that the timeline has, and the one behind the last: half of a dissolve
    belongs to the shot before, the other half to this one."""
    for shot, after in zip(shots, [*shots[1:], None], strict=True):
        tail = after.dissolve if after else 0
        yield shot, shot.first + shot.dissolve // 2, shot.last - (tail - tail // 2)


def items(library: Any, film: FilmShots, address: Address, dissolved: Sequence[bool]) -> Iterator[Any]:
    """Yield clips, gaps for titles, and the transition into each shot that is `dissolved`."""
    fps = film.fps
    for (shot, first, end), is_dissolved in zip(edges(film.shots), dissolved, strict=True):
        if is_dissolved:
            yield library.schema.Transition(
                name="dissolve",
                transition_type=library.schema.TransitionTypes.SMPTE_Dissolve,
                in_offset=_time(library, shot.dissolve // 2, fps),
                out_offset=_time(library, shot.dissolve - shot.dissolve // 2, fps),
            )
        if shot.path is not None:
            yield _clip(library, shot, _range(library, first, end, fps), fps, address)
            continue
        marked = _range(library, 0, end - first, fps)
        marker = library.schema.Marker(name=_title(shot), marked_range=marked)
        yield library.schema.Gap(name=_title(shot), source_range=marked, markers=[marker])


def _sounds(library: Any, film: FilmShots, address: Address) -> Iterator[Any]:
    """Yield the sounds of the shots, each as long as its picture. They are cut in the middle of a dissolve."""
    fps = film.fps
    for shot, first, end in edges(film.shots):
        if shot.audio:
            clip = _clip(library, shot, _range(library, first, end, fps), fps, address)
            clip.metadata["clipform"]["track"] = "sound"  # the Premiere adapter takes equal clips for one
            yield clip
        else:
            yield library.schema.Gap(source_range=_range(library, 0, end - first, fps))


def _music(library: Any, film: FilmShots, shot: FilmShot, begins: Sequence[int], address: Address) -> Iterator[Any]:
    """Yield a sound of the film and the silence before it, as often as it is played."""
    position = 0
    for begin in begins:
        if begin > position:
            yield library.schema.Gap(source_range=_range(library, 0, begin - position, film.fps))
        position = min(begin + shot.length, film.frames)
        part = _range(library, 0, min(shot.length, position - begin), film.fps)
        yield _clip(library, shot, part, film.fps, address)


def _clip(library: Any, shot: FilmShot, part: Any, fps: int, address: Address) -> Any:
    """Return a shot of a file, with what it is in the words of each format."""
    note = f"clipform: {shot.name}" + (f", take {shot.take}, {shot.key}" if shot.key else "")
    reference = library.schema.ExternalReference(
        target_url=address(shot),
        available_range=_range(library, 0, shot.length, fps),
        metadata={"fcpx": {"note": note}},
    )
    reference.name = shot.name
    metadata = {
        "clipform": {"clip": shot.name, "key": shot.key, "take": shot.take, "sha256": shot.sha256},
        "fcp_xml": {"comments": {"mastercomment1": note}},
    }
    return library.schema.Clip(name=shot.name, media_reference=reference, source_range=part, metadata=metadata)


def _title_marks(library: Any, film: FilmShots) -> Iterator[Any]:
    position = 0
    for shot, first, end in edges(film.shots):
        if shot.path is None:
            part = _range(library, position, position + end - first, film.fps)
            yield library.schema.Marker(name=_title(shot), marked_range=part)
        position += end - first


def _title(shot: FilmShot) -> str:
    return f"Title: {shot.name}"


def _time(library: Any, frames: int, fps: int) -> Any:
    return library.opentime.RationalTime(frames, fps)


def _range(library: Any, first: int, end: int, fps: int) -> Any:
    return library.opentime.TimeRange(_time(library, first, fps), _time(library, end - first, fps))


def many(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
