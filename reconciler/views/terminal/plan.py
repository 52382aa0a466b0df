"""Render a plan: a block for each step with its reason, prompts as a word diff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from reconciler.plan.model import Action, Change, Plan, Reason, Step, plain_value
from reconciler.views import format
from reconciler.views.groups import StepGroup, grouped
from reconciler.views.terminal import word_diff
from reconciler.views.terminal.diagnostics import next_lines
from reconciler.views.terminal.sanitize import safe
from reconciler.views.terminal.style import UNBOUNDED, Style
from reconciler.views.terminal.tables import Column, grid, row
from reconciler.views.terminal.wrap import TextLine, cut

MARKS = {
    Action.CREATE: "+",
    Action.REPLACE: "~",
    Action.RESUME: "*",
    Action.RESTORE: "<",
    Action.MOVE: ">",
    Action.ASSEMBLE: "=",
    Action.REMOVE: "-",
    Action.BLOCKED: "!",
    Action.NOOP: " ",
}

_USES = {"first_frame": "from", "last_frame": "to"}
_OFTEN = 3  # clips with the same defaults that share one line
_MANY = 6  # new clips that share a table
_PROMPT = 160  # columns of a new clip's prompt

TABLE = (
    Column("CLIP", "middle"),
    Column("MAKES", drop=4),
    Column("FROM", "start", least=14, drop=3),
    Column("MODEL", "middle", least=16, drop=2),
    Column("COST"),
    Column("OUTPUT", "start", least=16, drop=1),
    Column("PROMPT", least=16),
)


def render(plan: Plan, style: Style, room: int = UNBOUNDED) -> Iterator[str]:
    """Yield the lines of a plan: every step that does something or has changes to show, then the summary. Many new
    clips are a table. Provider defaults that many clips share have one line."""
    if plan.demands:
        yield "This project asks for"
        for demand in plan.demands:
            yield f"  - {safe(str(demand))}"
        yield ""
    groups = grouped(step for step in plan.steps if step.action is not Action.NOOP or step.changes)
    new = [group for group in groups if group.is_new]
    table = new if len(new) >= _MANY else []
    chosen = Counter(group.steps[0].server_defaults for group in groups)
    del chosen[()]
    often = {defaults: count for defaults, count in chosen.items() if count >= (1 if table else _OFTEN)}
    if table:
        yield from _table(table, plan.currency, style, room)
        yield ""
    for group in groups:
        if not (table and group.is_new):
            yield from block(group, plan.currency, style, with_defaults=group.steps[0].server_defaults not in often)
            yield ""
    for defaults, count in often.items():
        yield f"Provider's default for {format.clips(count)}: {safe(', '.join(defaults))}"
    if often:
        yield ""
    if plan.moved:
        yield safe(format.moved_line(plan.moved))
    yield from (safe(format.look_line(change, plan.currency)) for change in plan.looks)
    yield from map(safe, format.cascade_lines(plan))
    yield style.bold(format.summary_line(plan))


def _table(groups: Sequence[StepGroup], currency: str, style: Style, room: int) -> Iterator[str]:
    """Yield a table of new clips; what they all have in common is above it."""
    tone = _tone(Action.CREATE, style)
    count = format.clips(len(groups), sum(len(group.steps) for group in groups))
    yield f"{tone(f'{MARKS[Action.CREATE]} create  ')} {style.bold(count)}  {style.dim(Reason.NEW.sentence)}"
    cells = [_cells(group, currency) for group in groups]
    common = [i for i, column in enumerate(TABLE) if column.drop and len({line[i] for line in cells}) == 1]
    if shared := format.SEPARATOR.join(filter(None, (cells[0][i] for i in common))):
        yield TextLine(f"    {shared}", at=format.SEPARATOR)
    shown = [i for i in range(len(TABLE)) if i not in common]
    lines = grid([TABLE[i] for i in shown], [[line[i] for i in shown] for line in cells], room - 2)
    yield TextLine(f"  {style.dim(row(next(lines)))}", wrap=False)
    yield from (TextLine(f"  {row(line)}", wrap=False) for line in lines)


def _cells(group: StepGroup, currency: str) -> list[str]:
    step = group.first
    prompt = step.brief.prompt if step.brief else ""
    made = [group.name, _shape(step), _inputs(step), f"{step.provider}/{step.model}", group.total(currency)]
    return [safe(cell) for cell in (*made, step.output or "-", prompt)]


def block(group: StepGroup, currency: str, style: Style, *, with_defaults: bool = True) -> Iterator[str]:
    """Yield the lines of one step, or of a clip's takes."""
    step = group.first
    tone = _tone(step.action, style)
    head = f"{MARKS[step.action]} {step.action:<8}"
    named = step.headline_changes
    yield f"{tone(head)} {style.bold(safe(group.name))}  {style.dim(safe(step.headline))}"
    if step.brief and step.brief.prompt:
        yield f"    {cut(safe(step.brief.prompt), _PROMPT)}"
    yield from _facts(step, group.price(currency))
    if step.server_defaults and with_defaults:
        yield f"    provider default: {safe(', '.join(step.server_defaults))}"
    for change in step.changes:
        if change not in named or not change.is_explained:
            yield f"    {_change(change, style)}"
    yield from next_lines(step.way_out, style)


def _facts(step: Step, price: str) -> Iterator[str]:
    path = step.output or ""
    if step.previous_output:
        path = f"{step.previous_output} → {path}"
    parts = [safe(path)] if path else []
    if step.action in (Action.CREATE, Action.REPLACE):
        about = [safe(text) for text in (_shape(step), _inputs(step), step.tier_why) if text]
        parts = [f"{safe(step.provider)}/{safe(step.model)}", *about, *parts, price]
        if step.expected is not None:
            parts.append(f"about {format.seconds(step.expected)}")
    if step.action is Action.ASSEMBLE:
        parts += ["free"]
    if parts:
        yield TextLine(f"    {format.SEPARATOR.join(parts)}", at=format.SEPARATOR)
    if step.detail and step.detail != step.output:  # a foreign file is its output
        yield f"    {safe(step.detail)}"


def _shape(step: Step) -> str:
    """Return length, ratio, resolution and tier, such as `5 s 16:9 720p flex`."""
    facts = dict(step.brief.facts) if step.brief else {}
    seconds = facts.get("duration", "")
    parts = (f"{seconds} s" if seconds else "", facts.get("ratio", ""), facts.get("resolution", ""), step.tier)
    return " ".join(filter(None, parts))


def _inputs(step: Step) -> str:
    """Return what it starts from, ends on or refers to."""
    facts = step.brief.facts if step.brief else ()
    parts = [f"{_USES[name]} {value}" for name, value in facts if name in _USES]
    count = sum(name.startswith("references.") for name, _ in facts)
    return ", ".join([*parts, *([f"{count} reference{'' if count == 1 else 's'}"] if count else [])])


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
    match action:
        case Action.CREATE:
            return style.green
        case Action.REPLACE:
            return style.yellow
        case Action.REMOVE | Action.BLOCKED:
            return style.red
    return style.cyan
