"""Writes a film as an EDL: one track of pictures, each file under a reel's name of 8 letters, and a table of the reels.

An EDL has no black and no titles. A title is a time without an event; a dissolve at one is a cut. Both are comments.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.diagnostics import ClipformError
from reconciler.gallery.report.shots import FilmShot, FilmShots
from reconciler.gallery.report.timeline import FORMATS, Address, TimelineText, edges, items, many, require_library

_REEL: Final = 8
_RATES: Final = (24, 25, 30, 48, 50, 60)


def edl(film: FilmShots, address: Address) -> TimelineText:
    """Return a film as an EDL. Raises ClipformError without the library, and for a rate that timecode does not have."""
    library, shots, fps = require_library("edl"), film.shots, film.fps
    if fps not in _RATES:
        text = f"an EDL has {', '.join(map(str, _RATES[:-1]))} or {_RATES[-1]} frames a second, not {fps}"
        raise ClipformError(text, help="set fps, or choose another format", code="rate")
    names = reels(shots)
    pairs = list(zip(shots, [None, *shots[:-1]], strict=True))
    dissolved = [bool(shot.dissolve and shot.path and before and before.path) for shot, before in pairs]
    track = library.schema.Track("Video", kind=library.schema.TrackKind.Video)
    for item in items(library, film, address, dissolved):
        if isinstance(item, library.schema.Clip):
            item.metadata["cmx_3600"] = {"reel": names[item.metadata["clipform"]["sha256"]]}
        track.append(item)
    whole = library.schema.Timeline(film.name, tracks=[track])
    text = library.adapters.write_to_string(whole, adapter_name=FORMATS["edl"].adapter, rate=fps)
    lost = [bool(shot.dissolve) and not is_dissolved for shot, is_dissolved in zip(shots, dissolved, strict=True)]
    comments = list(_comments(library, film, lost))
    titles = sum(1 for shot in shots if shot.path is None)
    notes = [f"{many(titles, 'title')} left out: a comment says when"] if titles else []
    notes += [f"{many(sum(lost), 'transition')} at a title left out: a comment says when"] if any(lost) else []
    notes += [f"{many(len(film.sounds), 'sound')} left out"] if film.sounds else []
    return TimelineText("\n".join([text.rstrip(), *comments, ""]), tuple(notes))


def reels(shots: Sequence[FilmShot]) -> Mapping[str, str]:
    """Return the name of each file's reel, by SHA-256: up to 8 letters and digits, no two alike."""
    names: dict[str, str] = {}
    for shot in shots:
        if shot.path is None or shot.sha256 in names:
            continue
        plain = re.sub(r"[^A-Z0-9]", "", shot.name.upper()) or "CLIP"
        name, number = plain[:_REEL], 1
        while name in names.values():
            number += 1
            name = f"{plain[: _REEL - len(str(number))]}{number}"
        names[shot.sha256] = name
    return names


def reel_table(shots: Sequence[FilmShot], address: Address) -> str:
    """Return which file each reel is, as CSV."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["reel", "clip", "take", "key", "file"])
    names, first = reels(shots), {shot.sha256: shot for shot in reversed(shots) if shot.path is not None}
    for sha256, name in names.items():
        shot = first[sha256]
        table.writerow([name, shot.name, shot.take, shot.key, address(shot)])
    return file.getvalue()


def _comments(library: Any, film: FilmShots, lost: Sequence[bool]) -> Iterator[str]:
    """Yield a comment for each title, and for each dissolve that is left out."""
    position = 0

    def code(frame: int) -> str:
        return str(library.opentime.RationalTime(frame, film.fps).to_timecode())

    for (shot, first, end), is_lost in zip(edges(film.shots), lost, strict=True):
        if is_lost:
            yield f"* DISSOLVE LEFT OUT AT {code(position)}, {shot.dissolve} FRAMES"
        if shot.path is None:
            yield f"* TITLE {code(position)} {code(position + end - first)} {' '.join(shot.name.split())}"
        position += end - first
