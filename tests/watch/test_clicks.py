"""What a page asks waits its turn, wakes the loop, and is never asked for twice."""

from __future__ import annotations

from reconciler.watch import PageRequests
from reconciler.watch.decide import Cause, Click, Ident

HERO: frozenset[Ident] = frozenset({("hero", 1)})
BOTH: frozenset[Ident] = HERO | {("sea", 1)}


def test_clicks_are_taken_in_order_and_wake_whoever_listens() -> None:
    clicks, woken = PageRequests(), list[str]()
    with clicks.waking(lambda: woken.append("!")):
        assert clicks.apply(("hero",), HERO, "m")
        clicks.skip()
    clicks.skip()  # nobody listens: it waits
    assert woken == ["!", "!"]
    assert [clicks.take() for _ in range(4)] == [Click(("hero",), "m", HERO), Cause.SKIP, Cause.SKIP, None]


def test_what_waits_or_is_under_way_is_not_asked_for_again() -> None:
    clicks = PageRequests()
    assert clicks.apply(("hero",), HERO, "m")
    assert not clicks.apply(("hero",), HERO, "m")
    assert not clicks.apply(None, BOTH, "m")
    assert clicks.apply(("other",), frozenset({("other", 1)}), "m")
    assert clicks.take() == Click(("hero",), "m", HERO)
    assert not clicks.apply(("hero",), HERO, "m")  # between being taken and being made
    with clicks.running(HERO, lambda: None):
        assert not clicks.apply(None, BOTH, "m")
    assert clicks.take() is not None
    assert clicks.apply(("hero",), HERO, "m")  # it is over: another click is another wish


def test_a_run_that_no_click_began_is_not_doubled_either() -> None:
    clicks = PageRequests()
    with clicks.running(HERO, lambda: None):
        assert not clicks.apply(("hero",), HERO, "m")
    assert clicks.apply(("hero",), HERO, "m")


def test_stop_interrupts_the_run_and_forgets_what_waits() -> None:
    clicks, stopped = PageRequests(), list[str]()
    assert not clicks.stop()
    with clicks.running(HERO, lambda: stopped.append("!")):
        assert clicks.apply(("sea",), frozenset({("sea", 1)}), "m")
        assert clicks.stop() and clicks.stopped
    assert stopped == ["!"] and clicks.take() is None
    assert not clicks.stop()
    with clicks.running(HERO, lambda: stopped.append("!")):
        assert not clicks.stopped
