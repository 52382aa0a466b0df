"""Our own dialects keep the contract that plug-ins keep, on data written by hand from the vendors' pages.

A built-in kind that has no folder here fails the suite. Whole runs are slow, so each kind has a part of them here, and
each is made by several kinds; `clipform conform KIND --data tests/providers/KIND` makes all.
"""

from __future__ import annotations

import pytest
from provider_cases import CONTRACTS, FOLDERS

from reconciler.conform import Case, cases, runs
from reconciler.providers.registry import BUILT_IN

TURNS = 4


def is_drawn(kind: str, case: Case) -> bool:
    """True for what is not a run, and for every fourth run of a kind, beginning at another one each."""
    if case.rule not in runs.RULES:
        return True
    return kind != "draft" and (FOLDERS.index(kind) + runs.RULES.index(case.rule)) % TURNS == 0


CASES: dict[tuple[str, str], list[Case]] = {}
"""By kind and rule."""
for contract in CONTRACTS.values():
    for one in cases(contract):
        if is_drawn(contract.kind, one):
            CASES.setdefault((contract.kind, one.rule.name), []).append(one)


def test_every_built_in_kind_has_its_data():
    assert set(FOLDERS) == set(BUILT_IN)


def test_every_rule_is_checked() -> None:
    assert {rule for _, rule in CASES} >= {rule.name for rule in runs.RULES}


@pytest.mark.parametrize(("kind", "rule"), CASES)
def test_a_kind_keeps_the_contract(kind: str, rule: str) -> None:
    for case in CASES[kind, rule]:
        try:
            case.check()
        except BaseException as error:
            error.add_note(str(case))
            raise
