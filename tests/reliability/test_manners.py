"""A busy vendor is left alone, other versions' states are kept, a wrong clip is told of: by real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.figures import Tally
from tests.reliability.processes import manners, realkills
from tests.reliability.processes.realkills import Stage


@pytest.fixture(scope="module")
def played() -> Iterator[Stage]:
    """A starter of processes, and vendors."""
    with realkills.stage() as found:
        yield found


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a date", "uniall"), ("in the body", "ark"), ("submits and polls", "ark"), ("until the year 9999", "uniall")],
)
def test_a_vendor_that_is_busy_is_left_alone_for_as_long_as_it_wants(name: str, kind: str, played: Stage) -> None:
    tally = Tally()
    manners.polite(tally, played, name, kind)
    assert tally.broken == []


@pytest.mark.parametrize("command", manners.COMMANDS[::3], ids=" ".join)
def test_a_newer_state_is_refused_and_left_byte_for_byte(command: tuple[str, ...], played: Stage) -> None:
    tally = Tally()
    manners.newer(tally, played, command)
    assert tally.broken == []


@pytest.mark.parametrize("dump", manners.SCHEMAS, ids=lambda dump: dump.stem)
def test_an_older_state_is_copied_and_kept_also_when_the_first_run_is_killed(dump: Path, played: Stage) -> None:
    tally = Tally()
    manners.older(tally, played, dump, 5, 13)
    assert tally.broken == []
    assert tally.injected > 1


@pytest.mark.parametrize("name", ["length", "sound"])
def test_another_clip_than_was_asked_for_is_kept_told_of_and_not_bought_again(name: str, played: Stage) -> None:
    tally = Tally()
    manners.wrong(tally, played, name, "ark")
    assert tally.broken == []
