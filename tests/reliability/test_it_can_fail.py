"""A judge that never finds anything is no judge: known bugs are put in, and each must be caught."""

from __future__ import annotations

import pytest

from tests.reliability.planted import step_bugs, story_bugs
from tests.reliability.planted.bugs import BUGS
from tests.reliability.planted.hunt import caught


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(name: str) -> None:
    found = caught(name)
    if found is None:
        pytest.skip("no file system in memory here")
    assert BUGS[name].breaks in found


def _found(name: str, *, planted: bool) -> set[str]:
    try:
        return story_bugs.found(name, planted=planted)
    except story_bugs.CannotPlay as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("name", story_bugs.WRONG)
def test_a_bug_that_is_planted_in_a_story_of_its_own_is_caught(name: str) -> None:
    assert story_bugs.WRONG[name].breaks in _found(name, planted=True)


@pytest.mark.parametrize("name", story_bugs.WRONG)
def test_the_same_story_without_the_bug_leaves_the_judge_silent(name: str) -> None:
    assert not _found(name, planted=False)


@pytest.mark.parametrize("name", step_bugs.SESSIONS)
def test_a_bug_is_caught_by_the_step_that_only_it_shows_in(name: str) -> None:
    assert step_bugs.SESSIONS[name].breaks in step_bugs.found(name)
    assert not step_bugs.found(name, without=True)
    assert not step_bugs.found(name, planted=False)
