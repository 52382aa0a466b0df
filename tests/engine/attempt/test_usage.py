"""What a vendor says that it bills: a figure that can be is the cost; any other costs no video and opens no budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from reconciler.diagnostics import Refused
from reconciler.events import EventKind
from reconciler.providers import registry
from reconciler.providers.base import Reply, Succeeded
from reconciler.records import Money
from reconciler.state.store import Store
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.vendor import FILM, Fake

SPEC = """version: 1
providers: {studio: {kind: fake, prices: [{model: "*", per_1k_tokens: 10}]}}
defaults: {provider: studio, duration: 1, resolution: 720p, ratio: 16:9}
budget: {total: 500}
clips:
  hero: {prompt: a lamp}
"""
ESTIMATE = 225_000_000  # 1280 x 720 x (24 + 1) / 1024 = 22,500 tokens, at 10 USD a thousand

NONSENSE = (
    -1,
    -(10**9),
    0,
    225_001,
    10**9 - 1,
    10**9,
    10**17,
    9 * 10**17,
    10**30,
    float("nan"),
    float("inf"),
    1.5,
    True,
    "21600",
    [],
    {},
)
"""Figures that cannot be: 225,000 is ten times the estimate, and more than any film of three seconds has."""


def usage_of(task: Mapping[str, object]) -> Succeeded:
    """Ark's reading of a finished task."""
    whole = {"id": "cgt-1", "status": "succeeded", "content": {"video_url": "https://files.invalid/a.mp4"}, **task}
    answer = registry.dialect("ark").read_poll("cgt-1", Reply(200, whole))
    assert isinstance(answer, Succeeded)
    return answer


@pytest.fixture
def billed(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> Callable[[object], Sim]:
    """A project whose vendor bills by tokens, and reports this figure."""
    read = Fake.read_poll
    film = replace(FILM, resolutions=("720p",), ratios=("16:9",), pixels="2.0")
    monkeypatch.setattr(Fake, "models", (film,))

    def reporting(figure: object) -> Sim:
        def read_poll(self: Fake, task: str, reply: Reply) -> object:
            answer = read(self, task, reply)
            usage = usage_of({"usage": {"total_tokens": figure}}).usage
            return replace(answer, usage=usage) if isinstance(answer, Succeeded) else answer

        monkeypatch.setattr(Fake, "read_poll", read_poll)
        sim.write(SPEC)
        return sim

    return reporting


def booked(sim: Sim) -> int:
    store = Store.read(sim.root / "state", sim.clock.now)
    assert store is not None
    with store:
        return store.spent()["USD"].settled


@pytest.mark.parametrize("figure", NONSENSE, ids=repr)
def test_a_figure_that_cannot_be_costs_no_video_and_is_booked_as_estimated(
    figure: object, billed: Callable[[object], Sim]
) -> None:
    sim = billed(figure)
    assert sim.apply().exit_code == 0
    assert sim.output("renders/hero.mp4") is not None
    notes = [event.message for event in sim.notes.events if event.kind is EventKind.NOTE]
    assert any("studio reports" in note and "tokens" in note and "cost is unknown" in note for note in notes)
    assert booked(sim) == ESTIMATE
    assert [(a.cost_micros, a.money) for a in sim.attempts()] == [(ESTIMATE, Money.SETTLED)]
    assert [entry.cost_micros for entry in sim.workspace.lock_entries()] == [ESTIMATE]
    sim.write(SPEC + "  second: {prompt: a torch}\n  third: {prompt: a candle}\n")
    with pytest.raises(Refused, match=r"costs 450\.00 USD on top of 225\.00 already spent, budget\.total is 500\.00"):
        sim.apply()
    sim.write(SPEC)
    assert sim.apply().exit_code == 0
    assert len(sim.server.ledger) == 1


def test_a_price_that_no_amount_can_hold_costs_no_video_either(billed: Callable[[object], Sim]) -> None:
    sim = billed(10**9 - 1)
    sim.write(SPEC.replace("per_1k_tokens: 10", "per_1k_tokens: 999999999999").replace("budget: {total: 500}\n", ""))
    assert sim.apply().exit_code == 0
    assert sim.output("renders/hero.mp4") is not None
    assert [entry.cost_micros for entry in sim.workspace.lock_entries()] == [None]
    assert sim.apply().exit_code == 0
    assert len(sim.server.ledger) == 1


@pytest.mark.parametrize("figure", [1, 21_600, 225_000])
def test_a_figure_that_can_be_is_the_cost(figure: int, billed: Callable[[object], Sim]) -> None:
    sim = billed(figure)
    assert sim.apply().exit_code == 0
    assert booked(sim) == figure * 10_000
    assert [entry.cost_micros for entry in sim.workspace.lock_entries()] == [figure * 10_000]


@pytest.mark.parametrize("usage", [None, {}, [], "much", {"seconds": 5}])
def test_without_a_figure_there_is_nothing_to_say(usage: object) -> None:
    answer = usage_of({"usage": usage})
    assert (answer.usage.tokens, answer.usage.nonsense) == (None, "")


def test_the_tokens_of_the_completion_are_those_of_a_reply_without_a_total() -> None:
    assert usage_of({"usage": {"completion_tokens": 7}}).usage.tokens == 7
    assert usage_of({"usage": {"total_tokens": -7, "completion_tokens": 7}}).usage.nonsense == "total_tokens -7"
