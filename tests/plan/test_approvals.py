"""The lines of `clipform.approvals`: what an edit, a merge and another system's line ends make of them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.approvals import Approval, ApprovalBook, Approvals, parse, written
from reconciler.spec.values import ApprovalRule

LINE = Approval("hero", "v1:9f", "draft", "sha256:ab", "2026-11-29T21:04:07Z", "Ana <a@b>", note='a "good" one')
OTHER = replace(LINE, by="Ben <b@c>")
PAID = ApprovalRule("paid")


def test_a_line_is_as_it_is_documented() -> None:
    start = 'hero v1:9f draft sha256:ab 2026-11-29T21:04:07Z "Ana <a@b>" - "a \\"good\\" one" '
    assert LINE.line.startswith(start) and len(LINE.line) == len(start) + 16


@given(st.builds(Approval, *[st.text(st.characters(exclude_categories=("Cs",)))] * 8))
def test_what_is_written_is_read_again(line: Approval) -> None:
    assert parse(written(ApprovalBook((line,)))).approvals == (line,)


@pytest.mark.parametrize(
    "old, new", [("v1:9f", "v1:9e"), ("hero", "heros"), ("Ana", "Eve"), ("good", "bad"), (" - ", "  - ")]
)
def test_an_edited_line_approves_nothing_and_stays_where_it_is(old: str, new: str) -> None:
    text = f"{OTHER.line}\n{LINE.line.replace(old, new)}\n"
    book = parse(text)
    assert (book.approvals, [number for number, _ in book.faults]) == ((OTHER,), [2])
    assert sorted(written(book).splitlines()) == sorted(text.splitlines())


def test_line_ends_of_windows_and_marks_of_a_merge_take_no_approval_away() -> None:
    text = f"<<<<<<< ours\r\n{LINE.line}\r\n=======\r\n{OTHER.line}\r\n>>>>>>> theirs\r\n"
    book = parse(text)
    assert book.approvals == (LINE, OTHER)
    assert [number for number, _ in book.faults] == [1, 3, 5]


def test_two_branches_that_approve_keep_both_lines(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True)

    def commit(*lines: Approval) -> None:
        (tmp_path / "clipform.approvals").write_text(written(ApprovalBook(lines)), encoding="utf-8")
        git("add", "-A")
        git("commit", "-qm", "approve")

    (tmp_path / ".gitattributes").write_text("clipform.approvals merge=union\n", encoding="utf-8")
    git("init", "-q", "-b", "main", ".")
    commit(third := replace(LINE, name="orbit", key="v1:cc"))
    git("switch", "-qc", "theirs")
    commit(third, OTHER)
    git("switch", "-q", "main")
    commit(third, LINE)
    git("merge", "-q", "theirs")
    merged = parse((tmp_path / "clipform.approvals").read_text(encoding="utf-8"))
    assert (set(merged.approvals), merged.faults) == ({LINE, OTHER, third}, ())


def test_with_by_other_a_line_counts_if_somebody_else_wrote_the_clip() -> None:
    lines = [LINE, replace(LINE, key="v1:aa", author=LINE.by), replace(LINE, key="v1:bb", author="Ben <b@c>")]
    assert Approvals.of(PAID, lines).keys == {"v1:9f", "v1:aa", "v1:bb"}
    assert Approvals.of(replace(PAID, by_other=True), lines).keys == {"v1:bb"}
