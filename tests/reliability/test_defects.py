"""Every defect of the audit is closed by tests that exist, or says why it is open."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.reliability.test_catalogue import TESTS, exists

DEFECTS: dict[str, dict[str, Any]] = yaml.safe_load(
    (TESTS / "reliability" / "defects.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_closed_by_tests_that_exist(name: str) -> None:
    entry = DEFECTS[name]
    assert entry.keys() in ({"says", "closed"}, {"says", "open"})
    assert entry["says"].endswith(".") and (entry.get("closed") or entry.get("open"))
    assert [named for named in entry.get("closed", ()) if not exists(named)] == []
