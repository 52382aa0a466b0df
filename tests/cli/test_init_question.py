"""On a terminal `init` asks where videos are kept; Enter takes the default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.watch.terminal import on_terminal


@pytest.mark.parametrize(("answer", "ignored"), [("", False), ("git", False), ("local", True), ("cache", True)])
def test_the_answer_decides_what_git_ignores(answer: str, ignored: bool, tmp_path: Path) -> None:
    with on_terminal(tmp_path, name="init") as talk:
        talk.until(r"git or local or cache \[git\]: ")
        talk.press(f"{answer}\n")
        assert talk.end() == 0
    assert ("/renders/" in (tmp_path / ".gitignore").read_text(encoding="utf-8").splitlines()) is ignored
    assert (tmp_path / ".gitattributes").exists() is not ignored


@pytest.mark.parametrize(("repository", "words"), [(False, "git init"), (True, "Git LFS (run git lfs install once)")])
def test_videos_go_into_git_once_there_is_a_repository(repository: bool, words: str, tmp_path: Path) -> None:
    if repository:
        (tmp_path / ".git").mkdir()
    (tmp_path / "film").mkdir()
    with on_terminal(tmp_path / "film", name="init") as talk:
        talk.until(r"\[git\]: ")
        talk.press("\n")
        talk.until(re.escape(words))
        assert talk.end() == 0


def test_a_wrong_answer_is_asked_about_once_more(tmp_path: Path) -> None:
    with on_terminal(tmp_path, name="init") as talk:
        talk.until(r"\[git\]: ")
        talk.press("nowhere\n")
        talk.until("Please type git or local or cache: ")
        talk.press("local\n")
        assert talk.end() == 0
    assert "/renders/" in (tmp_path / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_no_word_of_the_question_is_broken_at_the_edge(tmp_path: Path) -> None:
    with on_terminal(tmp_path, name="init") as talk:
        talk.until(r"\[git\]: ")
        talk.press("\n")
        assert talk.end() == 0
    assert max(map(len, talk.said.splitlines())) <= 100


def test_two_wrong_answers_write_nothing(tmp_path: Path) -> None:
    with on_terminal(tmp_path, name="init") as talk:
        talk.until(r"\[git\]: ")
        talk.press("nowhere\n")
        talk.until("or cache: ")
        talk.press("everywhere\n")
        assert talk.end() == 64
    assert list(tmp_path.iterdir()) == []
