"""`plan --since REV` compares with the revision's specs, whatever the records hold; its actions are those of apply."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.app import main

SPEC = "version: 1\ndefaults: {duration: 1, ratio: 1:1}\nclips:\n  hero: {prompt: a red lamp}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with one clip, whose prompt was edited and applied since."""
    write(tmp_path, SPEC)
    (tmp_path / ".gitignore").write_text("/state/\n/renders/\n", encoding="utf-8")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True)
    write(tmp_path, SPEC.replace("red", "green"))
    assert main(["-C", str(tmp_path), "--json", "apply", "--yes"]) == 0
    return tmp_path


def write(folder: Path, spec: str) -> None:
    (folder / "clipform.yaml").write_text(spec, encoding="utf-8")


def plan(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["-C", str(folder), "--json", "plan", "--detailed-exitcode", *words]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def changes(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(c["field"], c["before"], c["after"]) for action in document["actions"] for c in action["changes"]]


def test_since_shows_an_edit_that_was_applied(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, since = plan(project, capsys), plan(project, capsys, "--since", "HEAD")
    assert changes(plain) == [] and changes(since) == [("prompt", "a red lamp", "a green lamp")]
    assert since["summary"] == plain["summary"] and since["digest"] == plain["digest"]
    assert main(["-C", str(project), "plan", "--since", "HEAD"]) == 0
    assert "a [-red-]{+green+} lamp" in capsys.readouterr().out
    assert main(["-C", str(project), "plan", "--since", "HEAD", "--markdown"]) == 0
    assert "a [-red-]{+green+} lamp" in capsys.readouterr().out


def test_since_compares_with_the_revision_although_a_record_is_newer(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, SPEC.replace("red", "blue"))
    plain, since = plan(project, capsys, code=2), plan(project, capsys, "--since", "HEAD", code=2)
    assert changes(plain) == [("prompt", "a green lamp", "a blue lamp")]
    assert changes(since) == [("prompt", "a red lamp", "a blue lamp")]
    assert since["digest"] == plain["digest"]


def test_since_says_that_a_clip_is_as_at_the_revision_or_not_in_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, SPEC + "  new: {prompt: a chair}\n")
    hero, new = plan(project, capsys, "--since", "HEAD", code=2)["actions"]
    assert (hero["action"], hero["changes"], hero["detail"]) == ("replace", [], "as at HEAD")
    assert (new["action"], new["changes"], new["detail"]) == ("create", [], "not in HEAD")


@pytest.mark.parametrize("is_applied", [False, True], ids=["to apply", "applied"])
def test_since_shows_a_rename(project: Path, is_applied: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the lock file has the new name and nothing is to do."""
    write(project, SPEC)
    assert main(["-C", str(project), "--json", "apply", "--yes"]) == 0
    write(project, SPEC.replace("hero", "lead"))
    if is_applied:
        assert main(["-C", str(project), "--json", "apply", "--yes"]) == 0
    since = plan(project, capsys, "--since", "HEAD", code=0 if is_applied else 2)
    [lead] = since["actions"]
    assert lead["action"] == ("noop" if is_applied else "move")
    assert changes(since) == [("name", "hero", "lead"), ("output", "renders/hero.mp4", "renders/lead.mp4")]
    for form in ("plan", "--since", "HEAD"), ("plan", "--since", "HEAD", "--markdown"):
        assert main(["-C", str(project), *form]) == 0
        assert "renamed from hero" in capsys.readouterr().out


def test_since_shows_an_output_that_moved_and_clips_that_swapped_names(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, SPEC.replace("red lamp", "red lamp, output: renders/far.mp4"))
    assert ("output", "renders/hero.mp4", "renders/far.mp4") in changes(
        plan(project, capsys, "--since", "HEAD", code=2)
    )
    write(project, SPEC + "  lead: {prompt: a chair}\n")
    for words in (["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "two"]):
        subprocess.run(["git", "-C", str(project), *words], check=True, capture_output=True)
    write(project, SPEC.replace("red lamp", "chair") + "  lead: {prompt: a red lamp}\n")
    since = plan(project, capsys, "--since", "HEAD", code=2)
    assert [(action["clip"], action["detail"]) for action in since["actions"]] == [
        ("hero", "renamed from lead"),
        ("lead", "renamed from hero"),
    ]


def test_since_says_which_take_is_picked_now(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, SPEC.replace("red lamp", "red lamp, takes: 2"))
    for words in (["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "two"]):
        subprocess.run(["git", "-C", str(project), *words], check=True, capture_output=True)
    write(project, SPEC.replace("red lamp", "red lamp, takes: 2, pick: 2"))
    assert changes(plan(project, capsys, "--since", "HEAD", code=2)) == [("pick", 1, 2)]


def test_a_copy_of_a_clip_is_not_a_rename(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, SPEC + "  twin: {prompt: a red lamp}\n")
    _, twin = plan(project, capsys, "--since", "HEAD", code=2)["actions"]
    assert (twin["changes"], twin.get("detail")) == ([], None)
