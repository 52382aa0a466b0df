"""Every page of figures says which commit made them, when, on what machine, and with which command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "benchmarks").glob("*.md"))
_MEASURED = re.compile(
    r"at commit [0-9a-f]{7,40},? .*(\d{4}-\d\d-\d\d|\d+ s on) ?.*\d+ cores.*Python 3\.\d+", re.DOTALL
)
_COMMAND = re.compile(r"python -m ((?:benchmarks|tests)[.\w]*)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_section_of_figures_says_what_made_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    sections = [part for part in re.split(r"^## ", text, flags=re.MULTILINE) if _COMMAND.search(part)]
    assert sections
    for section in sections:
        assert _MEASURED.search(section), section[:200]
        for module in _COMMAND.findall(section):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
