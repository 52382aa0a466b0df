"""Render what apply does: a line for an event, and a summary at the end with what was not done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.events import Event, EventKind, Outcome, Summary, take_name
from reconciler.next_command import command
from reconciler.views import format
from reconciler.views.terminal.diagnostics import help_lines, next_lines
from reconciler.views.terminal.sanitize import safe
from reconciler.views.terminal.style import Style

_DONE = {
    "create": "made",
    "replace": "made",
    "resume": "finished",
    "restore": "restored",
    "move": "moved",
    "remove": "removed",
}
_MANY = 3  # clips with the same message that share one line
_NAMED = 8  # how many of them it names


def line(event: Event, style: Style, *, live: bool) -> str | None:
    """Return the line for an event; None if it has none, as a running clip of the live display."""
    name = style.bold(safe(take_name(event.clip, event.take)))
    match event.kind:
        case EventKind.SUBMITTED if not live:
            return f"{name}: submitted{_task(event)}"
        case EventKind.SUCCEEDED if event.message:
            return f"{name}: {safe(event.message)}"
        case EventKind.SUCCEEDED:
            path = f" {safe(event.output)}" if event.output else ""
            time = f" in {format.seconds(event.elapsed)}" if event.elapsed is not None else ""
            return f"{name}: {style.green(_DONE.get(event.action, 'done'))}{path}{time}"
        case EventKind.FAILED:
            return f"{name}: {style.red('failed:')} {safe(event.message)}"
        case EventKind.NOTE:
            return safe(event.message)
    return None


def _task(event: Event) -> str:
    return f" (task {safe(event.task)})" if event.task else ""


def summary(item: Summary, style: Style) -> Iterator[str]:
    """Yield what did not succeed, why and what to do next, then one line of totals."""
    for outcome in item.having(EventKind.FAILED, EventKind.BLOCKED):
        yield from _problem(outcome, style)
    yield from _not_done(item.having(EventKind.SKIPPED, EventKind.LEFT), style)
    done = item.having(EventKind.SUCCEEDED)
    generated = sum(1 for o in done if o.action in ("create", "replace", "resume"))
    removed = sum(1 for o in done if o.action == "remove")
    free = len(done) - generated - removed
    parts = [f"{generated} made"] if generated else []
    parts += [f"{free} placed for free"] if free else []
    parts += [f"{removed} removed"] if removed else []
    for kind, word in (
        (EventKind.FAILED, "failed"),
        (EventKind.BLOCKED, "blocked"),
        (EventKind.SKIPPED, "skipped"),
        (EventKind.LEFT, "left running"),
    ):
        count = len(item.having(kind))
        parts += [f"{count} {word}"] if count else []
    state = "Interrupted" if item.interrupted else "Done"
    line = f"{state}: {', '.join(parts) or 'nothing to do'} in {format.seconds(item.elapsed)}."
    yield style.bold(" ".join([line, *_money(item, generated)]))
    if item.interrupted:
        yield f"To continue, run: {command('apply')}. Nothing that you paid for is lost."


def _money(item: Summary, generated: int) -> Iterator[str]:
    """Yield what the run cost, running tasks included, and what stored videos saved."""
    if not (item.spent or item.unpriced) and any(o.action == "resume" for o in item.having(EventKind.SUCCEEDED)):
        yield "Cost: nothing new."
    elif generated or item.spent or item.unpriced:
        bound = "up to " if item.in_doubt and item.spent else ""
        yield f"Cost: {bound}{format.total(item.spent, item.unpriced, item.currency)}."
    if item.saved or item.saved_unpriced:
        yield f"Saved: {format.total(item.saved, item.saved_unpriced, item.currency)} by using stored videos."


def _problem(outcome: Outcome, style: Style) -> Iterator[str]:
    yield f"{_label(outcome, style)} {style.bold(safe(outcome.name))}: {safe(outcome.message)}"
    if outcome.result is EventKind.BLOCKED:
        yield from next_lines(outcome.help.splitlines(), style)
    else:
        yield from help_lines(outcome.help, style)


def _label(outcome: Outcome, style: Style) -> str:
    tone = style.red if outcome.result in (EventKind.FAILED, EventKind.BLOCKED) else style.yellow
    return tone(f"{outcome.result.value:<8}")


def _not_done(outcomes: Iterable[Outcome], style: Style) -> Iterator[str]:
    """Yield what was not done. Clips with the same reason share a line: an interrupt may leave very many."""
    alike: dict[tuple[EventKind, str, str], list[Outcome]] = {}
    for outcome in outcomes:
        alike.setdefault((outcome.result, outcome.message, outcome.help), []).append(outcome)
    for (_, message, help), group in alike.items():
        if len(group) < _MANY:
            for outcome in group:
                yield from _problem(outcome, style)
            continue
        yield f"{_label(group[0], style)} {style.bold(format.clips(len(group)))}: {safe(message)}"
        names = ", ".join(safe(outcome.name) for outcome in group[:_NAMED])
        yield f"    {names}{f' and {len(group) - _NAMED} more' if len(group) > _NAMED else ''}"
        yield from help_lines(help, style)
