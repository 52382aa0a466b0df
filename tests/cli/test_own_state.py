"""A state that came with a project counts for nothing: neither one that git tracks nor one that links elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.in_process import clipform

SPEC = "version: 1\nclips:\n  hero: {prompt: a lamp, duration: 1, resolution: 480p, output: OUT}\n"


def git(folder: Path, *words: str) -> None:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@invalid", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def write(folder: Path, output: str = "renders/hero.mp4") -> None:
    (folder / "clipform.yaml").write_text(SPEC.replace("OUT", output), encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a video at a path that its state claims; the state is not tracked."""
    folder = tmp_path / "film"
    folder.mkdir()
    git(folder, "init", "-q")
    write(folder, "src/main.mp4")
    (folder / "receipts.md").write_text("state of the art", encoding="utf-8")
    assert clipform(folder, "apply", "--yes").returncode == 0
    return folder


@pytest.mark.parametrize("version", ["2", "4"])
def test_a_committed_state_removes_and_sends_nothing(project: Path, version: str) -> None:
    git(project, "add", "-f", "state", "receipts.md")
    git(project, "update-index", "--index-version", version)
    write(project, "elsewhere.mp4")  # now the state says that src/main.mp4 is to be moved
    for command in (["plan"], ["apply", "--yes"], ["recover"], ["history"], ["destroy", "--yes"], ["gc", "--yes"]):
        result = clipform(project, *command)
        assert (result.returncode, "git tracks state/" in result.stderr) == (1, True), (command, result)
        assert "git rm -r --cached state" in result.stderr
    assert (project / "src" / "main.mp4").exists()
    git(project, "rm", "-q", "-r", "--cached", "state")
    assert clipform(project, "apply", "--yes").returncode == 0
    assert not (project / "src" / "main.mp4").exists()


def test_an_index_without_the_state_is_no_obstacle(project: Path) -> None:
    git(project, "add", "clipform.yaml", "receipts.md")
    assert clipform(project, "plan").returncode == 0


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("show", "hero")])
def test_git_is_asked_once_for_a_command(
    command: tuple[str, ...], project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the index may name the state, as one of version 4 may."""
    git(project, "add", "receipts.md")
    git(project, "update-index", "--index-version", "4")
    tools, log, real = tmp_path / "tools", tmp_path / "log", shutil.which("git")
    tools.mkdir()
    (tools / "git").write_text(f'#!/bin/sh\necho "$@" >> "{log}"\nexec {real} "$@"\n', encoding="utf-8")
    (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    assert clipform(project, *command).returncode == 0
    assert log.read_text(encoding="utf-8").count("ls-files") == 1


@pytest.mark.parametrize("linked", ["state", "state/objects", "state/clipform.db", "state/receipts", "clipform.lock"])
def test_a_link_out_of_the_project_is_refused_and_nothing_is_written_through_it(linked: str, tmp_path: Path) -> None:
    folder, away = tmp_path / "film", tmp_path / "away"
    for path in (folder / "state", away):
        path.mkdir(parents=True)
    write(folder)
    if linked == "state":
        (folder / "state").rmdir()
    (folder / linked).symlink_to(away if linked in ("state", "state/objects") else away / "file")
    for command in (["plan"], ["apply", "--yes"], ["recover"]):
        result = clipform(folder, *command)
        assert (result.returncode, f"{linked} is a link" in result.stderr) == (1, True), result
    assert list(away.iterdir()) == []
