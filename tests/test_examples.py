"""Each folder in `examples/` is planned and applied with the draft provider, as the README tells a newcomer to do."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from reconciler.cli.app import main
from reconciler.media.mp4 import read_mp4
from reconciler.spec.schema import json_schema

EXAMPLES = Path(__file__).parent.parent / "examples"
FREE = ("quickstart", "storyboard")


@pytest.fixture(params=FREE)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    target = tmp_path / request.param
    ignored = shutil.ignore_patterns("state", "renders", "drafts", "clipform.lock")
    shutil.copytree(EXAMPLES / request.param, target, ignore=ignored)
    file = target / "clipform.yaml"
    before = file.read_text(encoding="utf-8")
    small = before.replace("defaults:\n", "defaults:\n  resolution: 480p\n")
    assert before != small
    file.write_text(small, encoding="utf-8")
    for each in (file, *target.glob("shots/*.yaml")):  # seconds that are drawn in a tenth of the time
        each.write_text(re.sub(r"duration: \d", "duration: 1", each.read_text(encoding="utf-8")), encoding="utf-8")
    return target


def run(project: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, object]]]:
    code = main(["-C", str(project), "--json", *arguments])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_an_example_is_made_whole_as_asked_and_then_there_is_nothing_to_do(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, [planned] = run(project, capsys, "plan")
    assert code == 0
    actions = planned["actions"]
    assert isinstance(actions, list) and all(action["action"] == "create" for action in actions)

    code, lines = run(project, capsys, "apply", "--yes")
    assert code == 0 and lines[-1]["event"] == "ended"

    code, _ = run(project, capsys, "plan", "--detailed-exitcode")
    assert code == 0
    _, [shown] = run(project, capsys, "plan")
    summary = shown["summary"]
    assert isinstance(summary, dict)
    assert summary["noop"] == len(actions) and sum(summary.values()) == len(actions)
    assert_lengths(project, capsys)


def assert_lengths(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every output is as long as its clip asks for."""
    _, [shown] = run(project, capsys, "status")
    clips = shown["clips"]
    assert isinstance(clips, list)
    outputs = {clip["clip"]: project / clip["output"] for clip in clips if clip["output"]}
    for name, output in outputs.items():
        _, [whole] = run(project, capsys, "show", name)
        takes = whole["takes"]
        assert isinstance(takes, list)
        asked = takes[0]["document"]["params"]["duration"]
        with output.open("rb") as file:
            assert read_mp4(file).duration_ms == asked * 1000, name


def test_the_example_for_a_team_is_valid_and_drawn_without_its_database(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "team"
    shutil.copytree(EXAMPLES / "team", target)
    code, [valid] = run(target, capsys, "validate")
    assert code == 0 and valid["clips"] == 3
    code, [planned] = run(target, capsys, "plan", "--draft")
    assert code == 0 and planned["summary"]["create"] == 3  # type: ignore[index]
    code, [refused] = run(target, capsys, "plan")
    assert code == 4 and "db.example.com" in json.dumps(refused)  # its addresses are asked about first


@pytest.mark.parametrize("name", [*FREE, "film", "team"])
def test_the_schema_beside_an_example_is_the_one_that_the_program_writes(name: str) -> None:
    beside = json.loads((EXAMPLES / name / "clipform.schema.json").read_text(encoding="utf-8"))
    assert beside == json_schema()


def test_every_example_is_listed() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert {folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()} == set(
        re.findall(r"^\| \[`(\w+)`\]", page, re.M)
    )
    for link in re.findall(r"\]\(([^)]+)\)", page):
        assert (EXAMPLES / link).exists(), link
