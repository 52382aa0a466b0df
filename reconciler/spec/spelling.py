"""Spell a text as YAML, for an edit of a file. Pure.

Spellings are candidates in order of preference: the style of the value that is replaced comes first. `edit` reads the
file again with each of them, and takes the first that has the intended value.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator

_WIDTH = 100
_NO_TEXT = ("", "~", "null", "none")  # a reader might take these for no value
_PLAIN = re.compile(r"[^\W_]", re.UNICODE)
_BLOCK = re.compile(r"[|>][+-]?[ \t]*(#.*)?\r?$", re.MULTILINE)


def spellings(text: str, old: str, indent: int, ending: str = "\n") -> Iterator[str]:
    """Yield spellings of a text. `old` is the value's text in the file, empty for a new entry; the lines of a block are
    indented to `indent`, 0 inside brackets, where no block can be."""
    if "\n" in text or _BLOCK.match(old):
        yield from (lines.replace("\n", ending) for lines in _blocks(text, old, indent) if indent)
    elif old.startswith("'"):
        yield "'" + text.replace("'", "''") + "'"
    elif not old.startswith('"') and _PLAIN.match(text) and text.lower() not in _NO_TEXT:
        yield text
    yield json.dumps(text, ensure_ascii=False)


def _blocks(text: str, old: str, indent: int) -> Iterator[str]:
    """Yield a folded block if the value was one and the text is one line, and a literal block."""
    chomp = "" if text.endswith("\n") else "-"
    line, margin = text.removesuffix("\n"), " " * indent
    if old.startswith(">") and "\n" not in line:
        width = max(20, _WIDTH - indent)
        lines = textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
        yield "\n".join([f">{chomp}", *(margin + part for part in lines)])
    yield "\n".join([f"|{chomp}", *(margin + part if part else "" for part in line.split("\n"))])
