"""Plain tables: aligned columns that fit the terminal, wide characters counted as two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.engine.findings import Finding
from reconciler.views import words
from reconciler.views.base import HistoryRow, Section, StatusRow
from reconciler.views.blocked_text import ways
from reconciler.views.safe import safe
from reconciler.views.style import Style

_TONES = {"ready": "green", "blocked": "red", "failed": "red", "running": "cyan"}


def columns(rows: Sequence[Sequence[str]], width: int) -> Iterator[list[str]]:
    """The rows padded to common column widths; the widest column is cut until the whole fits in `width`."""
    from rich.cells import cell_len, set_cell_size

    sizes = [max(cell_len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    while sizes and sum(sizes) + 2 * (len(sizes) - 1) > width and max(sizes) > 8:
        sizes[sizes.index(max(sizes))] -= 1
    for row in rows:
        cut = [
            set_cell_size(text, size - 1).rstrip() + "…" if cell_len(text) > size else text
            for text, size in zip(row, sizes, strict=True)
        ]
        yield [set_cell_size(text, size) for text, size in zip(cut, sizes, strict=True)]


def status(rows: Sequence[StatusRow], style: Style, width: int) -> Iterator[str]:
    """`status`: one line a take; what is blocked says why underneath."""
    if not rows:
        yield "No clips."
        return
    head = ["CLIP", "STATE", "PROVIDER", "COST", "AGE", "OUTPUT"]
    body = [[safe(cell) for cell in _status_cells(row)] for row in rows]
    lines = columns([head, *body], width)
    yield style.dim("  ".join(next(lines)).rstrip())
    for row, cells in zip(rows, lines, strict=True):
        tone = getattr(style, _TONES.get(row.state, "yellow"))
        cells[1] = tone(cells[1])
        yield "  ".join(cells).rstrip()
        if row.state in ("blocked", "failed") and row.detail:
            yield f"    {safe(row.detail)}"
        yield from ways(row.way_out, style)


def _status_cells(row: StatusRow) -> list[str]:
    name = row.clip if row.take == 1 and row.picked else f"{row.clip}#{row.take}"
    state = row.state if row.progress is None else f"{row.state} {row.progress}%"
    cost = words.money(row.cost, row.currency) if row.cost is not None else _estimate(row)
    output = row.output or ("(not picked)" if not row.picked else "-")
    return [name, state, f"{row.provider}/{row.model}", cost, words.age(row.age) or "-", output]


def _estimate(row: StatusRow) -> str:
    """What a clip that is not made yet should cost."""
    if row.estimate is None or row.age is not None:
        return "-"
    shown = words.money(row.estimate, row.currency)
    return f"about {shown}" if row.estimate else shown


def history(rows: Sequence[HistoryRow], style: Style) -> Iterator[str]:
    """`history`: oldest first."""
    if not rows:
        yield "Nothing has happened yet."
    for row in rows:
        when = style.dim(f"{row.sequence:>5} {row.time}")
        yield f"{when}  {row.type:<12} {safe(row.clip)}  {safe(row.detail)}".rstrip()


def sections(items: Sequence[Section], style: Style) -> Iterator[str]:
    """`show` and `explain`."""
    for i, item in enumerate(items):
        if i:
            yield ""
        yield style.bold(safe(item.title))
        widest = max((len(name) for name, _ in item.facts), default=0)
        for name, value in item.facts:
            lines = safe(value, lines=True).splitlines() or [""]
            yield f"  {style.dim(f'{name:<{widest}}')}  {lines[0]}".rstrip()
            for line in lines[1:]:
                yield f"  {' ' * widest}  {line}".rstrip()


def checks(items: Sequence[Finding], style: Style) -> Iterator[str]:
    """`doctor` and `verify`."""
    widest = max((len(item.name) for item in items), default=0)
    for item in items:
        mark = style.green("ok  ") if item.ok else style.red("FAIL")
        yield f"{mark} {item.name:<{widest}}  {safe(item.detail)}".rstrip()
        if item.help and not item.ok:
            yield f"     {style.cyan('help:')} {safe(item.help)}"
