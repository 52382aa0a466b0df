"""Texts are plain English: a short list of riddling words is at zero in the code, the documents and what is printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.style.source import PACKAGE, ROOT

BANNED = re.compile(
    r"\b(mend(s|ed|ing)?|told|stands?|anew|whoever|by now|at hand|who only looks?|the ways? to|nobody says"
    r"|(?<!there )is no (?!longer|more\b|less\b)\w+)\b",
    re.IGNORECASE,
)
EVENT = ('"event": "mended"', "")
"""The name of a JSON event of `watch`, which programs read: names of the format do not change."""
CODE = sorted(path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".js", ".html", ".css", ".yaml"})
DOCUMENTS = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.yaml"))]
PRINTED = [
    path
    for folder in ("cli/scripts", "views/golden", "terminal/screens")
    for path in sorted((ROOT / "tests" / folder).rglob("*"))
    if path.is_file()
]


def banned(path: Path) -> Iterator[str]:
    """Lines with a banned word."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := BANNED.search(line.replace(*EVENT)):
            yield f"{path.relative_to(ROOT)}:{number}: {match[0]!r} in {line.strip()[:100]}"


@pytest.mark.parametrize("paths", [CODE, DOCUMENTS, PRINTED], ids=["code", "documents", "printed"])
def test_no_text_has_a_banned_word(paths: list[Path]) -> None:
    assert len(paths) > 10
    assert [line for path in paths for line in banned(path)] == []


@pytest.mark.parametrize("text", ["mended", "it stands there", "Made anew", "the way to it", "is no plan", "at hand"])
def test_a_banned_word_is_noticed(text: str) -> None:
    assert BANNED.search(text)


@pytest.mark.parametrize(
    "text", ["recommended", "standard", "is no longer there", "there is no clip", "a new one", "understand"]
)
def test_other_words_pass(text: str) -> None:
    assert not BANNED.search(text)
