"""The system's clock: the only place that reads time or sleeps."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Wall time for records, a monotonic clock for durations."""

    def now(self) -> float:
        """UTC seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
