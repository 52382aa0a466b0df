"""Render plain tables: aligned columns that fit the terminal, wide characters counted as two.

A table that is too wide first cuts the columns that may be cut, then drops those that may be dropped. A clip's name is
cut last, in its middle: its end distinguishes the combinations of a matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from reconciler import money
from reconciler.diagnostics import Finding
from reconciler.events import take_name
from reconciler.frozen import dataclass
from reconciler.plan.remedies import COMMENT
from reconciler.views import format
from reconciler.views.base import HistoryRow, Section, StatusRow
from reconciler.views.terminal.diagnostics import next_lines
from reconciler.views.terminal.sanitize import safe
from reconciler.views.terminal.style import UNBOUNDED, Style
from reconciler.views.terminal.wrap import TextLine, cut, pad, width

_TONES = {"ready": "green", "blocked": "red", "failed": "red", "running": "cyan"}
_PHASES = {"submitting": "(sending) ", "stalled": "(stalled) ", "ready": "(fetching) ", "fetched": "(placing) "}
_GAP = 2
_ROOMY = 80  # columns that a line of the log needs beside the clip's name
_LEAST = 4


@dataclass(frozen=True, slots=True)
class Column:
    """A column: where its cells are cut (`end`, `start`, `middle`), to what width others may shrink it (0: never), and
    in which order it is dropped if that does not help (0: never; 1 first)."""

    title: str
    cut: str = "end"
    least: int = 0
    drop: int = 0


STATUS = (
    Column("CLIP", "middle"),
    Column("STATE"),
    Column("PROVIDER", "middle", least=14, drop=1),
    Column("COST", drop=4),
    Column("AGE", drop=3),
    Column("OUTPUT", "start", least=16, drop=2),
)


def grid(columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int) -> Iterator[list[str]]:
    """Yield the title and the rows with cells of equal width, and as many columns as fit in `room`."""
    table = [[column.title for column in columns], *rows]
    natural = [max(width(row[i]) for row in table) for i in range(len(columns))]
    indexes, sizes = _fit(columns, natural, room)
    for row in table:
        yield [pad(cut(row[i], size, columns[i].cut), size) for i, size in zip(indexes, sizes, strict=True)]


def _fit(columns: Sequence[Column], natural: Sequence[int], room: int) -> tuple[list[int], list[int]]:
    indexes = list(range(len(columns)))
    droppable = sorted((i for i in indexes if columns[i].drop), key=lambda i: columns[i].drop)
    while True:
        sizes = _shrunk(columns, natural, indexes, room)
        if _total(sizes) <= room or not droppable:
            break
        indexes.remove(droppable.pop(0))
    while _total(sizes) > room and max(sizes) > _LEAST:
        sizes[sizes.index(max(sizes))] -= 1
    return indexes, sizes


def _shrunk(columns: Sequence[Column], natural: Sequence[int], indexes: Sequence[int], room: int) -> list[int]:
    sizes = [natural[i] for i in indexes]
    for place, i in enumerate(indexes):
        over = _total(sizes) - room
        if over > 0 and columns[i].least:
            sizes[place] = max(min(sizes[place], columns[i].least), sizes[place] - over)
    return sizes


def _total(sizes: Sequence[int]) -> int:
    return sum(sizes) + _GAP * (len(sizes) - 1)


def row(cells: Sequence[str]) -> str:
    """Return the cells of a grid as one line."""
    return TextLine("  ".join(cells).rstrip(), wrap=False)


def status(rows: Sequence[StatusRow], style: Style, room: int) -> Iterator[str]:
    """Yield the lines of `status`: a take that is blocked or queued has its reason and the remedies below it."""
    if not rows:
        yield "No clips."
        return
    head, *lines = lines_of(rows, style, room)
    yield head
    for item, line in zip(rows, lines, strict=True):
        yield line
        if item.state in ("blocked", "failed", "queued") and item.detail:
            yield f"    {safe(item.detail)}"
        if item.by and item.began is not None:
            yield f"    {safe(item.by)} is making it since {format.clock(item.began)}"
        if item.waits_for:
            yield f"    queued: {safe(item.waits_for)}"
        yield from next_lines(item.way_out, style)


def lines_of(rows: Sequence[StatusRow], style: Style, room: int) -> Iterator[str]:
    """Yield the title of the table, then a line for each row."""
    lines = grid(STATUS, [[safe(cell) for cell in _status_cells(item)] for item in rows], room)
    yield TextLine(style.dim(row(next(lines))), wrap=False)
    for item, cells in zip(rows, lines, strict=True):
        cells[1] = getattr(style, _TONES.get(item.state, "yellow"))(cells[1])
        yield row(cells)


def _status_cells(item: StatusRow) -> list[str]:
    name = take_name(item.clip, item.take, item.takes)
    state = " ".join(filter(None, (item.state, _progress(item))))
    cost = money.text(item.cost, item.currency) if item.cost is not None else _estimate(item)
    output = item.output or ("(not picked)" if not item.picked else "-")
    return [name, state, f"{item.provider}/{item.model}", cost, format.age(item.age) or "-", output]


def _progress(item: StatusRow) -> str:
    """Return the progress of a running task, or its phase, its time so far and the typical time."""
    if item.progress is not None:
        return f"{item.progress}%"
    if item.since is None:
        return ""
    phase = _PHASES.get(item.phase, "")
    typical = f" of {format.whole(item.expected)}" if item.expected else ""
    return f"{phase}{format.whole(item.since)}{typical}"


def _estimate(item: StatusRow) -> str:
    if item.estimate is None or item.age is not None:
        return "-"
    price = money.text(item.estimate, item.currency)
    return f"about {price}" if item.estimate else price


def story(rows: Sequence[HistoryRow], style: Style, room: int = UNBOUNDED) -> Iterator[str]:
    """Yield what happened in words, oldest first, with UTC times."""
    yield from _log(rows, room, lambda item: style.dim(f"{item.time[:10]} {item.time[11:16]}") + "  ")


def history(rows: Sequence[HistoryRow], style: Style, room: int = UNBOUNDED) -> Iterator[str]:
    """Yield the lines of `history`, oldest first."""
    yield from _log(rows, room, lambda item: f"{style.dim(f'{item.sequence:>5} {item.time}')}  {item.type:<12} ")


def _log(rows: Sequence[HistoryRow], room: int, start: Callable[[HistoryRow], str]) -> Iterator[str]:
    """Yield a line for each row, which `start` begins; the clips are aligned where there is room."""
    if not rows:
        yield "Nothing has happened yet."
    widest = min(30, max((width(safe(item.clip)) for item in rows), default=0))
    aligned = widest if room >= widest + _ROOMY else 0
    for item in rows:
        yield TextLine(f"{start(item)}{pad(safe(item.clip), aligned)}  {safe(item.detail)}".rstrip(), hang=8)


def sections(items: Sequence[Section], style: Style) -> Iterator[str]:
    """Yield titled groups of facts, for `show` and `explain`."""
    for i, item in enumerate(items):
        if i:
            yield ""
        yield style.bold(safe(item.title))
        widest = max((width(name) for name, _ in item.facts), default=0)
        for name, value in item.facts:
            lines = safe(value, lines=True).splitlines() or [""]
            yield TextLine(f"  {style.dim(pad(name, widest))}  {lines[0]}".rstrip(), hang=widest + 4)
            for line in lines[1:]:
                yield TextLine(f"  {' ' * widest}  {line}".rstrip(), hang=widest + 4)


def checks(items: Sequence[Finding], style: Style) -> Iterator[str]:
    """Yield the findings of `doctor` and `verify`, each failure with its help."""
    widest = max((width(item.name) for item in items), default=0)
    for item in items:
        mark = style.green("ok  ") if item.ok else style.red("FAIL")
        yield TextLine(f"{mark} {pad(item.name, widest)}  {safe(item.detail)}".rstrip(), hang=min(widest, 24) + 7)
        if item.help and not item.ok:
            first, *commands = item.help.splitlines()
            yield f"     {style.cyan('help:')} {safe(first)}"
            yield from (TextLine(f"           {safe(command)}", at=COMMENT) for command in commands)
