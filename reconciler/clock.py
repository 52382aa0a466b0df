"""The Clock protocol and the system's clock, the only place that reads time or sleeps."""

from __future__ import annotations

import time
from typing import Protocol


class SystemClock:
    """Wall time for records, a monotonic clock for durations."""

    def now(self) -> float:
        """Return UTC seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep for some seconds."""
        import asyncio  # every command makes a clock, few sleep, and this import is a tenth of the start-up time

        await asyncio.sleep(seconds)


class Clock(Protocol):
    """Time, passed in: the clock of a test jumps instead of sleeping."""

    def now(self) -> float:
        """Return UTC seconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Sleep for some seconds."""
