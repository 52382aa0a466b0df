"""What ends a wait in a run."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from reconciler.clock import SystemClock
from reconciler.engine.control import Halt, RunControl


def test_a_call_of_a_vendor_ends_one_wait_of_its_attempt_and_no_other() -> None:
    async def act() -> None:
        control, clock = RunControl(calls=defaultdict(Halt)), SystemClock()
        assert control.calls is not None
        control.calls[1].set()  # while its task is asked for
        await control.sleep(clock, 3600, attempt=1)
        again = asyncio.ensure_future(control.sleep(clock, 3600, attempt=1))
        other = asyncio.ensure_future(control.sleep(clock, 3600, attempt=2))
        await asyncio.sleep(0)
        assert not again.done()
        control.calls[1].set()
        await again
        assert not other.done()
        control.event.set()
        await other

    asyncio.run(asyncio.wait_for(act(), 60))
