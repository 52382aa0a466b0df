"""What ends a wait for events, and when it ends by itself."""

from __future__ import annotations

from pathlib import Path

from reconciler.watch.decide import Cause
from reconciler.watch.page_requests import PageRequests
from reconciler.watch.wait import EventWaiter


def test_a_wait_with_an_end_gives_the_event_or_nothing(tmp_path: Path) -> None:
    with EventWaiter(tmp_path, None, lambda path: False, PageRequests()) as events:
        assert events.within(0.0) is None
        (tmp_path / "clip.yaml").write_text("")
        assert events.within(60.0) is Cause.EDIT
        events.stopped = True
        assert events.within(60.0) is Cause.STOP
