"""Subtitles of films: as a track, burned into the pictures at their time only, and as a file beside the film."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest
from PIL import ImageChops

from tests.cli.in_process import clipform
from tests.e2e.test_films import planned
from tests.media.cut import numbered

PROJECT = """
version: 1
clips:
  shot: {prompt: a}
cuts:
  film:
    sequence: [{clip: shot}]
    subtitles: {file: words.srt, as: beside}
    output: out/film.mp4
"""
FIRST = "1\n00:00:00,250 --> 00:00:00,500\nthe first words\n\n2\n00:00:00,750 --> 00:00:01,000\nthe last\n"
OTHER = FIRST.replace("first", "other")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of black video."""
    return numbered.film(tmp_path_factory.mktemp("source") / "shot.mp4", 0, 24)


@pytest.fixture
def project(tmp_path: Path, source: Path) -> Path:
    """A film whose subtitles are beside it."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "words.srt").write_text(FIRST, encoding="utf-8")
    assert clipform(folder, "import", "shot", "--file", str(source)).returncode == 0
    apply(folder)
    return folder


def apply(project: Path, *words: str) -> str:
    """Apply the project; return what was printed."""
    result = clipform(project, "apply", "--yes", *words)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def change(project: Path, before: str, after: str) -> None:
    """Edit the project."""
    text = (project / "clipform.yaml").read_text(encoding="utf-8")
    assert before in text
    (project / "clipform.yaml").write_text(text.replace(before, after), encoding="utf-8")


def files(project: Path) -> dict[str, str]:
    """Return the subtitles in the folder of the film."""
    return {path.name: path.read_text("utf-8") for path in (project / "out").glob("*") if path.suffix != ".mp4"}


def test_subtitles_beside_a_film_follow_their_file(project: Path) -> None:
    assert files(project) == {"film.srt": FIRST}
    assert planned(project) == {}
    (project / "words.srt").write_text(OTHER, encoding="utf-8")
    apply(project)
    assert files(project) == {"film.srt": OTHER}
    (project / "words.vtt").write_text("WEBVTT\n\n00:00.250 --> 00:00.500\nwords\n", encoding="utf-8")
    change(project, "words.srt", "words.vtt")
    apply(project)
    assert [*files(project)] == ["film.vtt"]


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [("as: beside", "as: track", []), ("out/film.mp4", "out/other.mp4", ["other.srt"])],
    ids=["not beside", "another name"],
)
def test_subtitles_of_an_earlier_version_do_not_stay(project: Path, before: str, after: str, names: list[str]) -> None:
    change(project, before, after)
    apply(project)
    assert [*files(project)] == names
    assert clipform(project, "verify").returncode == 0


def test_subtitles_that_are_deleted_come_back(project: Path) -> None:
    assert clipform(project, "verify").returncode == 0
    (project / "out" / "film.srt").unlink()
    assert "out/film.srt" in clipform(project, "verify").stdout
    assert planned(project) == {"film": "restore"}
    assert "out/film.srt" in clipform(project, "plan").stdout
    apply(project)
    assert files(project) == {"film.srt": FIRST}


def test_subtitles_that_were_edited_stay_and_verify_names_them(project: Path) -> None:
    (project / "out" / "film.srt").write_text("mine", encoding="utf-8")
    result = clipform(project, "verify")
    assert result.returncode != 0 and "out/film.srt" in result.stdout and "edited since" in result.stdout
    (project / "words.srt").write_text(OTHER, encoding="utf-8")
    failed = clipform(project, "apply", "--yes")
    assert failed.returncode == 3 and "out/film.srt was not placed by clipform" in failed.stdout + failed.stderr
    assert clipform(project, "destroy", "film", "--yes").returncode == 0
    assert files(project) == {"film.srt": "mine"}


def test_subtitles_go_with_their_film(project: Path) -> None:
    text = (project / "clipform.yaml").read_text(encoding="utf-8")
    (project / "clipform.yaml").write_text(text.partition("cuts:")[0], encoding="utf-8")
    apply(project)
    assert not (project / "out").exists() and (project / "words.srt").exists()
    assert clipform(project, "gc", "--yes").returncode == 0
    assert not [*(project / "state" / "objects").rglob("*.srt")]


def test_a_clone_takes_the_subtitles_that_git_brought_for_ours(project: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    names = ("clipform.yaml", "clipform.lock", "words.srt", "renders/shot.mp4", "out/film.mp4", "out/film.srt")
    for name in names:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_bytes((project / name).read_bytes())
    apply(clone)
    assert clipform(clone, "destroy", "film", "--yes").returncode == 0
    assert not (clone / "out").exists()


def test_subtitles_are_never_put_on_the_file_that_they_come_from(project: Path) -> None:
    (project / "out" / "film.srt").unlink()
    (project / "words.srt").rename(project / "out" / "film.srt")
    change(project, "words.srt", "out/film.srt")
    result = clipform(project, "apply", "--yes")
    assert result.returncode == 1 and "as: beside would put the subtitles at" in result.stderr
    assert files(project) == {"film.srt": FIRST}


def test_a_track_has_each_subtitle_at_its_time(project: Path) -> None:
    change(project, "as: beside", "as: track")
    apply(project)
    with av.open(str(project / "out" / "film.mp4")) as film:
        [track] = film.streams.subtitles
        shown = [
            (float(packet.pts * track.time_base), float(packet.duration * track.time_base), bytes(packet)[2:].decode())
            for packet in film.demux(track)
            if packet.size > 2 and packet.pts is not None and packet.duration is not None and track.time_base
        ]
    assert shown == [(0.25, 0.25, "the first words"), (0.75, 0.25, "the last")]


def test_burned_words_are_in_the_pictures_at_their_time_only(project: Path) -> None:
    change(project, "as: beside", "as: burned")
    apply(project)
    with av.open(str(project / "out" / "film.mp4")) as film, av.open(str(project / "renders" / "shot.mp4")) as shot:
        pairs = zip(film.decode(video=0), shot.decode(video=0), strict=True)
        frames = [[frame.to_image().convert("L") for frame in pair] for pair in pairs]  # type: ignore[no-untyped-call]
    boxes = [
        ImageChops.difference(*pair).point(lambda level: 255 * (level > 100)).getbbox()  # type: ignore[no-untyped-call]
        for pair in frames
    ]
    with_words = [number for number, box in enumerate(boxes) if box]
    assert with_words == [*range(6, 12), *range(18, 24)]
    [first, last] = ({box for box in boxes[start:end]} for start, end in ((6, 12), (18, 24)))
    assert first != last  # other words
    assert all(box[1] > 54 for box in (*first, *last) if box)  # in the lower half


def test_the_file_beside_a_film_is_a_fact_of_a_plan(project: Path) -> None:
    first = json.loads(clipform(project, "plan", "--json").stdout)["actions"]
    (project / "out" / "film.srt").unlink()
    assert json.loads(clipform(project, "plan", "--json").stdout)["actions"] != first
