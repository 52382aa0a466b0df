"""The budget: a table of caps and orders, and many writers at once that never get past a cap together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from state_kit import Clock, Maker, dump, memory_store, order

from reconciler.diagnostics import Refused
from reconciler.plan.cost import is_purchase
from reconciler.plan.windows import Window
from reconciler.records import Money, State
from reconciler.state.budget import Caps
from reconciler.state.ledger import Facts, Ledger
from reconciler.state.store import Store

USD = {"currency": "USD"}
RUN, TOTAL, CLIPS = Caps("USD", run_micros=10), Caps("USD", total_micros=10), Caps("USD", run_clips=2)

# caps, costs that were spent before in this run, the new order, why it is refused (or nothing)
CASES = [
    (RUN, [4], {"cost_micros": 6, **USD}, ""),
    (RUN, [4], {"cost_micros": 7, **USD}, "budget"),
    (TOTAL, [4], {"cost_micros": 6, **USD}, ""),
    (TOTAL, [4, 6], {"cost_micros": 1, **USD}, "budget"),
    (TOTAL, [10], {"cost_micros": 0, **USD}, ""),
    (RUN, [], {"cost_micros": None}, "unpriced"),
    (TOTAL, [], {"cost_micros": None}, "unpriced"),
    (RUN, [], {"cost_micros": 1, "currency": "CNY"}, "budget-currency"),
    (CLIPS, [9], {"cost_micros": 9, **USD}, ""),
    (CLIPS, [9, 9], {"cost_micros": 9, **USD}, "budget"),
    (CLIPS, [9, 9], {"cost_micros": 0}, ""),
    (CLIPS, [0, 9], {"cost_micros": None}, ""),
    (Caps("USD"), [9, 9], {"cost_micros": None}, ""),
]


DAY, MONTH = (Caps("USD", windows=(Window(f"budget.per_{period}", 10, period),)) for period in ("day", "month"))
TAG = Caps(
    "USD", windows=(Window("budget.per_tag.hero", 10, clips=frozenset({"hero", "a[ratio=16:9]"}), unrecorded=1),)
)
NOON = 1_790_000_000.0 // 86400 * 86400 + 43200  # 21 September 2026

# caps, what was bought before as (clip, cost, days before now), the new order, why it is refused (or nothing)
WINDOWS = [
    (DAY, [("hero", 9, 0.4)], {"cost_micros": 1}, ""),
    (DAY, [("hero", 9, 0.4)], {"cost_micros": 2}, "budget"),
    (DAY, [("hero", 9, 0.6)], {"cost_micros": 10}, ""),  # before midnight
    (DAY, [("hero", 9, 0.4)], {"cost_micros": None}, "unpriced"),
    (DAY, [("hero", 9, 0.4)], {"cost_micros": 0}, ""),
    (MONTH, [("hero", 9, 20)], {"cost_micros": 2}, "budget"),
    (MONTH, [("hero", 9, 21)], {"cost_micros": 2}, ""),  # August
    (TAG, [("hero", 4, 99), ("a[ratio=16:9]", 4, 0)], {"cost_micros": 1, "clip": "hero"}, ""),
    (TAG, [("hero", 4, 99), ("a[ratio=16:9]", 4, 0)], {"cost_micros": 2, "clip": "hero"}, "budget"),
    (TAG, [("hero", 4, 99), ("other", 9, 0)], {"cost_micros": 5, "clip": "hero"}, ""),
    (TAG, [("hero", 9, 0)], {"cost_micros": 99, "clip": "other"}, ""),  # without the tag
]


@pytest.mark.parametrize(("caps", "before", "new", "refused"), WINDOWS)
def test_a_cap_on_a_part_counts_that_part(
    memory: Store, clock: Clock, caps: Caps, before: list[tuple[str, int, float]], new: dict[str, object], refused: str
) -> None:
    for number, (clip, cost, days) in enumerate(before):
        clock.now = NOON - days * 86400
        memory.begin(order(f"v1:{number}", clip=clip, cost_micros=cost, **USD))
    clock.now = NOON
    if not refused:
        assert memory.begin(order("v1:new", **{**USD, **new}), caps).state is State.SUBMITTING
        return
    with pytest.raises(Refused) as error:
        memory.begin(order("v1:new", **{**USD, **new}), caps)
    assert error.value.code == refused


@pytest.mark.parametrize(("caps", "before", "new", "refused"), CASES)
def test_an_order_fits_under_the_caps_or_is_refused(
    memory: Store, caps: Caps, before: list[int], new: dict[str, object], refused: str
) -> None:
    for number, cost in enumerate(before):
        memory.begin(order(f"v1:{number}", cost_micros=cost, run=1, **USD))
    state = dump(memory)
    if not refused:
        assert memory.begin(order("v1:new", run=1, **new), caps).state is State.SUBMITTING
        return
    with pytest.raises(Refused) as error:
        memory.begin(order("v1:new", run=1, **new), caps)
    assert error.value.code == refused
    assert dump(memory) == state


def test_a_cap_of_one_apply_does_not_count_what_earlier_ones_spent(memory: Store) -> None:
    memory.begin(order("v1:a", run=1, cost_micros=10, **USD))
    memory.begin(order("v1:b", run=2, cost_micros=10, **USD), RUN)
    with pytest.raises(Refused):
        memory.begin(order("v1:c", run=3, cost_micros=10, **USD), TOTAL)


FREE = [State.REFUSED, State.NOT_SENT]
OWED = [State.UNCERTAIN, State.STALLED, State.VANISHED, State.FAILED, State.ABANDONED]


@pytest.mark.parametrize(("goal", "free"), [(goal, goal in FREE) for goal in FREE + OWED])
def test_only_what_was_surely_not_bought_gives_its_money_back(memory: Store, goal: State, free: bool) -> None:
    Maker(memory).attempt(goal, cost_micros=10, run=1, **USD)
    assert (memory.spent()["USD"].micros == 0) is free


def test_the_actual_cost_replaces_what_was_reserved(memory: Store) -> None:
    attempt = Maker(memory).attempt(State.ACCEPTED, cost_micros=10, run=1, **USD)
    memory.move(attempt, State.FAILED, Facts(money=Money.SETTLED, cost_micros=4))
    assert memory.spent()["USD"].settled == 4
    memory.begin(order("v1:b", run=1, cost_micros=6, **USD), RUN)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_many_writers_at_once_never_get_past_a_cap_together(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    connected = request.getfixturevalue("shared_sql") if kind == "postgresql" else None
    opened = partial(Store.open, tmp_path, Clock()) if connected is None else lambda: Ledger(connected(), Clock())
    if connected is None:
        opened().close()

    def buy(writer: int) -> int:
        bought, ledger = 0, opened()
        for number in range(2):
            try:
                ledger.begin(order(f"v1:{writer}-{number}", cost_micros=3, run=1, **USD), Caps("USD", 25, 25))
                bought += 1
            except Refused:
                pass
        ledger.sql.close()
        return bought

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(buy, range(8))) == 8  # 24 of 25
    assert opened().spent()["USD"].micros == 24


@given(st.lists(st.tuples(st.sampled_from(State), st.integers(0, 50), st.sampled_from(["USD", "CNY"])), max_size=6))
def test_the_ledger_is_the_sum_of_the_attempts(attempts: list[tuple[State, int, str]]) -> None:
    with memory_store() as store:
        for number, (goal, cost, currency) in enumerate(attempts):
            Maker(store).attempt(goal, key=f"v1:{number}", cost_micros=cost, currency=currency, run=number % 2)
        for currency, sums in store.spent().items():
            mine = [found for found in store.snapshot().attempts.values() if found.currency == currency]
            by_money = {money: sum(found.cost_micros or 0 for found in mine if found.money is money) for money in Money}
            assert (sums.settled, sums.reserved) == (by_money[Money.SETTLED], by_money[Money.RESERVED])


@pytest.mark.parametrize(
    ("order_of", "counts"),
    [
        ({"kind": "ark", "cost_micros": 5}, True),
        ({"kind": "ark", "cost_micros": None}, True),
        ({"kind": "draft", "cost_micros": 0}, False),
        ({"kind": "draft", "cost_micros": 5}, True),  # its line in the lock file counts, too
    ],
)
def test_what_the_caps_count_is_what_the_report_lists(order_of: dict[str, object], *, counts: bool) -> None:
    with memory_store() as store:
        attempt = store.begin(order(currency="USD", **order_of))
        records = store.snapshot()
        assert is_purchase(attempt) is counts
        assert sum(records.booked.values()) == records.spent["USD"] == (order_of["cost_micros"] or 0)
        assert not is_purchase(store.move(attempt, State.NOT_SENT, Facts()))
