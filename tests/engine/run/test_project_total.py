"""`budget.total` counts all that the project is known to have bought, whatever became of its records since."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress

import pytest

from reconciler.diagnostics import Refused
from reconciler.project.model import Choice
from tests.reliability.simulator.sim import HEAD, Sim

HERO = "clips:\n  hero: {prompt: a lamp}\n"
MORE = HERO + "  intro: {prompt: a candle}\n"
"""Each clip costs 0.50."""


def budget(total: str, currency: str = "USD") -> str:
    return f"{HEAD}budget: {{currency: {currency}, total: {total}}}\n"


def refused(sim: Sim) -> str:
    """Why the second clip is not bought; the ledger still has the first alone."""
    with pytest.raises(Refused) as error:
        sim.apply()
    assert len(sim.server.ledger) == 1
    return error.value.message


def warnings(sim: Sim) -> list[str]:
    return [line.message for line in sim.workspace.plan(Choice(), sim.workspace.load()).plan.diagnostics]


def test_what_was_bought_without_a_budget_counts_once_there_is_one(sim: Sim) -> None:
    sim.write(HEAD + HERO)
    sim.apply()
    sim.write(budget("0.99") + MORE)
    assert "0.50 USD on top of 0.50 already spent, budget.total is 0.99" in refused(sim)
    sim.write(budget("1") + MORE)
    assert sim.apply().exit_code == 0


def test_what_was_bought_in_another_currency_is_said(sim: Sim) -> None:
    sim.write(budget("5", "CNY") + HERO)
    sim.apply()
    sim.write(budget("0.50") + MORE)
    [text] = warnings(sim)
    assert text == "budget.total is in USD and does not count what was paid in another currency: 0.50 CNY"
    assert sim.apply().exit_code == 0
    assert warnings(sim) == []  # nothing is to be bought any more


def test_what_only_the_lock_file_knows_counts(sim: Sim) -> None:
    sim.write(budget("0.99") + HERO)
    sim.apply()
    shutil.rmtree(sim.root / "state")
    sim.write(budget("0.99") + MORE)
    assert "on top of 0.50 already spent" in refused(sim)
    sim.write(budget("1.00") + MORE)
    sim.apply()
    assert len(sim.server.ledger) == 2


def test_what_both_know_counts_once(sim: Sim) -> None:
    sim.write(budget("1.00") + HERO + "  twin: {prompt: a lamp}\n")
    sim.apply()
    sim.write(budget("1.00") + MORE + "  twin: {prompt: a lamp}\n")
    assert sim.apply().exit_code == 0
    assert len(sim.server.ledger) == 2


def test_the_store_refuses_what_a_plan_would_let_pass(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard in the intent's transaction counts the same."""
    sim.write(HEAD + HERO)
    sim.apply()
    shutil.rmtree(sim.root / "state")
    monkeypatch.setattr("reconciler.plan.cost.objections", lambda *given: ())
    sim.write(budget("0.99") + MORE)
    sim.apply()
    assert len(sim.server.ledger) == 1


@pytest.mark.parametrize("amount", [-500_000, -(10**12), "-1", True, -1e300, 10**30])
def test_receipts_with_another_amount_never_widen_it(amount: object, sim: Sim) -> None:
    sim.write(budget("0.99") + HERO)
    sim.apply()
    path = sim.root / "state/receipts"
    content = path.read_bytes().rstrip(b"\0")
    path.write_bytes(content.replace(b'"cost_micros": 500000', b'"cost_micros": ' + json.dumps(amount).encode()))
    for name in ("clipform.db", "clipform.db-journal"):
        with suppress(FileNotFoundError):
            (sim.root / "state" / name).unlink()
    sim.write(budget("0.99") + MORE)
    assert "on top of 0.50 already spent" in refused(sim)
