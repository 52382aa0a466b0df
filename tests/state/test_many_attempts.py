"""What a run asks the state with each clip takes as many steps of SQLite among many attempts as among few."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from state_kit import Maker, memory_store, order, result

from reconciler.records import Attempt, State
from reconciler.state.budget import Caps
from reconciler.state.ledger import Facts
from reconciler.state.store import Store

CAPS = Caps("USD", total_micros=10**12, run_clips=10**6)
ASKED: dict[str, Callable[[Store, Attempt], object]] = {
    "who made a file": lambda store, _: store.makers("f" * 64),
    "which numbers are taken": lambda store, _: store.marks(),
    "which account bought": lambda store, last: store.account(last),
    "the attempts of a key": lambda store, last: store.attempts(last.key),
    "the result of a key": lambda store, last: store.generation(last.key),
    "what was spent": lambda store, _: store.spent(),
}


def bought(count: int) -> tuple[Store, Attempt]:
    """A state in memory with finished attempts, and one that is under way."""
    store = memory_store()
    maker = Maker(store)
    for number in range(count):
        attempt = maker.attempt(
            State.READY, f"v1:{number:x}", clip=f"clip-{number}", expires_after=number, account="me"
        )
        store.fetched(attempt, *result(attempt, f"{number:064x}"))
    last = maker.attempt(State.SUBMITTING, "v1:last", clip="last", expires_after=7, account="me")
    return store, last


def steps(store: Store, ask: Callable[[], object]) -> int:
    """How many instructions SQLite's machine carries out."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    store.sql.connection.set_progress_handler(step, 1)
    ask()
    store.sql.connection.set_progress_handler(None, 1)
    return count


def cost(count: int, ask: Callable[[Store, Attempt], object]) -> int:
    store, last = bought(count)
    with store:
        return steps(store, lambda: ask(store, last))


@pytest.mark.parametrize("name", ASKED)
def test_a_question_takes_the_same_steps_among_many(name: str) -> None:
    assert cost(200, ASKED[name]) <= cost(20, ASKED[name]) + 10


def _buy(store: Store, _: Attempt) -> None:
    attempt = store.begin(order("v1:new", clip="new", cost_micros=5, currency="USD"), CAPS)
    attempt = store.move(store.move(attempt, State.ACCEPTED, Facts(task="t-new")), State.READY)
    store.fetched(attempt, *result(attempt, "e" * 64))


def test_a_purchase_takes_the_same_steps_among_many() -> None:
    assert cost(200, _buy) <= cost(20, _buy) + 60


def test_the_answers_are_right() -> None:
    store, last = bought(3)
    with store:
        assert [attempt.clip for attempt in store.makers(f"{1:064x}")] == ["clip-1"]
        assert (store.marks(), store.account(last), store.makers("f" * 64)) == ({7}, "me", ())
