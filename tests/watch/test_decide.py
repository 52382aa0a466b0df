"""What a watch does next, as a table. No case waits for anything."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.plan.model import Action, Cost, Plan, Reason, Step
from reconciler.watch.decide import (
    Allowance,
    Apply,
    Cause,
    Click,
    Wait,
    WatchMemory,
    allowed_part,
    decide,
    record_bought,
    record_edit,
    record_tried,
)
from reconciler.watch.watched_paths import is_own

ASK = Allowance()
YES = Allowance(yes=True)
UP_TO_ONE = Allowance(yes=True, cap=Decimal(1))


def step(text: str) -> Step:
    """`hero create studio 0.50 <sun` is a paid clip that needs `sun`; drafts state no price; `?` is no known one."""
    clip, action, *more = text.split()
    needs = tuple((word[1:], 1) for word in more if word.startswith("<"))
    said = [word for word in more if not word.startswith("<")]
    provider = said[0] if said else "draft"
    price = said[1] if len(said) > 1 else "0"
    cost = Cost(None if price == "?" else Decimal(price), "USD")
    kind = "draft" if provider == "draft" else "ark"
    return Step(
        clip, 1, Action(action), Reason.NEW, f"v1:{clip}", provider, kind, "m", f"{clip}.mp4", cost=cost, needs=needs
    )


def plan(*steps: str) -> Plan:
    return Plan(tuple(map(step, steps)), currency="USD", unbind=(("gone", 1),))


def clips(what: Apply | Wait) -> list[str]:
    """What is done, by clip; nothing for a rest."""
    return [s.clip for s in what.plan.changes()] if isinstance(what, Apply) else []


DONE = "hero noop studio"
DRAFT = "sun create"
PAID = "hero create studio 0.50"

UNASKED = {
    "nothing to do": (ASK, [DONE], []),
    "a draft is free": (ASK, [DRAFT, DONE], ["sun"]),
    "so are moves and restores, whoever made the file": (ASK, ["a move studio", "b restore studio"], ["a", "b"]),
    "what costs money waits for a key": (ASK, [PAID], []),
    "a price of zero is not believed": (ASK, ["hero create studio 0"], []),
    "free ones go ahead of paid ones": (ASK, [DRAFT, PAID], ["sun"]),
    "a draft that needs a paid frame waits with it": (ASK, [PAID, "sun create <hero"], []),
    "a chain of drafts does not wait": (ASK, [DRAFT, "sea create <sun"], ["sun", "sea"]),
    "a shared picture waits for its maker": (ASK, [PAID, "twin restore studio <hero"], []),
    "an interrupted draft is drawn again": (ASK, ["sun resume"], ["sun"]),
    "a paid task may take minutes: it is collected on a key": (ASK, ["hero resume studio"], []),
    "or when that was allowed": (YES, ["hero resume studio"], ["hero"]),
    "a file is removed on a key": (ASK, ["old remove studio"], []),
    "or when that was allowed too": (YES, ["old remove studio"], ["old"]),
    "but not before its successor is there": (YES, [PAID, "hero remove studio"], []),
    "and not while its clip is blocked": (YES, ["hero blocked studio", "hero remove studio"], []),
    "yes without a cap pays nothing": (YES, [DRAFT, PAID], ["sun"]),
    "yes with a cap pays what fits, with all that is free": (UP_TO_ONE, [DRAFT, PAID], ["sun", "hero"]),
    "a cap is for the sum": (UP_TO_ONE, [PAID, "b create studio 0.60"], []),
    "what does not fit leaves the free ones": (UP_TO_ONE, [DRAFT, "b create studio 1.01"], ["sun"]),
    "nobody knows if no price fits": (UP_TO_ONE, ["b create studio ?"], []),
    "a cap without yes is a bound for keys": (Allowance(cap=Decimal(1)), [PAID], []),
    "what is blocked stays so": (UP_TO_ONE, ["b blocked studio", DRAFT], ["sun"]),
}


@pytest.mark.parametrize("name", UNASKED)
def test_without_a_key(name: str) -> None:
    terms, steps, expected = UNASKED[name]
    assert clips(decide(Cause.EDIT, plan(*steps), "m", terms, WatchMemory())) == expected


@pytest.mark.parametrize(
    ("steps", "patient"),
    [([DRAFT], False), ([DRAFT, "a move studio"], False), ([DRAFT, PAID], True), (["hero resume studio"], True)],
)
def test_only_what_holds_nothing_paid_is_cut_short_by_an_edit(steps: list[str], patient: bool) -> None:
    what = decide(Cause.EDIT, plan(*steps), "m", UP_TO_ONE, WatchMemory())
    assert isinstance(what, Apply) and what.patient is patient


def test_a_key_applies_the_plan_on_the_screen_whole() -> None:
    shown = plan(DRAFT, PAID, "old remove studio", "b blocked studio")
    assert decide(Cause.APPLY, shown, "m", ASK, WatchMemory(offered="m")) == Apply(shown, patient=True)


@pytest.mark.parametrize("offered", ["", "another"])
def test_a_key_applies_no_plan_that_is_not_on_the_screen(offered: str) -> None:
    what = decide(Cause.APPLY, plan(PAID), "m", UP_TO_ONE, WatchMemory(offered=offered))
    assert isinstance(what, Wait) and "press a again" in what.message and what.offer


def test_a_key_with_nothing_to_do_does_nothing() -> None:
    assert clips(decide(Cause.APPLY, plan(DONE), "m", ASK, WatchMemory(offered="m"))) == []


def test_a_click_applies_a_clip_with_what_it_needs_and_nothing_else() -> None:
    shown = plan(PAID, DRAFT, "sea create <sun", "twin restore studio <hero", "old remove studio", "sky noop")
    for names, done in ((("sea",), ["sun", "sea"]), (("hero",), ["hero"]), (("twin", "old"), ["hero", "twin", "old"])):
        assert clips(decide(Cause.EDIT, shown, "m", Allowance(on_request=True), WatchMemory())) == []
        assert clips(decide(Click(names, "m"), shown, "m", ASK, WatchMemory())) == done
    assert decide(Click(None, "m"), shown, "m", ASK, WatchMemory()) == Apply(shown, patient=True)


def test_a_click_is_good_for_what_was_on_the_page_only() -> None:
    what = decide(Click(("hero",), "seen"), plan(PAID), "now", UP_TO_ONE, WatchMemory(offered="now"))
    assert isinstance(what, Wait) and "and confirm again" in what.message
    assert clips(decide(Click(("gone",), "m"), plan(PAID), "m", UP_TO_ONE, WatchMemory())) == []


def test_a_click_may_buy_again_what_did_not_succeed() -> None:
    memory = record_bought(record_tried(WatchMemory(), plan(PAID)), plan(PAID))
    assert clips(decide(Click(("hero",), "m"), plan(PAID), "m", ASK, memory)) == ["hero"]


def test_what_does_nothing_by_itself_is_not_cut_short_by_an_edit_either() -> None:
    asked = Allowance(on_request=True)
    for cause in (Cause.EDIT, Cause.AFTER):
        assert decide(cause, plan(DRAFT, "a move studio"), "m", asked, WatchMemory()) == Wait()
    for click in (Click(("sun",), "m"), Cause.APPLY):
        what = decide(click, plan(DRAFT), "m", asked, WatchMemory(offered="m"))
        assert isinstance(what, Apply) and what.patient


def test_a_plan_that_was_skipped_is_no_longer_offered() -> None:
    assert decide(Cause.SKIP, plan(PAID), "m", UP_TO_ONE, WatchMemory(offered="m")) == Wait(
        "Skipped. Nothing runs until the next edit.", offer=False
    )


def test_nothing_free_is_tried_twice_for_one_edit() -> None:
    failing = plan(DRAFT, "sea create <sun", "b create")
    memory = record_tried(record_edit(WatchMemory(), failing), allowed_part(failing, lambda s: s.clip != "b"))
    assert clips(decide(Cause.AFTER, failing, "m", ASK, memory)) == ["b"]
    memory = record_tried(memory, failing)
    assert clips(decide(Cause.AFTER, failing, "m", ASK, memory)) == []
    assert clips(decide(Cause.EDIT, failing, "m", ASK, record_edit(memory, failing))) == ["sun", "sea", "b"]


def test_what_was_paid_for_once_is_bought_again_by_a_key_only() -> None:
    failing = plan(PAID, "b create studio 0.10")
    memory = record_edit(record_bought(record_tried(WatchMemory(), plan(PAID)), plan(PAID)), failing)
    assert clips(decide(Cause.EDIT, failing, "m", UP_TO_ONE, memory)) == ["b"]
    assert clips(decide(Cause.APPLY, failing, "m", UP_TO_ONE, replace(memory, offered="m"))) == ["hero", "b"]


def test_a_draft_that_failed_does_not_come_back_with_what_is_paid() -> None:
    memory = record_tried(WatchMemory(), plan(DRAFT))
    assert clips(decide(Cause.AFTER, plan(DRAFT, PAID), "m", UP_TO_ONE, memory)) == ["hero"]


def test_the_cap_is_for_the_session() -> None:
    memory = WatchMemory(spent=Decimal("0.50"))
    assert clips(decide(Cause.EDIT, plan(PAID), "m", UP_TO_ONE, memory)) == ["hero"]
    assert clips(decide(Cause.EDIT, plan(PAID), "m", UP_TO_ONE, replace(memory, spent=Decimal("0.51")))) == []


def test_the_newest_edit_goes_first_with_what_it_needs() -> None:
    first, second = plan("a create", "b create", "c create"), plan("a create", "b create", "d create <b", "c move")
    memory = record_edit(record_edit(WatchMemory(), first), second)
    assert clips(decide(Cause.EDIT, second, "m", ASK, memory)) == ["b", "d", "c"]
    memory = record_tried(memory, allowed_part(second, lambda s: s.clip != "a"))
    assert clips(decide(Cause.AFTER, plan("a create", "b noop", "d noop", "c noop"), "m", ASK, memory)) == ["a"]


def test_a_part_forgets_no_records_and_an_undone_edit_is_new_again() -> None:
    assert allowed_part(plan(DRAFT), lambda _: True).unbind == ()
    memory = record_edit(record_edit(record_edit(WatchMemory(), plan("a create")), plan("b create")), plan("a create"))
    assert memory.born == {"v1:a": 3}


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("clipform.yaml", False),
        ("clips/hero.yaml", False),
        ("assets/state/lamp.png", False),
        (".clips/hidden.yaml", False),
        ("renders", False),
        ("renders/notes.mp4", False),
        ("renders/hero.mp4", True),
        ("renders/cafe\u0301.mp4", True),
        ("renders/.clipform-0123456789abcdef.part", True),
        (".clipform.lock.0123456789abcdef.part", True),
        ("clipform.lock", True),
        ("state", True),
        ("state/clipform.db-journal", True),
        ("drafts/renders/hero.mp4", True),
        (".git/index", True),
    ],
)
def test_our_own_files_are_no_edits(path: str, ours: bool) -> None:
    assert is_own(path, {"renders/hero.mp4", "renders/caf\u00e9.mp4"}) is ours
