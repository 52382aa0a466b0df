"""What a person reads while an apply works, and at its end."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.events import Event, EventKind, Outcome, Summary
from reconciler.views.terminal import apply
from reconciler.views.terminal.style import Style
from tests.views.plans import HOSTILE

PLAIN = Style()


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Event(EventKind.SUBMITTED, "hero", task="t1"), "hero: submitted (task t1)"),
        (
            Event(EventKind.SUCCEEDED, "hero", 2, "create", output="a.mp4", elapsed=75.0),
            "hero#2: made a.mp4 in 1 min 15 s",
        ),
        (Event(EventKind.SUCCEEDED, "hero", action="restore", output="a.mp4"), "hero: restored a.mp4"),
        (Event(EventKind.SUCCEEDED, "hero", action="resume"), "hero: finished"),
        (Event(EventKind.FAILED, "hero", message="refused"), "hero: failed: refused"),
        (Event(EventKind.SKIPPED, "hero", message="needs intro"), None),
        (Event(EventKind.LEFT, "hero", message="interrupted"), None),
        (Event(EventKind.NOTE, "hero", message="asking again"), "asking again"),
        (Event(EventKind.RUNNING, "hero", progress=4), None),
        (Event(EventKind.WAITING, "hero"), None),
    ],
)
def test_what_happens_is_one_line_or_none(event: Event, line: str | None) -> None:
    assert apply.line(event, PLAIN, live=False) == line


def test_where_progress_is_live_a_submit_needs_no_line() -> None:
    assert apply.line(Event(EventKind.SUBMITTED, "hero"), PLAIN, live=True) is None


def test_a_run_that_its_timeout_ended_says_so_and_how_to_go_on() -> None:
    lines = end(outcome(EventKind.LEFT, message="the time of --timeout is over; its task is on record"), late=True)
    assert lines[-2].startswith("Out of time: 1 left running in 2.0 s.")
    assert lines[-1] == "To continue, run: clipform apply. Nothing that you paid for is lost."


def end(*outcomes: Outcome, **more: object) -> list[str]:
    return list(apply.summary(Summary(outcomes, elapsed=2.0, currency="USD", **more), PLAIN))  # type: ignore[arg-type]


def outcome(result: EventKind, action: str = "create", message: str = "", help: str = "") -> Outcome:
    return Outcome("hero", 1, action, result, message, help)


def test_the_end_counts_what_was_made_what_was_free_and_what_it_cost() -> None:
    actions = ("create", "resume", "move", "restore", "remove")
    done = [replace(outcome(EventKind.SUCCEEDED, action), clip=f"clip-{action}") for action in actions]
    assert end(*done, spent=Decimal("0.5")) == ["Done: 2 made, 2 placed for free, 1 removed in 2.0 s. Cost: 0.50 USD."]


def test_the_end_counts_takes_where_there_are_more_of_them_than_clips() -> None:
    done = [Outcome("hero", take, "create", EventKind.SUCCEEDED, takes=3) for take in (1, 2, 3)]
    lines = end(*done, outcome(EventKind.FAILED), spent=Decimal("1.5"))
    assert lines[-1] == "Done: 1 clip (3 takes) made, 1 failed in 2.0 s. Cost: 1.50 USD."


def test_what_was_paid_before_and_is_collected_now_is_not_called_free() -> None:
    assert end(outcome(EventKind.SUCCEEDED, "resume")) == ["Done: 1 made in 2.0 s. Cost: nothing new."]
    assert end(outcome(EventKind.SUCCEEDED)) == ["Done: 1 made in 2.0 s. Cost: free."]


def test_the_end_says_what_failed_why_and_what_to_do() -> None:
    lines = end(
        outcome(EventKind.SUCCEEDED),
        outcome(EventKind.FAILED, message="refused (moderation): no", help="clipform show hero"),
        outcome(EventKind.LEFT, message="its task goes on at the provider"),
    )
    text = "\n".join(lines)
    assert "hero: refused (moderation): no" in text and "clipform show hero" in text
    assert "hero: its task goes on at the provider" in text
    assert lines[-1].startswith("Done: 1 made, 1 failed, 1 left running in 2.0 s.")


def test_an_interrupted_run_says_how_to_carry_on() -> None:
    lines = end(interrupted=True)
    assert lines[0] == "Interrupted: nothing to do in 2.0 s."
    paid = end(outcome(EventKind.LEFT, message="its task goes on"), spent=Decimal("0.5"), interrupted=True)
    assert paid[-2] == "Interrupted: 1 left running in 2.0 s. Cost: 0.50 USD."
    assert "clipform apply" in lines[1]


def test_many_that_were_not_done_for_the_same_reason_are_told_as_one() -> None:
    """An interrupt of a thousand clips would scroll away what failed."""
    skipped = [Outcome(f"c{i}", 1, "create", EventKind.SKIPPED, "interrupted") for i in range(40)]
    lines = end(*skipped, outcome(EventKind.FAILED, message="refused"), interrupted=True)
    assert lines[:3] == [
        "failed   hero: refused",
        "skipped  40 clips: interrupted",
        "    c0, c1, c2, c3, c4, c5, c6, c7 and 32 more",
    ]
    assert end(*skipped[:2])[:2] == ["skipped  c0: interrupted", "skipped  c1: interrupted"]


def test_the_end_says_what_was_saved_where_something_was() -> None:
    (line,) = end(outcome(EventKind.SUCCEEDED), spent=Decimal(1), saved=Decimal("3.5"))
    assert line.endswith("Cost: 1.00 USD. Saved: 3.50 USD by using stored videos.")
    restored = outcome(EventKind.SUCCEEDED, action="restore")
    (line,) = end(restored, saved=Decimal("3.5"), saved_unpriced=2)
    assert line.endswith("in 2.0 s. Saved: 3.50 USD and 2 unpriced by using stored videos.")
    (line,) = end(restored, saved_unpriced=2)
    assert line.endswith("Saved: 2 unpriced by using stored videos.")
    (line,) = end(saved=Decimal("3.5"))
    assert line == "Done: nothing to do in 2.0 s."


@pytest.mark.parametrize("kind", [EventKind.SUBMITTED, EventKind.SUCCEEDED, EventKind.FAILED, EventKind.NOTE])
def test_nothing_foreign_reaches_the_terminal_as_it_is(kind: EventKind) -> None:
    line = apply.line(Event(kind, HOSTILE, message=HOSTILE, output=HOSTILE, task=HOSTILE), PLAIN, live=False)
    assert line is not None and line.isprintable()
    bad = Outcome(HOSTILE, 1, "create", EventKind.FAILED, HOSTILE, HOSTILE)
    assert all(text.isprintable() for text in end(bad))
