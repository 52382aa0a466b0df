"""A plan as a person reads it."""

from __future__ import annotations

import re
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.plan.model import Action, Change, Plan, Reason, Step
from reconciler.views.terminal import plan as plan_text
from reconciler.views.terminal.style import Style
from tests.views.plans import PLAN, hostile_plan

PLAIN, COLOUR = Style(), Style(True)
_SGR = re.compile(r"\x1b\[\d+m")


def lines(plan: Plan, style: Style = PLAIN) -> str:
    return "\n".join(plan_text.render(plan, style))


def test_every_sort_of_step_reads_like_this(golden: Callable[[str, str], None]) -> None:
    golden("plan.txt", lines(PLAN) + "\n")


def test_an_empty_plan_is_one_line() -> None:
    assert lines(Plan(())) == "Nothing to do: 0 clips up to date."


def test_colour_adds_nothing_but_colour() -> None:
    coloured = lines(PLAN, COLOUR)
    assert "\x1b[" in coloured and _SGR.sub("", coloured) == lines(PLAN)


def test_with_colour_the_words_of_a_prompt_have_their_marks_all_the_same() -> None:
    step = Step("hero", 1, Action.REPLACE, Reason.CHANGED, "v1:aa", changes=(Change("prompt", "a lamp", "a lantern"),))
    shown = lines(Plan((step,)), COLOUR).splitlines()
    assert "    prompt: a \x1b[31m[-lamp-]\x1b[0m\x1b[32m{+lantern+}\x1b[0m" in shown


def test_what_a_provider_chooses_for_many_clips_alike_is_said_once() -> None:
    steps = [
        Step(f"clip-{i}", 1, Action.CREATE, Reason.NEW, f"v1:{i}", server_defaults=("watermark no",)) for i in range(4)
    ]
    text = lines(Plan(tuple(steps)))
    assert text.count("watermark no") == 1 and "Provider's default for 4 clips: watermark no" in text


def test_nothing_foreign_reaches_the_terminal_as_it_is() -> None:
    text = lines(hostile_plan())
    assert all(line.isprintable() for line in text.splitlines())
    assert "\\e[2J" in text and "\\u{202e}" in text
    assert not re.search(r"[^\x20-\x7e\n·→]", text)


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=20))
def test_whatever_a_step_says_it_takes_as_many_lines_all_of_them_printable(text: str) -> None:
    plan, harmless = hostile_plan(text), hostile_plan("x")
    assert lines(plan).count("\n") == lines(harmless).count("\n")
    assert all(line.isprintable() for line in lines(plan).split("\n"))
    assert all(line.isprintable() for line in _SGR.sub("", lines(plan, COLOUR)).split("\n"))
