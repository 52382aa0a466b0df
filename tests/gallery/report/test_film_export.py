"""`export`: a folder that an editor can open, linked to the videos that the film is made of."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from urllib.parse import unquote

import opentimelineio as otio  # type: ignore[import-untyped]  # it has no types
import pytest

from tests.cli.in_process import clipform
from tests.media.cut import numbered

PROJECT = """
version: 1
clips:
  intro: {prompt: a, output: renders/the intro.mp4}
  chase: {prompt: b, takes: 2, pick: 2}
cuts:
  film:
    sequence:
      - {clip: intro, in: 0.5, out: 1}
      - {clip: chase, transition: {dissolve: 0.25}}
      - {title: The end, for: 1}
    output: out/film.mp4
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose clips are imported; its film is not assembled, which an export does not need."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "clipform.yaml").write_text(PROJECT, encoding="utf-8")
    for number, name in enumerate(("intro", "chase#1", "chase#2")):
        source = numbered.film(folder / f"{number}.mp4", 100 * number, 24, hertz=440)
        assert clipform(folder, "import", name, "--file", str(source)).returncode == 0
    return folder


def linked(folder: Path) -> list[Path]:
    """Return the files that an exported timeline links."""
    clips = otio.adapters.read_from_file(str(folder / "film.otio")).find_clips()
    return [folder / unquote(clip.media_reference.target_url) for clip in clips]


def test_the_linked_files_are_those_of_the_picked_takes(project: Path) -> None:
    result = clipform(project, "export", "film", "--as", "otio", "--json")
    assert json.loads(result.stdout)["seconds"] == 2.25
    paths = linked(project / "export")
    assert [path.exists() for path in paths] == [True] * 4  # pictures and sounds of two clips
    assert [numbered.numbers(path)[0] for path in paths[:2]] == [0, 200]
    clip = otio.adapters.read_from_file(str(project / "export" / "film.otio")).find_clips()[1]
    assert clip.metadata["clipform"]["take"] == 2
    assert hashlib.sha256(paths[1].read_bytes()).hexdigest() == clip.metadata["clipform"]["sha256"]


def test_with_media_the_folder_can_be_carried_away(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "edit"
    result = clipform(project, "export", "film", "--as", "otio", "--with-media", "--to", str(target))
    assert "3 pieces, 2.25 s, and 2 files in media/" in result.stdout
    target.rename(tmp_path / "elsewhere")
    paths = linked(tmp_path / "elsewhere")
    assert [path.parent.name for path in paths] == ["media"] * 4
    assert [numbered.numbers(path)[0] for path in paths[:2]] == [0, 200]


def test_formats_live_together_and_an_edited_timeline_is_not_overwritten(project: Path, tmp_path: Path) -> None:
    for kind in ("otio", "edl", "premiere", "fcpx", "otio"):
        assert clipform(project, "export", "film", "--as", kind, "--to", str(tmp_path / "edit")).returncode == 0
    names = {path.name for path in (tmp_path / "edit").iterdir()}
    assert names == {
        ".clipform-export.json", "film.otio", "film.edl", "film.reels.csv", "film.xml", "film.fcpxml",
    }  # fmt: skip
    (tmp_path / "edit" / "film.otio").write_text("mine", encoding="utf-8")
    refused = clipform(project, "export", "film", "--as", "otio", "--to", str(tmp_path / "edit"))
    assert "film.otio in edit was changed since an export wrote it" in refused.stderr
    assert (tmp_path / "edit" / "film.otio").read_text(encoding="utf-8") == "mine"


def test_an_export_needs_what_it_shows(project: Path) -> None:
    refused = clipform(project, "export", "film", "--as", "otio", "--draft")
    assert refused.returncode == 1
    assert "film shows intro, chase, which are not made yet" in refused.stderr
    assert "clipform apply --draft film" in refused.stderr
    assert "films of this project: film" in clipform(project, "export", "intro", "--as", "otio").stderr


def test_pictures_and_sounds_of_the_film_are_linked_and_what_is_lost_is_said(project: Path, tmp_path: Path) -> None:
    """The sound begins 6 frames into the second piece, 0.25 s of which the first one shares, and ends with the film."""
    shutil.copytree(project, tmp_path / "project", ignore=shutil.ignore_patterns("export"))
    folder = tmp_path / "project"
    numbered.picture(5).save(folder / "end.png")
    numbered.film(folder / "music.mp4", 0, 24, hertz=440)
    text = PROJECT.replace("      - {title: The end, for: 1}\n", "      - {still: end.png, for: 0.5}\n")
    sounds = "    audio:\n      - {file: music.mp4, at: chase+0.25, loop: yes, gain: -3}\n    output: out"
    (folder / "clipform.yaml").write_text(text.replace("    output: out", sounds), encoding="utf-8")
    said = clipform(folder, "export", "film", "--as", "otio", "--with-media").stdout
    assert "3 pieces, 1.75 s, and 4 files in media/" in said and "how loud it is left out: gain." in said
    assert all(path.exists() for path in linked(folder / "export"))
    video, _, music = otio.adapters.read_from_file(str(folder / "export" / "film.otio")).tracks
    assert (video[-1].name, video[-1].source_range.duration.value) == ("end.png", 12)
    assert [item.source_range.duration.value for item in music] == [12, 24, 6]
    assert "1 sound left out." in clipform(folder, "export", "film", "--as", "edl").stdout
