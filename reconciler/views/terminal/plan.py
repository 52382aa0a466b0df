"""A plan for people: one block a step, the reason beside it, prompts as a word diff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from reconciler.plan.model import SENTENCES, Action, Change, Plan, Step
from reconciler.views import format
from reconciler.views.terminal import word_diff
from reconciler.views.terminal.blocked import ways
from reconciler.views.terminal.sanitize import safe
from reconciler.views.terminal.style import Style
from reconciler.views.terminal.wrap import Parts

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

_OFTEN = 3  # clips of which the same is said


def render(plan: Plan, style: Style) -> Iterator[str]:
    """The lines of a plan: every step that is not a noop, then the summary. What a provider chooses for many of them
    alike is said once."""
    chosen = Counter(step.server_defaults for step in plan.steps if step.server_defaults)
    often = {defaults: count for defaults, count in chosen.items() if count >= _OFTEN}
    for step in plan.steps:
        if step.action is not Action.NOOP:
            known = step.server_defaults in often
            yield from block(replace(step, server_defaults=()) if known else step, plan.currency, style)
            yield ""
    for defaults, count in often.items():
        yield f"Provider's default for {count} clips: {safe(', '.join(defaults))}"
    if often:
        yield ""
    yield style.bold(format.summary_line(plan))


def block(step: Step, currency: str, style: Style) -> Iterator[str]:
    """The lines of one step."""
    tone = _tone(step.action, style)
    head = f"{MARKS[step.action]} {step.action.value:<8}"
    yield f"{tone(head)} {style.bold(safe(step.name))}  {style.dim(SENTENCES[step.reason])}"
    yield from _facts(step, currency)
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
        parts.append(format.money(step.cost.amount, step.cost.currency or currency))
        if step.expected is not None:
            parts.append(f"about {format.seconds(step.expected)}")
    if parts:
        yield Parts(f"    {' · '.join(parts)}")
    if step.detail and step.detail != step.output:  # a foreign file is its output
        yield f"    {safe(step.detail)}"
    if step.server_defaults:
        yield f"    provider default: {safe(', '.join(step.server_defaults))}"


def _change(change: Change, style: Style) -> str:
    if change.field == "prompt" and isinstance(change.before, str) and isinstance(change.after, str):
        return f"prompt: {_words(change.before, change.after, style)}"
    return f"{safe(change.field)}: {value(change.before)} -> {value(change.after)}"


def _words(before: str, after: str, style: Style) -> str:
    """The marks stand in colour too: not everybody sees red and green apart."""
    tones: dict[word_diff.DiffRun, Callable[[str], str]] = {
        word_diff.DiffRun.SAME: str,
        word_diff.DiffRun.GONE: style.red,
        word_diff.DiffRun.NEW: style.green,
    }
    runs = word_diff.words(before, after)
    return "".join(tones[run.part](safe(word_diff.MARKS[run.part].format(run.text))) for run in runs)


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
