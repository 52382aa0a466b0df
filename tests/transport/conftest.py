"""Shared by the transport's tests: they run on asyncio."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The one event loop that we support."""
    return "asyncio"
