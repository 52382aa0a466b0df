"""`budget.total` counts all that the project is known to have bought, whatever became of its records since."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress

import pytest

from reconciler.diagnostics import Refused
from reconciler.engine.operations.recover import recover
from reconciler.project.model import Choice
from tests.reliability.simulator.sim import HEAD, Sim
from tests.reliability.simulator.vendor import Server
from tests.reliability.simulator.videos import tiny

HERO = "clips:\n  hero: {prompt: a lamp}\n"
MORE = HERO + "  intro: {prompt: a candle}\n"
"""Each clip costs 0.50."""
REAL, LOCAL = "https://api.fake.invalid", "http://127.0.0.1:8790"


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


def at(sim: Sim, address: str, clips: str, total: str = "0.99") -> None:
    """Write the project with its provider at an address; a server of its own answers at 127.0.0.1."""
    sim.servers = {REAL: sim.server, LOCAL: sim.servers.get(LOCAL) or Server(tiny(1), tiny(3), first=101)}
    sim.write(budget(total).replace("{kind: fake,", f"{{kind: fake, base_url: '{address}',") + clips)


def test_a_rehearsal_does_not_count_for_real_purchases(sim: Sim) -> None:
    at(sim, LOCAL, HERO)
    sim.apply()
    at(sim, REAL, HERO)
    assert warnings(sim) == []
    assert (sim.apply().exit_code, len(sim.server.ledger)) == (0, 1)
    at(sim, REAL, MORE)
    assert "0.50 USD on top of 0.50 already spent" in refused(sim)


def test_a_rehearsal_that_only_the_lock_file_knows_does_not_count_either(sim: Sim) -> None:
    at(sim, LOCAL, HERO)
    sim.apply()
    shutil.rmtree(sim.root / "state")
    at(sim, REAL, HERO)
    assert (sim.apply().exit_code, len(sim.server.ledger)) == (0, 1)


@pytest.mark.parametrize("planned", [True, False], ids=["plan", "intent"])
def test_what_is_on_record_counts_for_a_rehearsal(planned: bool, sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service behind an address of this machine may be real, so its cap holds."""
    at(sim, LOCAL, HERO)
    sim.apply()
    at(sim, LOCAL, MORE)
    if planned:
        with pytest.raises(Refused, match="on top of 0.50 already spent"):
            sim.apply()
    else:
        monkeypatch.setattr("reconciler.plan.cost.objections", lambda *given: ())
        sim.apply()
    assert len(sim.servers[LOCAL].ledger) == 1


AGAIN = HERO.replace("a lamp", "a lamp that flickers")
LOSSES: dict[str, Callable[[Sim], object]] = {
    "recover": lambda sim: recover(sim.workspace, lambda: "recovered", sim.notes, sim.connect),
    "apply": lambda sim: sim.apply(),
    "nothing": lambda sim: None,
}


@pytest.mark.parametrize("then", LOSSES)
@pytest.mark.parametrize("is_video_here", [True, False], ids=["video", "no video"])
def test_a_line_of_the_lock_file_counts_after_it_was_replaced(is_video_here: bool, then: str, sim: Sim) -> None:
    """The state is lost: no attempt and no receipt has the first purchase."""
    sim.write(budget("2.00") + HERO)
    sim.apply()
    shutil.rmtree(sim.root / "state")
    if not is_video_here:
        shutil.rmtree(sim.root / "renders")
    LOSSES[then](sim)
    sim.write(budget("2.00") + AGAIN)
    assert (sim.apply().exit_code, len(sim.server.ledger)) == (0, 2)
    sim.write(budget("1.49") + AGAIN.replace("flickers", "goes out"))
    with pytest.raises(Refused, match="on top of 1.00 already spent"):
        sim.apply()
    sim.write(budget("1.50") + AGAIN.replace("flickers", "goes out"))
    assert (sim.apply().exit_code, len(sim.server.ledger)) == (0, 3)
    if is_video_here:
        sim.rest()


def test_two_checkouts_that_share_the_lock_file_count_each_purchase_once(sim: Sim) -> None:
    """One edits and buys, the other pulls spec, lock file and video, and goes on."""
    sim.write(budget("0.50") + HERO)
    sim.apply()
    for number, checkout in enumerate(["theirs", None, "theirs"], start=1):
        pulled = dict.fromkeys(("clipform.yaml", "clipform.lock", "renders/hero.mp4"), b"")
        with sim.checkout(None if checkout else "theirs"):
            pulled = {name: sim.output(name) or b"" for name in pulled}
        with sim.checkout(checkout):
            (sim.root / "renders").mkdir(exist_ok=True)
            for name, content in pulled.items():
                (sim.root / name).write_bytes(content)
            assert sim.apply().exit_code == 0
            clip = HERO.replace("a lamp", f"lamp {number}")
            sim.write(budget(f"{number * 0.50 + 0.49:.2f}") + clip)
            with pytest.raises(Refused, match=f"on top of {number * 0.50:.2f} already spent"):
                sim.apply()
            sim.write(budget(f"{number * 0.50 + 0.50:.2f}") + clip)
            assert (sim.apply().exit_code, len(sim.server.ledger)) == (0, number + 1)


def test_a_rehearsal_whose_line_was_replaced_does_not_count_for_real_purchases(sim: Sim) -> None:
    at(sim, LOCAL, HERO)
    sim.apply()
    shutil.rmtree(sim.root / "state")
    at(sim, LOCAL, AGAIN, "1")
    sim.apply()
    at(sim, REAL, AGAIN, "0.50")
    assert (sim.apply().exit_code, len(sim.server.ledger)) == (0, 1)
