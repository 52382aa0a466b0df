"""Answers that were lost, at a vendor with a list: nothing is bought twice, and nobody is asked who need not be."""

from __future__ import annotations

import signal
from itertools import count
from pathlib import Path

import pytest

from reconciler.engine.uncertain import absence
from reconciler.project.model import Choice
from reconciler.providers.capabilities import Coverage
from reconciler.state.store import Store
from tests.engine.uncertain.listing import BOTH, TAKES, Listing, ListingServer, Own, listing_sim
from tests.reliability.simulator.sim import Sim

LATER = 400.0
"""Seconds after which a list has settled."""


def server(sim: Sim) -> ListingServer:
    assert isinstance(sim.server, ListingServer)
    return sim.server


def bought(sim: Sim, label: str = "hero") -> int:
    return sum(1 for task in sim.server.ledger.values() if task.label == label)


def later(sim: Sim, seconds: float = LATER) -> None:
    sim.clock.time += seconds


def detail(sim: Sim) -> str:
    plan = sim.workspace.plan(Choice(), sim.workspace.load()).plan
    return next((step.detail for step in plan.steps if step.clip == "hero"), "")


def ways_out(sim: Sim) -> tuple[str, ...]:
    plan = sim.workspace.plan(Choice(), sim.workspace.load()).plan
    return next(step.way_out for step in plan.steps if step.clip == "hero")


# --- a vendor that takes no seed and reports its own -------------------------------------------


@pytest.fixture
def own(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sim:
    """Its list shows model, length and a seed of its own choosing, as Ark's does of Seedance 2.0."""
    return listing_sim(fast_path / "project", monkeypatch, "own")


def test_a_seed_of_the_vendors_own_never_proves_an_absence(own: Sim) -> None:
    own.server.plan("hero", submit=["unknown-after"])
    for _ in range(4):
        assert own.apply().exit_code == 3, "it is not known whether it was taken"
        later(own)
    assert bought(own) == 1
    assert own.states("hero") == ["uncertain"]
    assert "may be it" in own.notes.text()


def test_a_length_that_the_vendor_is_not_seen_to_report_never_proves_an_absence(sim: Sim) -> None:
    """Every task shows the length of what was made, not the one that was asked for, and nothing else."""
    server(sim).own_length = 7
    sim.server.plan("hero", submit=["unknown-after"])
    for _ in range(4):
        assert sim.apply().exit_code == 3, "it is not known whether it was taken"
        later(sim)
    assert bought(sim) == 1


def test_what_such_a_list_does_not_show_at_all_is_asked_for_again(own: Sim) -> None:
    own.server.plan("hero", submit=["unknown-before"])
    for _ in range(4):
        own.apply()
        later(own)
    assert own.apply().exit_code == 0
    assert bought(own) == 1


def test_a_seed_that_an_earlier_release_drew_is_judged_alike(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request went out with a drawn seed, and the model is now known to take none."""
    sim = listing_sim(fast_path / "project", monkeypatch, "seeded")
    server(sim).hidden = lambda task: True
    sim.server.plan("hero", submit=["unknown-after"])
    assert sim.apply().exit_code == 3
    assert sim.attempts("hero")[0].seed is not None
    server(sim).hidden = lambda task: False
    server(sim).own_seeds = True
    monkeypatch.setattr(Listing, "models", Own.models)
    for _ in range(3):
        later(sim)
        assert sim.apply().exit_code == 3
    assert bought(sim) == 1
    server(sim).own_seeds = False  # it reports ours after all
    assert sim.apply().exit_code == 0
    assert bought(sim) == 1


# --- kills ----------------------------------------------------------------------------------


LAGS = (0.0, 60.0, 119.0)


@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_kill_at_any_point_asks_nobody_and_pays_once(first: int, sim: Sim) -> None:
    """Each lag of the list has other points; the long proof has them all."""
    server(sim).lag = LAGS[first - 1]
    sim.save()
    for k in count(5 * first, 19):
        sim.load()
        wire = sim.dies(k)
        try:
            sim.safe()
            for _ in range(3):
                sim.apply()
                sim.safe()
                later(sim)
            assert sim.apply().exit_code == 0, sim.notes.text()
            assert bought(sim) == 1
            assert set(sim.states("hero")) <= {"done", "not_sent"}
        except BaseException as error:
            error.add_note(f"after a kill at point {k}, {wire.names[-1]}")
            raise
        if not wire.dead:
            break


@pytest.mark.parametrize("script", ["unknown-before", "unknown-after"])
def test_a_kill_at_any_point_of_a_look_up_does_no_harm(script: str, sim: Sim) -> None:
    """A request that is lost again, right after it was proven absent, is the one case for a person."""
    server(sim).lag = 60.0
    sim.server.plan("hero", submit=[script])
    sim.apply()
    later(sim)
    sim.save()
    for k in count(1, 11):
        sim.load()
        if not sim.dies(k).dead:
            break
        sim.safe()
        later(sim)
        code = sim.apply().exit_code
        sim.safe()
        twice = sim.states("hero") == ["not_sent", "uncertain"] and "twice in a row" in sim.notes.text()
        assert (code, bought(sim)) == (0, 1) or (twice and bought(sim) == 0), sim.notes.text()
    sim.rest()


# --- a list that lags (M5) ------------------------------------------------------------------


@pytest.mark.parametrize("script", ["unknown-before", "garbled-after"])
@pytest.mark.parametrize("lag", LAGS)
def test_however_late_the_list_and_however_soon_the_next_run_it_is_bought_once(
    script: str, lag: float, sim: Sim
) -> None:
    server(sim).lag = lag
    sim.server.plan("hero", submit=[script])
    sim.apply()
    for wait in (0.0, 5.0, 30.0, 30.0, 60.0, 200.0):
        later(sim, wait)
        sim.apply()
        sim.safe()
        assert bought(sim) <= 1
    assert sim.apply().exit_code == 0
    assert bought(sim) == 1


@pytest.mark.parametrize("nap", range(1, 9))
def test_a_clock_that_is_set_forward_in_a_run_makes_no_list_settle_sooner(nap: int, sim: Sim) -> None:
    """F90: the run goes on meanwhile, and looks again when it believes that the time has passed."""
    sim.write(BOTH + "  long: {prompt: a river}\n")
    server(sim).lag = 119.0
    sim.server.plan("hero", submit=["unknown-after"])
    sim.server.plan("long", poll=["working"] * 60)
    sim.clock.naps, sim.clock.jumps = 0, {nap: 3600.0}
    sim.apply()
    assert sim.clock.jumps == {}
    later(sim)
    sim.apply()
    assert bought(sim) == 1


def test_a_list_that_is_believed_too_soon_pays_twice(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the time to settle is for: without it, the scenarios above would not hold."""
    monkeypatch.setattr(absence, "SETTLE", 0.0)
    monkeypatch.setattr(Listing, "vouched", Coverage(0.0, 86_400.0))
    monkeypatch.setattr("tests.engine.uncertain.listing.ListingTransport.submit_silence", 0.0)
    server(sim).lag = 60.0
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    sim.apply()
    assert bought(sim) == 2


# --- what is found --------------------------------------------------------------------------


def test_what_was_accepted_is_found_in_the_same_run_with_one_submit(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    assert sim.apply().exit_code == 0
    assert (sim.server.submits("hero"), sim.states("hero")) == (1, ["done"])
    with Store.open(sim.root / "state", sim.clock.now) as store:
        moves = [entry.payload for entry in store.events("hero") if entry.payload.get("to") == "accepted"]
    assert moves[0]["evidence"]["by"] == "list"  # type: ignore[index]  # a mapping, by its writer
    sim.rest()


def test_what_is_on_a_later_page_is_found(sim: Sim) -> None:
    sim.write(BOTH + "".join(f"  more{n}: {{prompt: number {n}}}\n" for n in range(6)))
    sim.server.plan("hero", submit=["unknown-after"])
    assert sim.apply().exit_code == 0
    assert bought(sim) == 1


def test_a_clock_that_is_an_hour_off_is_no_obstacle(sim: Sim) -> None:
    server(sim).ahead = 3600.0
    sim.server.plan("hero", submit=["unknown-after"])
    assert sim.apply().exit_code == 0
    assert bought(sim) == 1


def test_identical_takes_are_counted_and_assigned_in_their_order(sim: Sim) -> None:
    sim.write(TAKES)
    server(sim).lag = 60.0
    sim.server.plan("", submit=["unknown-after", "unknown-after"])
    sim.apply()
    later(sim)
    assert sim.apply().exit_code == 0
    assert len(sim.server.ledger) == 3
    assert [attempt.task for attempt in sim.attempts("hero")] == ["task-2", "task-3"]


# --- what is proven absent ------------------------------------------------------------------


def test_what_was_not_accepted_is_planned_anew_by_a_later_run(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-before"])
    summary = sim.apply()
    assert "looks again after" in next(o.message for o in summary.outcomes if o.name == "hero")
    later(sim)
    asked = len(sim.server.calls)
    assert sim.apply(locked=True).exit_code == 3
    assert (sim.states("hero"), len(sim.server.calls)) == (["uncertain"], asked)  # it looks nothing up
    assert sim.apply().exit_code == 0
    assert (bought(sim), sim.states("hero")) == (1, ["not_sent", "done"])
    sim.rest()


def test_in_a_run_that_goes_on_it_is_settled_and_made_in_that_run(sim: Sim) -> None:
    sim.write(BOTH + "  long: {prompt: a river}\n")
    sim.server.plan("hero", submit=["unknown-before"])
    sim.server.plan("long", poll=["working"] * 60)
    assert sim.apply().exit_code == 0
    assert (bought(sim), sim.states("hero")) == (1, ["not_sent", "done"])


def test_nobody_waits_for_the_list_alone(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-before"])
    began = sim.clock.time
    assert sim.apply().exit_code == 3
    assert sim.clock.time - began < 60


def test_twice_in_a_row_is_a_question(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-before", "unknown-before"])
    for _ in range(5):
        sim.apply()
        later(sim)
    assert sim.states("hero") == ["not_sent", "uncertain"]
    assert sim.server.submits("hero") == 2
    assert "twice in a row" in sim.notes.text()


def test_an_interrupt_ends_the_wait_for_a_second_look(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-before"])
    sim.apply()
    later(sim)
    server(sim).at["list", ""] = lambda: signal.raise_signal(signal.SIGINT)
    began = sim.clock.time
    with pytest.raises(KeyboardInterrupt):
        sim.apply()
    assert sim.clock.time == began
    server(sim).heal()
    assert sim.states("hero") == ["uncertain"]
    assert sim.apply().exit_code == 0
    assert bought(sim) == 1


# --- what stays a question ------------------------------------------------------------------


def _hides_running(sim: Sim, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Listing, "vouched", None)
    server(sim).hidden = lambda task: not task.over and task.label == "hero"


def _other_account(sim: Sim, patch: pytest.MonkeyPatch) -> None:
    server(sim).account = "two"
    server(sim).owner["task-1"] = "two"  # alive, and it is one that we know


def _empty(sim: Sim, patch: pytest.MonkeyPatch) -> None:
    server(sim).hidden = lambda task: True


def _forgets(sim: Sim, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Listing, "vouched", Coverage(0.0, 600.0))
    server(sim).hidden = lambda task: task.label == "hero"


QUESTIONS = {
    "omits what runs": (_hides_running, "not known to show everything"),
    "another account": (_other_account, "may be another account's"),
    "shows nothing at all": (_empty, "proves the list current"),
    "keeps ten minutes": (_forgets, "no longer shows tasks of that time"),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_list_that_proves_nothing_leaves_a_question_and_never_a_second_submit(
    name: str, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil, says = QUESTIONS[name]
    server(sim).lag = 1.0
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    spoil(sim, monkeypatch)
    assert "will be looked up at studio" in detail(sim)
    assert ways_out(sim)[0] == "clipform apply hero  # look the request up at studio (free)"
    for _ in range(3):
        later(sim)
        summary = sim.apply()
        assert summary.exit_code == 3
        sim.safe()
    assert bought(sim) == 1
    blocked = next(o for o in summary.outcomes if o.name == "hero")
    assert says in blocked.message
    assert "resolve hero --task ID" in blocked.help
