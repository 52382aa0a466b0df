"""Setting type: the bundled face, and lines that break and end where there is no more room.

The face is Noto Sans SC (OFL, see `fonts/OFL.txt`): Latin and 7,000 Chinese characters in one file. Characters it
lacks are shown as its empty box, except for emoji and control characters, which are left out.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

from PIL import ImageFont

_FILE: Final = Path(__file__).parent.parent / "fonts" / "noto-sans-sc-400.woff2"
_TRAILING: Final = " ,.;:，。；：、"
_LONGEST: Final = 2000
Font = ImageFont.FreeTypeFont
"""A face at one size."""

_NO_START: Final = frozenset("，。、；：！？）》」』】…,.;:!?)]}%")


@cache
def face(size: int) -> Font:
    """The bundled face. The basic layout engine draws the same pixels whether or not Raqm is installed."""
    return ImageFont.truetype(_FILE, size, layout_engine=ImageFont.Layout.BASIC)


def printable(text: str) -> str:
    """Text as it can be set: one line, at most 2,000 characters, without emoji, controls and lone surrogates."""
    kept = (" " if char.isspace() else char for char in text[:_LONGEST] if char.isspace() or _has_form(char))
    return " ".join("".join(kept).split())


def _has_form(char: str) -> bool:
    return ord(char) < 0x1F000 and unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "So", "Mn")


def elided(text: str, font: Font, width: int) -> str:
    """One line that fits: the middle gives way, because both ends of a name or an address tell it apart."""
    text = printable(text)
    if font.getlength(text) <= width:
        return text
    keep = len(text)
    while keep > 2 and font.getlength(_around(text, keep)) > width:
        keep -= max(1, keep // 16)
    return _around(text, keep)


def _around(text: str, keep: int) -> str:
    head = (keep + 1) // 2
    start = text[:head].rstrip()
    return f"{start}{ellipsis_after(start)}{text[len(text) - (keep - head) :].lstrip()}"


def wrapped(text: str, font: Font, width: int, lines: int) -> list[str]:
    """At most so many lines that fit; the last one ends in an ellipsis when there was more."""
    done: list[str] = []
    rest = printable(text)
    while rest and len(done) < lines:
        line = _line(rest, font, width)
        rest = rest[len(line) :].lstrip()
        done.append(line.rstrip())
    if rest and done:
        done[-1] = _cut(done[-1], font, width)
    return done


def _line(text: str, font: Font, width: int) -> str:
    """As much of the text as fits in a line, ending where a line may end."""
    fits = _fitting(text, font, width)
    if fits == len(text):
        return text
    for end in range(fits, 0, -1):
        if _may_break(text, end):
            return text[:end]
    return text[:fits]


def _fitting(text: str, font: Font, width: int) -> int:
    """How many characters fit, at least one; by halving, since length grows with each character."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def _may_break(text: str, end: int) -> bool:
    """Between words, or beside an ideograph; never before closing punctuation."""
    before, after = text[end - 1], text[end]
    if after in _NO_START:
        return False
    return before == " " or after == " " or before == "-" or _is_wide(before) or _is_wide(after)


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _cut(line: str, font: Font, width: int) -> str:
    """The line with an ellipsis, shortened to whole words (or ideographs) until both fit."""
    kept = line
    while kept:
        shown = kept.rstrip(_TRAILING) + ellipsis_after(kept)
        if font.getlength(shown) <= width:
            return shown
        shorter = max((end for end in range(1, len(kept)) if _may_break(kept, end)), default=0)
        kept = kept[:shorter].rstrip() if shorter else kept[:-1]
    return ellipsis_after(line)


def ellipsis_after(text: str) -> str:
    """Dots on the line after Latin letters: the face's own ellipsis floats, as it should after ideographs only."""
    return "…" if text and _is_wide(text[-1]) else "..."
