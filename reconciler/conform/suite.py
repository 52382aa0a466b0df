"""The whole suite, and where the contract of a kind is."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.conform import hostile, tables
from reconciler.conform.contract import Contract
from reconciler.conform.rule import Case, Rule

RULES: tuple[Rule, ...] = (*tables.RULES, *hostile.RULES)


def cases(contract: Contract) -> Iterator[Case]:
    """Yield everything that is checked for a kind."""
    for rule in RULES:
        yield from rule.cases(contract)
