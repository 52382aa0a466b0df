"""Reports and plans of films: what changed since a revision, before and after, and the sheet of a film's pieces."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reconciler.media.blank import GROUND
from tests.cli.in_process import clipform
from tests.gallery.report.conftest import committed, data, edit
from tests.media.cut import numbered

PROJECT = """
version: 1
clips:
  intro: {prompt: a}
  chase: {prompt: b, takes: 2}
cuts:
  film:
    sequence:
      - {clip: intro, out: 0.5}
      - {clip: chase}
      - {title: The end, for: 1}
    output: out/film.mp4
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a film that is made, in git."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "clipform.yaml").write_text(PROJECT, encoding="utf-8")
    for number, name in enumerate(("intro", "chase#1", "chase#2")):
        source = numbered.film(folder / f"{number}.mp4", 100 * number, 24)
        assert clipform(folder, "import", name, "--file", str(source)).returncode == 0
        source.unlink()
    assert clipform(folder, "apply", "--yes").returncode == 0
    assert clipform(folder, "report").returncode == 0  # the pictures are in the cache from now on
    return committed(folder, "/renders/", "/out/")


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Path:
    shutil.copytree(repository, tmp_path / "project")
    return tmp_path / "project"


def film_of(project: Path) -> dict[str, Any]:
    """Return the film's detail in the report."""
    found: dict[str, Any] = data(project / "report")["details"]["film"]
    return found


def step(project: Path, *words: str) -> dict[str, Any]:
    """Return the film's step in a plan."""
    actions = json.loads(clipform(project, "plan", "--json", *words).stdout)["actions"]
    found: dict[str, Any] = next(action for action in actions if action["clip"] == "film")
    return found


def test_a_film_that_changed_is_shown_before_and_after(project: Path) -> None:
    before = film_of(project)["card"]["shown"]["sha256"]
    edit(project, "for: 1}", "for: 0.5}")
    assert clipform(project, "apply", "--yes").returncode == 0
    said = clipform(project, "report", "--since", "HEAD").stdout
    assert "Since HEAD: 1 changed." in said
    film = film_of(project)
    assert film["card"]["since"] == "changed"
    assert film["before"]["shown"]["sha256"] == before != film["card"]["shown"]["sha256"]
    assert [piece["last"] for piece in film["before"]["pieces"]] == [0.5, 1, 1]
    assert [piece["last"] for piece in film["card"]["pieces"]] == [0.5, 1, 0.5]
    assert [change["after"] for change in film["before"]["changes"]] == ["1 piece changed"]
    assert (project / "report" / film["before"]["shown"]["poster"]).exists()


def test_a_pick_changes_the_film_and_the_pictures_of_its_pieces(project: Path) -> None:
    assert clipform(project, "pick", "chase", "2").returncode == 0
    assert clipform(project, "apply", "--yes").returncode == 0
    assert "2 changed" in clipform(project, "report", "--since", "HEAD").stdout
    film = film_of(project)
    posters = [
        [piece["shown"]["poster"] for piece in pieces[:2]]
        for pieces in (film["before"]["pieces"], film["card"]["pieces"])
    ]
    assert posters[0][0] == posters[1][0] and posters[0][1] != posters[1][1]
    assert all((project / "report" / poster).exists() for both in posters for poster in both)


def test_films_that_are_new_or_gone_are_counted(project: Path) -> None:
    edit(project, "  film:", "  other:")
    assert "1 added, 1 removed" in clipform(project, "report", "--since", "HEAD").stdout
    assert film_of(project)["card"]["since"] == "removed"


def test_a_plan_since_a_revision_says_what_changed_of_a_film(project: Path) -> None:
    assert step(project, "--since", "HEAD")["changes"] == []
    edit(project, "for: 1}", "for: 0.5}")
    assert clipform(project, "apply", "--yes").returncode == 0
    changed = step(project, "--since", "HEAD")
    assert (changed["action"], [change["field"] for change in changed["changes"]]) == ("noop", ["pieces"])
    assert [
        each["clip"] for each in json.loads(clipform(project, "status", "changed:HEAD", "--json").stdout)["clips"]
    ] == ["film"]


def test_a_report_of_a_saved_plan_compares_a_film_with_what_it_was(project: Path) -> None:
    edit(project, "for: 1}", "for: 0.5}")
    assert clipform(project, "plan", "--out", "p.plan").returncode == 0
    assert "Since p.plan: 1 changed." in clipform(project, "report", "--plan", "p.plan").stdout


def test_the_sheet_of_a_film_has_its_pieces(project: Path) -> None:
    assert "Wrote film.png" in clipform(project, "report", "film", "--sheet", "film.png").stdout
    assert "Wrote all.png" in clipform(project, "report", "--sheet", "all.png").stdout
    with Image.open(project / "film.png") as sheet, Image.open(project / "all.png") as whole:
        assert sheet.size == whole.size
        assert sheet.tobytes() != whole.tobytes()


def test_the_sheet_of_a_film_shows_its_stills_and_the_words_of_its_titles(project: Path) -> None:
    Image.new("RGB", (64, 36), "red").save(project / "end.png")
    edit(project, "{title: The end, for: 1}", "{title: The end, for: 1}\n      - {still: end.png, for: 1}")
    assert clipform(project, "report", "film", "--sheet", "film.png").returncode == 0
    with Image.open(project / "film.png") as sheet:
        colors = {color for _, color in sheet.convert("RGB").getcolors(1 << 20) or ()}
    assert (255, 0, 0) in colors
    assert GROUND not in colors  # no piece is without a picture
