"""What a film is put together from, in frames: which parts are encoded apart, when they are shown, what is over them.

Pure. A part is what the assembly knows of a piece: `name`, the `start` and `end` of what it shows, `dissolve`, a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from reconciler.diagnostics import MediaError

Part = Mapping[str, Any]
Caption = tuple[int, int, str]


def begins(parts: Sequence[Part]) -> list[int]:
    """Return the frame of the film at which each part is first shown, and, last, the length of the film."""
    ends = list(accumulate((part["end"] - part["start"] - part["dissolve"] for part in parts), initial=0))
    return [*(end - part["dissolve"] for end, part in zip(ends, parts, strict=False)), ends[-1]]


def shots(parts: Sequence[Part]) -> list[list[Part]]:
    """Return what is encoded apart: the frames of a piece alone, and those in which one turns into the next. Raises
    MediaError for a dissolve that is too long."""
    apart: list[list[Part]] = []
    before: Part | None = None
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        lead, tail = part["dissolve"], after["dissolve"] if after else 0
        length = part["end"] - part["start"]
        if 2 * max(lead, tail) > length:
            text = f"{part['name']} has {length} frames, and dissolves for {max(lead, tail)} of them"
            raise MediaError(text, help="a dissolve can take up to half of each piece", code="input")
        if lead and before is not None:
            apart.append([{**before, "start": before["end"] - lead}, {**part, "end": part["start"] + lead}])
        if lead + tail < length:
            apart.append([{**part, "start": part["start"] + lead, "end": part["end"] - tail}])
        before = part
    return apart


def with_captions(apart: Sequence[Sequence[Part]], captions: Sequence[Caption], fps: int) -> list[list[Caption]]:
    """Return the captions that each shot shows, in frames of the shot. `captions` are in milliseconds of the film."""
    framed = [(round(begin * fps / 1000), round(end * fps / 1000), text) for begin, end, text in captions]
    position, captioned = 0, []
    for shot in apart:
        length = shot[0]["end"] - shot[0]["start"]
        moved = ((max(0, begin - position), min(length, end - position), text) for begin, end, text in framed)
        captioned.append([caption for caption in moved if caption[0] < caption[1]])
        position += length
    return captioned


def require_within(captions: Sequence[Caption], frames: int, fps: int) -> None:
    """Raise MediaError if a caption begins after the film of so many frames has ended."""
    end = 1000 * frames / fps
    for begin, _, text in captions:
        if begin >= end:
            message = f"the subtitle {text[:40]!r} begins at {begin / 1000:g} s, and the film ends at {end / 1000:g} s"
            raise MediaError(message, help="change its time, or remove it", code="input")


def sound_notes(
    lengths: Sequence[tuple[Mapping[str, Any], float]], parts: Sequence[Part], seconds: float
) -> Iterator[str]:
    """Yield what is odd about the sounds of a film, each given with how many seconds it lasts."""
    for number, (sound, length) in enumerate(lengths, 1):
        if "at" not in sound and not sound.get("loop") and length + 0.1 < seconds:
            yield f"sound {number} lasts {length:.1f} s of {seconds:.1f} s; loop: yes plays it again"
        if "duck" in sound and not any(part["audio"] for part in parts):
            yield f"sound {number} is never ducked, because no clip of the film has sound"
