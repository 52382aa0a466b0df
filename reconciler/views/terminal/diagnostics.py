"""Render diagnostics (place, message, excerpt with a caret under the value, help) and the remedies of a block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.diagnostics import Diagnostic, Severity, Source
from reconciler.plan.remedies import COMMENT
from reconciler.views.base import SHOWN
from reconciler.views.terminal.sanitize import safe
from reconciler.views.terminal.style import Style
from reconciler.views.terminal.wrap import TextLine, cut, width

_WIDTH = 160  # the most columns of a source line
_MARGIN = 8  # the line's number and the bar
_CONTEXT = 20  # the fewest columns of a source line


def render(items: Sequence[Diagnostic], style: Style, room: int = _WIDTH + _MARGIN) -> Iterator[str]:
    """Yield the lines of the first `SHOWN` diagnostics, then how many more there are."""
    columns = max(_CONTEXT, min(_WIDTH, room - _MARGIN))
    for i, item in enumerate(items[:SHOWN]):
        if i:
            yield ""
        yield from one(item, style, columns)
    if len(items) > SHOWN:
        yield ""
        yield f"… and {len(items) - SHOWN} more"


def one(item: Diagnostic, style: Style, columns: int = _WIDTH) -> Iterator[str]:
    """Yield the lines of one diagnostic; its source in so many columns."""
    tone = style.red if item.severity is Severity.ERROR else style.yellow
    place = f"{safe(str(item.source))}: " if item.source else ""
    yield f"{style.bold(place)}{tone(item.severity.value + ':')} {safe(item.message)}"
    yield from _excerpt(item, style, columns)
    yield from help_lines(item.help, style)


def help_lines(text: str, style: Style) -> Iterator[str]:
    """Yield the help under a message: a sentence, then a line for each command to copy."""
    for i, line in enumerate(text.splitlines()):
        yield TextLine(f"    {safe(line)}", at=COMMENT) if i else f"  {style.cyan('help:')} {safe(line)}"


def next_lines(remedies: Iterable[str], style: Style) -> Iterator[str]:
    """Yield a line for each remedy: its command can be copied, its meaning is folded as a whole."""
    for remedy in remedies:
        yield TextLine(f"    {style.cyan('next:')} {safe(remedy)}", at=COMMENT)


def _excerpt(item: Diagnostic, style: Style, columns: int) -> Iterator[str]:
    if item.excerpt is None or item.source is None:
        return
    for number, line in enumerate(item.excerpt.lines, item.excerpt.first):
        if number == item.source.line:
            yield from _marked(item.source, line, style, columns)
        else:
            yield TextLine(style.dim(f"{number:>5} | {cut(safe(line), columns)}"), wrap=False)


def _marked(source: Source, line: str, style: Style, columns: int) -> Iterator[str]:
    """Yield the line and carets under the value. A value far to the right is shown with the text around it."""
    start = source.column - 1
    end = source.end - 1 if source.end else start + 1
    head, body = safe(line[:start]), safe(line[start:end])
    if width(head) + min(width(body), _CONTEXT) > columns:
        head = f"…{cut(head, columns // 3, 'start').removeprefix('…')}"
    excerpt = cut(f"{head}{safe(line[start:])}", columns)
    yield TextLine(f"{source.line:>5} | {excerpt}", wrap=False)
    carets = "^" * max(1, min(width(body), width(excerpt) - width(head)))
    yield TextLine(f"      | {' ' * width(head)}{style.red(carets)}", wrap=False)
