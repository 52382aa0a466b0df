"""The table of tiers names what exists, and what a command leaves out another runs."""

from __future__ import annotations

import ast

import pytest
import yaml

from tests import tiers

TABLE = {"a": "test", "a/b": "check", "a/b/test_c.py": "test", "a/test_d.py::test_e": "check"}
TABLE |= {"a/test_d.py::test_e[x]": "test", "test_f.py::test_g": "check"}


def test_each_line_is_of_a_file_or_a_test_that_exists() -> None:
    assert [name for name in tiers.table() if not exists(*name.split("::"))] == []


def exists(path: str, test: str = "") -> bool:
    if not test or not (tiers.TESTS / path).exists():
        return (tiers.TESTS / path).exists()
    tree = ast.parse((tiers.TESTS / path).read_text(encoding="utf-8"))
    return test.partition("[")[0] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_line_has_a_reason_and_none_is_there_twice() -> None:
    reasons = yaml.safe_load((tiers.TESTS / "tiers.yaml").read_text(encoding="utf-8"))
    assert [*reasons] == [*tiers.TIERS[1:]]
    assert all(isinstance(why, str) and why for tier in reasons.values() for why in tier.values())
    assert sum(map(len, reasons.values())) == len(tiers.table())


@pytest.mark.parametrize(
    ("test", "tier"),
    [
        ("test_f.py::test_h", "quick"),
        ("ab/test_c.py::test_e", "quick"),
        ("a/test_c.py::test_e", "test"),
        ("a/b/test_d.py::test_e", "check"),
        ("a/b/test_c.py::test_e[a/b]", "test"),
        ("a/test_d.py::test_e[y]", "check"),
        ("a/test_d.py::test_e[x]", "test"),
        ("a/test_d.py::test_ee[x]", "test"),
    ],
)
def test_the_longest_name_decides(test: str, tier: str) -> None:
    assert tiers.tier_of(test, TABLE) == tier


def test_each_command_runs_all_that_the_one_before_it_runs_and_the_last_runs_all() -> None:
    tests = ["test_f.py::test_h", "a/test_c.py::test_e", "a/b/test_d.py::test_e"]
    assert [[tiers.runs(tier, test, TABLE) for test in tests] for tier in tiers.TIERS] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_a_file_is_read_where_the_command_runs_one_of_its_tests() -> None:
    assert [tiers.skips("test", path, TABLE) for path in ("a", "a/b", "a/b/test_d.py", "test_f.py")] == [
        *(False, False, True, False),
    ]
    assert [tiers.skips("quick", path, TABLE) for path in ("a", "a/test_d.py", "b", "test_f.py")] == [
        *(True, True, False, False),
    ]
    assert not any(tiers.skips("check", path, TABLE) for path in ("a", "a/b", "a/test_d.py", "test_f.py"))


def test_a_case_that_was_renamed_is_noticed_once_its_file_is_read() -> None:
    assert tiers.unused(["a/test_d.py::test_e[y]", "test_f.py::test_h"], TABLE) == [
        *("a/test_d.py::test_e[x]", "test_f.py::test_g"),
    ]
    assert tiers.unused(["a/test_d.py::test_e[x]"], TABLE) == []
