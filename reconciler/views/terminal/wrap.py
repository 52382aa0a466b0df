"""Fold long lines on a terminal: at words, with a hanging indent, wide characters counted as two.

Words that are wider than the terminal (keys, paths) stay whole, and so does a command: one that the terminal wraps can
still be copied. Only a terminal's lines are folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_CODE = re.compile(r"\x1b\[[0-9;]*m")
_WIDE = "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
_LEAST = 2  # the smallest indent of a continued line
_NARROW = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027]*")  # characters of one column
_PIECE = rf"\x1b\[[0-9;]*m|[ ]+|[{_WIDE}][\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]*|[^ \x1b{_WIDE}]+"
_EAST = f"[{_WIDE}]"  # these two are compiled when a line is folded: it takes long
_WORD = re.compile(r"\x1b\[[0-9;]*m|[ ]+|[^ \x1b]+")
_NAME = re.compile(r"[/=\[\x1b]")  # in a path or a matrix clip's name, not in a sentence


class TextLine(str):
    """A line that is not folded at words.

    `wrap` False: never folded, as a table row or a source line with its caret. `at`: folded at this separator only.
    `hang`: the column of the continuation.
    """

    wrap: bool
    at: str
    hang: int | None

    def __new__(cls, text: str, *, wrap: bool = True, at: str = "", hang: int | None = None) -> TextLine:
        """Make a line of a text."""
        line = super().__new__(cls, text)
        line.wrap, line.at, line.hang = wrap, at, hang
        return line


def width(text: str) -> int:
    """Return the columns of a text; colour codes have none."""
    bare = _CODE.sub("", text) if "\x1b" in text else text
    if bare.isascii() or _NARROW.fullmatch(bare):
        return len(bare)
    from rich.cells import cell_len

    return cell_len(bare)


def fold(text: str, columns: int) -> Iterator[str]:
    """Yield the rows that show one line, or each line of a text, on a terminal of so many columns."""
    if 2 * len(text) <= columns and "\n" not in text:  # most lines
        yield text
        return
    line = text if isinstance(text, TextLine) else TextLine(text)
    if line.wrap and "\n" in line:
        for each in line.split("\n"):
            yield from fold(TextLine(each, at=line.at, hang=line.hang), columns)
        return
    if not line.wrap or width(line) <= columns:
        yield line
        return
    indent = len(line) - len(line.lstrip(" "))
    hang = indent + (2 if indent else 4) if line.hang is None else line.hang
    if hang > columns // 2:
        hang = min(4, columns // 4)
    body = line[indent:]
    pieces = body.split(line.at) if line.at else list(_pieces(body))
    yield from _Rows(indent, hang, columns).fill(pieces, line.at)


def _pieces(text: str) -> Iterator[str]:
    """Yield words, gaps and colour codes. A script without spaces breaks anywhere, but not within a name or a path."""
    for piece in _WORD.findall(text):
        yield from (piece,) if _NAME.search(piece) else re.findall(_PIECE, piece)


class _Rows:
    """Fills one row after the other."""

    def __init__(self, indent: int, hang: int, columns: int) -> None:
        self.hang, self.columns = hang, columns
        self.row, self.used, self.fresh = " " * indent, indent, True
        self.gap, self.wide = "", 0  # the text before the next word, with colour codes

    def fill(self, pieces: Iterable[str], between: str) -> Iterator[str]:
        """Yield the rows. `between` joins the pieces; it begins the next row where they are broken apart."""
        for piece in pieces:
            if not between and piece[:1] in ("\x1b", " "):
                self.gap += piece
                self.wide += 0 if piece[0] == "\x1b" else len(piece)
                continue
            if between and not self.fresh:
                self.gap, self.wide = between, len(between)
            size = width(piece)
            can_break = bool(between or self.wide or re.match(_EAST, piece) or re.match(_EAST, self.row[-1:]))
            if can_break and self._breaks(size):
                yield self.row
                self.row, self.used = " " * self._start(size), self._start(size)
                self.gap = between.lstrip() if between else "".join(_CODE.findall(self.gap))
                self.wide = len(between.lstrip())
            self.row += self.gap + piece
            self.used += self.wide + size
            self.gap, self.wide, self.fresh = "", 0, False
        yield self.row + "".join(_CODE.findall(self.gap))

    def _breaks(self, size: int) -> bool:
        """True if a word goes to the next row; one that fits in no row does not."""
        return not self.fresh and self.used + self.wide + size > self.columns and size <= self.columns - _LEAST

    def _start(self, size: int) -> int:
        """Return the hanging indent, or less for a word that just fits."""
        return self.hang if self.hang + size <= self.columns else self.columns - size


def cut(text: str, size: int, where: str = "end") -> str:
    """Return a text in at most `size` columns, with an ellipsis at its end, start or middle."""
    if width(text) <= size:
        return text
    if size < 2:
        return "…"[:size]
    from rich.cells import chop_cells, set_cell_size

    if where == "end":
        return set_cell_size(text, size - 1).rstrip() + "…"
    tail = size - 1 if where == "start" else (size - 1) // 2
    end = _last(text, tail)
    if where == "start":
        return f"…{end}"
    head = chop_cells(text, size - 1 - width(end))[0]
    return f"{head}…{end}"


def _last(text: str, size: int) -> str:
    """Return the end of a text in at most so many columns."""
    start, used = len(text), 0
    while start and used + width(text[start - 1]) <= size:
        start -= 1
        used += width(text[start])
    return text[start:]


def pad(text: str, size: int) -> str:
    """Return a text filled with spaces up to so many columns."""
    return text + " " * max(0, size - width(text))
