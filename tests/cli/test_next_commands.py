"""A printed command, pasted into a shell, acts on the project and the mode that printed it, and runs nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.in_process import clipform

CLIP = "{prompt: a lamp, duration: 1, resolution: 480p}"


def project(folder: Path, clips: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clipform.yaml").write_text(f"version: 1\nclips:\n  {clips}\n", encoding="utf-8")
    return folder


def paste(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line in `sh`, where `clipform` is this program."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "clipform").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n', encoding="utf-8")
    (tools / "clipform").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    shell = ["sh", "-c", line]
    return subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)


def next_lines(result: subprocess.CompletedProcess[str]) -> list[str]:
    lines = (result.stdout + result.stderr).splitlines()
    return list(dict.fromkeys(line.partition("next: ")[2] for line in lines if "next: " in line))


@pytest.mark.parametrize("mode", [(), ("--draft",)])
def test_a_command_printed_in_an_inner_project_leaves_the_outer_one_alone(tmp_path: Path, mode: tuple[str]) -> None:
    outer = project(tmp_path / "outer", f"hero: {CLIP}")
    inner = project(outer / "a film", f"hero: {CLIP}")
    output = "drafts/renders/hero.mp4" if mode else "renders/hero.mp4"
    for folder in (outer, inner):
        (folder / output).parent.mkdir(parents=True)
        (folder / output).write_text("mine", encoding="utf-8")

    plan = clipform(outer, "-C", "a film", "plan", *mode)
    [line] = next_lines(plan)
    assert ("--draft" in line) == bool(mode)
    pasted = paste(outer, line.replace("--force", "--yes --force"))

    assert pasted.returncode == 0, pasted.stderr
    assert (outer / output).read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in (outer / output).parent.iterdir()) == ["hero.mp4"]
    assert sorted(path.name for path in (inner / output).parent.iterdir()) == ["hero.kept-1.mp4", "hero.mp4"]
    assert not (outer / "state").exists()


@pytest.mark.parametrize("value", ["x;touch pwned;", "x&touch pwned&", "`touch pwned`", "a'b;touch pwned;'", "-C/"])
def test_a_matrix_value_is_inert_in_a_pasted_command(tmp_path: Path, value: str) -> None:
    folder = project(
        tmp_path / "film", f"hero: {{prompt: a lamp, matrix: {{a: [{json.dumps(value)}]}}, output: out.mp4}}"
    )
    (folder / "out.mp4").write_text("mine", encoding="utf-8")

    [line] = next_lines(clipform(folder, "plan"))
    pasted = paste(folder, line.replace("apply --force", "plan"))

    assert pasted.returncode == 0, pasted.stderr
    assert "1 blocked" in pasted.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["clipform.yaml", "out.mp4"]


def test_a_saved_plan_of_drafts_prints_commands_for_drafts(tmp_path: Path) -> None:
    folder = project(tmp_path / "film", f"hero: {CLIP}")
    (folder / "drafts" / "renders").mkdir(parents=True)
    (folder / "drafts" / "renders" / "hero.mp4").write_text("mine", encoding="utf-8")
    clipform(folder, "plan", "--draft", "--out", "saved.plan")

    lines = next_lines(clipform(folder, "apply", "saved.plan"))

    assert [line.partition("  #")[0] for line in lines] == ["clipform apply --draft --force hero"]


def test_init_names_the_folder_that_it_wrote(tmp_path: Path) -> None:
    assert "Next: cd 'a film' && clipform apply\n" in clipform(tmp_path, "init", "a film").stdout
