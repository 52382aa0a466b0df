"""An apply of a watch that ends with an error of ours: what it may have bought is not bought again by itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from reconciler.diagnostics import StateError
from reconciler.engine.run.session import look, open_session
from reconciler.project.saved_plan import fingerprint
from reconciler.watch import loop
from reconciler.watch.decide import Allowance, Apply, Cause, Wait, decide
from reconciler.watch.page_requests import PageRequests
from reconciler.watch.wait import EventWaiter
from tests.reliability.conftest import fast_path, sim
from tests.reliability.simulator.sim import ALL, ONE, Sim

__all__ = ["fast_path", "sim"]


class Blank:
    """A screen that nobody looks at."""

    def __getattr__(self, name: str) -> Any:
        return lambda *told: None


def test_a_failed_purchase_waits_for_a_key_even_where_the_apply_did_not_end_well(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.write(ONE)
    sim.server.plan("hero", poll=["cancelled"])
    execute, terms = loop.Run.execute, Allowance(yes=True, cap=Decimal(10))

    def cut_short(run: loop.Run) -> None:
        execute(run)
        raise StateError("the disk is full", code="state-unwritable")

    monkeypatch.setattr(loop.Run, "execute", cut_short)
    watch = loop.Watch(loop.WatchContext(sim.workspace, ALL, terms, Blank(), sim.connect))
    ears = EventWaiter(sim.root, None, lambda path: False, PageRequests())
    for again in (False, True):
        with open_session(sim.workspace, "watch") as session:
            planned = look(session, ALL)
            found = decide(Cause.EDIT, planned.plan, fingerprint(planned.plan), terms, watch.memory)
            if again:
                assert planned.plan.generating()
                assert isinstance(found, Wait)
                break
            assert isinstance(found, Apply)
            with pytest.raises(StateError, match="disk is full"):
                watch._carry_out(session, ears, planned, found)
    assert sim.states("hero") == ["cancelled"]
    assert watch.memory.spent == Decimal("0.5")
