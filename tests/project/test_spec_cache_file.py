"""The file `state/specs`: when it is written, what is in it, what becomes of a bad one, what never comes from it."""

from __future__ import annotations

import gc
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.diagnostics import ClipformError
from reconciler.plan.model import Wanted
from reconciler.project import program
from reconciler.project.model import Choice
from reconciler.project.spec_rows import Unit, decoded, encoded
from reconciler.project.workspace import Workspace
from reconciler.records import Artifact, Binding, Generation
from reconciler.spec import load
from reconciler.spec.problems import Problems
from reconciler.spec.project import Clip
from reconciler.spec.reader import Node
from reconciler.state.store import Store
from tests.cli.in_process import clipform
from tests.project.spec_world import World, warm, world

__all__ = ["world"]

FILE = "state/specs"


def rewritten(path: Path, *lines: object) -> None:
    """Write a cache file whose digest is right and whose content is another."""
    body = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())


def entries(path: Path) -> dict[str, object]:
    *lines, _ = path.read_bytes().splitlines()
    return {name: value for name, value in map(json.loads, lines)}


def test_what_was_read_to_make_rows_is_not_kept(world: World) -> None:
    """Of ten thousand clips that would be a third of all memory."""
    (world.root / FILE).unlink(missing_ok=True)
    workspace = world.workspace()
    others = [each for each in gc.get_objects() if isinstance(each, Clip)]  # of other tests
    loaded = workspace.recall()
    assert len([each for each in gc.get_objects() if isinstance(each, Clip)]) <= len(others)
    assert loaded.wanted and loaded.project.clips


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-7]),
        lambda path: path.write_bytes(path.read_bytes()[:500]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes().replace(b"by night", b"in light")),
        lambda path: path.write_bytes(os.urandom(4096)),
        lambda path: rewritten(path, []),
        lambda path: rewritten(path, {"shots/one.yaml": {}, "shots/two.yaml": {}}),
        lambda path: rewritten(path, [["shots/one.yaml"], {}]),
        lambda path: rewritten(path, *([name, None] for name in entries(path))),
        lambda path: rewritten(path, *([name, {"key": "of another release", "wanted": 1}] for name in entries(path))),
        lambda path: path.unlink(),
    ],
    ids=[
        "cut",
        "cut early",
        "empty",
        "changed",
        "noise",
        "a list",
        "a map",
        "a list as name",
        "nulls",
        "newer",
        "deleted",
    ],
)
def test_a_bad_file_is_ignored_and_replaced(world: World, damage: object) -> None:
    before, path = warm(world), world.root / FILE
    sound = path.read_bytes()
    damage(path)  # type: ignore[operator]  # one of the above
    assert world.recalled() == (before, False)
    assert path.read_bytes() == sound
    assert world.recalled() == (before, True)


def test_a_link_in_the_state_is_refused_as_before(world: World) -> None:
    warm(world)
    path = world.root / FILE
    path.rename(world.root / "elsewhere")
    path.symlink_to(world.root / "elsewhere")
    with pytest.raises(ClipformError, match="state/specs is a link"):
        world.workspace().recall()


def test_a_folder_in_its_place_is_no_obstacle(world: World) -> None:
    before = warm(world)
    (world.root / FILE).unlink()
    (world.root / FILE).mkdir()
    assert world.recalled() == (before, False)


def test_without_a_state_nothing_is_written(world: World) -> None:
    (world.root / "state").rmdir()
    before = sorted(world.root.rglob("*"))
    for _ in range(2):
        assert world.recalled() == (world.plain(), False)
    assert sorted(world.root.rglob("*")) == before


def test_a_broken_project_writes_nothing(world: World) -> None:
    world.edit("shots/one.yaml", "b by night", 'b", duration: "soon')
    assert world.recalled() == (world.plain(), False)
    assert not (world.root / FILE).exists()


def test_it_has_no_value_of_the_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.env |= {"HOST": "value-of-host.example.com", "ARK_KEY": "value-of-key"}
    world.edit("clipform.yaml", "    env:", "    api_key: ${env.ARK_KEY}\n    env:")
    warm(world)
    assert b"value-of" not in (world.root / FILE).read_bytes()
    world.env |= {"HOST": "other.example.com"}
    assert world.recalled() == (world.plain(), True)


def test_units_of_files_that_are_gone_go_with_the_next_write(world: World) -> None:
    warm(world)
    (world.root / "shots/one.yaml").unlink()
    world.write("shots/four.yaml", "clips: {h: {prompt: h}, i: {prompt: i}}\n")
    world.recalled()
    assert {name for name in entries(world.root / FILE) if name} == {
        "shots/two.yaml",
        "shots/three.yaml",
        "shots/four.yaml",
    }


def test_only_what_changed_is_parsed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    warm(world)
    parse, names = load.read, set[str]()

    def noted(name: str, data: bytes, problems: Problems) -> Node | None:
        names.add(name)
        return parse(name, data, problems)

    monkeypatch.setattr(load, "read", noted)
    world.edit("shots/three.yaml", "rain", "snow")
    workspace = world.workspace()
    plan = workspace.plan(Choice(("a+", "tag:t")), workspace.recall()).plan
    assert {step.clip for step in plan.steps} == {"a", "g"}
    always = {"clipform.yaml", "shared/house.yaml", "shots/rows.yaml"}  # the project, its module, and rows of a table
    assert names == always | {"shots/three.yaml"}


def test_clips_are_read_when_one_is_asked_for(world: World) -> None:
    warm(world)
    loaded, whole = world.workspace().recall(), world.workspace().load()
    assert loaded.rows is not None
    assert [*loaded.project.clips] == [*whole.project.clips]
    assert [*loaded.orders] == [*whole.orders]
    changed = world.workspace().recall()
    world.edit("shots/one.yaml", "by night", "by day")
    with pytest.raises(ClipformError, match="changed while it was read"):
        len(changed.orders)


def test_what_is_bought_comes_from_the_files_and_not_from_rows(tmp_path: Path) -> None:
    (tmp_path / "clipform.yaml").write_text("version: 1\ninclude: [a.yaml]\n")
    (tmp_path / "a.yaml").write_text("clips: {a: {prompt: mist, duration: 1, resolution: 480p}}\n")
    (tmp_path / "state").mkdir()
    assert clipform(tmp_path, "plan").returncode == 0
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes().replace(b"mist", b"lies"))
    rewritten(path, *entries(path).items())
    assert "lies" in clipform(tmp_path, "plan").stdout  # it believes a row whose digest is right
    true = Workspace(tmp_path, SystemClock(), {}).load().orders[0].wanted
    assert clipform(tmp_path, "apply", "--yes").returncode == 0
    with Store.read(tmp_path / "state", SystemClock().now) as store:  # type: ignore[union-attr]  # it exists
        [generation] = store.snapshot().generations.values()
    assert (generation.key, generation.document) == (true.key, true.document)
    assert "mist" in generation.document


def test_a_text_of_rows_and_of_records_is_in_memory_once(world: World) -> None:
    warm(world)
    sha256 = "ab" * 32
    with Store.open(world.root / "state", world.clock.now) as store:
        for w in world.workspace().load().wanted:
            made = {"provider": w.provider, "kind": w.kind, "model": w.model}
            store.adopt(Generation(w.key, sha256, w.document, **made), Artifact(sha256, 1, ".mp4"), w.clip)  # type: ignore[arg-type]  # texts
            store.desk.bind(Binding(w.clip, w.take, w.key, w.output, w.document))
    workspace = world.workspace()
    rows, records = workspace.recall().wanted, workspace.snapshot(False)
    assert len(rows) == len(records.bindings) > 5
    for w in (w for w in rows if w.kind != "cut"):  # films are few
        generation, bound = records.generations[w.key], records.bindings[w.clip, w.take]
        assert w.clip is bound.clip and w.output is bound.output
        assert w.key is generation.key is bound.key
        assert w.document is generation.document is bound.document


def test_the_program_is_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    stamps = [program.seen(str(tmp_path))]
    for change in (
        lambda: (tmp_path / "a.py").write_text("2"),
        lambda: (tmp_path / "b.yaml").write_text("3"),
        lambda: (tmp_path / "b.yaml").rename(tmp_path / "c.yaml"),
    ):
        change()
        stamps.append(program.seen(str(tmp_path)))
    assert len({*stamps}) == 4


@pytest.mark.parametrize("signs", ["", "`", "`~^|", '"', "\\"])
def test_a_document_is_read_as_it_was(signs: str) -> None:
    document = json.dumps({"prompt": f"a lamp {signs}", "recipe": "v1"})
    take = Wanted("lamp", 1, "v1:aa", document, "studio", "ark", "m", takes=2, tags=("t",), tier="flex")
    unit = Unit("k", {}, {}, ["renders/lamp.mp4"], (take, replace(take, take=2)), ((), ()), {"lamp": 3}, {})
    assert decoded(json.loads(json.dumps(encoded(unit)))) == unit
