"""The documents of `--json`, held against the example in the interface: programs are written to these names."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.diagnostics import ClipformError, Diagnostic, Finding, Refused, Severity, Source, SpecError
from reconciler.events import Event, EventKind, Outcome, Summary
from reconciler.plan.model import Action, Change, Cost, Plan, Reason, Step
from reconciler.views import encode
from reconciler.views.base import StatusRow
from reconciler.views.ndjson import JsonView
from tests.views.plans import HOSTILE, PLAN, hostile_plan

CONTRACT = json.loads("""
{"format_version": 1, "actions": [{"clip": "hero", "take": 1, "action": "replace", "key": "9f…", "previous_key": "1c…",
  "provider": "studio", "model": "doubao-seedance-2-0", "output": "renders/hero.mp4",
  "changes": [{"field": "prompt", "before": "…", "after": "…"}], "cost": {"amount": "0.50", "currency": "USD"}}],
 "summary": {"create": 0, "replace": 1, "resume": 0, "restore": 0, "move": 0, "assemble": 0,
  "remove": 0, "noop": 36, "blocked": 0},
 "cost": {"amount": "0.50", "currency": "USD", "unpriced": 0}, "diagnostics": []}
""")
"""The example of the interface, word for word."""


def told(speak: Callable[[JsonView], object]) -> list[dict[str, Any]]:
    """What a view writes, line by line."""
    out = io.StringIO()
    speak(JsonView(out))
    text = out.getvalue()
    assert text.isascii()  # no console's encoding can fail on it, no escape can act
    return [json.loads(line) for line in text.splitlines()]


def test_a_plan_is_the_document_of_the_contract() -> None:
    """The example's own plan gives the example, and more members beside it."""
    hero = Step(
        "hero",
        1,
        Action.REPLACE,
        Reason.CHANGED,
        "9f…",
        "studio",
        "ark",
        "doubao-seedance-2-0",
        "renders/hero.mp4",
        previous_key="1c…",
        changes=(Change("prompt", "…", "…"),),
        cost=Cost(Decimal("0.5"), "USD"),
    )
    rest = [Step(f"c{i}", 1, Action.NOOP, Reason.UP_TO_DATE, "v1:aa") for i in range(36)]
    (document,) = told(lambda view: view.plan(Plan((hero, *rest), currency="USD")))
    document["actions"] = document["actions"][:1]
    assert _only(document, CONTRACT) == CONTRACT


def _only(found: Any, like: Any) -> Any:
    """What is found, without members that the contract does not name."""
    if isinstance(like, dict):
        return {name: _only(found[name], like[name]) for name in like}
    if isinstance(like, list):
        return [_only(one, other) for one, other in zip(found, like, strict=True)]
    return found


def test_every_action_has_every_member_of_the_contract_and_its_reason() -> None:
    (document,) = told(lambda view: view.plan(PLAN))
    names = CONTRACT["actions"][0].keys() | {"reason"}
    assert all(names <= action.keys() for action in document["actions"])
    assert list(document["summary"]) == list(CONTRACT["summary"]) == [action.value for action in Action]
    assert sum(document["summary"].values()) == len(document["actions"])


def test_money_is_text_and_what_is_not_known_is_null() -> None:
    (document,) = told(lambda view: view.plan(PLAN))
    costs = {action["clip"]: action["cost"] for action in document["actions"]}
    assert costs["intro"] == {"amount": "0.50", "currency": "USD"}
    assert costs["hero"] is None
    assert document["cost"] == {"amount": "0.50", "currency": "USD", "unpriced": 1}


def test_changes_keep_their_types() -> None:
    (document,) = told(lambda view: view.plan(PLAN))
    hero = next(action for action in document["actions"] if action["clip"] == "hero")
    assert hero["changes"][1:] == [
        {"field": "audio", "before": None, "after": True},
        {"field": "duration", "before": 5, "after": 8},
        {"field": "seed", "before": 7, "after": None},
    ]


def test_foreign_text_comes_back_as_it_was() -> None:
    (document,) = told(lambda view: view.plan(hostile_plan()))
    assert document["actions"][0]["clip"] == HOSTILE


def test_a_diagnostic_names_its_place() -> None:
    item = Diagnostic("bad", "is wrong", Source("a.yaml", 3, 5, 9), "mend it", Severity.WARNING)
    (document,) = told(lambda view: view.plan(replace(PLAN, diagnostics=(item, Diagnostic("odd", "no place")))))
    assert document["diagnostics"] == [
        {"severity": "warning", "code": "bad", "message": "is wrong", "file": "a.yaml", "line": 3, "column": 5,
         "help": "mend it"},
        {"severity": "error", "code": "odd", "message": "no place", "file": None, "line": None, "column": None,
         "help": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ClipformError("no"), 1),
        (Refused("no", help="do this", code="budget"), 4),
        (SpecError([Diagnostic("a", "b")]), 1),
    ],
)
def test_an_error_is_a_document_too_and_says_the_exit_code(error: ClipformError, code: int) -> None:
    (document,) = told(lambda view: view.error(error))
    assert document["format_version"] == 1
    assert document["error"] == {
        "code": error.code,
        "message": error.message,
        "help": error.help or None,
        "exit_code": code,
    }
    assert ("diagnostics" in document) == isinstance(error, SpecError)


def test_an_apply_is_one_event_a_line_and_ends_with_its_summary() -> None:
    event = Event(EventKind.RUNNING, "hero", 2, "create", task="t1", progress=40, elapsed=1.23456, cost=Decimal("0.5"))
    summary = Summary(
        (Outcome("hero", 2, "create", EventKind.SUCCEEDED, output="out/hero.mp4", elapsed=2.0, cost=Decimal("0.5")),),
        elapsed=2.5,
        spent=Decimal("0.5"),
        currency="USD",
    )

    def speak(view: JsonView) -> None:
        view.emit(event)
        view.emit(Event(EventKind.ENDED))  # the summary says it
        view.summary(summary)

    first, last = told(speak)
    assert first == {
        "format_version": 1,
        "event": "running",
        "clip": "hero",
        "take": 2,
        "action": "create",
        "task": "t1",
        "progress": 40,
        "elapsed": 1.23,
        "cost": "0.50",
    }
    assert (last["event"], last["exit_code"], last["interrupted"]) == ("ended", 0, False)
    assert last["spent"]["amount"] == "0.50" and last["spent"]["currency"] == "USD"
    assert [(o["clip"], o["take"], o["result"]) for o in last["outcomes"]] == [("hero", 2, "succeeded")]


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ((EventKind.FAILED, EventKind.SKIPPED), 1),  # nothing was done: as for any other mistake of the user's
        ((EventKind.FAILED, EventKind.SUCCEEDED), 3),
        ((EventKind.FAILED, EventKind.LEFT), 3),
        ((EventKind.FAILED, EventKind.BLOCKED), 3),  # tasks that were paid for wait at the provider
        ((EventKind.SUCCEEDED,), 0),
    ],
)
def test_refused_credentials_are_the_users_mistake_if_nothing_was_done(
    results: tuple[EventKind, ...], code: int
) -> None:
    summary = Summary(tuple(Outcome("c", 1, "create", result) for result in results), refused=True)
    assert summary.exit_code == code


@pytest.mark.parametrize(
    ("results", "interrupted", "code"),
    [
        ((EventKind.SUCCEEDED,), False, 0),
        ((EventKind.SUCCEEDED, EventKind.LEFT), False, 0),
        ((EventKind.SUCCEEDED, EventKind.FAILED), False, 3),
        ((EventKind.BLOCKED,), False, 3),
        ((EventKind.SKIPPED,), False, 3),
        ((EventKind.FAILED,), True, 130),
        ((), False, 0),
    ],
)
def test_the_exit_code_says_how_an_apply_ended(results: tuple[EventKind, ...], interrupted: bool, code: int) -> None:
    summary = Summary(tuple(Outcome("c", 1, "create", result) for result in results), interrupted)
    assert encode.summary(summary)["exit_code"] == summary.exit_code == code


def test_a_status_row_has_each_of_its_members_known_or_not() -> None:
    known = StatusRow("hero", 1, True, "ready", cost=Decimal("0.5"), currency="USD", age=7300.9, key="v1:aa")
    (document,) = told(lambda view: view.status([known, StatusRow("new", 1, False, "new")]))
    first, second = document["clips"]
    assert first.keys() == second.keys()
    assert (first["cost"], first["age_seconds"]) == ({"amount": "0.50", "currency": "USD"}, 7300)
    assert (second["cost"], second["age_seconds"], second["output"]) == (None, None, None)


def test_findings_are_one_document_that_says_if_all_is_well() -> None:
    (document,) = told(lambda view: view.checks([Finding("clock", True, "fine"), Finding("disk", False, "full")]))
    assert (document["format_version"], document["ok"], len(document["checks"])) == (1, False, 2)


def test_a_reader_who_left_stops_nothing() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    JsonView(Closed()).plan(PLAN)
