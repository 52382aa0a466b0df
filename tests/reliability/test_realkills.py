"""The real process dies at each named point, for real: SIGKILL, real sockets, real disk. Every nth point here; all of
them by `python -m tests.reliability --long`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.figures import Tally
from tests.reliability.processes import realkills
from tests.reliability.processes.launch import launcher, survivors
from tests.reliability.processes.realkills import STORIES, Stage

POINTS = Path(__file__).parent / "points"
_AROUND = ("vendor.list", "vendor.cancel", "draft.submit", "draft.poll", "draft.fetch")
REAL = {
    "vendor.request sent",
    "rmdir in draft_renderer._sweep before",
    *(f"{name} {when}" for name in _AROUND for when in ("before", "after")),
}
"""What only a real process passes."""


@pytest.fixture(scope="module")
def played() -> Iterator[Stage]:
    """A starter of processes, and vendors."""
    with realkills.stage() as found:
        yield found


@pytest.mark.parametrize("name", STORIES)
def test_killed_at_a_point_it_pays_once_loses_nothing_and_heals(name: str, played: Stage) -> None:
    tally = Tally()
    number = list(STORIES).index(name)
    realkills.play(tally, played, name, 2 + number % 9, 83)
    assert tally.broken == []
    assert tally.kills > 0


@pytest.mark.parametrize(("name", "seed"), [("one", 5), ("pair", 4)])
def test_killed_again_while_it_recovers_it_does_no_harm_either(name: str, seed: int, played: Stage) -> None:
    tally = Tally()
    realkills.play_recovery(tally, played, name, seed, 41)
    assert tally.broken == []
    assert tally.kills > 1


def test_the_real_process_passes_the_points_of_the_simulator_and_no_others(played: Stage) -> None:
    simulated = {line[4:] for file in POINTS.glob("*.txt") for line in file.read_text(encoding="utf-8").splitlines()}
    alone = {line[4:] for line in (POINTS / "one.txt").read_text(encoding="utf-8").splitlines()}
    box = played.boxes(STORIES["one"])()
    passed = set(box.run(played.starter, *realkills.APPLY).points)
    assert passed - simulated <= REAL
    assert alone - passed == set()


def test_the_witness_sees_what_must_not_happen(tmp_path: Path) -> None:
    """A process that opens the database itself, writes elsewhere and connects to a stranger is told on."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "clipform.db").touch()
    with launcher() as starter:
        process = starter.start(tmp_path, ("--version",), {"HOME": "/nowhere"}, tmp_path / "project", misdeeds=True)
        process.wait()
        assert {text.partition(":")[0] for text in process.broken} == {"F23", "I8", "I9"}
        assert survivors(process.pid) == []
