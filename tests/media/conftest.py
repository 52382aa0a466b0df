"""Small real videos and pictures, made once a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from reconciler.media.draft.render import render
from reconciler.media.draft.scene import read_scene
from reconciler.providers.base import Job, MediaRef, Mode
from reconciler.providers.draft.dialect import Draft

Draw = Callable[..., Path]
Film = Callable[..., Path]
"""Makes a video of 64×36 from a list of frames: a colour, or "stripes"."""


def job(**fields: object) -> Job:
    """A draft to ask for: one second at 480p unless said otherwise."""
    known: dict[str, object] = {"mode": Mode.TEXT, "prompt": "a lamp", "duration": 1, "label": "hero", "key": "v1:ab"}
    return Job(model=Draft().models[0], **{**known, **fields})  # type: ignore[arg-type]  # from tables


def local(path: Path) -> MediaRef:
    return MediaRef("file", str(path))


@pytest.fixture(scope="session")
def draw(tmp_path_factory: pytest.TempPathFactory) -> Draw:
    """Renders a job and gives the mp4; the same job is rendered once a session."""
    folder = tmp_path_factory.mktemp("drawn")
    done: dict[str, Path] = {}

    def drawn(**fields: object) -> Path:
        body = Draft().submit(job(**fields)).body
        name = repr(body)  # what is sent: the fields hide where their media are
        if name not in done:
            done[name] = folder / f"{len(done)}.mp4"
            render(read_scene(body), done[name], lambda done, of: None)
        return done[name]

    return drawn


@pytest.fixture(scope="session")
def red(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _still(tmp_path_factory, "red", (200, 40, 30))


@pytest.fixture(scope="session")
def blue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _still(tmp_path_factory, "blue", (30, 60, 190))


@pytest.fixture(scope="session")
def green(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _still(tmp_path_factory, "green", (40, 160, 70))


def _still(factory: pytest.TempPathFactory, name: str, colour: tuple[int, int, int]) -> Path:
    path = factory.mktemp("stills") / f"{name}.png"
    Image.new("RGB", (160, 90), colour).save(path)
    return path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole mp4 of under 4 kB: three frames of 32×18, with sound, index first."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.mp4"
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", container_options=options) as out:
        video = out.add_stream("libx264", rate=2, options={"threads": "1"})
        video.width, video.height, video.pix_fmt = 32, 18, "yuv420p"
        sound = out.add_stream("aac", rate=8000, layout="mono")
        for index in range(3):
            still = av.VideoFrame.from_image(Image.new("RGB", (32, 18), (80 * index, 10, 10)))
            frame = still.reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 2)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        silence = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        silence.planes[0].update(bytes(silence.planes[0].buffer_size))
        silence.sample_rate, silence.pts = 8000, 0
        out.mux(sound.encode(silence))
        out.mux(sound.encode(None))
    return path.read_bytes()


@pytest.fixture
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    folder = tmp_path_factory.mktemp("films")

    def filmed(frames: Sequence[tuple[int, int, int] | str], rate: int = 24) -> Path:
        path = folder / f"{len(list(folder.iterdir()))}.mp4"
        with av.open(str(path), "w", format="mp4") as out:
            video = out.add_stream("libx264", rate=rate, options={"threads": "1", "crf": "10"})
            video.width, video.height, video.pix_fmt = 64, 36, "yuv420p"
            for index, frame in enumerate(frames):
                picture = _stripes() if frame == "stripes" else Image.new("RGB", (64, 36), frame)
                still = av.VideoFrame.from_image(picture).reformat(format="yuv420p")
                still.pts, still.time_base = index, Fraction(1, rate)
                out.mux(video.encode(still))
            out.mux(video.encode(None))
        return path

    return filmed


def _stripes() -> Image.Image:
    """Eight points of black, eight of white, and so on."""
    picture = Image.new("RGB", (64, 36))
    for left in range(8, 64, 16):
        picture.paste((255, 255, 255), (left, 0, left + 8, 36))
    return picture


def near(pixel: object, wanted: tuple[int, int, int], by: int = 14) -> bool:
    """Is a pixel this colour, as far as codecs keep colours?"""
    return isinstance(pixel, tuple) and all(abs(a - b) <= by for a, b in zip(pixel, wanted, strict=True))
