"""What an edit costs in the clips that follow it: shown before it is bought, in every form of a plan."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.project.model import Choice
from reconciler.project.workspace import Workspace
from reconciler.views.format import heavy_line
from tests.cli.in_process import clipform
from tests.media.cut import numbered

CHAIN = ("a", "b", "c", "d", "e", "f")
PROJECT = """version: 1
providers:
  studio: {kind: ark, api_key: "${env.STUDIO_KEY}", prices: [{model: "*", per_clip: 0.5}]}
budget: {currency: USD}
defaults: {provider: studio, model: doubao-seedance-1-0-pro-250528, duration: 5}
clips:
  a: {prompt: shot a}
  b: {prompt: shot b, first_frame: "${clips.a.last_frame}"}
  c: {prompt: shot c, first_frame: "${clips.b.last_frame}"}
  d: {prompt: shot d, first_frame: "${clips.c.last_frame}"}
  e: {prompt: shot e, first_frame: "${clips.d.last_frame}"}
  f: {prompt: shot f, first_frame: "${clips.e.last_frame}"}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain of six clips, each of which has its video."""
    tmp_path = tmp_path_factory.mktemp("made")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(PROJECT, encoding="utf-8")
    for number, name in enumerate(CHAIN):
        source = numbered.film(tmp_path / f"{number}.mp4", 100 * number, 12)
        run = clipform(folder, "import", name, "--file", str(source))
        assert run.returncode == 0, run.stderr
    assert clipform(folder, "apply", "--yes").returncode == 0
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "project", copy_function=shutil.copy2))


def change(project: Path, before: str, after: str) -> None:
    """Edit the project."""
    text = (project / "clipform.yaml").read_text(encoding="utf-8")
    assert before in text
    (project / "clipform.yaml").write_text(text.replace(before, after), encoding="utf-8")


def planned(project: Path) -> Mapping[str, object]:
    """Return the plan as programs read it."""
    document: Mapping[str, object] = json.loads(clipform(project, "plan", "--json").stdout)
    return document


def test_an_edit_at_the_head_says_what_follows_it_and_for_how_much(project: Path) -> None:
    assert "cascades" not in planned(project)
    change(project, "shot a", "another a")
    cost = {"amount": "2.50", "currency": "USD", "unpriced": 0}
    assert planned(project)["cascades"] == [{"cause": "a", "clips": list("bcdef"), "cost": cost}]
    line = "a changes; 5 clips follow it: +2.50 USD"
    assert line in clipform(project, "plan").stdout
    assert line in clipform(project, "plan", "--markdown").stdout


def test_a_clip_that_is_edited_itself_is_a_cause_and_does_not_follow(project: Path) -> None:
    change(project, "shot a", "another a")
    change(project, "shot d", "another d")
    cascades = planned(project)["cascades"]
    assert isinstance(cascades, list)
    assert [(each["cause"], each["clips"]) for each in cascades] == [("a", ["b", "c"]), ("d", ["e", "f"])]


def test_a_chain_that_is_longer_than_the_project_likes_is_a_warning(project: Path) -> None:
    change(project, "defaults: {", "defaults: {chain_warning: 6, ")
    assert "long-chain" not in str(planned(project))
    change(project, "chain_warning: 6", "chain_warning: 5")
    shown = clipform(project, "plan").stderr
    assert "f is the last of 6 clips that are made from one another" in shown
    assert "an edit of a buys all of them again" in shown


@pytest.mark.parametrize(("edited", "sentence"), [("a", "5 clips follow it: +2.50 USD"), ("e", "")])
def test_the_question_says_so_if_most_of_the_cost_only_follows(project: Path, edited: str, sentence: str) -> None:
    change(project, f"shot {edited}", f"another {edited}")
    workspace = Workspace(project, SystemClock(), {})
    line = heavy_line(workspace.plan(Choice(), workspace.load()).plan)
    assert sentence in line
    assert bool(line) == bool(sentence)
