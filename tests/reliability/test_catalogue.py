"""The catalogue of promises and faults is whole, and every test that it names exists."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any

import pytest
import yaml

TESTS = Path(__file__).parents[1]
CATALOGUE: dict[str, dict[str, Any]] = yaml.safe_load(
    (TESTS / "reliability" / "catalogue.yaml").read_text(encoding="utf-8")
)
NUMBERS = [*(f"I{n}" for n in range(1, 21)), *(f"F{n}" for n in range(1, 102))]


@functools.cache
def functions(file: Path) -> frozenset[str]:
    """The tests of a file that pytest collects and does not skip for good."""
    found = ast.parse(file.read_text(encoding="utf-8")).body
    tests = (node for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in tests if node.name.startswith("test_"))


def exists(named: str) -> bool:
    """Whether a test, or a data file that a test reads, is there."""
    path, _, name = named.partition("::")
    file = TESTS / path
    if not name:
        return file.is_file() and file.suffix in (".txt", ".yaml")
    return file.is_file() and name.partition("[")[0] in functions(file)


def test_every_promise_and_every_fault_is_there_once_and_in_order() -> None:
    assert list(CATALOGUE) == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_a_promise_or_a_fault_is_shown_by_tests_that_exist(number: str) -> None:
    entry = CATALOGUE[number]
    assert entry.keys() <= {"says", "shown", "beside"} and entry["says"]
    assert entry["shown"], "nothing shows it"
    assert [named for named in entry["shown"] if not exists(named)] == []


def test_a_test_that_is_gone_is_noticed() -> None:
    here = "reliability/test_catalogue.py"
    assert exists(f"{here}::test_a_test_that_is_gone_is_noticed")
    assert exists("plan/cases/barred.yaml")
    assert not exists(f"{here}::test_that_was_renamed")
    assert not exists("reliability/test_no_such_file.py::test_a_test_that_is_gone_is_noticed")
    assert not exists("plan/cases/no_such_case.yaml")
    assert not exists(here), "a whole file shows nothing in particular"
