"""A small finished project, and its commands with and without the seal, in this process."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest
from PIL import Image

from reconciler import seal
from reconciler.cli.app import main
from tests.cli.in_process import clipform
from tests.reliability.simulator.videos import tiny

SPECS = {
    "clipform.yaml": """\
version: 1
include: [clips/*.yaml, "more/**/*.yaml"]
use: [shared/*.yaml]
providers:
  studio: {kind: ark, base_url: "https://${env.SEAL_HOST}", env: [SEAL_HOST], api_key: "${env.SEAL_KEY}"}
defaults: {duration: 1, resolution: 480p}
cuts: {film: {sequence: [{clip: hero}, {clip: pair}]}}
""",
    "clips/a.yaml": """\
clips:
  hero: {prompt: a lamp, first_frame: assets/lamp.png, last_frame: assets/last.png}
  pair: {prompt: two gulls, takes: 2, use: [dusk]}
  shot: {rows: clips/shots.csv, name: "shot-{id}", prompt: "{prompt}"}
""",
    "shared/house.yaml": "looks: {dusk: {prompt: at dusk}}\n",
    "clips/shots.csv": "id,prompt\n1,a pier\n",
}
Printed = tuple[int | None, str, str]
Program = Callable[..., Printed]


def make(folder: Path) -> None:
    """Write the project; its videos are imported, because that is faster than to draw them."""
    for name, text in SPECS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "assets").mkdir()
    for name, colour in (("day.png", "teal"), ("dusk.png", "navy"), ("last.png", "white")):
        Image.new("RGB", (64, 36), colour).save(folder / "assets" / name)
    (folder / "assets" / "lamp.png").symlink_to("day.png")
    for number, words in enumerate((["hero"], ["pair"], ["pair", "--take", "2"], ["shot-1"]), 1):
        (folder / "cut.mp4").write_bytes(tiny(number))
        assert clipform(folder, "import", *words, "--file", "cut.mp4").returncode == 0
    (folder / "cut.mp4").unlink()
    assert clipform(folder, "apply", "--yes").returncode == 0


class Film:
    """One copy of the project. `seen` counts the answers that came from a seal."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.root, self.capture, self.seen = root, capture, 0

    def whole(self, *words: str) -> Printed:
        """Run the whole program; it knows no seal."""
        return self._run(lambda: main(list(words)))

    def front(self, *words: str) -> Printed:
        """Ask the seal, and then the program, as the front door does."""
        return self._run(lambda: self._answer(list(words)))

    def _answer(self, words: list[str]) -> int:
        sys.argv[1:] = words
        code = seal.answer(words)
        self.seen += code is not None
        return main() if code is None else code

    def _run(self, program: Callable[[], int]) -> Printed:
        self.capture.readouterr()
        with chdir(self.root):
            code = program()
        return (code, *self.capture.readouterr())

    def asked(self, *words: str) -> bool:
        """True if the seal answers."""
        before = self.seen
        self.front(*words)
        return self.seen > before

    def seal(self, *words: str) -> None:
        """Run a plan, and a command, until the seal answers the command."""
        self.front("plan")
        self.front("plan")
        assert self.asked(*words) or self.asked(*words), "no seal"

    def path(self, name: str) -> Path:
        """A file of the project."""
        return self.root / name


def copy(source: Path, target: Path) -> None:
    """Copy a project with its links. Videos are linked: an output is known by its inode too."""

    def one(old: str, new: str) -> None:
        if old.endswith(".mp4"):
            os.link(old, new)
        else:
            shutil.copy2(old, new, follow_symlinks=False)

    shutil.copytree(source, target, symlinks=True, copy_function=one)
    os.utime(target)
