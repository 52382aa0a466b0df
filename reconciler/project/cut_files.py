"""Check the local files of cuts before anything is made: pictures, sounds, subtitles. Only headers are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.artifacts.hashing import Hasher
from reconciler.diagnostics import Diagnostic, MediaError, Severity
from reconciler.spec.cut_fields import SUBTITLE_FILES
from reconciler.spec.memo import reuse
from reconciler.spec.problems import shown
from reconciler.spec.project import Cut
from reconciler.spec.values import frames

if TYPE_CHECKING:
    from reconciler.media.headers import MediaType
    from reconciler.providers.limits import MediaFacts

_FITTING = {"still": ("image",), "audio": ("audio", "video")}
_NOUNS = {"still": "a picture", "audio": "a sound"}
_FORMATS = ("mp3", "wav", "m4a", "mp4", "mov", "flac", "ogg")


def check_cut_files(cuts: Sequence[Cut], hashes: Mapping[str, str], hasher: Hasher) -> Iterator[Diagnostic]:
    """Yield what is wrong with the local files of cuts. `hashes` has the readable ones; the others are reported."""
    for cut in cuts:
        for sort, path, place in cut.files():
            if path not in hashes:
                continue
            if sort == "subtitles":
                if not path.lower().endswith(SUBTITLE_FILES):
                    text = f"subtitles need an .srt, .vtt or .ass file, not {shown(path)}"
                    yield Diagnostic("media-kind", text, cut.source(place))
                continue
            look = partial(_header, hasher.allowed.locate(path), path)
            kind, facts, fault = reuse(("cut file", hashes[path]), (), look)
            if kind is None or facts is None:
                yield Diagnostic("media-unreadable", f"{sort}: {fault}", cut.source(place), "use another file")
            elif kind.kind not in _FITTING[sort] or (sort == "audio" and kind.format not in _FORMATS):
                text = f"{sort} needs {_NOUNS[sort]}, but {path} is {kind.kind} ({kind.format})"
                help = f"use one of {', '.join(_FORMATS)}" if sort == "audio" else "use another file"
                yield Diagnostic("media-kind", text, cut.source(place), help)
            elif sort == "audio" and facts.seconds is not None:
                yield from _too_short(cut, int(place[1]), facts.seconds)


def _too_short(cut: Cut, index: int, seconds: float) -> Iterator[Diagnostic]:
    """Yield a warning for a sound under the whole film that ends before it, as far as the YAML says how long it is."""
    sound, pieces, fps = cut.spec.audio[index], cut.spec.sequence, cut.spec.fps
    stated = [piece.seconds for piece in pieces if piece.seconds is not None]
    dissolved = sum(frames(piece.dissolve, fps) for piece in pieces)
    least = (sum(frames(length, fps) for length in stated) - dissolved) / fps
    if not sound.loop and "at" not in sound.model_fields_set and seconds < least:
        length = f"{'' if len(stated) == len(pieces) else 'at least '}{least:g} s"
        text = f"{sound.file} lasts {seconds:g} s, and the film {length}"
        help = "play it again with loop: yes, use a longer one, or state when it begins (at: 0) if that is meant"
        yield Diagnostic("short-music", text, cut.source(("audio", index, "file")), help, Severity.WARNING)


def _header(path: Path, name: str) -> tuple[MediaType | None, MediaFacts | None, str]:
    from reconciler.media.headers import read_header

    try:
        return *read_header(path, name), ""
    except MediaError as error:
        return None, None, error.message
