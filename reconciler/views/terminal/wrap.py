"""Long lines on a terminal: folded at words, what follows set in, wide characters counted as two.

Words that are wider than the terminal (keys, paths) stay whole, and so does a line that is `Kept`: a command that the
terminal wraps can still be copied. On anything but a terminal nothing is folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_CODE = re.compile(r"\x1b\[[0-9;]*m")
_WIDE = "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
_LEAST = 2  # columns that a continued line is set in by
_NARROW = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027]*")  # what needs no table of widths
_PIECE = re.compile(rf"\x1b\[[0-9;]*m|[ ]+|[{_WIDE}][\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]*|[^ \x1b{_WIDE}]+")


_EAST = re.compile(f"[{_WIDE}]")
_WORD = re.compile(r"\x1b\[[0-9;]*m|[ ]+|[^ \x1b]+")
_NAME = re.compile(r"[/=\[\x1b]")  # what a clip's name with its combination has, or a path, and a sentence has not


class Kept(str):
    """A line that is never folded: a command to copy, a row of a table, a source line with its caret."""

    __slots__ = ()


class Hung(str):
    """A line whose continuation stands at column `hang`."""

    hang: int

    def __new__(cls, text: str, hang: int) -> Hung:
        """A text with its hanging indent."""
        made = super().__new__(cls, text)
        made.hang = hang
        return made


def width(text: str) -> int:
    """How many columns a text takes; our own colour codes take none."""
    bare = _CODE.sub("", text) if "\x1b" in text else text
    if bare.isascii() or _NARROW.fullmatch(bare):
        return len(bare)
    from rich.cells import cell_len

    return cell_len(bare)


class Parts(str):
    """Short facts with ` · ` between them: folded there, and never within one."""

    __slots__ = ()


_BETWEEN = " · "


def fold(line: str, columns: int) -> Iterator[str]:
    """The lines that show one line in so many columns."""
    if isinstance(line, Kept) or 2 * len(line) <= columns or width(line) <= columns:
        yield line
        return
    indent = len(line) - len(line.lstrip(" "))
    hang = line.hang if isinstance(line, Hung) else indent + (2 if indent else 4)
    if hang > columns // 2:
        hang = min(4, columns // 4)
    text = line[indent:]
    pieces = text.split(_BETWEEN) if isinstance(line, Parts) else list(_pieces(text))
    yield from _Folded(indent, hang, columns).lines(pieces, _BETWEEN if isinstance(line, Parts) else "")


def _pieces(text: str) -> Iterator[str]:
    """Words, gaps and colour codes. A script without spaces is torn anywhere, a name or a path in it is not."""
    for piece in _WORD.findall(text):
        yield from (piece,) if _NAME.search(piece) else _PIECE.findall(piece)


class _Folded:
    """Fills one row after the other."""

    def __init__(self, indent: int, hang: int, columns: int) -> None:
        self.hang, self.columns = hang, columns
        self.row, self.used, self.fresh = " " * indent, indent, True
        self.gap, self.wide = "", 0  # what stands before the next word, with our colour codes

    def lines(self, pieces: Iterable[str], between: str) -> Iterator[str]:
        """The rows. `between` is what joins the pieces; it goes to the next row's start when they are torn apart."""
        for piece in pieces:
            if not between and piece[:1] in ("\x1b", " "):
                self.gap += piece
                self.wide += 0 if piece[0] == "\x1b" else len(piece)
                continue
            if between and not self.fresh:
                self.gap, self.wide = between, len(between)
            size = width(piece)
            parted = bool(between or self.wide or _EAST.match(piece) or _EAST.match(self.row[-1:]))
            if parted and self._tears(size):
                yield self.row
                self.row, self.used = " " * self._start(size), self._start(size)
                self.gap = between.lstrip() if between else "".join(_CODE.findall(self.gap))
                self.wide = len(between.lstrip())
            self.row += self.gap + piece
            self.used += self.wide + size
            self.gap, self.wide, self.fresh = "", 0, False
        yield self.row + "".join(_CODE.findall(self.gap))

    def _tears(self, size: int) -> bool:
        """Whether a word goes to the next row: one that fits in no row stays where it is."""
        return not self.fresh and self.used + self.wide + size > self.columns and size <= self.columns - _LEAST

    def _start(self, size: int) -> int:
        """The hanging indent, or less for a word that just fits."""
        return self.hang if self.hang + size <= self.columns else max(_LEAST, self.columns - size)


def cut(text: str, size: int, where: str = "end") -> str:
    """A text in at most `size` columns; what is left out becomes an ellipsis at its end, start or middle."""
    from rich.cells import chop_cells, set_cell_size

    if width(text) <= size:
        return text
    if size < 2:
        return "…"[:size]
    if where == "end":
        return set_cell_size(text, size - 1).rstrip() + "…"
    tail = size - 1 if where == "start" else (size - 1) // 2
    end = _last(text, tail)
    if where == "start":
        return f"…{end}"
    head = chop_cells(text, size - 1 - width(end))[0]
    return f"{head}…{end}"


def _last(text: str, size: int) -> str:
    """The end of a text in at most so many columns."""
    start, used = len(text), 0
    while start and used + width(text[start - 1]) <= size:
        start -= 1
        used += width(text[start])
    return text[start:]


def pad(text: str, size: int) -> str:
    """A text followed by spaces up to so many columns."""
    return text + " " * max(0, size - width(text))
