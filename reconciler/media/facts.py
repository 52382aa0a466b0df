"""Facts about a video or a picture, and descriptions of what to draw: plain values, imported without a codec."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

from reconciler.frozen import dataclass


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The facts of a complete video: measured, not declared. All `frames` were decoded."""

    duration_ms: int
    width: int
    height: int
    audio: bool
    frames: int


TITLE: Final = "title"
"""The state of a cell that has words and no picture."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One clip on a sheet, or a piece of a film; `note` is its take if there are several."""

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
        """Return the JSON text that a worker takes."""
        return json.dumps(asdict(self))
