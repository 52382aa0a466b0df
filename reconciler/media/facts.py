"""What was found out about a video or a picture: plain values that anyone may import without loading a codec."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """A video that is whole: measured, not declared. `frames` were decoded, every one of them."""

    duration_ms: int
    width: int
    height: int
    audio: bool
    frames: int


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """A picture that decodes: its format in lower case (`jpeg`, `png`, `webp`, …) and its upright size."""

    format: str
    width: int
    height: int
