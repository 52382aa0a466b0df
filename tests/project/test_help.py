"""A mistake that newcomers make is answered with what to write. Every case is a row of `help_cases.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.clock import SystemClock
from reconciler.diagnostics import ClipformError, SpecError
from reconciler.project.scan import find_root
from reconciler.project.workspace import Workspace
from reconciler.providers import registry
from reconciler.providers.capabilities import SpokenOverHttp
from reconciler.spec import model
from reconciler.spec.other_names import KEYS, KINDS, declaration
from reconciler.spec.problems import Problems
from reconciler.spec.reader import Fields, read

CASES = yaml.safe_load((Path(__file__).parent / "help_cases.yaml").read_text(encoding="utf-8"))
MODELS = {"clip": model.ClipDecl, "provider": model.Provider, "project": model.ProjectFile, "budget": model.Budget}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("clip") or case["spec"])
def test_a_mistake_is_answered_with_what_to_write(tmp_path: Path, case: Mapping[str, Any]) -> None:
    spec = case.get("spec") or f"{{clips: {{a: {case['clip']}}}}}"
    (tmp_path / "clipform.yaml").write_text(f"{{version: 1, {spec[1:]}", encoding="utf-8")
    for name in case.get("files", ()):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    with pytest.raises(SpecError) as caught:
        Workspace(tmp_path, SystemClock(), {}).load()

    texts = [f"{item.message}\n{item.help}" for item in caught.value.diagnostics if item.code == case["code"]]
    assert any(case["says"] in text for text in texts), caught.value.diagnostics


def test_a_project_file_that_is_gone_is_not_taken_for_its_lock_file(tmp_path: Path) -> None:
    (tmp_path / "clipform.lock").touch()
    with pytest.raises(SpecError) as caught:
        Workspace(tmp_path, SystemClock(), {}).load()
    assert "clipform.lock" not in "".join(f"{item.message} {item.help}" for item in caught.value.diagnostics)


def test_a_path_beside_the_spec_that_names_it_is_found(tmp_path: Path) -> None:
    (tmp_path / "clipform.yaml").write_text("{version: 1, include: [shots/one.yaml]}", encoding="utf-8")
    (tmp_path / "shots").mkdir()
    (tmp_path / "shots" / "one.yaml").write_text("clips: {a: {prompt: x, first_frame: lamp.png}}", encoding="utf-8")
    for folder in ("shots", "others"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "lamp.png").touch()
    with pytest.raises(SpecError) as caught:
        Workspace(tmp_path, SystemClock(), {}).load()
    assert "did you mean shots/lamp.png?" in caught.value.diagnostics[0].message


def test_a_project_file_of_another_name_is_to_be_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clipform.yml").touch()
    for working, folder in ((tmp_path, ""), (tmp_path.parent, f"{tmp_path.name}/")):
        monkeypatch.chdir(working)
        with pytest.raises(ClipformError) as caught:
            find_root(tmp_path)
        assert caught.value.help == f"rename it:\nmv {folder}clipform.yml {folder}clipform.yaml"
    (tmp_path / "clipform.yaml").touch()
    assert find_root(tmp_path) == tmp_path


@pytest.mark.parametrize("sort", KEYS)
def test_the_table_names_fields_that_exist_for_keys_that_do_not(sort: str) -> None:
    fields = MODELS[sort].model_fields
    assert [written for written in KEYS[sort] if written in fields] == []
    assert [other for other in KEYS[sort].values() if " " not in other and other not in fields] == []


def test_the_lines_to_paste_declare_every_kind_that_costs_money() -> None:
    kinds = {name: registry.dialect(name) for name in registry.BUILT_IN if name != "draft"}
    assert {
        name: dialect.credentials[-1] for name, dialect in kinds.items() if isinstance(dialect, SpokenOverHttp)
    } == KINDS
    for kind in KINDS:
        problems = Problems()
        root = read("pasted.yaml", f"providers:\n{declaration(kind)}\n".encode(), problems)
        assert isinstance(root, Fields) and not problems.all()
        assert {"kind", *KINDS[kind]} == set(root.map_at("providers").map_at(kind).entries)


def test_a_few_of_very_many_missing_files_are_looked_for(tmp_path: Path) -> None:
    names = [f"clip/{number}.yaml" for number in range(100)]
    (tmp_path / "clipform.yaml").write_text(f"{{version: 1, include: [{', '.join(names)}]}}", encoding="utf-8")
    (tmp_path / "clips").mkdir()
    for name in names:
        (tmp_path / name.replace("clip/", "clips/")).touch()
    with pytest.raises(SpecError) as caught:
        Workspace(tmp_path, SystemClock(), {}).load()
    assert [item.help for item in caught.value.diagnostics].count("") == 75
