"""A project whose drafts are made, and a gallery of it in this process, with somebody who takes note of the clicks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.cli.app import main
from reconciler.clock import SystemClock
from reconciler.gallery.server.server import Gallery, GalleryOptions
from reconciler.project.model import Choice, Planned
from reconciler.project.workspace import Workspace
from tests.gallery.server.kit import Browser

SPEC = """\
version: 1
providers:
  studio: {kind: ark, api_key: "${env.ARK_API_KEY}", prices: [{model: "*", per_clip: 0.50}]}
budget: {currency: USD}
defaults: {duration: 1, resolution: 480p, ratio: 1:1}
clips:
  sun: {prompt: mist at sunrise, takes: 2, first_frame: lamp.png}
  sea: {prompt: waves, first_frame: "${clips.sun.last_frame}"}
  hero: {prompt: a lamp, provider: studio, model: doubao-seedance-1-0-pro-250528, duration: 5, ratio: 16:9}
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f6178e"
    "c10000000049454e44ae426082"
)


@dataclass
class Clicked:
    """A watch that only takes note."""

    asked: list[tuple[tuple[str, ...] | None, frozenset[tuple[str, int]]]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    takes: bool = True

    def apply(self, clips: tuple[str, ...] | None, steps: frozenset[tuple[str, int]], mark: str) -> bool:
        self.asked.append((clips, steps))
        return self.takes

    def skip(self) -> None:
        self.said.append("skip")

    def stop(self) -> bool:
        self.said.append("stop")
        return self.takes


@dataclass
class Site:
    """A project, its gallery, and whoever looks."""

    folder: Path
    gallery: Gallery
    clicked: Clicked
    browser: Browser
    workspace: Workspace

    def look(self, old: str = "", new: str = "") -> Planned:
        """What a watch does after an edit."""
        file = self.folder / "clipform.yaml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
        planned = self.workspace.plan(Choice(), self.workspace.load())
        self.gallery.refreshed(planned)
        return planned


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, its drafts made; to be copied."""
    folder = tmp_path_factory.mktemp("web") / "aurora"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    (folder / "lamp.png").write_bytes(PNG)
    assert main(["-C", str(folder), "--json", "apply", "--yes", "sun", "sea"]) == 0
    return folder


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Iterator[Site]:
    """A gallery that has looked once."""
    with a_site(made, tmp_path / "aurora") as found:
        yield found


@pytest.fixture(scope="module")
def shared(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same for tests that change nothing."""
    with a_site(made, tmp_path_factory.mktemp("shared") / "aurora") as found:
        yield found


@contextmanager
def a_site(made: Path, folder: Path) -> Iterator[Site]:
    """A copy of the project, and its gallery."""
    shutil.copytree(made, folder)
    workspace = Workspace(folder, SystemClock(), {"ARK_API_KEY": "a-secret-of-the-vendor"})
    clicked = Clicked()
    with Gallery(GalleryOptions(workspace, Choice(), 0), clicked) as gallery, Browser(gallery.url) as browser:
        found = Site(folder, gallery, clicked, browser, workspace)
        found.look()
        yield found
