"""Every file in `cases/` is read as it says."""

from __future__ import annotations

import pytest
from spec_kit import Case, cases, outcome


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_case_is_read_as_written(case: Case) -> None:
    assert outcome(case.files) == case.expected
