"""Render a plan: a block for each step with its reason, prompts as a word diff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from reconciler.plan.model import Action, Change, Plan, Step, plain_value
from reconciler.views import format
from reconciler.views.terminal import word_diff
from reconciler.views.terminal.diagnostics import next_lines
from reconciler.views.terminal.sanitize import safe
from reconciler.views.terminal.style import Style
from reconciler.views.terminal.wrap import TextLine

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

_OFTEN = 3  # clips with the same defaults that share one line


def render(plan: Plan, style: Style) -> Iterator[str]:
    """Yield the lines of a plan: every step that does something or has changes to show, then the summary. Provider
    defaults that many steps share have one line."""
    if plan.demands:
        yield "This project asks for"
        for demand in plan.demands:
            yield f"  - {safe(str(demand))}"
        yield ""
    chosen = Counter(step.server_defaults for step in plan.steps if step.server_defaults)
    often = {defaults: count for defaults, count in chosen.items() if count >= _OFTEN}
    for step in plan.steps:
        if step.action is not Action.NOOP or step.changes:
            is_shared = step.server_defaults in often
            yield from block(replace(step, server_defaults=()) if is_shared else step, plan.currency, style)
            yield ""
    for defaults, count in often.items():
        yield f"Provider's default for {count} clips: {safe(', '.join(defaults))}"
    if often:
        yield ""
    yield style.bold(format.summary_line(plan))


def block(step: Step, currency: str, style: Style) -> Iterator[str]:
    """Yield the lines of one step."""
    tone = _tone(step.action, style)
    head = f"{MARKS[step.action]} {step.action.value:<8}"
    yield f"{tone(head)} {style.bold(safe(step.name))}  {style.dim(safe(step.headline))}"
    yield from _facts(step, currency)
    for change in step.changes:
        if change not in step.headline_changes or not change.is_explained:
            yield f"    {_change(change, style)}"
    yield from next_lines(step.way_out, style)


def _facts(step: Step, currency: str) -> Iterator[str]:
    path = step.output or ""
    if step.previous_output:
        path = f"{step.previous_output} → {path}"
    parts = [safe(path)] if path else []
    if step.action in (Action.CREATE, Action.REPLACE):
        parts.insert(0, f"{safe(step.provider)}/{safe(step.model)}")
        parts.append(format.price(step.cost, currency))
        if step.expected is not None:
            parts.append(f"about {format.seconds(step.expected)}")
    if parts:
        yield TextLine(f"    {format.SEPARATOR.join(parts)}", at=format.SEPARATOR)
    if step.detail and step.detail != step.output:  # a foreign file is its output
        yield f"    {safe(step.detail)}"
    if step.server_defaults:
        yield f"    provider default: {safe(', '.join(step.server_defaults))}"


def _change(change: Change, style: Style) -> str:
    if change.field == "prompt" and isinstance(change.before, str) and isinstance(change.after, str):
        return f"prompt: {_word_diff(change.before, change.after, style)}"
    if change.note:
        return safe(f"{change.field}: {change.note}")
    return safe(f"{change.field}: {plain_value(change.before)} → {plain_value(change.after)}")


def _word_diff(before: str, after: str, style: Style) -> str:
    """Return a word diff with marks and colours: not everybody can tell red from green."""
    tones: dict[word_diff.DiffRun, Callable[[str], str]] = {
        word_diff.DiffRun.SAME: str,
        word_diff.DiffRun.GONE: style.red,
        word_diff.DiffRun.NEW: style.green,
    }
    runs = word_diff.words(before, after)
    return "".join(tones[run.part](safe(word_diff.MARKS[run.part].format(run.text))) for run in runs)


def _tone(action: Action, style: Style) -> Callable[[str], str]:
    tones = {
        Action.CREATE: style.green,
        Action.REPLACE: style.yellow,
        Action.REMOVE: style.red,
        Action.BLOCKED: style.red,
    }
    return tones.get(action, style.cyan)
