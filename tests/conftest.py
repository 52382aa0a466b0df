"""Options that all tests share."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("clipform", deadline=None)  # a slow machine is no fault
settings.load_profile("clipform")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` rewrites expectations that are data files; the difference is reviewed like code."""
    parser.addoption("--update", action="store_true", help="rewrite expected data files")
