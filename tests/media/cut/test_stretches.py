"""The sound of a film is encoded in stretches, and nobody hears where one ends."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from av.audio.frame import AudioFrame

from reconciler.media.cut import desk, stretches
from reconciler.media.cut.join import join
from reconciler.media.cut.mix import Mix
from tests.media.cut import numbered
from tests.media.cut.heard import integrated, left, music
from tests.media.cut.test_mix import PLAIN

SECONDS = 2
GRID = 24 * 1024


@pytest.fixture(autouse=True)
def _short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "LENGTH", 24)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seconds of video without sound."""
    return numbered.film(tmp_path_factory.mktemp("clip") / "clip.mp4", 0, 24 * SECONDS)


def order(clip: Path, *sounds: Path) -> str:
    """Return a film with these sounds over it."""
    part = {"path": str(clip), "start": 0, "end": 24 * SECONDS, "audio": False, "dissolve": 0}
    audio: list[dict[str, Any]] = [PLAIN | {"path": str(path), "first": 0, "gain": "-6"} for path in sounds]
    return json.dumps({"fps": 24, "sounds": [part], "audio": audio})


def encoded(tmp_path: Path, text: str, earlier: str = "none", target: str = "sound") -> int:
    """Encode a film's sound; return how many stretches were."""
    return stretches.encode_sound(text, tmp_path / earlier, tmp_path / target)


def test_no_sample_is_missing_or_odd_where_stretches_meet(clip: Path, tmp_path: Path) -> None:
    hertz = 1000
    song = music(tmp_path / "music.wav", SECONDS, hertz, rate=numbered.RATE)
    assert encoded(tmp_path, order(clip, song)) == 4
    film = tmp_path / "film.mp4"
    join(
        json.dumps(
            {
                "fps": 24,
                "parts": [{"path": str(clip), "start": 0, "end": 24 * SECONDS}],
                "sound": str(tmp_path / "sound"),
            }
        ),
        film,
    )
    values = numbered.samples(film)
    assert 0 <= len(values) - SECONDS * numbered.RATE < 1024
    wide = 2 * math.pi * hertz / numbered.RATE
    level = 0.5 * 10 ** (-6 / 20)
    errors = array("d", (abs(value - level * math.sin(wide * n)) for n, value in enumerate(values[:90_000])))
    seams = max(max(errors[at - 1200 : at + 1200]) for at in range(GRID, 85_000, GRID))
    elsewhere = max(max(errors[at + 8_000 : at + 14_000]) for at in range(GRID, 60_000, GRID))
    assert seams < max(2 * elsewhere, 0.01)


def test_only_the_stretches_in_which_another_sound_is_heard_are_encoded_again(clip: Path, tmp_path: Path) -> None:
    song = music(tmp_path / "music.wav", SECONDS)
    noise = music(tmp_path / "noise.wav", 0.3, 3000)
    assert encoded(tmp_path, order(clip, song)) == 4
    assert encoded(tmp_path, order(clip, song), "sound", "again") == 0
    assert (tmp_path / "again").read_bytes() == (tmp_path / "sound").read_bytes()
    assert encoded(tmp_path, order(clip, song, noise), "sound", "noisy") == 2
    assert encoded(tmp_path, order(clip, song, noise), "none", "fresh") == 4
    assert (tmp_path / "noisy").read_bytes() == (tmp_path / "fresh").read_bytes()


def test_a_file_that_was_cut_short_is_not_used(clip: Path, tmp_path: Path) -> None:
    song = music(tmp_path / "music.wav", SECONDS)
    encoded(tmp_path, order(clip, song))
    whole = (tmp_path / "sound").read_bytes()
    for size in (5, len(whole) // 2, len(whole) - 1):
        (tmp_path / "short").write_bytes(whole[:size])
        assert encoded(tmp_path, order(clip, song), "short", "again") == 4
        assert (tmp_path / "again").read_bytes() == whole


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Videos of a second, each with another tone."""
    folder = tmp_path_factory.mktemp("tones")
    return [numbered.film(folder / f"{hertz}.mp4", 0, 23, fps=23, hertz=hertz) for hertz in (300, 440, 700)]


def shots(tones: list[Path], *cuts: tuple[int, int, int, int], **extra: Any) -> str:
    """Return a film of parts of these: which one, its first and last frame, and its dissolve."""
    named = [("path", "start", "end", "dissolve"), *cuts]
    parts = [dict(zip(named[0], (str(tones[cut[0]]), *cut[1:]), strict=True)) | {"audio": True} for cut in cuts]
    return json.dumps({"fps": 23, "sounds": parts, **extra})


SHOTS = ((0, 0, 23, 0), (1, 3, 20, 5), (2, 0, 23, 0), (0, 5, 23, 8), (1, 0, 11, 0), (2, 7, 23, 0))


@pytest.fixture(scope="module")
def ducked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Music that is quieter while the shots sound, and that fades."""
    song = music(tmp_path_factory.mktemp("music") / "music.wav", 9, 220)
    return PLAIN | {"path": str(song), "gain": "-1", "duck": "-12", "fade": ["1", "1"], "first": 30_000}


@pytest.mark.parametrize("gain", ["0", "6"])
@pytest.mark.parametrize("scored", [False, True])
def test_a_section_is_what_is_heard_then_in_the_whole_film(
    tones: list[Path], ducked: dict[str, Any], scored: bool, gain: str
) -> None:
    film = Mix(json.loads(shots(tones, *SHOTS, *SHOTS, audio=[ducked] * scored)))
    whole, size = left(film.section(0, film.samples, gain)), 96_000
    pieces = [left(film.section(n, min(n + size, film.samples), gain)) for n in range(0, film.samples, size)]
    assert max(abs(a - b) for a, b in zip(whole, chain(*pieces), strict=True)) < 0.0005
    assert max(whole) < 0.9


def test_a_film_is_as_loud_as_it_states_and_an_edit_measures_only_what_it_changes(
    tones: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured, measure = list[int](), desk.measured

    def counted(frames: Iterable[AudioFrame]) -> list[float]:
        blocks = measure(frames)
        measured.append(len(blocks))
        return blocks

    monkeypatch.setattr(stretches, "SECTION", 10)
    monkeypatch.setattr(desk, "measured", counted)
    whole = encoded(tmp_path, shots(tones, *SHOTS, loudness="-20"))
    assert measured == [10, 20, 20, 20, 11]
    film = tmp_path / "film.mp4"
    picture = {"path": str(tones[0]), "start": 0, "end": 23}
    join(json.dumps({"fps": 23, "parts": [picture] * 4, "sound": str(tmp_path / "sound")}), film)
    heard = Mix(json.loads(shots([film], (0, 0, 95, 0))))
    assert integrated(heard.section(0, heard.samples, None)) == pytest.approx(-20, abs=0.3)
    edited = [*SHOTS[:4], (0, 0, 11, 0), *SHOTS[5:]]
    assert 0 < encoded(tmp_path, shots(tones, *edited, loudness="-20"), "sound", "edited") < whole
    assert len(measured) == 5 + 3
    encoded(tmp_path, shots(tones, *edited, loudness="-20"), "none", "fresh")
    assert (tmp_path / "edited").read_bytes() == (tmp_path / "fresh").read_bytes()


@pytest.mark.parametrize(
    ("index", "cut"),
    [(2, (0, 0, 23, 0)), (1, (1, 3, 20, 4)), (3, (0, 4, 22, 8))],
    ids=["another clip", "a shorter dissolve", "other frames"],
)
def test_an_edit_of_one_shot_gives_what_a_fresh_film_is(
    tones: list[Path], tmp_path: Path, index: int, cut: tuple[int, int, int, int]
) -> None:
    edited = [*SHOTS[:index], cut, *SHOTS[index + 1 :]]
    whole = encoded(tmp_path, shots(tones, *SHOTS))
    assert encoded(tmp_path, shots(tones, *SHOTS), "sound", "again") == 0
    some = encoded(tmp_path, shots(tones, *edited), "sound", "edited")
    encoded(tmp_path, shots(tones, *edited), "none", "fresh")
    assert (tmp_path / "edited").read_bytes() == (tmp_path / "fresh").read_bytes()
    assert 0 < some < whole or index == 1  # which moves all that follows
