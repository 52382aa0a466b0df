"""Films with stills, music, loudness: what their key holds, and which files they can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.in_process import clipform
from tests.e2e.test_films import planned
from tests.media.cut import numbered
from tests.media.cut.heard import level, music

PROJECT = """
version: 1
clips:
  loud: {prompt: a}
cuts:
  film:
    sequence: [{clip: loud}, {still: still.png, for: 0.5}]
    output: out/film.mp4
"""
SOUND = "audio: [{file: music.wav, gain: -6, duck: -10, fade: [0.1, 0.1], loop: yes}]\n    loudness: -16\n"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of video with a tone."""
    return numbered.film(tmp_path_factory.mktemp("source") / "loud.mp4", 0, 24, hertz=440)


@pytest.fixture
def project(tmp_path: Path, source: Path) -> Path:
    """A project with a video, a picture and music."""
    folder = tmp_path / "project"
    folder.mkdir()
    music(folder / "music.wav", 0.5, 220)
    numbered.picture(1365, (384, 216)).save(folder / "still.png")
    write(folder, SOUND)
    assert clipform(folder, "import", "loud", "--file", str(source)).returncode == 0
    return folder


def write(project: Path, extra: str) -> None:
    """Give the film these settings."""
    (project / "clipform.yaml").write_text(f"{PROJECT}    {extra}\n", encoding="utf-8")


def made(project: Path) -> bytes:
    """Apply the film; return it."""
    result = clipform(project, "apply", "--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    return (project / "out" / "film.mp4").read_bytes()


def test_a_film_with_music_and_a_still_is_made_once_and_has_the_same_bytes_again(project: Path) -> None:
    first, film = made(project), project / "out" / "film.mp4"
    assert numbered.numbers(film) == [*range(24), *[1365] * 12]
    assert level(numbered.samples(film), 1.1, 1.4, 220) > 0.02
    assert planned(project) == {}
    film.unlink()
    for path in (project / "state" / "objects").glob("*/*.mp4"):
        if path.read_bytes() == first:
            path.unlink()
    assert planned(project) == {"film": "assemble"}
    assert made(project) == first


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda project: music(project / "music.wav", 0.5, 330), "audio changed"),
        (lambda project: numbered.picture(1366, (384, 216)).save(project / "still.png"), "1 piece changed"),
        (lambda project: write(project, SOUND.replace("-16", "-17")), "loudness changed"),
        (lambda project: write(project, SOUND.replace("loop: yes", "loop: yes, at: 0.25")), "audio changed"),
        (lambda project: write(project, ""), "audio changed"),
    ],
    ids=["music", "still", "loudness", "when music begins", "no music"],
)
def test_what_a_film_is_made_from_is_in_its_key(project: Path, change: object, reason: str) -> None:
    assert callable(change)
    made(project)
    change(project)
    assert planned(project) == {"film": "assemble"}
    assert reason in clipform(project, "plan").stdout


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        ("audio: [{file: none.wav}]", "audio: none.wav does not exist"),
        ("audio: [{file: ../outside.wav}]", "audio: ../outside.wav is outside the project"),
        ("audio: [{file: link.wav}]", "audio: link.wav is outside the project"),
        ("audio: [{file: state/x.wav}]", "audio: state/x.wav is in the state folder"),
        ("audio: [{file: clipform.yaml}]", "clipform.yaml is not a supported picture, video or sound"),
        ("audio: [{file: still.png}]", "audio needs a sound, but still.png is image (png)"),
        ("subtitles: {file: music.wav}", "subtitles need an .srt, .vtt or .ass file, not 'music.wav'"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_before_anything_is_made(project: Path, extra: str, text: str) -> None:
    music(project.parent / "outside.wav", 0.1)
    (project / "link.wav").symlink_to(project.parent / "outside.wav")
    write(project, extra)
    result = clipform(project, "apply", "--yes")
    assert (result.returncode, text in result.stdout + result.stderr) == (1, True)
    assert not (project / "out").exists()


def test_a_folder_outside_that_is_allowed_can_have_the_music(project: Path) -> None:
    music(project.parent / "outside.wav", 0.5)
    write(project, "audio: [{file: ../outside.wav}]\ninputs: {allow: [..]}")
    assert clipform(project, "validate").returncode == 0


def test_music_that_is_shorter_than_the_film_is_a_warning(project: Path) -> None:
    write(project, "audio: [{file: music.wav}]")
    text = (project / "clipform.yaml").read_text(encoding="utf-8")
    (project / "clipform.yaml").write_text(text.replace("{clip: loud}", "{clip: loud, out: 1}"), encoding="utf-8")
    result = clipform(project, "plan")
    assert "warning: music.wav lasts 0.5 s, and the film 1.5 s" in result.stdout + result.stderr
    write(project, "audio: [{file: music.wav, at: 0}]")
    assert "warning" not in clipform(project, "plan").stderr
