"""A plan as a comment on a pull request: small enough, and nothing in it can break out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diagnostics import Diagnostic, Source
from reconciler.plan.model import Action, Change, Cost, Plan, Reason, Step
from reconciler.project.saved_plan import review_digest
from reconciler.views.markdown import LIMIT, MARK, render
from tests.views.plans import PLAN, hostile_plan


def test_every_sort_of_step_reads_like_this(golden: Callable[[str, str], None]) -> None:
    golden("plan.md", render(PLAN))


def test_nothing_to_do_is_said_in_one_line() -> None:
    assert render(Plan(())) == f"{MARK}\n### clipform plan\n\nNothing to do: 0 clips up to date.\n\n"


def changed(count: int, prompt: int = 40) -> Plan:
    """So many clips, each with another prompt of so many characters."""
    steps = [
        Step(
            f"clip-{i}",
            1,
            Action.REPLACE,
            Reason.CHANGED,
            f"v1:{i}",
            output=f"renders/clip-{i}.mp4",
            changes=(Change("prompt", "a" * prompt, "b" * prompt),),
        )
        for i in range(count)
    ]
    return Plan(tuple(steps))


@pytest.mark.parametrize(
    "plan", [changed(5000), changed(5000, 2000), changed(1, 100_000), changed(300), changed(250, 90)], ids=range(5)
)
def test_a_comment_is_never_too_large_for_a_forge(plan: Plan) -> None:
    text = render(plan)
    assert len(text) < LIMIT
    assert text.count("<details>") == text.count("</details>") == text.count("```diff")
    assert text.count("```") == 2 * text.count("```diff")
    assert text.endswith("\n")


def test_what_is_cut_is_counted() -> None:
    text = render(changed(5000))
    shown = text.count("| **replace** |")
    assert f"… and {5000 - shown} more" in text and 0 < shown < 5000
    folded = text.count("<details>")
    assert f"_The details of {5000 - folded} clips do not fit in this comment._" in text and folded


def test_the_numbers_are_those_of_the_whole_plan_even_when_it_is_cut() -> None:
    assert "5000 to replace" in render(changed(5000))


def parts(text: str) -> tuple[list[str], list[str], list[str]]:
    """The rows of the table, the lines of the fences, and everything else; a fence ends where Markdown ends it."""
    rows, code, rest, inside = [], [], [], False
    for line in text.split("\n"):
        if re.match(r" {0,3}```", line):
            inside = not inside
            rest.append(line)
        elif inside:
            code.append(line)
        else:
            (rows if line.startswith("|") else rest).append(line)
    return rows, code, rest


def cells(row: str) -> list[str]:
    """As a forge splits a row: at every bar that no backslash escapes, where a backslash may be escaped itself."""
    return re.sub(r"\\.", "", row).split("|")[1:-1]


@settings(deadline=None, max_examples=80)
@given(st.one_of(st.text(st.sampled_from("`|<>\\\n\r \x1b&!#-~'\u202ex"), max_size=30), st.text(max_size=20)))
def test_no_text_breaks_out_of_its_place(text: str) -> None:
    check(hostile_plan(text))


def test_a_hostile_prompt_stays_in_its_fence_and_a_hostile_name_in_its_cell() -> None:
    check(hostile_plan())


@pytest.mark.parametrize(
    "text",
    [
        "@team",
        "#123",
        "[x](https://evil.example)",
        "![](https://evil.example/p.png)",
        "a\\|b",
        "`",
        "<!-- x",
        "org/repo#1",
    ],
)
def test_a_text_mentions_nobody_and_loads_nothing(text: str) -> None:
    """Outside of code there is nothing but our own words, and `<code>` holds no markup."""
    rendered = render(hostile_plan(text))
    outside = re.sub(r"```diff.*?```|`[^`\n]*`", "", rendered.replace(MARK, ""), flags=re.DOTALL)
    inside = re.findall(r"<code>(.*?)</code>", outside)
    outside = re.sub(r"<code>.*?</code>", "", outside)
    assert not set(outside) & set("@#[]!`") - set("###")
    assert "evil" not in outside and "<!--" not in outside
    assert all("<" not in found and "`" not in found for found in inside)


def test_a_blocked_clip_stands_first_with_its_way_out() -> None:
    text = render(PLAN)
    rows = [line for line in text.splitlines() if line.startswith("| **")]
    assert rows[0].startswith("| **blocked** | `mine` |") and "`clipform apply --force mine`" in rows[0]


def test_the_digest_names_the_work_whatever_else_is_known() -> None:
    """A fresh clone does not know what was made here; what would be done is the same."""
    elsewhere = replace(PLAN, steps=tuple(s for s in PLAN.steps if s.action is not Action.NOOP), expected=None)
    assert review_digest(elsewhere) == review_digest(PLAN) and f"plan `{review_digest(PLAN)}`" in render(PLAN)
    dearer = [replace(s, cost=Cost(Decimal(9), "USD")) if s.clip == "intro" else s for s in PLAN.steps]
    assert review_digest(replace(PLAN, steps=tuple(dearer))) != review_digest(PLAN)


def test_warnings_are_folded_and_counted() -> None:
    warnings = tuple(Diagnostic("x", f"```odd {i}", Source("a.yaml", i, 1)) for i in range(1, 31))
    text = render(replace(PLAN, diagnostics=warnings))
    assert "<details><summary>30 warnings</summary>" in text and "- and 10 more\n```" in text
    assert "- a.yaml:1:1: '''odd 1" in text


def test_a_refusal_stands_beside_the_price_and_a_missing_key_is_left_out() -> None:
    refusal = Diagnostic("over-budget", "apply refuses this plan: budget.per_apply is 1.00", None)
    text = render(replace(PLAN, diagnostics=(refusal, Diagnostic("no-credentials", "no key", None))))
    price, refused = text.index(" · plan `"), text.index("**Refused** `apply refuses this plan")
    assert price < refused < text.index("| | clip |")
    assert "no key" not in text and "warning" not in text


def check(plan: Plan) -> None:
    rows, code, rest = parts(render(plan))
    assert [len(cells(row)) for row in rows] == [6, 6, 6]
    assert all(line[0] in "!+-" for line in code)
    summary = re.compile(r"<details><summary><code>[^<>]*</code>: 3 changed</summary>")
    known = {
        MARK,
        "### clipform plan",
        f"**+1.00 USD** · plan `{review_digest(plan)}`",
        "",
        "```diff",
        "```",
        "</details>",
    }
    strange = [line for line in rest if line not in known and not summary.fullmatch(line)]
    assert len(strange) == 1 and strange[0].startswith("Plan: 1 to replace")
    assert all(line.isprintable() for line in (*rows, *code, *rest))
