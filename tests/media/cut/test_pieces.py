"""Pieces and films, frame by frame: the pictures carry their numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from reconciler.media.cut.join import Film, join
from reconciler.media.cut.pieces import make_piece
from reconciler.media.cut.stretches import encode_sound
from reconciler.media.cut.survey import survey
from reconciler.media.frames import read_frame
from reconciler.media.probe import probe
from tests.media.cut import numbered

SIZE = [192, 108]


def piece(source: Path, target: Path, start: int, end: int, **values: Any) -> dict[str, Any]:
    """Make a piece, and return it as a part of a film."""
    order = {"name": "piece", "parts": [{"path": str(source), "start": start, "end": end}], "size": SIZE, "fps": 24}
    make_piece(json.dumps(order | {"fit": "pad"} | values), target)
    return {"path": str(target), "start": 0, "end": end - start}


def sound(source: Path, start: int, end: int) -> dict[str, Any]:
    """Return the sound of a part of a film."""
    audio = survey(source, start, end, 24).audio
    return {"path": str(source), "start": start, "end": end, "audio": audio, "dissolve": 0}


def joined(target: Path, parts: list[dict[str, Any]], sounds: list[dict[str, Any]]) -> Film:
    """Join parts to a film."""
    return with_sound(target, 24, parts, sounds)


def with_sound(target: Path, fps: int, parts: list[dict[str, Any]], sounds: list[dict[str, Any]]) -> Film:
    """Join parts to a film of a rate."""
    sound = target.with_suffix(".sound") if any(one["audio"] for one in sounds) else ""
    if sound:
        encode_sound(json.dumps({"fps": fps, "sounds": sounds}), target.parent / "none", sound)
    return join(json.dumps({"fps": fps, "parts": parts, "sound": str(sound)}), target)


def test_each_piece_begins_and_ends_at_its_frames(tmp_path: Path) -> None:
    a, b = numbered.film(tmp_path / "a.mp4", 0, 48), numbered.film(tmp_path / "b.mp4", 100, 48)
    parts = [
        piece(a, tmp_path / "1.mp4", 5, 30),
        piece(b, tmp_path / "2.mp4", 0, 1),
        piece(a, tmp_path / "3.mp4", 40, 48),
    ]
    joined(tmp_path / "film.mp4", parts, [])
    assert numbered.numbers(tmp_path / "film.mp4") == [*range(5, 30), 100, *range(40, 48)]
    assert probe(tmp_path / "film.mp4").frames == 34


def test_packets_of_equal_form_are_copied_as_they_are(tmp_path: Path) -> None:
    a, b = numbered.film(tmp_path / "a.mp4", 0, 48), numbered.film(tmp_path / "b.mp4", 100, 48)
    parts = [{"path": str(a), "start": 12, "end": 48}, {"path": str(b), "start": 0, "end": 24}]
    joined(tmp_path / "film.mp4", parts, [])
    assert numbered.numbers(tmp_path / "film.mp4") == [*range(12, 48), *range(100, 124)]
    assert set(numbered.packets(tmp_path / "film.mp4")) <= {*numbered.packets(a), *numbered.packets(b)}


@pytest.mark.parametrize(
    ("start", "end", "values", "copied"),
    [
        (0, -1, {}, True),
        (12, 36, {}, True),
        (5, 48, {}, False),
        (12, 30, {}, False),
        (0, -1, {"fps": 25}, False),
        (0, -1, {"pix_fmt": "yuv420p10le"}, False),
    ],
    ids=["whole", "between key frames", "off a key frame", "ends within a group", "another rate", "ten bits"],
)
def test_a_part_is_copied_only_if_it_can_be_decoded_alone(
    tmp_path: Path, start: int, end: int, values: dict[str, Any], *, copied: bool
) -> None:
    source = numbered.film(tmp_path / "a.mp4", 0, 48, **values)
    assert bool(survey(source, start, end, 24).form) is copied


@pytest.mark.parametrize(
    ("transfer", "note"), [("bt709", ""), ("smpte2084", ", and its high dynamic range is not mapped")]
)
def test_a_video_of_ten_bits_becomes_a_piece_of_eight_and_the_film_says_so(
    tmp_path: Path, transfer: str, note: str
) -> None:
    options = numbered.VENDOR | {"color_trc": transfer}
    deep = numbered.film(tmp_path / "deep.mp4", 7, 12, pix_fmt="yuv420p10le", options=options)
    assert survey(deep, 0, -1, 24).note == f"has 10 bits of colour, and the film has 8{note}"
    piece(deep, tmp_path / "piece.mp4", 2, 10)
    assert numbered.numbers(tmp_path / "piece.mp4") == [*range(9, 17)]
    with av.open(str(tmp_path / "piece.mp4")) as video:
        assert video.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_parts_of_different_form_cannot_follow_each_other(tmp_path: Path) -> None:
    a = numbered.film(tmp_path / "a.mp4", 0, 24)
    others = (
        numbered.film(tmp_path / "b.mp4", 0, 24, size=(96, 54)),
        numbered.film(tmp_path / "c.mp4", 0, 24, options={"bf": "0"}),
    )
    assert len({survey(one, 0, -1, 24).form for one in (a, *others)}) == 3


def test_a_video_of_another_rate_keeps_its_time(tmp_path: Path) -> None:
    fast = numbered.film(tmp_path / "fast.mp4", 0, 48, fps=48)
    piece(fast, tmp_path / "piece.mp4", 0, survey(fast, 0, -1, 24).frames)
    assert numbered.numbers(tmp_path / "piece.mp4") == [*range(0, 48, 2)]


@pytest.mark.parametrize(("fit", "bars"), [("pad", True), ("crop", False)])
def test_a_piece_of_another_shape_gets_bars_or_is_cut_off(tmp_path: Path, fit: str, *, bars: bool) -> None:
    tall = numbered.film(tmp_path / "tall.mp4", 4095, 2, size=(96, 192))
    piece(tall, tmp_path / "piece.mp4", 0, 2, fit=fit)
    image: Image.Image = read_frame(tmp_path / "piece.mp4", "first_frame").convert("L")
    assert image.size == (192, 108)
    edge, middle = image.tobytes()[54 * 192 + 4], image.tobytes()[54 * 192 + 96]
    assert (edge < 40, middle > 200) == (bars, True)


def test_the_same_order_gives_the_same_bytes(tmp_path: Path) -> None:
    a = numbered.film(tmp_path / "a.mp4", 0, 24, hertz=440)
    for name in ("1", "2"):
        parts = [piece(a, tmp_path / f"p{name}.mp4", 3, 20)]
        joined(tmp_path / f"{name}.mp4", parts, [sound(a, 3, 20)])
    assert (tmp_path / "p1.mp4").read_bytes() == (tmp_path / "p2.mp4").read_bytes()
    assert (tmp_path / "1.mp4").read_bytes() == (tmp_path / "2.mp4").read_bytes()


def test_there_is_no_gap_in_the_sound_at_a_seam(tmp_path: Path) -> None:
    a = numbered.film(tmp_path / "a.mp4", 0, 48, hertz=480)
    marks = [0, 12, 24, 36]  # 480 periods a second: every piece begins where a period does
    parts = [{"path": str(a), "start": mark, "end": mark + 12} for mark in marks]
    film = joined(tmp_path / "film.mp4", parts, [sound(a, mark, mark + 12) for mark in marks])
    heard = numbered.samples(tmp_path / "film.mp4")
    assert film.audio
    assert len(heard) >= 96_000
    around = [n for seam in (24_000, 48_000, 72_000) for n in range(seam - 1000, seam + 1000)]
    errors = [abs(heard[n] - 0.5 * math.sin(2 * math.pi * 480 * n / numbered.RATE)) for n in around]
    assert max(errors) < 0.02  # the tone rises by 0.03 a sample, so none is missing and none is silent


def test_a_piece_without_sound_is_silent_and_the_next_one_begins_on_time(tmp_path: Path) -> None:
    quiet, loud = numbered.film(tmp_path / "q.mp4", 0, 12), numbered.film(tmp_path / "l.mp4", 12, 12, hertz=440)
    parts = [{"path": str(quiet), "start": 0, "end": 12}, {"path": str(loud), "start": 0, "end": 12}]
    joined(tmp_path / "film.mp4", parts, [sound(quiet, 0, 12), sound(loud, 0, 12)])
    heard = numbered.samples(tmp_path / "film.mp4")
    first = next(n for n, value in enumerate(heard) if abs(value) > 0.1)
    assert abs(first - 24_000) < 100


def test_picture_and_sound_end_together_after_a_hundred_pieces(tmp_path: Path) -> None:
    source = numbered.film(tmp_path / "a.mp4", 0, 5, fps=23, hertz=440)  # a frame is no whole number of samples
    make_piece(
        json.dumps(
            {"name": "p", "parts": [{"path": str(source), "start": 0, "end": 5}], "size": SIZE, "fps": 23, "fit": "pad"}
        ),
        tmp_path / "p.mp4",
    )
    parts = [{"path": str(tmp_path / "p.mp4"), "start": 0, "end": 5}] * 100
    sounds = [{"path": str(source), "start": 0, "end": 5, "audio": True, "dissolve": 0}] * 100
    with_sound(tmp_path / "film.mp4", 23, parts, sounds)
    assert numbered.numbers(tmp_path / "film.mp4") == [*range(5)] * 100
    heard = numbered.samples(tmp_path / "film.mp4")
    last = max(n for n, value in enumerate(heard) if abs(value) > 0.1)
    assert abs(last / 48_000 - 500 / 23) < 1 / 23
