"""`fmt` changes the layout and nothing else: cases in `layouts/`, and what holds for every file."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from spec_kit import Case, cases

from reconciler.diagnostics import ClipformError
from reconciler.spec.interpolate import plain
from reconciler.spec.layout import formatted
from reconciler.spec.problems import Problems
from reconciler.spec.reader import read

LAYOUTS = sorted((Path(__file__).parent / "layouts").glob("*.txt"))
ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*.yaml") if "state" not in path.parts)


def tree(text: str) -> Any:
    problems = Problems()
    root = read("a.yaml", text.encode("utf-8"), problems)
    assert not problems.errors
    return root and plain(root)


def unchanged(text: str, *, sort: bool = False) -> str:
    """The text in its layout, in which every value and comment is as before."""
    after = formatted(text, "a.yaml", sort=sort)
    assert tree(after) == tree(text)
    assert _comments(after) == _comments(text)
    assert formatted(after, "a.yaml", sort=sort) == after
    return after


def _comments(text: str) -> Counter[str]:
    """What follows each `#`, without blanks: one inside quotes has code behind it, whose blanks may change."""
    return Counter("".join(line.split()) for line in re.findall(r"#.*", text))


@pytest.mark.parametrize("path", LAYOUTS, ids=lambda path: path.stem)
def test_a_file_gets_the_layout(path: Path) -> None:
    _, before, after = re.split(r"^-- \w+ --\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert unchanged(before, sort=path.stem == "sort") == after
    assert formatted(after, path.name, sort=path.stem == "sort") == after
    windows = formatted(before.replace("\n", "\r\n"), path.name, sort=path.stem == "sort")
    assert windows == after.replace("\n", "\r\n")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_have_the_layout(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert unchanged(text) == text


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_every_case_that_is_yaml_reads_as_before(case: Case, sort: bool) -> None:
    for text in case.files.values():
        try:
            formatted(text, "a.yaml", sort=sort)
        except ClipformError:
            continue
        unchanged(text, sort=sort)


WORDS = st.sampled_from(["a lamp", "yes", "5", "x: y", "- z", "# no", "16:9", "'q'", "~", "1e5", "", "${vars.a}"])
COMMENTS = st.sampled_from(["", "", " # note", "    # note", "\n# alone", "\n      # deep", "\n   ", "\n"])


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0, indent: int = 0) -> str:
    """A block map as people write them: any indentation, comments anywhere, every style of value."""
    lines = []
    for name in draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True)):
        lines.append(f"{' ' * indent}{name}:{draw(values(depth, indent))}{draw(COMMENTS)}\n")
    return "".join(lines)


@st.composite
def values(draw: st.DrawFn, depth: int, indent: int) -> str:
    deeper = indent + draw(st.integers(1, 5))
    pad = " " * deeper
    word = draw(WORDS)
    quoted = "'" + word.replace("'", "''") + "'"
    options = [f" {quoted}", f" [{quoted}, 5]", f" [{quoted},\n{pad}  1]", f" {{k: {quoted}}}", " plain text", " yes"]
    options += [f" |\n{pad}{word or 'x'}\n\n{pad}  # more", f" >-\n{pad}one\n{pad}two", f" one\n{pad}two"]
    options += [f"\n{pad}- one\n{pad}-   k: 1\n{pad}    l: 2\n{pad}- - 1\n{pad}  - 2", f' "one\n{pad}two"']
    options += [
        f"   {quoted}",
        f"  {{  k:   {quoted} ,  l:  [ 1,   2 ]  }}",
        f" &x   {quoted}",
        f" [{quoted},   \n{pad}1]",
    ]
    if depth < 3 and draw(st.integers(0, len(options) + 3)) >= len(options):
        return f" # note\n{draw(blocks(depth + 1, deeper))}".rstrip("\n")
    return draw(st.sampled_from(options))


@settings(deadline=None, max_examples=150)
@given(blocks(), st.booleans())
@example("a:  {  k:   '# no' ,  l:  [ 1,   2 ]  }\n", False)
def test_any_block_reads_as_before(text: str, sort: bool) -> None:
    try:
        tree(text)
    except AssertionError:
        return  # not YAML
    unchanged(text, sort=sort)
