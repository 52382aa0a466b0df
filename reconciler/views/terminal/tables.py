"""Plain tables: aligned columns that fit the terminal, wide characters counted as two.

What is too wide gives way in an order that its table knows: first a column that may be cut is cut to its least, then a
column that may go goes. A clip's name is cut last of all, and in its middle: its end tells the combinations of a matrix
apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.project.finding import Finding
from reconciler.views import format
from reconciler.views.base import HistoryRow, Section, StatusRow
from reconciler.views.terminal.blocked import ways
from reconciler.views.terminal.sanitize import safe
from reconciler.views.terminal.style import UNBOUNDED, Style
from reconciler.views.terminal.wrap import Hung, Kept, cut, pad, width

_TONES = {"ready": "green", "blocked": "red", "failed": "red", "running": "cyan"}
_PHASES = {"submitting": "(sending) ", "stalled": "(stalled) ", "ready": "(fetching) ", "fetched": "(placing) "}
_GAP = 2
_ROOMY = 80  # columns beside the clip's name that a line of the log wants
_LEAST = 4


@dataclass(frozen=True, slots=True)
class Column:
    """A column: where its cells are cut (`end`, `start`, `middle`), to how many columns they may be cut for the sake of
    others (0: never), and when it goes if that does not help (0: never; 1 first)."""

    title: str
    cut: str = "end"
    least: int = 0
    goes: int = 0


STATUS = (
    Column("CLIP", "middle"),
    Column("STATE"),
    Column("PROVIDER", "middle", least=14, goes=1),
    Column("COST", goes=4),
    Column("AGE", goes=3),
    Column("OUTPUT", "start", least=16, goes=2),
)


def grid(columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int) -> Iterator[list[str]]:
    """The title and the rows, padded to common widths, with as many of the columns as `room` has a place for."""
    table = [[column.title for column in columns], *rows]
    natural = [max(width(row[i]) for row in table) for i in range(len(columns))]
    kept, sizes = _fit(columns, natural, room)
    for row in table:
        yield [pad(cut(row[i], size, columns[i].cut), size) for i, size in zip(kept, sizes, strict=True)]


def _fit(columns: Sequence[Column], natural: Sequence[int], room: int) -> tuple[list[int], list[int]]:
    """Which columns stay, and how wide they are."""
    kept = list(range(len(columns)))
    leaving = sorted((i for i in kept if columns[i].goes), key=lambda i: columns[i].goes)
    while True:
        sizes = _shrunk(columns, natural, kept, room)
        if _total(sizes) <= room or not leaving:
            break
        kept.remove(leaving.pop(0))
    while _total(sizes) > room and max(sizes) > _LEAST:
        sizes[sizes.index(max(sizes))] -= 1
    return kept, sizes


def _shrunk(columns: Sequence[Column], natural: Sequence[int], kept: Sequence[int], room: int) -> list[int]:
    sizes = [natural[i] for i in kept]
    for place, i in enumerate(kept):
        over = _total(sizes) - room
        if over > 0 and columns[i].least:
            sizes[place] = max(min(sizes[place], columns[i].least), sizes[place] - over)
    return sizes


def _total(sizes: Sequence[int]) -> int:
    return sum(sizes) + _GAP * (len(sizes) - 1)


def row(cells: Sequence[str]) -> str:
    """The cells of a grid as a line."""
    return Kept("  ".join(cells).rstrip())


def status(rows: Sequence[StatusRow], style: Style, room: int) -> Iterator[str]:
    """`status`: one line a take; what is blocked says why underneath, and the way out."""
    if not rows:
        yield "No clips."
        return
    head, *lines = lines_of(rows, style, room)
    yield head
    for item, line in zip(rows, lines, strict=True):
        yield line
        if item.state in ("blocked", "failed") and item.detail:
            yield f"    {safe(item.detail)}"
        yield from ways(item.way_out, style)


def lines_of(rows: Sequence[StatusRow], style: Style, room: int) -> Iterator[str]:
    """The head of the table, then a line for each row."""
    lines = grid(STATUS, [[safe(cell) for cell in _status_cells(item)] for item in rows], room)
    yield Kept(style.dim(row(next(lines))))
    for item, cells in zip(rows, lines, strict=True):
        cells[1] = getattr(style, _TONES.get(item.state, "yellow"))(cells[1])
        yield row(cells)


def _status_cells(item: StatusRow) -> list[str]:
    name = item.clip if item.take == 1 and item.picked else f"{item.clip}#{item.take}"
    state = " ".join(filter(None, (item.state, _flight(item))))
    cost = format.money(item.cost, item.currency) if item.cost is not None else _estimate(item)
    output = item.output or ("(not picked)" if not item.picked else "-")
    return [name, state, f"{item.provider}/{item.model}", cost, format.age(item.age) or "-", output]


def _flight(item: StatusRow) -> str:
    """What is known of a task in flight: its phase, for how long, and how long such tasks take."""
    if item.progress is not None:
        return f"{item.progress}%"
    if item.since is None:
        return ""
    phase = _PHASES.get(item.phase, "")
    usual = f" of {format.whole(item.expected)}" if item.expected else ""
    return f"{phase}{format.whole(item.since)}{usual}"


def _estimate(item: StatusRow) -> str:
    """What a clip that is not made yet should cost."""
    if item.estimate is None or item.age is not None:
        return "-"
    shown = format.money(item.estimate, item.currency)
    return f"about {shown}" if item.estimate else shown


def history(rows: Sequence[HistoryRow], style: Style, room: int = UNBOUNDED) -> Iterator[str]:
    """`history`: oldest first."""
    if not rows:
        yield "Nothing has happened yet."
    widest = min(30, max((width(safe(item.clip)) for item in rows), default=0))
    aligned = widest if room >= widest + _ROOMY else 0
    for item in rows:
        when = style.dim(f"{item.sequence:>5} {item.time}")
        text = f"{when}  {item.type:<12} {pad(safe(item.clip), aligned)}  {safe(item.detail)}".rstrip()
        yield Hung(text, 8)


def sections(items: Sequence[Section], style: Style) -> Iterator[str]:
    """`show` and `explain`."""
    for i, item in enumerate(items):
        if i:
            yield ""
        yield style.bold(safe(item.title))
        widest = max((width(name) for name, _ in item.facts), default=0)
        for name, value in item.facts:
            lines = safe(value, lines=True).splitlines() or [""]
            yield Hung(f"  {style.dim(pad(name, widest))}  {lines[0]}".rstrip(), widest + 4)
            for line in lines[1:]:
                yield Hung(f"  {' ' * widest}  {line}".rstrip(), widest + 4)


def checks(items: Sequence[Finding], style: Style) -> Iterator[str]:
    """`doctor` and `verify`."""
    widest = max((width(item.name) for item in items), default=0)
    for item in items:
        mark = style.green("ok  ") if item.ok else style.red("FAIL")
        yield Hung(f"{mark} {pad(item.name, widest)}  {safe(item.detail)}".rstrip(), min(widest, 24) + 7)
        if item.help and not item.ok:
            first, *commands = item.help.splitlines()
            yield f"     {style.cyan('help:')} {safe(first)}"
            yield from (Kept(f"           {safe(command)}") for command in commands)
