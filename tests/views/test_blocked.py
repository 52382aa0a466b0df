"""A blocked clip says the same everywhere: why, what is known, when, at which alias, what it cost, and the way out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reconciler.events import EventKind, Outcome, Summary
from reconciler.plan import remedies
from reconciler.plan.model import Action, Plan, Reason, Step
from reconciler.plan.remedies import Block, command_of, reason_line
from reconciler.records import Attempt, Generation, LockEntry, Money, State
from reconciler.views import markdown
from reconciler.views.base import StatusRow
from reconciler.views.groups import StepGroup
from reconciler.views.ndjson import JsonView
from reconciler.views.terminal import apply as apply_text
from reconciler.views.terminal import plan as plan_text
from reconciler.views.terminal import tables
from reconciler.views.terminal.style import Style

PLAIN = Style()
NAME = "social[ratio=16:9,lang=en]"
WHEN = 1_760_000_000.0


def attempt(state: State, **more: Any) -> Attempt:
    facts = {"task": "t1", "created": WHEN, "updated": WHEN, "cost_micros": 500_000, "currency": "USD", **more}
    made = {"provider": "studio", "kind": "ark", "model": "doubao-seedance-2-0"}
    return Attempt(1, state, "m", key="v1:aa", clip=NAME, take=1, **{**made, **facts})


def of(state: State, **more: Any) -> Block:
    block = remedies.of_attempt(attempt(state, **more))
    assert block is not None
    return block


BY: Mapping[str, Any] = {
    **{"provider": "studio", "kind": "ark", "model": "doubao-seedance-2-0", "task": "t1", "seed": 7},
    **{"cost_micros": 500_000, "currency": "USD"},
}
MADE = Generation("v1:aa", "ab" * 32, "", **BY, created=WHEN)
BLOCKS: Mapping[Reason, Block] = {
    Reason.UNCERTAIN: of(State.UNCERTAIN, task=None, message="HTTP 502"),
    Reason.STALLED: of(State.STALLED),
    Reason.VANISHED: of(State.VANISHED, money=Money.SETTLED),
    Reason.NO_OUTPUT: of(State.NO_OUTPUT, money=Money.SETTLED),
    Reason.LINK_EXPIRED: of(State.RESULT_EXPIRED, money=Money.SETTLED),
    Reason.QUARANTINED: of(State.QUARANTINED, money=Money.SETTLED, message="no video in it", cost_micros=None),
    Reason.REFUSED: of(
        State.REFUSED, task=None, reason="bad input", money=Money.RELEASED, message="the picture is small"
    ),
    Reason.FAILED_PAID: of(State.FAILED, reason="internal", money=Money.SETTLED, message="the render failed"),
    Reason.GIVEN_UP: of(State.ABANDONED, reason="abandoned", money=Money.SETTLED),
    Reason.PAID_BEFORE: remedies.artifact_lost(NAME, MADE, None),
    Reason.LOCKED_BEFORE: remedies.elsewhere(NAME, LockEntry("ab" * 32, ".mp4", key="v1:aa", clip=NAME, take=1, **BY)),
    Reason.PROTECTED: remedies.protected(NAME, MADE),
    Reason.FOREIGN: remedies.foreign_file(NAME, "renders/social.mp4"),
    Reason.UPSTREAM: remedies.upstream(NAME, {"hero", "intro"}, selected=False),
}
"""Every reason for which `plan` blocks a clip."""


def step(block: Block) -> Step:
    return Step(
        NAME, 1, Action.BLOCKED, block.reason, "v1:aa", "studio", "ark", "doubao-seedance-2-0", "renders/social.mp4",
        detail=block.detail, way_out=block.way_out,
    )  # fmt: skip


def as_status(block: Block) -> list[str]:
    row = StatusRow(
        NAME, 1, True, "blocked", reason_line(block.reason, block.detail), block.way_out, output="renders/social.mp4"
    )
    return list(tables.status([row], PLAIN, 400))[2:]


def as_apply(block: Block) -> list[str]:
    end = Outcome(
        NAME, 1, "blocked", EventKind.BLOCKED, reason_line(block.reason, block.detail), "\n".join(block.way_out)
    )
    return list(apply_text.summary(Summary((end,)), PLAIN))[:-1]


def test_every_blocked_reason_reads_like_this(golden: Callable[[str, str], None]) -> None:
    parts = []
    for reason, block in BLOCKS.items():
        parts += [f"== {reason.value}", "-- plan", *plan_text.block(StepGroup((step(block),)), "USD", PLAIN)]
        parts += ["-- status", *as_status(block), "-- apply", *as_apply(block)]
        parts += ["-- markdown", markdown.render(Plan((step(block),))).splitlines()[-1], ""]
    golden("blocked.txt", "\n".join(parts))


@pytest.mark.parametrize("reason", BLOCKS)
def test_plan_status_and_apply_say_it_with_the_same_words(reason: Reason) -> None:
    block = BLOCKS[reason]
    plan = list(plan_text.block(StepGroup((step(block),)), "USD", PLAIN))
    status, apply = as_status(block), as_apply(block)
    out = [line for line in plan if "next:" in line]
    assert out and out == status[1:] == apply[1:]
    line = reason_line(block.reason, block.detail)
    assert status[0].strip() == line and apply[0].endswith(f": {line}")
    for words in line.split(": ", 1):  # the plan has them on two lines
        assert any(words in told_line for told_line in plan)


@pytest.mark.parametrize("reason", BLOCKS)
def test_programs_are_told_the_same_in_every_document(reason: Reason) -> None:
    block = BLOCKS[reason]
    out = io.StringIO()
    view = JsonView(out)
    message, commands = reason_line(block.reason, block.detail), [command_of(line) for line in block.way_out]
    view.plan(Plan((step(block),)))
    view.status([StatusRow(NAME, 1, True, "blocked", message, block.way_out)])
    view.summary(Summary((Outcome(NAME, 1, "blocked", EventKind.BLOCKED, message, "\n".join(block.way_out)),)))
    plan, status, summary = (json.loads(line) for line in out.getvalue().splitlines())
    assert (plan["actions"][0]["message"], plan["actions"][0]["way_out"]) == (message, commands)
    assert (status["clips"][0]["detail"], status["clips"][0]["way_out"]) == (message, commands)
    assert (summary["outcomes"][0]["message"], summary["outcomes"][0]["way_out"]) == (message, commands)


PAID = [reason for reason in BLOCKS if reason not in (Reason.FOREIGN, Reason.UPSTREAM)]


@pytest.mark.parametrize("reason", PAID)
def test_what_was_bought_is_told_with_its_alias_and_what_it_cost(reason: Reason) -> None:
    known = BLOCKS[reason].detail
    assert "studio" in known
    assert any(word in known for word in ("0.50 USD", "not charged", "price unknown"))


def test_the_command_names_the_clip_so_that_a_shell_can_read_it() -> None:
    commands = [command for block in BLOCKS.values() for command in block.way_out if NAME in command]
    assert commands and all(f"'{NAME}'" in command or f"'+{NAME}'" in command for command in commands)
