"""Fingerprints are alike for the same pictures, however they were encoded, and unlike for others."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from reconciler.diagnostics import MediaError
from reconciler.media.fingerprints import FRAMES, LIMIT, distance, fingerprints, representative
from tests.media.blobs import again, film

FOREIGN = 10_000


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("ours") / "ours.mp4", 1)


@pytest.mark.parametrize(
    "change",
    [{}, {"crf": "40"}, {"size": (160, 90)}, {"size": (640, 360)}, {"skip": 24}, {"size": (160, 90), "skip": 12}],
    ids=str,
)
def test_the_same_pictures_are_alike_however_they_are_encoded(
    change: dict[str, object], ours: Path, tmp_path: Path
) -> None:
    few = representative(fingerprints(str(ours)))
    assert len(few) == FRAMES
    other = again(ours, tmp_path / "again.mp4", **change)  # type: ignore[arg-type]
    bits = distance(few, fingerprints(str(other)))
    assert bits is not None and bits <= 8 < LIMIT, bits  # as the guide says


def test_no_other_clip_of_ten_thousand_is_alike(ours: Path) -> None:
    every, rng = fingerprints(str(ours)), random.Random(7)
    nearest = min(distance([_mark(rng)], every) or 0 for _ in range(FOREIGN))
    assert nearest > 70 > LIMIT, nearest  # as the guide says


def _mark(rng: random.Random) -> str:
    """The fingerprint of a foreign picture, by another way than the program's: row by row from its pixels."""
    rough = Image.frombytes("L", (12, 8), rng.randbytes(96))
    pixels = rough.resize((17, 16), Image.Resampling.BICUBIC).tobytes()
    pairs = (pixels[at : at + 2] for row in range(16) for at in range(17 * row, 17 * row + 16))
    return f"{int(''.join('01'[pair[0] < pair[1]] for pair in pairs), 2):064x}"


def test_a_plain_picture_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "plain.mp4"
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(3):
            frame = av.VideoFrame.from_image(Image.new("RGB", (64, 64), "navy"))  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, 24)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert fingerprints(str(path)) == ["", "", ""]
    assert representative(["", "", ""]) == [] and distance([], ["0" * 64]) is None


def test_what_is_not_a_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(MediaError, match="text.mp4"):
        fingerprints(str(tmp_path / "text.mp4"))
