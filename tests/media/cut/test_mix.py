"""The sound of films: music, voices, volume, ducking, loudness. Tones of different pitch are told apart in the mix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.media.cut import desk, mix
from reconciler.media.cut.mix import Mix
from reconciler.media.cut.sounds import framed
from tests.media.cut import numbered
from tests.media.cut.heard import integrated, left, level, music

CLIP, MUSIC, VOICE = 440, 220, 880  # Hz
PLAIN: dict[str, Any] = {"gain": "0", "duck": "0", "fade": ["0", "0"], "loop": False, "first": 0}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of video with a tone."""
    return numbered.film(tmp_path_factory.mktemp("clip") / "clip.mp4", 0, 24, hertz=CLIP)


def part(path: Path, *, audio: bool = True, volume: str = "1") -> dict[str, Any]:
    """Return a second of a film."""
    return {"path": str(path), "start": 0, "end": 24, "audio": audio, "dissolve": 0, "volume": volume}


def mixed(parts: list[dict[str, Any]], *sounds: dict[str, Any], loudness: str | None = None) -> list[float]:
    """Return the left channel of a film."""
    film = Mix({"fps": 24, "sounds": parts, "audio": [PLAIN | sound for sound in sounds]})
    gain = "0" if loudness is None else desk.gain_for(desk.measured(film.section(0, film.samples, None)), loudness)
    return list(left(film.section(0, film.samples, gain)))


def near(value: float) -> object:
    """Return what equals an amplitude nearly."""
    return pytest.approx(value, rel=0.05, abs=0.01)


def test_music_is_heard_over_the_whole_film_and_the_clips_with_it(clip: Path, tmp_path: Path) -> None:
    song = music(tmp_path / "music.wav", 2.5, MUSIC)
    values = mixed([part(clip, audio=False), part(clip)], {"path": str(song), "gain": "-6"})
    assert len(values) == 2 * numbered.RATE
    assert [level(values, at, at + 0.6, MUSIC) for at in (0.2, 1.2)] == [near(0.25), near(0.25)]
    assert [level(values, at, at + 0.6, CLIP) for at in (0.2, 1.2)] == [near(0), near(0.5)]


def test_music_is_quieter_while_a_clip_sounds(clip: Path, tmp_path: Path) -> None:
    song = music(tmp_path / "music.wav", 2.5, MUSIC)
    values = mixed([part(clip, audio=False), part(clip)], {"path": str(song), "gain": "-6", "duck": "-12"})
    assert level(values, 0.2, 0.8, MUSIC) == near(0.25)
    assert 0.25 * 0.25 * 0.9 < level(values, 1.4, 1.9, MUSIC) < 0.25 * 0.4
    assert level(values, 1.4, 1.9, CLIP) == near(0.5)


def test_a_sound_begins_at_its_sample_and_ends_with_its_file(clip: Path, tmp_path: Path) -> None:
    voice = music(tmp_path / "voice.wav", 0.25, VOICE, rate=numbered.RATE)
    values = mixed([part(clip, audio=False)], {"path": str(voice), "first": 30_000})
    heard = [n for n, value in enumerate(values) if abs(value) > 0.001]
    assert 30_000 <= heard[0] < 30_003
    assert 41_990 < heard[-1] < 42_000
    assert level(values, 0.65, 0.85, VOICE) == near(0.5)


def test_a_short_sound_is_played_again_until_the_film_ends(clip: Path, tmp_path: Path) -> None:
    song = music(tmp_path / "music.wav", 0.3, MUSIC)
    again, once = ({"path": str(song), "loop": loop} for loop in (True, False))
    assert level(mixed([part(clip, audio=False)], again), 0.6, 0.9, MUSIC) > 0.4
    assert level(mixed([part(clip, audio=False)], once), 0.6, 0.9, MUSIC) == near(0)


def test_a_sound_fades_in_and_out_at_the_end_of_the_film_or_its_own(clip: Path, tmp_path: Path) -> None:
    long, short = (music(tmp_path / f"{n}.wav", seconds, MUSIC) for n, seconds in enumerate((3, 1)))
    two = [part(clip, audio=False)] * 2
    faded = mixed(two, {"path": str(long), "fade": ["1", "0.5"]})
    assert [level(faded, at, at + 0.1, MUSIC) for at in (0, 0.45, 1.2, 1.7)] == [*map(near, (0.025, 0.25, 0.5, 0.25))]
    ended = mixed(two, {"path": str(short), "fade": ["0", "0.5"], "first": 24_000})
    assert [level(ended, at, at + 0.1, MUSIC) for at in (0.2, 0.7, 1.2, 1.7)] == [*map(near, (0, 0.5, 0.25, 0))]


def test_the_volume_of_a_piece_changes_its_sound_only(clip: Path) -> None:
    values = mixed([part(clip, volume="0.5"), part(clip), part(clip, volume="0")])
    assert [level(values, at, at + 0.6, CLIP) for at in (0.2, 1.2, 2.2)] == [near(0.25), near(0.5), near(0)]


@pytest.mark.parametrize("loudness", ["-30", "-14"])
def test_a_film_has_the_loudness_that_it_states(clip: Path, tmp_path: Path, loudness: str) -> None:
    song = music(tmp_path / "music.wav", 2, MUSIC)
    film = Mix({"fps": 24, "sounds": [part(clip)], "audio": [PLAIN | {"path": str(song), "gain": "-20"}]})
    gain = desk.gain_for(desk.measured(film.section(0, film.samples, None)), loudness)
    assert integrated(film.section(0, film.samples, gain)) == pytest.approx(float(loudness), abs=0.27)


def test_silence_has_no_loudness(clip: Path) -> None:
    assert set(mixed([part(clip, volume="0")], loudness="-16")) == {0.0}


def test_sounds_that_are_too_loud_together_are_limited(clip: Path, tmp_path: Path) -> None:
    song = music(tmp_path / "music.wav", 1, MUSIC)
    assert 0.8 < max(mixed([part(clip)], {"path": str(song), "gain": "12"})) < 0.9
    assert max(mixed([part(clip, volume="10")])) < 0.9


def test_a_film_without_extra_sound_is_mixed_as_it_always_was(clip: Path) -> None:
    plain = mixed([part(clip), part(clip)])
    assert plain == list(left(framed(mix._faded([part(clip), part(clip)], 24, 0), 0)))
