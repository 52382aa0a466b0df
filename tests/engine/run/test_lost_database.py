"""A database that is lost, or goes back in time: the receipts know what was bought since; it is not bought again."""

from __future__ import annotations

import pytest

from reconciler.diagnostics import StateError
from reconciler.engine.operations import resolve
from reconciler.engine.run.session import open_session
from reconciler.records import Attempt
from reconciler.state.receipts import Receipts
from tests.reliability.simulator.sim import HEAD, Sim

ONE_BY_ONE = HEAD.replace("kind: fake,", "kind: fake, concurrency: 1,")
HERO = ONE_BY_ONE + "clips:\n  hero: {prompt: a lamp}\n"
PAIR = HERO + "  intro: {prompt: a candle}\n"


def lose(sim: Sim, backup: bytes | None = None) -> None:
    """The database is gone; `backup` is what is put in its place."""
    for name in ("clipform.db", "clipform.db-journal"):
        (sim.root / "state" / name).unlink(missing_ok=True)
    if backup is not None:
        (sim.root / "state/clipform.db").write_bytes(backup)


def copy(sim: Sim) -> bytes:
    return (sim.root / "state/clipform.db").read_bytes()


def bought(sim: Sim) -> int:
    """The most purchases of one key."""
    return max(len(tasks) for tasks in sim.server.by_key().values())


def test_a_request_that_was_void_does_not_hide_the_purchase_behind_it(sim: Sim) -> None:
    backups: list[bytes] = []
    sim.server.plan("hero", submit=["not-sent", "accept"], poll=["*working"])
    sim.server.at["submit", "hero"] = lambda: backups.append(copy(sim))
    sim.apply(detach=True)
    lose(sim, backups[0])
    sim.server.heal()
    assert sim.apply().exit_code == 0
    assert bought(sim) == 1


def test_two_requests_that_were_answered_with_one_id_do_not_lock_a_lost_state(sim: Sim) -> None:
    sim.write(PAIR)
    sim.server.plan("intro", submit=["twin"])
    sim.apply(detach=True)
    lose(sim)
    sim.server.heal()
    sim.apply()
    assert (sim.states("hero"), sim.states("intro")) == (["done"], ["uncertain"])
    assert bought(sim) == 1


def test_the_second_of_two_requests_with_one_id_is_in_doubt_for_an_older_backup_too(sim: Sim) -> None:
    sim.write(HERO)
    sim.server.plan("hero", poll=["*working"])
    sim.apply(detach=True)
    backup = copy(sim)
    sim.write(PAIR)
    sim.server.plan("intro", submit=["twin"])
    sim.apply(detach=True)
    lose(sim, backup)
    sim.server.heal()
    sim.apply()
    assert sim.states("intro") == ["uncertain"]
    assert bought(sim) == 1


def test_a_purchase_that_the_user_allowed_again_is_collected_after_the_database_is_lost(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-before"])
    sim.apply()
    with open_session(sim.workspace, "resolve") as session:
        resolve.allow_again(session, resolve.unresolved_attempt(session, "hero", None))
    sim.apply(detach=True)
    lose(sim)
    sim.apply()
    assert sim.output("renders/hero.mp4") is not None
    assert bought(sim) == 1


def test_a_purchase_after_an_intent_that_was_taken_back_is_collected_too(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line of the first intent is there although its sync failed."""
    real = Receipts.intent

    def fails(self: Receipts, attempt: Attempt, account: str = "") -> None:
        real(self, attempt, account)
        raise StateError("cannot write the receipts: input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Receipts, "intent", fails)
        sim.apply()
    sim.apply(detach=True)
    lose(sim)
    assert sim.apply().exit_code == 0
    assert (sim.states(), bought(sim)) == (["done"], 1)
