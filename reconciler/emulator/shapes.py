"""The clip that a request describes, in one form for all vendors."""

from __future__ import annotations

from typing import Final

from reconciler.frozen import dataclass
from reconciler.media.draft.scene import frame_size, read_scene

SERVER_SECONDS: Final = 5
SERVER_RATIO: Final = "16:9"
"""The values of clips that leave the choice to the server; the vendor reports them afterwards."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input: a `scheme` and `value` of the draft renderer."""

    scheme: str
    value: str

    def document(self) -> dict[str, str]:
        """Return the input as a scene has it."""
        return {"scheme": self.scheme, "value": self.value, "sha256": ""}


@dataclass(frozen=True, slots=True)
class Shape:
    """The content of a clip. Equal shapes are rendered once."""

    prompt: str
    duration: int
    resolution: str
    ratio: str
    family: str = ""  # of picture sizes
    audio: bool = False
    seed: int | None = None
    camera_fixed: bool = False
    return_last_frame: bool = False
    first: Source | None = None
    last: Source | None = None
    images: tuple[Source, ...] = ()
    videos: tuple[Source, ...] = ()

    @property
    def scene(self) -> dict[str, object]:
        """The body for the draft renderer; without key and marker, so that its id depends on the scene alone."""
        return {
            "key": "",
            "marker": "",
            "label": "",
            "take": 1,
            "retake": 0,
            "mode": "references" if self.images or self.videos else "frames" if self.first or self.last else "text",
            "prompt": self.prompt,
            "seed": self.seed,
            "duration": self.duration,
            "resolution": self.resolution,
            "ratio": self.ratio,
            "family": self.family,
            "camera_fixed": self.camera_fixed,
            "audio": self.audio,
            "return_last_frame": self.return_last_frame,
            "lead": 0,
            "first_frame": self.first and self.first.document(),
            "last_frame": self.last and self.last.document(),
            "images": [source.document() for source in self.images],
            "videos": [source.document() for source in self.videos],
            "audios": [],
        }

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        size = frame_size(read_scene(self.scene), None)
        return size.width, size.height
