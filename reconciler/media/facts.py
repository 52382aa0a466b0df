"""What was found out about a video or a picture, or is to be drawn: plain values that anyone may import without
loading a codec."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """A video that is whole: measured, not declared. `frames` were decoded, every one of them."""

    duration_ms: int
    width: int
    height: int
    audio: bool
    frames: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One clip on a sheet; `note` is its take, where it has several."""

    name: str
    note: str
    state: str
    cost: str
    poster: str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A contact sheet: a grid of clips under a title."""

    title: str
    note: str
    cells: tuple[Cell, ...]

    def dumps(self) -> str:
        """As the text that a worker takes."""
        return json.dumps(asdict(self))
