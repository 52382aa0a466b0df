"""The mistakes that `mutants` puts in, and the table of where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.reliability.figures import MUTANTS
from tests.reliability.mutants.__main__ import Result, report_of
from tests.reliability.mutants.mistakes import mutants

ROOT = Path(__file__).parents[2]
SURVIVORS = yaml.safe_load((Path(__file__).parent / "mutants" / "survivors.yaml").read_text("utf-8"))
PARTS = yaml.safe_load((Path(__file__).parent / "mutants" / "modules.yaml").read_text("utf-8"))
MODULE = '''\
"""Says 1 < 2 and True."""
LIMIT: int | None = 10


@cache(size=3)
def total(rows: list[int], cap: int = 0) -> int:
    if cap and not rows:
        raise ValueError("SELECT nothing")
    query("SELECT sum(a) FROM b WHERE c < ? AND d")
    return min(sum(row for row in rows if row >= 0), cap * 2)
'''
MISTAKES = [
    (2, "10", "11"),
    (6, "0", "1"),
    (7, "cap and (not rows)", "cap or not rows"),
    (7, "not rows", "rows"),
    (8, "raise ValueError('SELECT nothing')", "pass"),
    (9, "query('SELECT sum(a) FROM b WHERE c < ? AND d')", "pass"),
    (9, "'SELECT sum(a) FROM b WHERE c < ? AND d'", "'SELECT sum(a) FROM b WHERE c < ? OR d'"),
    (9, "'SELECT sum(a) FROM b WHERE c < ? AND d'", "'SELECT sum(a) FROM b WHERE c <= ? AND d'"),
    (
        10,
        "min(sum((row for row in rows if row >= 0)), cap * 2)",
        "max(sum((row for row in rows if row >= 0)), cap * 2)",
    ),
    (10, "(row for row in rows if row >= 0)", "(row for row in rows)"),
    (10, "row >= 0", "row > 0"),
    (10, "0", "1"),
    (10, "cap * 2", "cap // 2"),
    (10, "2", "3"),
]


def test_code_is_changed_and_nothing_that_only_describes() -> None:
    assert [(mutant.line, mutant.before, mutant.after) for mutant in mutants(MODULE)] == MISTAKES


@pytest.mark.parametrize("part", PARTS)
def test_each_mistake_is_one_change_of_a_module_and_its_tests_are_there(part: str) -> None:
    assert all((ROOT / "tests" / path.partition("::")[0]).exists() for path in PARTS[part]["tests"])
    for name in PARTS[part]["modules"]:
        source = (ROOT / "reconciler" / name).read_text("utf-8")
        wrong = [mutant.source for mutant in mutants(source)]
        assert len(wrong) == len(set(wrong)) > 10
        for each in wrong:
            compile(each, name, "exec")


def test_a_run_of_some_parts_leaves_the_others_in_the_report() -> None:
    first = report_of({"money": Result(4, ["`money.py:3` `0` → `1`"]), "merge": Result(2)}, ["--write"], 1.0, "")
    then = report_of({"merge": Result(3, ["`state/merge.py:9` `<` → `<=`"])}, ["--part", "merge"], 2.0, first)
    assert [line for line in then.splitlines() if line.startswith("| m")] == [
        "| money | `money.py`, `state/budget.py` | 4 | 3 | 75% |",
        "| merge | `state/merge.py` | 3 | 2 | 67% |",
    ]
    assert "- money: `python -m tests.reliability.mutants --write`" in then
    assert "- merge: `python -m tests.reliability.mutants --part merge`" in then
    assert then.endswith("place:\n\n- `money.py:3` `0` → `1`\n- `state/merge.py:9` `<` → `<=`\n")


def test_each_survivor_of_the_report_is_explained() -> None:
    survivors = re.findall(r"^- `(.+?):\d+` (`.+)$", MUTANTS.read_text("utf-8"), re.MULTILINE)
    assert survivors
    assert [pair for pair in survivors if pair[1] not in SURVIVORS.get(pair[0], {})] == []
    explained = [why for module in SURVIVORS.values() for why in module.values()]
    assert all(list(why) in (["same"], ["test"]) for why in explained)
    named = [why["test"].partition(":")[0] for why in explained if "test" in why]
    assert named and all((ROOT / "tests" / path).exists() for path in named)
