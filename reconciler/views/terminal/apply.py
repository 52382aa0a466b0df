"""Render what apply does: a line for an event, and a summary at the end with what was not done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.events import Event, EventKind, Outcome, Summary
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
    "assemble": "assembled",
    "remove": "removed",
}
_MANY = 3  # clips with the same message that share one line
_NAMED = 8  # how many of them it names


def line(event: Event, style: Style, *, live: bool) -> str | None:
    """Return the line for an event; None if it has none, as a running clip of the live display."""
    name = style.bold(safe(event.name))
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
    yield style.bold(" ".join([result(item), *_money(item)]))
    if item.interrupted or (item.late and item.exit_code):
        yield f"To continue, run: {command('apply')}. Nothing that you paid for is lost."


def _generated(item: Summary) -> list[Outcome]:
    return [o for o in item.having(EventKind.SUCCEEDED) if o.action in ("create", "replace", "resume")]


def result(item: Summary) -> str:
    """Return how a run ended, in one sentence of counts."""
    done, generated = item.having(EventKind.SUCCEEDED), _generated(item)
    free = [o for o in done if o.action in ("restore", "move")]
    others = [(word, [o for o in done if o.action == word]) for word in ("assemble", "remove")]
    groups = ((generated, "made"), (free, "placed for free"), *((group, f"{word}d") for word, group in others))
    parts = [f"{format.counted(group)} {word}" for group, word in groups if group]
    for kind, word in (
        (EventKind.FAILED, "failed"),
        (EventKind.BLOCKED, "blocked"),
        (EventKind.SKIPPED, "skipped"),
        (EventKind.LEFT, "left running"),
    ):
        parts += [f"{format.counted(item.having(kind))} {word}"] if item.having(kind) else []
    state = "Interrupted" if item.interrupted else "Out of time" if item.late else "Done"
    return f"{state}: {', '.join(parts) or 'nothing to do'} in {format.seconds(item.elapsed)}."


def _money(item: Summary) -> Iterator[str]:
    """Yield what the run cost, running tasks included, and what stored videos saved."""
    if not (item.spent or item.unpriced) and any(o.action == "resume" for o in item.having(EventKind.SUCCEEDED)):
        yield "Cost: nothing new."
    elif _generated(item) or item.spent or item.unpriced:
        bound = "up to " if item.in_doubt and item.spent else ""
        yield f"Cost: {bound}{format.total(item.spent, item.unpriced, item.currency)}."
    if (item.saved or item.saved_unpriced) and item.having(EventKind.SUCCEEDED):
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
        count = format.clips(len({outcome.clip for outcome in group}), len(group))
        yield f"{_label(group[0], style)} {style.bold(count)}: {safe(message)}"
        names = ", ".join(safe(outcome.name) for outcome in group[:_NAMED])
        yield f"    {names}{f' and {len(group) - _NAMED} more' if len(group) > _NAMED else ''}"
        yield from help_lines(help, style)
