import pytest

from reconciler.conform import Case, cases


@pytest.mark.parametrize("case", cases("lumen"), ids=str)
def test_lumen_keeps_the_contract(case: Case) -> None:
    case.check()
