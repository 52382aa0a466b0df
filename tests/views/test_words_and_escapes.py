"""Foreign text made safe to show, and the small words of all views."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import money
from reconciler.plan.model import Action, Cost, Plan, Reason, Step
from reconciler.views import format
from reconciler.views.terminal.sanitize import safe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("镜头推进 · é · 🌕", "镜头推进 · é · 🌕"),
        ("\x1b[31mred", "\\e[31mred"),
        ("\x1b]52;c;AAAA\x07", "\\e]52;c;AAAA\\x07"),  # would write to the clipboard
        ("over\rwritten", "over\\rwritten"),
        ("a\tb\nc", "a\\tb\\nc"),
        ("\x9b31m", "\\x9b31m"),  # the one-byte form of ESC [
        ("user\u202egnp.exe", "user\\u{202e}gnp.exe"),  # shown from right to left
        ("zero\u200bwidth", "zero\\u{200b}width"),
        ("\ufeffmark", "\\u{feff}mark"),
        ("\x00\x7f\x85", "\\x00\\x7f\\x85"),
        ("\u2028", "\\u{2028}"),
        ("\U000e0041", "\\u{e0041}"),  # a tag character: text that nobody sees
        ("\ud800", "\\u{d800}"),
        ("no\u00a0break", "no\\xa0break"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_shown_as_its_code(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_line_feeds_stay_where_lines_are_wanted() -> None:
    assert safe("a\nb\x1b", lines=True) == "a\nb\\e"


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=[])))
def test_whatever_comes_only_printable_text_is_shown(text: str) -> None:
    assert safe(text).isprintable()
    assert safe(safe(text)) == safe(text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_are_said_as_people_say_them(value: float, shown: str) -> None:
    assert format.seconds(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (0, "0 s"), (-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (3600, "1 h"), (200_000, "2 d")],
)
def test_ages_have_one_unit(value: float | None, shown: str) -> None:
    assert format.age(value) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "unpriced"),
        ("0", "free"),
        ("0.000000", "free"),
        ("0.5", "0.50 USD"),
        ("0.10", "0.10 USD"),
        ("0.000001", "0.000001 USD"),
        ("1E+3", "1000.00 USD"),
        ("1E-7", "0.0000001 USD"),
        ("12.300", "12.30 USD"),
        ("7", "7.00 USD"),
    ],
)
def test_amounts_have_no_exponents(amount: str | None, shown: str) -> None:
    assert money.text(None if amount is None else Decimal(amount), "USD") == shown


AMOUNTS = yaml.safe_load((Path(__file__).parent / "amounts.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", AMOUNTS, ids=lambda row: row["text"])
def test_amounts_and_ranges_have_few_digits_and_are_never_rounded_down(row: Mapping[str, str]) -> None:
    least = Decimal(row["least"]) if "least" in row else None
    assert format.amount(Decimal(row["amount"]), "USD", least) == row["text"]


def test_an_amount_without_a_currency_stands_alone() -> None:
    assert money.text(Decimal(2), "") == "2.00"


def _plan(*steps: tuple[Action, str | None], expected: float | None = None) -> Plan:
    made = [
        Step(f"c{i}", 1, action, Reason.NEW, "v1:aa", cost=Cost(None if amount is None else Decimal(amount)))
        for i, (action, amount) in enumerate(steps)
    ]
    return Plan(tuple(made), currency="USD", expected=expected)


C, R, N, B, M = Action.CREATE, Action.REPLACE, Action.NOOP, Action.BLOCKED, Action.MOVE


@pytest.mark.parametrize(
    ("plan", "line"),
    [
        (_plan(), "Nothing to do: 0 clips up to date."),
        (_plan((N, "0")), "Nothing to do: 1 clip up to date."),
        (_plan((C, "0.5"), (R, "0.25"), (N, "0")), "Plan: 1 to create, 1 to replace, 1 up to date. Cost: 0.75 USD."),
        (_plan((C, None)), "Plan: 1 to create, 0 up to date. Cost: 1 unpriced."),
        (_plan((C, None), (C, "2")), "Plan: 2 to create, 0 up to date. Cost: 2.00 USD and 1 unpriced."),
        (_plan((C, "0")), "Plan: 1 to create, 0 up to date. Cost: free."),
        (_plan((C, "0"), (C, None)), "Plan: 2 to create, 0 up to date. Cost: 1 unpriced."),
        (_plan((B, "0"), (M, "0"), (N, "0")), "Plan: 1 to move, 1 blocked, 1 up to date."),
        (_plan((C, "1"), expected=90), "Plan: 1 to create, 0 up to date. Cost: 1.00 USD. About 1 min 30 s."),
    ],
)
def test_one_line_sums_a_plan_up(plan: Plan, line: str) -> None:
    assert format.summary_line(plan) == line
