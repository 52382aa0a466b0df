"""Markdown pages as the tests read them: code blocks with their notes, links, headings, generated parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")))

_BLOCK = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*?) -->\n)?^(?P<fence>`{3,})(?P<language>\w*)\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_PART = re.compile(r"(<!-- generated: (?P<name>[\w.-]+) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced code block: `verb` and `argument` of the note above it, and where its text is in the page."""

    language: str
    text: str
    verb: str
    argument: str
    start: int
    line: int


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(text: str) -> list[Block]:
    """The code blocks of a page, from top to bottom."""
    return [
        Block(
            match["language"],
            match["text"],
            *_note(match["note"] or ""),
            match.start("text"),
            text.count("\n", 0, match.start("text")),
        )
        for match in _BLOCK.finditer(text)
    ]


def _note(note: str) -> tuple[str, str]:
    verb, _, argument = note.partition(":")
    return verb.strip(), argument.strip()


def parts(text: str) -> Iterator[tuple[str, str]]:
    """Name and text of each generated part."""
    for match in _PART.finditer(text):
        yield match["name"], match["text"]


def with_parts(text: str, make: dict[str, str]) -> str:
    """The page with these texts in its generated parts."""
    return _PART.sub(lambda match: match[1] + make[match["name"]] + match[4], text)


def links(text: str) -> list[str]:
    """The targets of links and pictures."""
    return _LINK.findall(_BLOCK.sub("", text))


def anchors(text: str) -> set[str]:
    """Where a link may lead within a page: headings, and anchors that are set by hand."""
    plain = _BLOCK.sub("", text)
    return {slug(heading) for heading in _HEADING.findall(plain)} | set(_ANCHOR.findall(text))


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    words = re.sub(r"<[^>]+>", "", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def inline_code(text: str) -> list[str]:
    """The code spans of a page."""
    return _CODE.findall(_BLOCK.sub("", text))
