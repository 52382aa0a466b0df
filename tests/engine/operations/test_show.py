"""`show`: what each key of a clip was asked for with, also when its specs say something else by now."""

from __future__ import annotations

from typing import Any

from reconciler.views import show
from reconciler.views.base import Section
from tests.reliability.simulator.sim import ALL, ONE, Sim


def shown(sim: Sim) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """The parts of `hero`, as facts and as JSON."""
    planned = sim.workspace.plan(ALL, sim.workspace.load())
    sections, data = show.show("hero", planned, "objects")
    takes = data["takes"]
    assert isinstance(takes, list)
    return [_facts(section) for section in sections], takes


def _facts(section: Section) -> dict[str, str]:
    return dict(section.facts)


def test_a_request_that_nobody_wants_any_more_is_shown_as_it_was_sent(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    sim.write(ONE.replace("a lamp", "a torch"))
    now, before = shown(sim)[0]
    assert (now["prompt"], before["prompt"]) == ("a torch", "a lamp")
    assert "estimated" in now
    assert "estimated" not in before
    assert [take["document"]["prompt"] for take in shown(sim)[1]] == ["a torch", "a lamp"]
    assert [take["picked"] for take in shown(sim)[1]] == [True, False]


def test_the_seed_of_a_request_in_doubt_is_shown(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    (attempt,) = sim.attempts()
    assert attempt.seed is not None
    assert shown(sim)[0][0]["seed sent"] == str(attempt.seed)


def test_an_old_file_at_a_former_output_is_shown_as_it_was_made(sim: Sim) -> None:
    sim.apply()
    sim.write(ONE.replace("a lamp", "a torch, output: renders/other.mp4"))
    assert [facts["prompt"] for facts in shown(sim)[0]] == ["a torch", "a lamp"]


def test_what_the_records_do_not_know_is_not_made_up(sim: Sim) -> None:
    """The receipts hold no prompt."""
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    for path in sim.root.glob("state/clipform.db*"):
        path.unlink()
    sim.write(ONE.replace("a lamp", "a torch"))
    now, before = shown(sim)[0]
    assert (now["prompt"], "prompt" in before) == ("a torch", False)
