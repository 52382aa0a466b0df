"""Compare two prompts word by word, also in scripts without spaces."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from enum import StrEnum

from reconciler.frozen import dataclass

_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af"
_WORD = rf"[^\W{_CJK}]+"
_TOKEN = rf"[{_CJK}]|{_WORD}(?:[-'’]{_WORD})*|\s+|[^\w\s]"  # `push-in` is one word; compiled when used: it takes long
_LIMIT = 2000  # tokens a side: the matcher is quadratic


class DiffRun(StrEnum):
    """What changed about a run of words; the value is its sign."""

    SAME = "="
    GONE = "-"
    NEW = "+"


@dataclass(frozen=True, slots=True)
class WordRun:
    """Successive words that changed in the same way."""

    part: DiffRun
    text: str


def words(before: str, after: str) -> tuple[WordRun, ...]:
    """Return the runs that turn one text into the other. Very long texts are given whole, old then new."""
    old, new = re.findall(_TOKEN, before), re.findall(_TOKEN, after)
    if len(old) > _LIMIT or len(new) > _LIMIT:
        return (WordRun(DiffRun.GONE, before), WordRun(DiffRun.NEW, after))
    runs: list[tuple[DiffRun, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, fresh = "".join(old[a:b]), "".join(new[c:d])
        if tag == "equal":
            runs.append((DiffRun.SAME, gone))
        elif tag == "replace" and _between_words(runs):
            (_, before), (_, after), (_, space) = runs[-3:]
            runs[-3:] = [(DiffRun.GONE, before + space + gone), (DiffRun.NEW, after + space + fresh)]
        else:
            runs += [(part, text) for part, text in ((DiffRun.GONE, gone), (DiffRun.NEW, fresh)) if text]
    return tuple(WordRun(part, text) for part, text in runs)


def _between_words(runs: list[tuple[DiffRun, str]]) -> bool:
    """True if the runs end with a replacement and a space: another replacement reads better as part of it."""
    return [part for part, _ in runs[-3:]] == [DiffRun.GONE, DiffRun.NEW, DiffRun.SAME] and runs[-1][1].isspace()


MARKS = {DiffRun.SAME: "{}", DiffRun.GONE: "[-{}-]", DiffRun.NEW: "{{+{}+}}"}
"""How each run is printed; readable without colour."""


def plain(before: str, after: str) -> str:
    """Return the diff as text: `[-old-]{+new+}`."""
    return "".join(MARKS[run.part].format(run.text) for run in words(before, after))
