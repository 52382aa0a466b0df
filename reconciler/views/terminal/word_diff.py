"""A word diff of two prompts, for scripts without spaces too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af"
_WORD = rf"[^\W{_CJK}]+"
_TOKENS = re.compile(rf"[{_CJK}]|{_WORD}(?:[-'’]{_WORD})*|\s+|[^\w\s]")  # `push-in` is one word
_LIMIT = 2000  # tokens a side: the matcher is quadratic


class DiffRun(StrEnum):
    """What happened to a run of words."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Run:
    """A run of words with one fate."""

    part: DiffRun
    text: str


def words(before: str, after: str) -> tuple[Run, ...]:
    """The runs that lead from one text to the other. Texts past the bound are shown whole, old then new."""
    old, new = _TOKENS.findall(before), _TOKENS.findall(after)
    if len(old) > _LIMIT or len(new) > _LIMIT:
        return (Run(DiffRun.GONE, before), Run(DiffRun.NEW, after))
    found: list[tuple[DiffRun, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, fresh = "".join(old[a:b]), "".join(new[c:d])
        if tag == "equal":
            found.append((DiffRun.SAME, gone))
        elif tag == "replace" and _between_words(found):
            (_, before), (_, after), (_, space) = found[-3:]
            found[-3:] = [(DiffRun.GONE, before + space + gone), (DiffRun.NEW, after + space + fresh)]
        else:
            found += [(part, text) for part, text in ((DiffRun.GONE, gone), (DiffRun.NEW, fresh)) if text]
    return tuple(Run(part, text) for part, text in found)


def _between_words(found: list[tuple[DiffRun, str]]) -> bool:
    """Whether a replacement came last, and but for a space the next one would follow it: they read as one."""
    return [part for part, _ in found[-3:]] == [DiffRun.GONE, DiffRun.NEW, DiffRun.SAME] and found[-1][1].isspace()


MARKS = {DiffRun.SAME: "{}", DiffRun.GONE: "[-{}-]", DiffRun.NEW: "{{+{}+}}"}
"""How each part stands in a text: it makes sense without colour."""


def plain(before: str, after: str) -> str:
    """The diff as text: `[-old-]{+new+}`."""
    return "".join(MARKS[run.part].format(run.text) for run in words(before, after))
