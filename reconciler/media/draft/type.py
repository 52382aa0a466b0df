"""Sets type: the bundled typeface, and lines that break or end when the width is used up.

The typeface is Noto Sans SC (OFL, see `fonts/OFL.txt`): Latin and 7,000 Chinese characters in one file. A character
that it lacks is shown as an empty box; emoji and control characters are left out.
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
"""The typeface at one size."""

_NO_START: Final = frozenset("，。、；：！？）》」』】…,.;:!?)]}%")


@cache
def face(size: int) -> Font:
    """Return the bundled typeface. The basic layout engine draws the same pixels with and without Raqm."""
    return ImageFont.truetype(_FILE, size, layout_engine=ImageFont.Layout.BASIC)


def printable(text: str) -> str:
    """Return printable text: one line, at most 2,000 characters, without emoji, controls and lone surrogates."""
    characters = (" " if char.isspace() else char for char in text[:_LONGEST] if char.isspace() or _has_form(char))
    return " ".join("".join(characters).split())


def _has_form(char: str) -> bool:
    return ord(char) < 0x1F000 and unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "So", "Mn")


def elided(text: str, font: Font, width: int) -> str:
    """Return one line that fits; the middle is cut, because both ends of a name or an address identify it."""
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
    """Return at most so many lines that fit; the last one ends in an ellipsis if text was cut."""
    done: list[str] = []
    remaining = printable(text)
    while remaining and len(done) < lines:
        line = _line(remaining, font, width)
        remaining = remaining[len(line) :].lstrip()
        done.append(line.rstrip())
    if remaining and done:
        done[-1] = _cut(done[-1], font, width)
    return done


def _line(text: str, font: Font, width: int) -> str:
    """Return as much of the text as fits in a line, ending where a line may break."""
    fits = _fitting(text, font, width)
    if fits == len(text):
        return text
    for end in range(fits, 0, -1):
        if _may_break(text, end):
            return text[:end]
    return text[:fits]


def _fitting(text: str, font: Font, width: int) -> int:
    """Return how many characters fit, at least one; by bisection, since length grows with each character."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def _may_break(text: str, end: int) -> bool:
    """True between words, or beside an ideograph; never before closing punctuation."""
    last, following = text[end - 1], text[end]
    if following in _NO_START:
        return False
    return last == " " or following == " " or last == "-" or _is_wide(last) or _is_wide(following)


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _cut(line: str, font: Font, width: int) -> str:
    """Return the line with an ellipsis, shortened to whole words (or ideographs) until both fit."""
    start = line
    while start:
        shortened = start.rstrip(_TRAILING) + ellipsis_after(start)
        if font.getlength(shortened) <= width:
            return shortened
        shorter = max((end for end in range(1, len(start)) if _may_break(start, end)), default=0)
        start = start[:shorter].rstrip() if shorter else start[:-1]
    return ellipsis_after(line)


def ellipsis_after(text: str) -> str:
    """Return three dots on the base line after Latin letters: the typeface's own is centred, for ideographs."""
    return "…" if text and _is_wide(text[-1]) else "..."
