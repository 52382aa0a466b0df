"""`cost` is the vendor's own ledger, to the cent, in whatever groups."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.project.spending import PaidRequest
from reconciler.views.spending import table
from tests.e2e.kit import Rig, ask, project
from tests.emulator.process import Emulator, emulator

RATE = Decimal("0.04")  # for a thousand tokens
CLIPS: dict[str, Any] = {
    "lamp": {"prompt": "a lamp", "tags": ["hero", "summer"]},
    "sun": {"prompt": "a sun", "tags": ["summer"], "duration": 4},
    "moon": {"prompt": "a moon"},
}
SECTIONS: dict[str, Any] = {
    "provider": {"prices": [{"model": "*", "per_1k_tokens": float(RATE)}]},
    "budget": {"currency": "CNY"},
}


@pytest.fixture
def film(rig: Callable[[str, Path, Emulator], Rig], tmp_path: Path, vendor: Emulator) -> Rig:
    of = rig("ark", project("ark", tmp_path / "film", vendor, CLIPS, **SECTIONS), vendor)
    assert of.run("apply", "--yes", "--trust").code == 0
    return of


def billed(film: Rig) -> dict[str, Decimal]:
    """What the vendor wrote down for each prompt."""
    return {
        entry["request"]["content"][0]["text"]: Decimal(entry["charge"]["amount"]) * RATE / 1000
        for entry in film.ledger()
    }


def amounts(film: Rig, *words: str) -> dict[str, Decimal]:
    groups = film.run("cost", "--rehearsals", *words).document["groups"]
    return {group["name"]: Decimal(group["cost"]["amount"]) for group in groups}


def test_the_report_equals_the_ledger_of_the_vendor(film: Rig) -> None:
    bills = billed(film)
    assert len(bills) == 3
    by_clip = {"lamp": bills["a lamp"], "sun": bills["a sun"], "moon": bills["a moon"]}
    assert amounts(film) == by_clip
    [total] = film.run("cost", "--rehearsals").document["totals"]
    assert Decimal(total["cost"]["amount"]) == sum(bills.values()) and total["purchases"] == 3
    assert Decimal(total["estimate"]) >= sum(bills.values())  # what was reserved

    tags = amounts(film, "--by", "tag")
    assert tags == {
        "hero": by_clip["lamp"],
        "summer": by_clip["lamp"] + by_clip["sun"],
        "without a tag": by_clip["moon"],
    }
    for group in ("day", "month", "provider", "model", "person"):
        assert sum(amounts(film, "--by", group).values()) == sum(bills.values()), group
    assert amounts(film, "tag:summer").keys() == {"lamp", "sun"}


def test_a_table_has_each_purchase_and_nothing_that_a_spreadsheet_runs(film: Rig) -> None:
    rows = list(csv.DictReader(io.StringIO(film.run("cost", "--rehearsals", "--csv").document["text"])))
    assert sum(Decimal(row["cost"]) for row in rows) == sum(billed(film).values())
    assert {row["clip"] for row in rows} == {"lamp", "sun", "moon"}
    assert {row["person"] for row in rows} != {""} and {row["rehearsal"] for row in rows} == {"yes"}
    formula = PaidRequest("=cmd()", 1, "vendor", "@model", "CNY", None, None)
    assert table([formula]).splitlines()[1].split(",")[1:5] == ["'=cmd()", "1", "vendor", "'@model"]


def test_what_is_not_paid_to_a_vendor_is_counted_apart(film: Rig) -> None:
    assert film.run("cost").document["totals"] == []  # the vendor is on this machine


def test_a_clip_that_is_gone_is_still_counted_and_a_second_use_is_saved(film: Rig) -> None:
    before = amounts(film)
    film.edit('"a sun"', '"a star"')
    assert film.run("apply", "--yes").code == 0
    film.edit('"a star"', '"a sun"')
    assert film.run("apply", "--yes").code == 0
    report = film.run("cost", "--rehearsals").document
    assert amounts(film)["sun"] == 2 * before["sun"]
    assert report["reused"] == 1 and Decimal(report["saved"][0]["amount"]) == before["sun"]
    film.edit('"lamp"', '"lantern"')
    assert amounts(film, "lamp") == {"lamp": before["lamp"]}  # it was bought under that name


def test_what_only_the_lock_file_knows_is_counted_once(film: Rig, tmp_path: Path) -> None:
    bills = billed(film)
    (film.folder / "state").rename(tmp_path / "lost")
    assert amounts(film, "--by", "day") == {"not known": sum(bills.values())}


def test_a_failure_that_was_billed_is_named(rig: Callable[[str, Path, Emulator], Rig], tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults: [{when: {phase: submit}, do: fail}]\n", encoding="utf-8")
    with emulator("--latency", "0.05", "--no-render", "--faults", str(faults), cwd=tmp_path) as failing:
        sections = {
            **SECTIONS,
            "provider": {"prices": [{"model": "*", "per_clip": 0.5}], "settings": {"failures_free": False}},
        }
        film = rig(
            "uniall", project("uniall", tmp_path / "film", failing, {"lamp": {"prompt": "a lamp"}}, **sections), failing
        )
        assert film.run("apply", "--yes", "--trust").code == 3
        [total] = film.run("cost", "--rehearsals").document["totals"]
        assert total["failed"] == {"purchases": 1, "amount": "0.50"} and ask(failing, "/ledger")["count"] == 1


@pytest.mark.parametrize("words", [["--by", "mood"], ["--since", "yesterday"], ["--since", "2026-13-01"], ["nobody"]])
def test_nonsense_is_a_wrong_command_line(film: Rig, words: list[str]) -> None:
    assert film.run("cost", *words).code == 64


def test_since_leaves_out_what_is_older(film: Rig) -> None:
    assert amounts(film, "--since", "1d").keys() == {"lamp", "sun", "moon"}
    assert amounts(film, "--since", "9999-01-01") == {}


@pytest.mark.parametrize("cap", ["per_day: 9", "per_month: 9", "per_tag: {summer: 5}"])
def test_a_cap_on_a_part_refuses_before_anything_is_sent(film: Rig, cap: str) -> None:
    """4.36, 3.49 and 4.36 were bought: 7.85 with the tag."""
    name, _, value = cap.partition(": ")
    written = '{"summer": 5}' if "{" in value else value
    film.edit('"currency": "CNY"', f'"currency": "CNY", "{name}": {written}')
    assert film.run("plan").document["diagnostics"] == []
    film.edit('"a sun"', '"a star"')
    plans = [film.run("plan"), film.run("plan", "--out", "a.plan")]
    refused = film.run("apply", "--yes")
    assert refused.code == 4 and f"budget.{name}" in (text := refused.document["error"]["message"])
    assert text.endswith("none of 1 fits")
    for plan in plans:  # it says beforehand what apply will say
        assert f"apply refuses this plan: {text}" in [each["message"] for each in plan.document["diagnostics"]]
    assert len(film.ledger()) == 3
    film.edit('"a moon"', '"a planet"')
    assert film.run("apply", "moon", "--yes").code == (0 if name == "per_tag" else 4)


def test_a_plan_beyond_the_limit_fails_a_build(film: Rig) -> None:
    film.edit('"a sun"', '"a star"')
    assert film.run("plan", "--max-cost", "3.50").code == 0
    assert film.run("plan", "--max-cost", "3.49").code == 4
    assert film.run("plan", "--max-cost", "lots").code == 64


def test_flex_is_asked_for_at_its_price_and_no_tier_buys_the_video_again(
    rig: Callable[[str, Path, Emulator], Rig], tmp_path: Path, vendor: Emulator
) -> None:
    prices = [{"tier": "flex", "per_1k_tokens": 0.02}, {"per_1k_tokens": 0.04}]
    clips = {"lamp": {"prompt": "a lamp", "tier": "flex", "model": "doubao-seedance-1-0-pro-250528", "duration": 2}}
    sections = {"provider": {"prices": prices}, "budget": {"currency": "CNY"}}
    film = rig("ark", project("ark", tmp_path / "film", vendor, clips, **sections), vendor)
    [planned] = film.run("plan").document["actions"]
    assert planned["tier"] == {"name": "flex", "why": ""}
    assert film.run("apply", "--yes", "--trust").code == 0
    [entry] = film.ledger()
    assert entry["request"]["service_tier"] == "flex"
    assert amounts(film) == {"lamp": Decimal(entry["charge"]["amount"]) * Decimal("0.02") / 1000}
    film.edit('"flex"', '"standard"')
    assert film.run("apply", "--yes").code == 0 and len(film.ledger()) == 1  # the prices change, too: nothing is bought
