"""What apply says while it works, line by line, and at its end. What was not done is told at the end only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.events import Event, EventKind, Outcome, Summary
from reconciler.views import format
from reconciler.views.terminal.blocked import ways
from reconciler.views.terminal.diagnostics import help_lines
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
_MANY = 3  # clips of which the same is said
_NAMED = 8  # of those, how many are named


def line(event: Event, style: Style, *, live: bool) -> str | None:
    """The line for an event, None when it has none (the live display already shows what is running)."""
    name = style.bold(safe(event.clip if event.take == 1 else f"{event.clip}#{event.take}"))
    match event.kind:
        case EventKind.SUBMITTED if not live:
            return f"{name}: submitted{_task(event)}"
        case EventKind.SUCCEEDED if event.message:
            return f"{name}: {safe(event.message)}"
        case EventKind.SUCCEEDED:
            where = f" {safe(event.output)}" if event.output else ""
            time = f" in {format.seconds(event.elapsed)}" if event.elapsed is not None else ""
            return f"{name}: {style.green(_DONE.get(event.action, 'done'))}{where}{time}"
        case EventKind.FAILED:
            return f"{name}: {style.red('failed:')} {safe(event.message)}"
        case EventKind.NOTE:
            return safe(event.message)
    return None


def _task(event: Event) -> str:
    return f" (task {safe(event.task)})" if event.task else ""


def summary(item: Summary, style: Style) -> Iterator[str]:
    """What did not succeed and why, what to do, and one line of totals."""
    for outcome in item.having(EventKind.FAILED, EventKind.BLOCKED):
        yield from _trouble(outcome, style)
    yield from _left_over(item.having(EventKind.SKIPPED, EventKind.LEFT), style)
    done = item.having(EventKind.SUCCEEDED)
    made = sum(1 for o in done if o.action in ("create", "replace", "resume"))
    removed = sum(1 for o in done if o.action == "remove")
    free = len(done) - made - removed
    parts = [f"{made} made"] if made else []
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
    yield style.bold(" ".join([line, *_money(item, made)]))
    if item.interrupted:
        yield "Run `clipform apply` again to carry on; nothing that was paid for is lost."


def _money(item: Summary, made: int) -> Iterator[str]:
    """What it cost, tasks that go on included, and what it would have cost more."""
    if not (item.spent or item.unpriced) and any(o.action == "resume" for o in item.having(EventKind.SUCCEEDED)):
        yield "Cost: nothing new."
    elif made or item.spent or item.unpriced:
        yield f"Cost: {format.total(item.spent, item.unpriced, item.currency)}."
    if item.saved or item.saved_unpriced:
        yield f"Saved: {format.total(item.saved, item.saved_unpriced, item.currency)} by what was at hand."


def _trouble(outcome: Outcome, style: Style) -> Iterator[str]:
    yield f"{_word(outcome, style)} {style.bold(safe(outcome.name))}: {safe(outcome.message)}"
    if outcome.result is EventKind.BLOCKED:
        yield from ways(outcome.help.splitlines(), style)
    else:
        yield from help_lines(outcome.help, style)


def _word(outcome: Outcome, style: Style) -> str:
    tone = style.red if outcome.result in (EventKind.FAILED, EventKind.BLOCKED) else style.yellow
    return tone(f"{outcome.result.value:<8}")


def _left_over(outcomes: Iterable[Outcome], style: Style) -> Iterator[str]:
    """What was not done: many for the same reason are told as one, or an interrupt would scroll everything away."""
    alike: dict[tuple[EventKind, str, str], list[Outcome]] = {}
    for outcome in outcomes:
        alike.setdefault((outcome.result, outcome.message, outcome.help), []).append(outcome)
    for (_, message, help), found in alike.items():
        if len(found) < _MANY:
            for outcome in found:
                yield from _trouble(outcome, style)
            continue
        yield f"{_word(found[0], style)} {style.bold(format.clips(len(found)))}: {safe(message)}"
        names = ", ".join(safe(outcome.name) for outcome in found[:_NAMED])
        yield f"    {names}{f' and {len(found) - _NAMED} more' if len(found) > _NAMED else ''}"
        yield from help_lines(help, style)
