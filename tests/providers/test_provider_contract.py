"""Our own dialects keep the contract that plug-ins keep, on data written by hand from the vendors' pages.

A built-in kind that has no folder here fails the suite.
"""

from __future__ import annotations

import pytest
from provider_cases import CONTRACTS, FOLDERS

from reconciler.conform import Case, cases
from reconciler.providers.registry import BUILT_IN


def test_every_built_in_kind_has_its_data():
    assert set(FOLDERS) == set(BUILT_IN)


@pytest.mark.parametrize("case", [case for contract in CONTRACTS.values() for case in cases(contract)], ids=str)
def test_a_kind_keeps_the_contract(case: Case) -> None:
    case.check()
