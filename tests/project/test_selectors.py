"""Which clips a command line means. What it does not mean must not be made, and what means nothing is an error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diagnostics import UsageError
from reconciler.project.selectors import Candidate, select

SOCIAL = ("social[ratio=16:9,lang=en]", "social[ratio=16:9,lang=zh]", "social[ratio=9:16,lang=en]")
PROJECT = (
    Candidate(
        "hero",
        "hero",
        ("launch", "film"),
        (),
        frozenset({"noop", "ready"}),
        "renders/hero.mp4",
        "seedance-2-0",
        "studio",
        ("mia", "noir"),
    ),
    Candidate("hero-orbit", "hero-orbit", ("film",), needs=("hero",), states=frozenset({"create", "pending"})),
    Candidate("end", "end", needs=("hero-orbit", "intro"), states=frozenset({"blocked", "pending"})),
    Candidate("intro", "intro", states=frozenset({"create", "failed", "pending"})),
    *(
        Candidate(name, "social", ("launch",), output=f"renders/social/{i}.mp4", model="seedance-1-0", provider="draft")
        for i, name in enumerate(SOCIAL)
    ),
)
ALL = frozenset(candidate.name for candidate in PROJECT)


def meant(*patterns: str, exclude: tuple[str, ...] = ()) -> set[str] | None:
    found = select(patterns, exclude, PROJECT, {"main": {"hero", "intro", "gone"}}.__getitem__)
    return None if found is None else set(found)


def test_nothing_said_means_everything() -> None:
    assert meant() is None


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("hero", {"hero"}),  # a whole name, though another begins with it
        ("social", set(SOCIAL)),  # what a declaration makes
        (SOCIAL[0], {SOCIAL[0]}),  # brackets are part of a name
        ("social[*lang=en]", {SOCIAL[0], SOCIAL[2]}),
        ("social[ratio=16:9*", set(SOCIAL[:2])),
        ("social[ratio=16:9]", set(SOCIAL[:2])),  # some of the values
        ("social[lang=en]", {SOCIAL[0], SOCIAL[2]}),
        ("social[lang=en,ratio=9:16]", {SOCIAL[2]}),  # in any order
        ("+social[lang=zh]+", {SOCIAL[1]}),
        ("path:renders/hero.mp4", {"hero"}),
        ("path:renders/social/*", set(SOCIAL)),
        ("model:seedance-2-0", {"hero"}),
        ("model:seedance-*", {"hero", *SOCIAL}),
        ("provider:draft", set(SOCIAL)),
        ("changed:main", {"hero", "intro"}),
        ("changed:main+", {"hero", "hero-orbit", "intro", "end"}),
        ("hero*", {"hero", "hero-orbit"}),
        ("?ntro", {"intro"}),
        ("*", set(ALL)),
        ("tag:launch", {"hero", *SOCIAL}),
        ("tag:film", {"hero", "hero-orbit"}),
        ("look:noir", {"hero"}),
        ("look:noir+", {"hero", "hero-orbit", "end"}),
        ("is:create", {"hero-orbit", "intro"}),
        ("is:failed", {"intro"}),
        ("+hero-orbit", {"hero-orbit", "hero"}),  # with what it depends on
        ("+end", {"end", "hero-orbit", "hero", "intro"}),  # and so on
        ("hero+", {"hero", "hero-orbit", "end"}),  # with what depends on it
        ("+hero-orbit+", {"hero", "hero-orbit", "end"}),
        ("+is:blocked", {"end", "hero-orbit", "hero", "intro"}),
        ("tag:film+", {"hero", "hero-orbit", "end"}),
    ],
)
def test_a_pattern_means_these_clips(pattern: str, names: set[str]) -> None:
    assert meant(pattern) == names


def test_several_patterns_add_up_and_exclusion_comes_last() -> None:
    assert meant("hero", "intro") == {"hero", "intro"}
    assert meant("tag:launch", exclude=("social",)) == {"hero"}
    assert meant(exclude=("hero+",)) == ALL - {"hero", "hero-orbit", "end"}
    assert meant("hero", exclude=("hero",)) == set()


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("heroo", "no clip matches 'heroo'; did you mean 'hero'?"),
        ("+itnro", "no clip matches 'itnro'; did you mean 'intro'?"),
        ("socail", "no clip matches 'socail'; did you mean 'social'?"),
        ("zzz", "no clip matches 'zzz'"),
        ("Hero", "no clip matches 'Hero'; did you mean 'hero'?"),
        ("x*", "no clip matches 'x*'"),
        ("[a-z]*", "no clip matches '[a-z]*'"),  # no class of characters
        ("tag:nope", "no clip matches 'tag:nope'"),
        ("path:hero.mp4", "no clip matches 'path:hero.mp4'"),
        ("model:nope", "no clip matches 'model:nope'"),
        ("social[lang=fr]", f"no clip matches 'social[lang=fr]'; did you mean '{SOCIAL[2]}'?"),
        ("social[]", "no clip matches 'social[]'; did you mean 'social'?"),
        ("hero[lang=en]", "no clip matches 'hero[lang=en]'"),
        ("is:nope", "no clip matches 'is:nope'"),
        ("", "no clip matches ''"),
        ("+", "no clip matches ''"),
        ("++", "no clip matches ''"),
    ],
)
@pytest.mark.parametrize("excluded", [False, True])
def test_what_means_no_clip_is_an_error(pattern: str, message: str, excluded: bool) -> None:
    with pytest.raises(UsageError) as caught:
        select(() if excluded else (pattern,), (pattern,) if excluded else (), PROJECT)
    assert (caught.value.message, caught.value.exit_code) == (message, 64)


def test_a_dot_in_a_pattern_is_a_dot() -> None:
    clips = (Candidate("v1[x=a.b]", "v1"), Candidate("v1[x=a-b]", "v1"))
    assert select(("*a.b]",), (), clips) == {"v1[x=a.b]"}


def test_a_circle_of_needs_ends() -> None:
    clips = (Candidate("a", "a", needs=("b",)), Candidate("b", "b", needs=("a",)))
    assert select(("+a",), (), clips) == select(("a+",), (), clips) == {"a", "b"}


def test_a_chain_of_ten_thousand_is_followed() -> None:
    clips = [Candidate(f"c{i}", f"c{i}", needs=(f"c{i - 1}",) if i else ()) for i in range(10_000)]
    assert len(select(("+c9999",), (), clips) or ()) == len(select(("c0+",), (), clips) or ()) == 10_000


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["hero", "tag:film", "social*", "+end", "intro+"]), min_size=1))
def test_what_is_selected_and_the_same_excluded_make_the_whole(patterns: list[str]) -> None:
    inside, outside = select(patterns, (), PROJECT), select((), patterns, PROJECT)
    assert inside is not None and outside is not None
    assert inside | outside == ALL and not inside & outside


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("spot", {"spot[lang=en].draft", "spot[lang=en]"}),
        ("spot[lang=en]", {"spot[lang=en].draft", "spot[lang=en]"}),
        ("sp*", {"spot[lang=en].draft", "spot[lang=en]"}),
        ("spot[lang=en].draft", {"spot[lang=en].draft"}),
    ],
)
def test_a_clip_means_the_vendor_s_draft_of_it_too(pattern: str, names: set[str]) -> None:
    pair = [
        Candidate("spot[lang=en].draft", "spot"),
        Candidate("spot[lang=en]", "spot", needs=("spot[lang=en].draft",)),
    ]
    assert select([pattern], (), pair) == names
