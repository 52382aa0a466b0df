"""`conform --live` buys the one clip of a project under a cap, after asking, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.conform import suite
from tests.e2e.kit import Rig, project
from tests.emulator.process import Emulator

DATA = Path(__file__).parents[1] / "providers/uniall"
LAMP = {"prompt": "a lamp", "model": "seedance2.0-480p"}
LIVE = ("conform", "uniall", "--data", str(DATA), "--live", "--max-cost")
Make = Callable[[str, Path, Emulator], Rig]


@pytest.fixture
def film(tmp_path: Path, vendor: Emulator, rig: Make, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(suite, "RULES", suite.RULES[:1])
    prices = {"prices": [{"model": "*", "per_second": "0.10"}]}
    budget = {"budget": {"currency": "USD"}}
    folder = project("uniall", tmp_path / "film", vendor, {"lamp": LAMP}, provider=prices, **budget)
    return rig("uniall", folder, vendor)


def test_it_buys_one_clip_and_looks_at_what_it_left(film: Rig) -> None:
    done = film.run(*LIVE, "1", "--yes")
    assert done.code == 0, done.text
    assert len(film.ledger()) == 1
    names = {item["name"] for line in done.lines for item in line.get("checks", ())}
    assert names == {"request", "live-clip", "live-plan", "live-secret"}
    assert film.run(*LIVE, "1", "--yes").code == 4 and len(film.ledger()) == 1  # there is nothing left to buy


@pytest.mark.parametrize(
    ("words", "says"),
    [(("0.20", "--yes"), "0.20"), (("1",), "confirmation needed")],
    ids=["cap", "nobody is asked"],
)
def test_it_buys_nothing_beyond_the_cap_or_unasked(words: tuple[str, ...], says: str, film: Rig) -> None:
    refused = film.run(*LIVE, *words)
    assert refused.code == 4 and says in refused.text and film.ledger() == []


def test_it_buys_nothing_where_a_plan_buys_more_than_one_clip(film: Rig) -> None:
    film.edit('"lamp":', '"moon": {"prompt": "a moon", "model": "seedance2.0-480p"}, "lamp":')
    refused = film.run(*LIVE, "9", "--yes")
    assert refused.code == 4 and "this one buys 2" in refused.text and film.ledger() == []


def test_it_buys_nothing_of_another_kind_or_after_a_broken_rule(film: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    other = film.run("conform", "ark", "--data", str(DATA.parent / "ark"), "--live", "--max-cost", "9", "--yes")
    assert other.code == 4 and "also of uniall" in other.text and film.ledger() == []
    assert film.run(*LIVE[:3], str(DATA.parent / "ark"), *LIVE[4:], "9", "--yes").code == 3 and film.ledger() == []
