"""A plan for people: one block a step, the reason beside it, prompts as a word diff."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reconciler.plan.model import SENTENCES, Action, Change, Plan, Step
from reconciler.views import diff, words
from reconciler.views.blocked_text import ways
from reconciler.views.safe import safe
from reconciler.views.style import Style

MARKS = {
    Action.CREATE: "+",
    Action.REPLACE: "~",
    Action.RESUME: "*",
    Action.RESTORE: "<",
    Action.MOVE: ">",
    Action.REMOVE: "-",
    Action.BLOCKED: "!",
    Action.NOOP: " ",
}


def render(plan: Plan, style: Style) -> Iterator[str]:
    """The lines of a plan: every step that is not a noop, then the summary."""
    for step in plan.steps:
        if step.action is not Action.NOOP:
            yield from block(step, plan.currency, style)
            yield ""
    yield style.bold(words.summary_line(plan))


def block(step: Step, currency: str, style: Style) -> Iterator[str]:
    """The lines of one step."""
    tone = _tone(step.action, style)
    head = f"{MARKS[step.action]} {step.action.value:<8}"
    yield f"{tone(head)} {style.bold(safe(step.name))}  {style.dim(SENTENCES[step.reason])}"
    for line in _facts(step, currency):
        yield f"    {line}"
    for change in step.changes:
        yield f"    {_change(change, style)}"
    yield from ways(step.way_out, style)


def _facts(step: Step, currency: str) -> Iterator[str]:
    where = step.output or ""
    if step.previous_output:
        where = f"{step.previous_output} -> {where}"
    parts = [safe(where)] if where else []
    if step.action in (Action.CREATE, Action.REPLACE):
        parts.insert(0, f"{safe(step.provider)}/{safe(step.model)}")
        parts.append(words.money(step.cost.amount, step.cost.currency or currency))
        if step.expected is not None:
            parts.append(f"about {words.seconds(step.expected)}")
    if parts:
        yield " · ".join(parts)
    if step.detail and step.detail != step.output:  # a foreign file is its output
        yield safe(step.detail)
    if step.server_defaults:
        yield f"provider default: {safe(', '.join(step.server_defaults))}"


def _change(change: Change, style: Style) -> str:
    if change.field == "prompt" and isinstance(change.before, str) and isinstance(change.after, str):
        return f"prompt: {_words(change.before, change.after, style)}"
    return f"{safe(change.field)}: {value(change.before)} -> {value(change.after)}"


def _words(before: str, after: str, style: Style) -> str:
    if not style.colour:
        return safe(diff.plain(before, after))
    tones: dict[diff.Part, Callable[[str], str]] = {
        diff.Part.SAME: str,
        diff.Part.GONE: style.red,
        diff.Part.NEW: style.green,
    }
    return "".join(tones[run.part](safe(run.text)) for run in diff.words(before, after))


def value(found: object) -> str:
    """A field's value as a user writes it."""
    if found is None:
        return "(not stated)"
    if isinstance(found, bool):
        return "yes" if found else "no"
    return safe(str(found))


def _tone(action: Action, style: Style) -> Callable[[str], str]:
    tones = {
        Action.CREATE: style.green,
        Action.REPLACE: style.yellow,
        Action.REMOVE: style.red,
        Action.BLOCKED: style.red,
    }
    return tones.get(action, style.cyan)
