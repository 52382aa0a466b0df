"""Changing one number in a file: each situation in `edits/`, and what holds for all of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spec_kit import project_of

from reconciler.diagnostics import ClipformError
from reconciler.spec.edit import set_field
from reconciler.spec.model import ClipFields

EDITS = Path(__file__).parent / "edits"
_CALL = re.compile(r'^set (?P<clip>.+?) (?P<field>\w+) (?P<value>\d+|null|".*"|\{.*\})$', re.MULTILINE)
_PART = re.compile(r"^-- (before|after|refused) --\n", re.MULTILINE)


@dataclass(frozen=True)
class Edit:
    """A change, the text before it, and the text after it or the words of the refusal."""

    name: str
    clip: str
    field: str
    value: int | str | dict[int, int] | None
    before: str
    kind: str
    expected: str


def _edit(path: Path) -> Edit:
    head, _, before, kind, expected = _PART.split(path.read_text(encoding="utf-8"))
    call = _CALL.search(head)
    assert call, f"{path} has no 'set CLIP FIELD VALUE'"
    value = json.loads(call["value"])
    numbers = {int(take): number for take, number in value.items()} if isinstance(value, dict) else value
    return Edit(path.stem, call["clip"], call["field"], numbers, before, kind, expected)


ALL = [_edit(path) for path in sorted(EDITS.glob("*.txt"))]
DONE = [edit for edit in ALL if edit.kind == "after"]
REFUSED = [edit for edit in ALL if edit.kind == "refused"]


def named(edit: Edit) -> str:
    """A case's name in the test report."""
    return edit.name


def done(edit: Edit, text: str) -> str:
    """The text after an edit."""
    return set_field(text, "f.yaml", edit.clip, edit.field, edit.value)


@pytest.mark.parametrize("edit", DONE, ids=named)
def test_edit_changes_the_text_as_written(edit: Edit) -> None:
    assert done(edit, edit.before) == edit.expected


@pytest.mark.parametrize("edit", REFUSED, ids=named)
def test_edit_that_would_have_to_guess_is_refused(edit: Edit) -> None:
    with pytest.raises(ClipformError, match=re.escape(edit.expected.strip())):
        done(edit, edit.before)


@pytest.mark.parametrize("edit", DONE, ids=named)
def test_edited_clip_is_read_with_its_new_value(edit: Edit) -> None:
    project = project_of(f"version: 1\n{edit.expected.removeprefix('version: 1')}")
    default = ClipFields.model_fields[edit.field].default
    expected = default if edit.value is None else edit.value.strip() if isinstance(edit.value, str) else edit.value
    assert [getattr(clip.spec, edit.field) for clip in project.clips if clip.name == edit.clip] == [expected]


@pytest.mark.parametrize("edit", DONE, ids=named)
def test_windows_line_ends_and_a_byte_order_mark_stay(edit: Edit) -> None:
    text = "\ufeff" + edit.before.replace("\n", "\r\n")
    assert done(edit, text) == "\ufeff" + edit.expected.replace("\n", "\r\n")


@pytest.mark.parametrize("edit", [edit for edit in DONE if edit.value is not None], ids=named)
def test_editing_twice_is_editing_once(edit: Edit) -> None:
    assert done(edit, edit.expected) == edit.expected


@pytest.mark.parametrize("edit", DONE, ids=named)
def test_a_file_without_a_last_line_end_can_be_edited(edit: Edit) -> None:
    text = done(edit, edit.before.rstrip("\n"))
    assert edit.value is None or done(edit, text) == text


LINES = st.sampled_from(
    [
        "    prompt: x",
        "    seed: 4 # note",
        "    # comment",
        "",
        "    tags: [a,",
        "      b]",
        "    description: |",
        "      text",
    ]
)


@settings(deadline=None)
@given(st.lists(LINES, max_size=8), st.sampled_from(["pick", "retake", "takes"]), st.integers(1, 9))
def test_no_line_but_one_changes_whatever_the_clip_looks_like(lines: list[str], field: str, value: int) -> None:
    text = "\n".join(["version: 1", "clips:", "  a:", *lines, "  b: {prompt: y}", ""])
    try:
        new = set_field(text, "f.yaml", "a", field, value)
    except ClipformError:
        return
    old_lines, new_lines = text.split("\n"), new.split("\n")
    assert len(new_lines) == len(old_lines) + 1
    added = next(index for index, line in enumerate(new_lines) if line.strip() == f"{field}: {value}")
    assert new_lines[:added] + new_lines[added + 1 :] == old_lines
