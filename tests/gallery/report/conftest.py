"""A small project, made once with the draft provider, and copies of it that a test may do with as it likes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reconciler.cli.app import main

SPEC = """\
version: 1
defaults: {duration: 1, resolution: 480p, ratio: 1:1}
clips:
  hero: {prompt: "a lamp, slow push-in", first_frame: lamp.png, takes: 2, pick: 2}
  old: {prompt: mist over mountains}
  same: {prompt: city at night, first_frame: "${clips.hero.last_frame}"}
  __proto__: {prompt: "it's </script><b> \\\\ \u96e8", tags: [odd]}
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "aurora"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    Image.new("RGB", (64, 64), (200, 40, 30)).save(folder / "lamp.png")
    assert main(["-C", str(folder), "--json", "apply", "--yes"]) == 0
    assert main(["-C", str(folder), "--json", "report"]) == 0  # the pictures are in the cache from now on
    shutil.rmtree(folder / "report")
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy with its state. Times are kept, so that nothing needs to be hashed again."""
    folder = tmp_path / "aurora"
    shutil.copytree(made, folder, symlinks=True)
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "clipform.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def git(folder: Path, *arguments: str) -> str:
    """Git without anything that this machine says about git."""
    identity = {f"GIT_{role}_{part}": "t@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **identity}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=env, check=True, capture_output=True, text=True, timeout=100
    )
    return done.stdout


def committed(folder: Path, *ignored: str) -> Path:
    """The project as the first commit of a repository."""
    (folder / ".gitignore").write_text("".join(f"{line}\n" for line in ("/state/", "/report/", *ignored)))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=first")
    return folder


def data(report: Path) -> dict[str, Any]:
    """What a report's script holds, read as JavaScript would."""
    text = (report / "data.js").read_text(encoding="ascii")
    before, after = "window.CLIPFORM = JSON.parse('", "');\n"
    assert text.startswith(before) and text.endswith(after)
    inside = text[len(before) : -len(after)].replace("\\'", "'").replace("\\\\", "\\")
    found: dict[str, Any] = json.loads(inside)
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
