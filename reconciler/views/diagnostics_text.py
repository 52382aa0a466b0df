"""A diagnostic as text: place, message, excerpt with a caret under the value, one line of help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.views.base import SHOWN
from reconciler.views.safe import safe
from reconciler.views.style import Style

_WIDTH = 160  # columns of a source line that are shown


def render(items: Sequence[Diagnostic], style: Style) -> Iterator[str]:
    """The lines for a list of diagnostics: errors and warnings in order, at most `SHOWN`, the rest counted."""
    for i, item in enumerate(items[:SHOWN]):
        if i:
            yield ""
        yield from one(item, style)
    if len(items) > SHOWN:
        yield ""
        yield f"… and {len(items) - SHOWN} more"


def one(item: Diagnostic, style: Style) -> Iterator[str]:
    """The lines of one diagnostic."""
    tone = style.red if item.severity is Severity.ERROR else style.yellow
    place = f"{safe(str(item.source))}: " if item.source else ""
    yield f"{style.bold(place)}{tone(item.severity.value + ':')} {safe(item.message)}"
    yield from _excerpt(item, style)
    yield from help_lines(item.help, style)


def help_lines(text: str, style: Style) -> Iterator[str]:
    """The way out under a message; what follows its first line is a command to copy, and stands alone."""
    for i, line in enumerate(text.splitlines()):
        yield f"    {safe(line)}" if i else f"  {style.cyan('help:')} {safe(line)}"


def _excerpt(item: Diagnostic, style: Style) -> Iterator[str]:
    if item.excerpt is None or item.source is None:
        return
    for number, line in enumerate(item.excerpt.lines, item.excerpt.first):
        if number == item.source.line:
            yield from _marked(item, line, style)
        else:
            yield style.dim(f"{number:>5} | {safe(line[:_WIDTH])}")


def _marked(item: Diagnostic, line: str, style: Style) -> Iterator[str]:
    from rich.cells import cell_len

    assert item.source is not None
    start = item.source.column - 1
    offset = max(0, start - _WIDTH + 20)  # a value far to the right: show the neighbourhood
    head, body = (
        safe(line[offset:start]),
        safe(line[start : item.source.end - 1] if item.source.end else line[start : start + 1]),
    )
    shown = safe(line[offset : offset + _WIDTH])
    yield f"{item.source.line:>5} | {'…' if offset else ''}{shown}"
    carets = "^" * max(1, min(cell_len(body), max(1, cell_len(shown) - cell_len(head))))
    yield f"      | {' ' * (cell_len(head) + (1 if offset else 0))}{style.red(carets)}"
