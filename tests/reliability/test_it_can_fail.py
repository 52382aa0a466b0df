"""A judge that never finds anything is no judge: known bugs are put in, and each must be caught."""

from __future__ import annotations

import pytest

from tests.reliability.bugs import BUGS, caught


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(name: str) -> None:
    found = caught(name)
    if found is None:
        pytest.skip("no file system in memory here")
    assert BUGS[name].breaks in found
