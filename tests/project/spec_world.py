"""A project of several spec files, and its answers with `state/specs` and without."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.diagnostics import ClipformError
from reconciler.project import workspace as workspace_module
from reconciler.project.model import Choice, Loaded
from reconciler.project.spec_cache import SpecCache
from reconciler.project.workspace import Workspace
from reconciler.spec.project import NO_OVERLAY, ProjectOverlay
from reconciler.views.ndjson import JsonView
from reconciler.views.status import status
from reconciler.views.terminal.view import HumanView
from tests.project.desk import picture

MAIN = """\
version: 1
include: [shots/*.yaml]
use: [shared/house.yaml]
vars: {place: harbour}
providers:
  studio:
    kind: ark
    base_url: https://${env.HOST}
    env: [HOST]
    prices: [{model: "*", per_second: 0.10, until: 2026-11-30}, {model: "*", per_second: 0.20}]
  other: {kind: ark, base_url: "https://other.example.com"}
budget: {currency: USD}
looks: {dark: {prompt: low light}, wide: {prompt: wide angle, avoid: people}}
defaults: {provider: studio, model: doubao-seedance-1-5-pro-251215, resolution: 720p, ratio: 16:9, duration: 5}
cuts:
  film: {sequence: [{clip: c, out: 2}, {clip: "e[lang=en]"}], output: film.mp4}
"""
ONE = """\
clips:
  a: {prompt: "a at the ${vars.place}", first_frame: "${clips.c.last_frame}"}
  b: {prompt: "b by night", use: [wide]}
"""
TWO = """\
vars: {place: station}
clips:
  c: {prompt: "c at the ${vars.place}", takes: 2, use: [house]}
  d: {prompt: "d in {dark}", use: [dark], first_frame: in.png}
  e: {matrix: {lang: [en, zh, es, ja], exclude: [{lang: es}, {lang: ja}]}, prompt: "signs in ${matrix.lang}"}
"""
THREE = """\
clips:
  f: {prompt: f in fog, model: doubao-seedance-1-0-pro-250528, output: renders/deep.mp4/f.mp4, provider: other}
  g: {prompt: g in rain, tags: [t], protect: yes, model: doubao-seedance-1-5-pro-251215}
"""
TABLE = """\
clips:
  row: {rows: shots/table.csv, name: "row-{id}", prompt: "{prompt}"}
"""


class Calendar(SystemClock):
    """A clock that says the same time until it is set."""

    time = 1_793_000_000.0  # 2026-10-26

    def now(self) -> float:
        return self.time


@dataclass
class World:
    """A project on disk, and what an invocation is given beside it."""

    root: Path
    patch: pytest.MonkeyPatch
    clock: Calendar = field(default_factory=Calendar)
    env: dict[str, str] = field(default_factory=lambda: {"HOST": "ark.example.com"})
    overlay: ProjectOverlay = NO_OVERLAY

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def workspace(self) -> Workspace:
        return Workspace(self.root, self.clock, self.env, self.overlay)

    def recalled(self, draft: bool = False) -> tuple[str, bool]:
        """Return the answer with the cache, and whether units of it were used."""
        caches: list[SpecCache] = []

        class Noted(SpecCache):
            def save(self) -> None:
                super().save()
                caches.append(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(workspace_module, "SpecCache", Noted)
            text = answer(self.workspace(), lambda workspace: workspace.recall(draft), draft)
        return text, any(cache.units for cache in caches)

    def plain(self, draft: bool = False) -> str:
        """Return the answer without the cache."""
        return answer(self.workspace(), lambda workspace: workspace.load(draft), draft)


def answer(workspace: Workspace, load: Callable[[Workspace], Loaded], draft: bool) -> str:
    """Return the output of plan, status and validate, in both forms, and the takes as they are planned with."""
    out = io.StringIO()
    views = (HumanView(out, out, no_color=True, now=lambda: 0.0), JsonView(out))
    try:
        loaded = load(workspace)
        planned = workspace.plan(Choice(draft=draft), loaded)
    except ClipformError as error:
        for view in views:
            view.error(error)
        return out.getvalue()
    for view in views:
        view.plan(planned.plan)
        view.status(status(planned, workspace.clock.now()))
        view.valid(len({w.clip for w in loaded.wanted}), len(loaded.wanted), len(loaded.project.files), loaded.warnings)
    return out.getvalue() + "\n".join(map(repr, (*loaded.wanted, planned.plan)))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path, monkeypatch)
    for name, text in {"clipform.yaml": MAIN, "shots/one.yaml": ONE, "shots/two.yaml": TWO}.items():
        world.write(name, text)
    world.write("shots/three.yaml", THREE)
    world.write("shots/rows.yaml", TABLE)
    world.write("shared/house.yaml", "looks: {house: {prompt: soft grain}}\nprices: {ark: [{per_clip: 9}]}\n")
    world.write("shots/table.csv", "id,prompt\n1,the mole\n")
    (tmp_path / "state").mkdir()
    picture(tmp_path / "in.png", 1)
    return world


def warm(world: World) -> str:
    """Return the answer without the cache, and require the same one by its rows."""
    before = world.plain()
    assert world.recalled() == (before, False)
    assert world.recalled() == (before, True)
    return before
