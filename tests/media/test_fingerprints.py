"""Fingerprints are alike for the same pictures, however they were encoded, and unlike for others."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from benchmarks import strangers
from reconciler.diagnostics import MediaError
from reconciler.media.fingerprints import FRAMES, LIMIT, distance, fingerprints, representative
from tests.media.blobs import again, film


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


@pytest.mark.parametrize("sort", strangers.SORTS)
def test_no_other_clip_of_the_same_sort_is_alike(sort: str, tmp_path: Path) -> None:
    """`benchmarks/strangers.py` measures it with ten thousand."""
    few, *others = (fingerprints(str(strangers._clip(tmp_path / "clip.mp4", seed, sort))) for seed in range(9, 21))
    assert representative(few)
    bits = [distance(representative(few), marks) for marks in others]
    assert all(each is None or each > 50 > LIMIT for each in bits), bits


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
