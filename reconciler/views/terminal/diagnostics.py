"""A diagnostic as text: place, message, excerpt with a caret under the value, one line of help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.views.base import SHOWN
from reconciler.views.terminal.sanitize import safe
from reconciler.views.terminal.style import Style
from reconciler.views.terminal.wrap import Kept, cut, width

_WIDTH = 160  # columns of a source line that are shown where there is room
_MARGIN = 8  # the line's number and the bar
_BEFORE = 20  # columns that are shown before a value far to the right


def render(items: Sequence[Diagnostic], style: Style, room: int = _WIDTH + _MARGIN) -> Iterator[str]:
    """The lines for a list of diagnostics: errors and warnings in order, at most `SHOWN`, the rest counted."""
    columns = max(_BEFORE, min(_WIDTH, room - _MARGIN))
    for i, item in enumerate(items[:SHOWN]):
        if i:
            yield ""
        yield from one(item, style, columns)
    if len(items) > SHOWN:
        yield ""
        yield f"… and {len(items) - SHOWN} more"


def one(item: Diagnostic, style: Style, columns: int = _WIDTH) -> Iterator[str]:
    """The lines of one diagnostic; its source in so many columns."""
    tone = style.red if item.severity is Severity.ERROR else style.yellow
    place = f"{safe(str(item.source))}: " if item.source else ""
    yield f"{style.bold(place)}{tone(item.severity.value + ':')} {safe(item.message)}"
    yield from _excerpt(item, style, columns)
    yield from help_lines(item.help, style)


def help_lines(text: str, style: Style) -> Iterator[str]:
    """The way out under a message; what follows its first line is a command to copy, and stands alone."""
    for i, line in enumerate(text.splitlines()):
        yield Kept(f"    {safe(line)}") if i else f"  {style.cyan('help:')} {safe(line)}"


def _excerpt(item: Diagnostic, style: Style, columns: int) -> Iterator[str]:
    if item.excerpt is None or item.source is None:
        return
    for number, line in enumerate(item.excerpt.lines, item.excerpt.first):
        if number == item.source.line:
            yield from _marked(item, line, style, columns)
        else:
            yield Kept(style.dim(f"{number:>5} | {cut(safe(line), columns)}"))


def _marked(item: Diagnostic, line: str, style: Style, columns: int) -> Iterator[str]:
    """The line with carets under the value. A value far to the right is shown with its neighbourhood."""
    assert item.source is not None
    start = item.source.column - 1
    end = item.source.end - 1 if item.source.end else start + 1
    head, body = safe(line[:start]), safe(line[start:end])
    if width(head) + min(width(body), _BEFORE) > columns:
        head = f"…{_last(head, columns // 3)}"
    shown = cut(f"{head}{safe(line[start:])}", columns)
    yield Kept(f"{item.source.line:>5} | {shown}")
    carets = "^" * max(1, min(width(body), width(shown) - width(head)))
    yield Kept(f"      | {' ' * width(head)}{style.red(carets)}")


def _last(text: str, columns: int) -> str:
    """The end of a text."""
    return cut(text, columns, "start").removeprefix("…")
