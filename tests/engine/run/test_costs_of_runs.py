"""What runs cost: budgets, what was saved, and clips that share a picture."""

from __future__ import annotations

import signal
from decimal import Decimal

import pytest

from reconciler.diagnostics import Refused
from reconciler.engine.run.apply import Run
from reconciler.events import Summary
from reconciler.views.terminal import apply
from reconciler.views.terminal.style import Style
from tests.reliability.simulator import checker
from tests.reliability.simulator.sim import HEAD, ONE, Sim

ONE_BY_ONE = HEAD.replace("kind: fake,", "kind: fake, concurrency: 1,")


PAIR = "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"


def results(summary: Summary) -> dict[str, str]:
    return {outcome.name: outcome.result.value for outcome in summary.outcomes}


TWINS = """clips:
  hero: {prompt: a lamp}
  twin: {prompt: a lamp}
  intro: {prompt: a candle}
"""


def money(summary: Summary) -> tuple[str, str]:
    return f"{summary.spent:f}", f"{summary.saved:f}"


def test_a_run_says_what_it_cost_and_what_a_run_without_memory_would_have_cost_more(sim: Sim) -> None:
    sim.write(HEAD + TWINS)
    assert money(sim.apply()) == ("1", "0.50")  # two pictures for three clips
    assert money(sim.apply()) == ("0", "1.50")  # all three are up to date
    (sim.root / "renders" / "hero.mp4").unlink()
    sim.write(HEAD + TWINS.replace("candle", "torch"))
    assert money(sim.apply()) == ("0.5", "1.00")
    sim.write(HEAD + TWINS)
    assert money(sim.apply()) == ("0", "1.50")  # restored


def test_what_was_paid_for_before_and_is_collected_now_saves_nothing(sim: Sim) -> None:
    sim.server.at["poll", "hero"] = lambda: signal.raise_signal(signal.SIGINT)
    assert money(sim.apply()) == ("0.5", "0")
    sim.server.heal()
    assert money(sim.apply()) == ("0", "0")


@pytest.mark.parametrize("end", ["poll", "uncertain", "done", "refused"])
def test_what_was_bought_at_no_known_price_is_told_however_it_ends(end: str, sim: Sim) -> None:
    sim.write(ONE.replace(', prices: [{model: "*", per_clip: 0.50}]', ""))
    if end == "poll":
        sim.server.at["poll", "hero"] = lambda: signal.raise_signal(signal.SIGINT)
    elif end != "done":
        sim.server.plan("hero", submit=[{"uncertain": "*unknown-after", "refused": "refuse-input"}[end]])
    summary = sim.apply()
    assert summary.unpriced == (end != "refused")
    assert ("Cost: 1 unpriced." in "".join(apply.summary(summary, Style()))) == (end != "refused")
    sim.server.heal()
    assert sim.apply().unpriced == 0  # it was counted by the run that bought it


BUDGET = "budget: {currency: USD, per_apply: 0.60}\n"


def test_a_plan_over_the_budget_sends_nothing(sim: Sim) -> None:
    sim.write(HEAD + BUDGET + PAIR)
    with pytest.raises(Refused):
        sim.apply()
    with pytest.raises(Refused):
        sim.apply(max_cost=Decimal("0.10"))
    assert sim.server.calls == []


def test_the_intent_itself_keeps_to_the_budget(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "require_allowed", lambda run: None)  # as if two clips had been planned apart
    sim.write(HEAD + BUDGET + PAIR)
    assert sorted(results(sim.apply()).values()) == ["failed", "succeeded"]
    assert len(sim.server.ledger) == 1
    assert list(checker.within(checker.World(sim.root), 600_000)) == []


def test_a_clip_without_a_price_is_refused_under_a_budget(sim: Sim) -> None:
    sim.write(HEAD.replace('prices: [{model: "*", per_clip: 0.50}]', "concurrency: 2") + BUDGET + PAIR)
    with pytest.raises(Refused):
        sim.apply()
    assert sim.server.calls == []


def test_locked_restores_and_generates_nothing(sim: Sim) -> None:
    with pytest.raises(Refused):
        sim.apply(locked=True)
    assert sim.server.calls == []
    sim.apply()
    bytes_ = sim.output("renders/hero.mp4")
    (sim.root / "renders/hero.mp4").unlink()
    assert results(sim.apply(locked=True)) == {"hero": "succeeded"}
    assert sim.output("renders/hero.mp4") == bytes_
    assert sim.server.count("submit") == 1


def test_clips_that_want_the_same_picture_pay_once(sim: Sim) -> None:
    sim.write(HEAD + "clips:\n  hero: {prompt: a lamp}\n  copy: {prompt: a lamp}\n")
    assert results(sim.apply()) == {"hero": "succeeded", "copy": "succeeded"}
    assert len(sim.server.ledger) == 1
    assert sim.output("renders/hero.mp4") == sim.output("renders/copy.mp4") is not None


def test_the_result_of_a_task_that_nobody_wants_any_more_is_kept_for_when_they_do(sim: Sim) -> None:
    sim.apply(detach=True)
    sim.write(ONE.replace("a lamp", "a torch"))
    sim.apply()
    assert sim.output("renders/hero.mp4") == sim.server.content("task-2")
    sim.rest()
    sim.write(ONE)
    assert results(sim.apply()) == {"hero": "succeeded"}
    assert sim.output("renders/hero.mp4") == sim.server.content("task-1")
    assert len(sim.server.ledger) == 2
