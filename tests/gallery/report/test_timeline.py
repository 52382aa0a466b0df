"""Timelines of films: what each format keeps when its own adapter reads it back, and what it says it left out."""

from __future__ import annotations

import re
from itertools import accumulate
from pathlib import Path
from typing import Any

import opentimelineio as otio  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diagnostics import ClipformError, UsageError
from reconciler.gallery.report import timeline as writers
from reconciler.gallery.report.edl import edl, reel_table, reels
from reconciler.gallery.report.shots import FilmShot, FilmShots
from reconciler.gallery.report.timeline import FORMATS, timeline

FPS = 24


def shot(name: str, first: int, last: int, *, length: int = 96, dissolve: int = 0, audio: bool = True) -> FilmShot:
    """A shot of a file with a name and a content of its own."""
    return FilmShot(name, f"v1:{name}", 1, f"{name:.<64}", Path(f"{name}.mp4"), first, last, length, dissolve, audio)


def title(words: str, frames: int, dissolve: int = 0) -> FilmShot:
    return FilmShot(words, last=frames, length=frames, dissolve=dissolve)


def film(*shots: FilmShot, fps: int = FPS) -> FilmShots:
    return FilmShots("film", shots, fps, (192, 108))


PLAIN = film(
    shot("intro", 12, 60),
    shot("chase", 0, 72, dissolve=11, audio=False),
    title("Chapter two", 48),
    shot("end", 24, 96),
)
# The dissolve of 11 frames reaches 5 frames into the intro and 6 into the chase: their ranges meet in its middle.
RANGES = {"intro": (12, 54), "chase": (5, 72), "end": (24, 96)}


def address(shot: FilmShot) -> str:
    return f"renders/{shot.name}.mp4"


def read(text: str, kind: str) -> Any:
    rate = {"rate": FPS} if kind == "edl" else {}
    return otio.adapters.read_from_string(text, adapter_name=FORMATS[kind].adapter, **rate)


def tracks(text: str, kind: str) -> dict[str, Any]:
    whole = read(text, kind)
    whole = whole if isinstance(whole, otio.schema.Timeline) else whole[0]
    return {track.kind: track for track in whole.tracks}


def ranges(track: Any) -> dict[str, tuple[int, int]]:
    clips = [item for item in track if isinstance(item, otio.schema.Clip)]
    starts = [(clip.name, clip.source_range) for clip in clips]
    return {name: (int(r.start_time.value), int(r.end_time_exclusive().value)) for name, r in starts}


def dissolves(track: Any) -> list[tuple[float, float]]:
    found = (item for item in track if isinstance(item, otio.schema.Transition))
    return [(item.in_offset.value, item.out_offset.value) for item in found]


@pytest.mark.parametrize("kind", ["otio", "premiere", "fcpx"])
def test_a_timeline_shows_the_frames_of_the_film(kind: str) -> None:
    text = timeline(PLAIN, kind, address).text
    read_back = tracks(text, kind)
    assert ranges(read_back["Video"]) == RANGES
    assert ranges(read_back["Audio"]) == {name: RANGES[name] for name in ("intro", "end")}
    assert sum(
        item.duration().value for item in read_back["Video"] if not isinstance(item, otio.schema.Transition)
    ) == (PLAIN.frames)
    urls = [clip.media_reference.target_url for clip in read_back["Video"] if isinstance(clip, otio.schema.Clip)]
    assert urls == [f"renders/{name}.mp4" for name in RANGES]
    assert "Chapter two" in text
    assert "v1:chase" in text


@pytest.mark.parametrize("kind", ["otio", "premiere"])
def test_a_transition_is_kept(kind: str) -> None:
    result = timeline(PLAIN, kind, address)
    assert dissolves(tracks(result.text, kind)["Video"]) == [(5, 6)]
    assert result.left_out == ()


def test_fcpxml_says_how_many_transitions_it_lost() -> None:
    both = film(shot("a", 0, 48), shot("b", 0, 48, dissolve=4), shot("c", 0, 48, dissolve=4))
    assert timeline(both, "fcpx", address).left_out == ("2 transitions left out: FCPXML is written with cuts only",)


def test_what_the_film_leaves_out_is_there_for_the_editor() -> None:
    clip = tracks(timeline(PLAIN, "otio", address).text, "otio")["Video"][0]
    available = clip.media_reference.available_range
    assert (available.start_time.value, available.duration.value) == (0, 96)
    assert clip.metadata["clipform"]["take"] == 1


def test_a_title_is_marked_where_it_is_shown() -> None:
    markers = read(timeline(PLAIN, "premiere", address).text, "premiere").tracks.markers
    assert [(m.name, m.marked_range.start_time.value, m.marked_range.duration.value) for m in markers] == [
        ("Title: Chapter two", 42 + 67, 48)
    ]


def test_an_edl_has_dissolves_between_files_and_comments_for_the_rest() -> None:
    shots = (shot("intro", 12, 60), shot("chase", 0, 72, dissolve=12), title("Two", 48, dissolve=6), shot("end", 0, 24))
    result = edl(film(*shots), address)
    track = tracks(result.text, "edl")["Video"]
    assert [sum(each) for each in dissolves(track)] == [12]
    assert "* DISSOLVE LEFT OUT AT 00:00:04:09, 6 FRAMES" in result.text
    assert "* TITLE 00:00:04:09 00:00:06:06 Two" in result.text
    assert result.left_out == (
        "1 title left out: a comment says when",
        "1 transition at a title left out: a comment says when",
    )


_LENGTHS = st.lists(
    st.tuples(st.integers(2, 40), st.integers(0, 20), st.booleans(), st.integers(0, 5)), min_size=1, max_size=6
)


@settings(max_examples=30, deadline=None)
@given(_LENGTHS)
def test_the_events_of_an_edl_follow_each_other_and_stay_inside_their_files(
    pieces: list[tuple[int, int, bool, int]],
) -> None:
    """Any film that is allowed: a dissolve is at most half of each of its shots, and none comes first."""
    shots = list[FilmShot]()
    for number, (length, dissolve, is_title, start) in enumerate(pieces):
        before = shots[-1].frames if shots else 0
        shared = min(dissolve, length // 2, before // 2)
        name = f"clip{number}"
        end = start + length
        shots.append(title(name, length, shared) if is_title else shot(name, start, end, length=end, dissolve=shared))
    whole = film(*shots)
    text = edl(whole, address).text
    assert "-" not in "".join(re.findall(r"(?m)^\d{3} .*$", text))
    ends = list(accumulate(s.frames - s.dissolve for s in shots))
    for line in re.findall(r"(?m)^\d{3}  \S+ .*$", text):
        reel, times = line.split()[1], [_frame(code) for code in re.findall(r"\d\d:\d\d:\d\d:\d\d", line)]
        source = next(s for s in shots if reels(shots).get(s.sha256) == reel)
        assert source.first <= times[0] <= times[1] <= source.last
        assert times[1] - times[0] == times[3] - times[2]
        assert 0 <= times[2] <= times[3] <= ends[-1]


def _frame(code: str) -> int:
    hours, minutes, seconds, frames = map(int, code.split(":"))
    return ((hours * 60 + minutes) * 60 + seconds) * FPS + frames


def test_each_file_has_a_reel_of_its_own_with_up_to_8_letters() -> None:
    shots = [shot(name, 0, 24) for name in ("hero-orbit", "hero-orbits", "hero_orbit-2", "hero-orbit", "a")]
    names = reels(shots)
    assert list(names.values()) == ["HEROORBI", "HEROORB2", "HEROORB3", "A"]
    assert reel_table(shots, address).splitlines()[:2] == [
        "reel,clip,take,key,file",
        "HEROORBI,hero-orbit,1,v1:hero-orbit,renders/hero-orbit.mp4",
    ]


def test_an_edl_of_a_rate_without_timecode_is_refused() -> None:
    with pytest.raises(ClipformError, match="24, 25, 30, 48, 50 or 60 frames a second, not 12"):
        edl(film(shot("a", 0, 24), fps=12), address)


def test_a_format_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown format 'capcut'"):
        timeline(PLAIN, "capcut", address)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentimelineio", None)
    with pytest.raises(ClipformError) as refused:
        writers.require_library("otio")
    assert refused.value.help == "uv tool install 'clipform[timeline]'"
