"""How long a plan should take, in which order its steps stand, and how it names things."""

from __future__ import annotations

import pytest

from reconciler.plan.changes import changes, short
from reconciler.plan.compute import compute
from reconciler.plan.model import Action, Disk, Reason, Step, Wanted
from reconciler.plan.remedies import quote, settle
from reconciler.plan.timing import run_seconds
from reconciler.records import Attempt, Snapshot, State


def take(clip: str, *needs: str, kind: str = "ark", number: int = 1) -> Wanted:
    needed = tuple((name, 1) for name in needs)
    return Wanted(clip, number, f"v1:{clip}{number}", "", "studio", kind, "m", f"out/{clip}{number}.mp4", needed)


def expected(*wanted: Wanted, slots: int = 8, **timings: tuple[float, ...]) -> float | None:
    known = {(kind, "m"): seconds for kind, seconds in timings.items()}
    return run_seconds(compute(wanted, Snapshot(timings=known), Disk()).steps, {"studio": slots})


def test_a_plan_takes_as_long_as_its_longest_chain() -> None:
    chain = (take("a"), take("b", "a"), take("c", "b"), take("alone"))
    assert expected(*chain, ark=(10.0,)) == 30.0


@pytest.mark.parametrize(
    ("clips", "slots", "seconds"), [(8, 8, 10.0), (9, 8, 20.0), (9, 2, 50.0), (3, 1, 30.0), (1, 1, 10.0)]
)
def test_what_does_not_fit_side_by_side_takes_more_rounds(clips: int, slots: int, seconds: float) -> None:
    assert expected(*(take(f"clip-{n}") for n in range(clips)), slots=slots, ark=(10.0,)) == seconds


def test_the_longest_chain_counts_where_it_takes_longer_than_the_rounds() -> None:
    chain = (take("a"), take("b", "a"), take("c", "b"), *(take(f"alone-{n}") for n in range(3)))
    assert expected(*chain, slots=3, ark=(10.0,)) == 30.0


def test_one_slow_run_does_not_spoil_the_estimate() -> None:
    assert expected(take("a"), ark=(10.0, 11.0, 900.0)) == 11.0


def test_without_history_nothing_is_promised() -> None:
    assert expected(take("a")) is None
    assert expected() is None


def test_what_has_no_history_adds_nothing_to_what_has() -> None:
    assert expected(take("a"), take("b", "a", kind="new"), ark=(10.0,)) == 10.0


@pytest.mark.parametrize(("clip", "word"), [("hero", "hero"), ("social[lang=en]", "'social[lang=en]'")])
def test_a_command_names_a_clip_so_that_a_shell_takes_it(clip: str, word: str) -> None:
    assert quote(clip) == word
    attempt = Attempt(
        1, State.UNCERTAIN, "m1", 0.0, 0.0, key="v1:aa", clip=clip, take=1, provider="studio", kind="ark", model="m"
    )
    assert all(f" {word} " in command for command in settle(attempt))


def test_a_key_is_read_by_its_recipe_and_ten_digits() -> None:
    assert short("v1:" + "ab" * 32) == "v1:ababababab"


def test_a_step_is_named_with_its_take_unless_it_is_the_first() -> None:
    names = [Step("hero", n, Action.NOOP, Reason.UP_TO_DATE, "v1:aa").name for n in (1, 2)]
    assert names == ["hero", "hero#2"]


BEFORE = (
    '{"dialect":"ark","inputs":[{"field":"first_frame","sha256":"%s"}],"mode":"first_frame","model":"m1",'
    '"options":{"cfg":"1"},"params":{"duration":5,"seed":7},"prompt":"a","recipe":"v1"}' % ("a" * 64)
)
AFTER = (
    '{"dialect":"draft","mode":"text","model":"m1","options":{"cfg":1},"params":{"audio":true,"duration":5},'
    '"prompt":"b","recipe":"v1","retake":1,"take":2}'
)


def test_fields_are_named_as_in_the_yaml_and_sorted() -> None:
    assert [(c.field, c.before, c.after) for c in changes(BEFORE, AFTER)] == [
        ("audio", None, True),
        ("first_frame", "content aaaaaaaaaaaa", None),
        ("mode", "first_frame", "text"),
        ("options.cfg", '"1"', "1"),
        ("prompt", "a", "b"),
        ("provider", "ark", "draft"),
        ("retake", None, 1),
        ("seed", 7, None),
        ("take", None, 2),
    ]


def test_a_document_that_is_not_on_record_differs_in_everything_it_says() -> None:
    assert {c.field for c in changes("", '{"prompt":"a","recipe":"v1"}')} == {"prompt"}
    assert changes(BEFORE, BEFORE) == ()
