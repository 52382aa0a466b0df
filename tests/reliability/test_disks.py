"""The disk is full, at each size that matters, and places cannot be written: refused in time, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reliability.figures import Tally
from tests.reliability.processes import disks, realkills
from tests.reliability.processes.realkills import Stage


@pytest.fixture(scope="module")
def played() -> Iterator[Stage]:
    """A starter of processes, and vendors."""
    with realkills.stage() as found:
        yield found


@pytest.fixture(scope="module")
def mounts() -> None:
    """Skips, with the reason, where nothing can be mounted."""
    if reason := disks.unable():
        pytest.skip(reason)


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize("name", ["one", "replace"])
def test_a_disk_that_is_full_at_any_page_costs_nothing(name: str, played: Stage) -> None:
    tally = Tally()
    disks.by_pages(tally, played, name, *((4, 11) if name == "one" else (0, 4)))
    assert tally.broken == []
    assert tally.injected > 2


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize("point", disks.FILLS)
def test_a_disk_that_fills_under_way_loses_nothing_and_asks_nobody(point: str, played: Stage) -> None:
    tally = Tally()
    disks.under_way(tally, played, point, 0, 3 if point != "vendor.slot" else 7)
    assert tally.broken == []
    assert tally.injected > 2


def test_a_file_that_may_not_grow_past_any_byte_costs_nothing(played: Stage) -> None:
    tally = Tally()
    disks.by_bytes(tally, played, iter(disks.sizes(played)[5::17]))
    assert tally.broken == []
    assert tally.injected > 2


def test_a_disk_that_is_full_from_any_point_on_costs_nothing(played: Stage) -> None:
    tally = Tally()
    disks.by_points(tally, played, 7, 19)
    assert tally.broken == []
    assert tally.injected > 4


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("place", disks.GUARDED)
def test_what_cannot_be_written_is_seen_before_anything_is_bought(place: str, used: bool, played: Stage) -> None:
    tally = Tally()
    disks.guarded(tally, played, place, used=used)
    assert tally.broken == []
