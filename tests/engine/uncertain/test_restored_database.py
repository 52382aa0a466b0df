"""At a vendor with a list: a database that goes back to a question finds the purchase that came after its answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.engine.operations import resolve
from reconciler.engine.run.session import open_session
from tests.engine.uncertain.test_lost_answers import bought, later
from tests.reliability.simulator.sim import Sim


def _proven_absent(sim: Sim) -> None:
    later(sim)


def _allowed_again(sim: Sim) -> None:
    with open_session(sim.workspace, "resolve") as session:
        resolve.allow_again(session, resolve.unresolved_attempt(session, "hero", None))


@pytest.mark.parametrize("answered", [_proven_absent, _allowed_again])
def test_a_backup_of_the_time_in_doubt_buys_nothing(answered: Callable[[Sim], None], sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-before"])
    sim.apply()
    backup = (sim.root / "state/clipform.db").read_bytes()
    answered(sim)
    sim.server.plan("hero", submit=["accept"], poll=["*working"])
    sim.apply(detach=True)
    assert bought(sim) == 1
    (sim.root / "state/clipform.db").write_bytes(backup)
    (sim.root / "state/clipform.db-journal").unlink(missing_ok=True)
    for _ in range(2):
        later(sim)
        sim.apply(detach=True)
    assert bought(sim) == 1
