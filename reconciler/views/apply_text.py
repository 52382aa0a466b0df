"""What apply says while it works, line by line, and at its end."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.events import Event, Kind, Outcome, Summary
from reconciler.views import words
from reconciler.views.blocked_text import ways
from reconciler.views.diagnostics_text import help_lines
from reconciler.views.safe import safe
from reconciler.views.style import Style

_DONE = {
    "create": "made",
    "replace": "made",
    "resume": "finished",
    "restore": "restored",
    "move": "moved",
    "remove": "removed",
}


def line(event: Event, style: Style, *, live: bool) -> str | None:
    """The line for an event, None when it has none (the live display already shows what is running)."""
    name = style.bold(safe(event.clip if event.take == 1 else f"{event.clip}#{event.take}"))
    match event.kind:
        case Kind.SUBMITTED if not live:
            return f"{name}: submitted{_task(event)}"
        case Kind.SUCCEEDED if event.message:
            return f"{name}: {safe(event.message)}"
        case Kind.SUCCEEDED:
            where = f" {safe(event.output)}" if event.output else ""
            time = f" in {words.seconds(event.elapsed)}" if event.elapsed is not None else ""
            return f"{name}: {style.green(_DONE.get(event.action, 'done'))}{where}{time}"
        case Kind.FAILED:
            return f"{name}: {style.red('failed:')} {safe(event.message)}"
        case Kind.SKIPPED | Kind.LEFT:
            return f"{name}: {style.yellow(event.kind.value)}: {safe(event.message)}"
        case Kind.NOTE:
            return safe(event.message)
    return None


def _task(event: Event) -> str:
    return f" (task {safe(event.task)})" if event.task else ""


def summary(item: Summary, style: Style) -> Iterator[str]:
    """What did not succeed and why, what to do, and one line of totals."""
    for outcome in item.having(Kind.FAILED, Kind.BLOCKED, Kind.SKIPPED, Kind.LEFT):
        yield from _trouble(outcome, style)
    done = item.having(Kind.SUCCEEDED)
    made = sum(1 for o in done if o.action in ("create", "replace", "resume"))
    removed = sum(1 for o in done if o.action == "remove")
    free = len(done) - made - removed
    parts = [f"{made} made"] if made else []
    parts += [f"{free} placed for free"] if free else []
    parts += [f"{removed} removed"] if removed else []
    for kind, word in (
        (Kind.FAILED, "failed"),
        (Kind.BLOCKED, "blocked"),
        (Kind.SKIPPED, "skipped"),
        (Kind.LEFT, "left running"),
    ):
        count = len(item.having(kind))
        parts += [f"{count} {word}"] if count else []
    state = "Interrupted" if item.interrupted else "Done"
    line = f"{state}: {', '.join(parts) or 'nothing to do'} in {words.seconds(item.elapsed)}."
    yield style.bold(" ".join([line, *_money(item, made)]))
    if item.interrupted:
        yield "Run `clipform apply` again to carry on; nothing that was paid for is lost."


def _money(item: Summary, made: int) -> Iterator[str]:
    """What it cost, and what it would have cost more."""
    if made:
        yield f"Cost: {words.total(item.spent, item.unpriced, item.currency)}."
    if item.saved or item.saved_unpriced:
        yield f"Saved: {words.total(item.saved, item.saved_unpriced, item.currency)} by what was at hand."


def _trouble(outcome: Outcome, style: Style) -> Iterator[str]:
    tone = style.red if outcome.result is Kind.FAILED else style.yellow
    yield f"{tone(outcome.result.value):<8} {style.bold(safe(outcome.name))}: {safe(outcome.message)}"
    if outcome.result is Kind.BLOCKED:
        yield from ways(outcome.help.splitlines(), style)
    else:
        yield from help_lines(outcome.help, style)
