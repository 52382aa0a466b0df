"""Amounts of money: what one writes, another reads, and nothing that is no amount makes a sum smaller."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from state_kit import Clock, Maker, memory_store, order, result

from reconciler import money
from reconciler.records import LockEntry, State
from reconciler.state import lockfile, receipts
from reconciler.state.ledger import Facts
from reconciler.state.receipts import Receipts
from reconciler.state.store import Store
from tests.state.replay import rebuild

LIMIT = 10**18
"""Millionths: a million million of a currency is no amount any more."""

AMOUNTS = st.integers(0, LIMIT - 1) | st.sampled_from([0, 1, 999_999, 1_000_000, LIMIT - 1])
OUT = st.integers(max_value=-1) | st.integers(min_value=LIMIT)
ANY = st.none() | AMOUNTS | OUT


def expected(micros: int | None) -> int | None:
    return micros if micros is not None and 0 <= micros < LIMIT else None


@given(AMOUNTS)
def test_an_amount_is_the_same_as_millionths_and_as_text(micros: int) -> None:
    amount = money.from_micros(micros)
    assert money.to_micros(amount) == micros
    assert money.to_micros(money.parse(money.plain(amount))) == micros
    assert len(money.plain(amount).partition(".")[2]) >= 2


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        *(("0", "0"), ("0.45", "0.45"), ("999999999999.999999999", "999999999999.999999999")),
        *((text, None) for text in ("", "-1", "-0", "+1", "1e3", "NaN", "Infinity", "1000000000000", "1_0", "٣", "1.")),
        *((text, None) for text in (".5", "0.1234567890", "01", " 1", "1\n", "0x1", "1,5")),
    ],
)
def test_a_text_is_an_amount_or_not(written: str, amount: str | None) -> None:
    assert money.parse(written) == (None if amount is None else Decimal(amount))


@pytest.mark.parametrize("amount", ["-0.01", "1E+12", "NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_out_of_bounds_is_no_amount(amount: str) -> None:
    assert money.bounded(Decimal(amount)) is None


@pytest.mark.parametrize("amount", ["0", "999999999999.999999999"])
def test_nothing_and_the_largest_are_amounts(amount: str) -> None:
    assert money.bounded(Decimal(amount)) == Decimal(amount)


def test_a_price_below_a_millionth_is_not_booked_as_free() -> None:
    assert money.to_micros(Decimal("0.0000001")) == 1


def test_amounts_have_two_decimals_and_their_currency() -> None:
    amounts = ("4.0", "4", "0.5", "0.000001", "1E+3", "0.00", None)
    texts = ["4.00 USD", "4.00 USD", "0.50 USD", "0.000001 USD", "1000.00 USD", "free", "unpriced"]
    assert [money.text(None if a is None else Decimal(a), "USD") for a in amounts] == texts


@given(ANY)
def test_the_lock_file_reads_what_it_writes(micros: int | None) -> None:
    entry = LockEntry(
        "ab" * 32, ".mp4", clip="hero", take=1, key="v1:aa", provider="studio", kind="ark", model="m", task="t1"
    )
    [line] = lockfile.loads(lockfile.dumps([replace(entry, cost_micros=micros, currency="USD")]))
    assert line == replace(entry, cost_micros=expected(micros), currency="USD")


@given(ANY)
def test_the_receipts_keep_the_purchase_at_any_amount(micros: int | None) -> None:
    with TemporaryDirectory() as directory, memory_store() as store:
        attempt = replace(store.begin(order(currency="USD")), cost_micros=micros)
        with Receipts.open(Path(directory), "store", Clock()) as opened:
            opened.intent(attempt)
            opened.accepted(attempt, "t1")
        intent, accepted = receipts.read(Path(directory))
    assert (intent.key, intent.cost_micros, accepted.task) == ("v1:aa", expected(micros), "t1")
    with memory_store() as store:
        [restored] = store.merge([intent, accepted]).restored
        assert (restored.state, restored.cost_micros) == (State.ACCEPTED, expected(micros))


@given(st.sampled_from(["true", "0.5", "1e400", "-1e400", "NaN", '"5"', "[]", "{}", "-500000", str(10**30)]))
def test_a_receipt_whose_amount_is_none_is_still_a_purchase(amount: str) -> None:
    fields = {"seq": 1, "store": "s", "event": "intent", "time": 1.0, "marker": "m", "attempt": 1, "key": "v1:aa"}
    fields |= {"clip": "hero", "take": 1, "provider": "studio", "kind": "ark", "model": "m", "cost_micros": "AMOUNT"}
    [line] = receipts.parse(json.dumps(fields).replace('"AMOUNT"', amount).encode())
    assert (line.key, line.cost_micros) == ("v1:aa", None)


@given(st.lists(st.tuples(ANY, ANY), max_size=12))
def test_the_database_reads_what_it_writes_and_no_figure_makes_a_sum_smaller(costs: list[tuple[int, int]]) -> None:
    with memory_store() as store:
        owed = 0
        for n, (estimate, settled) in enumerate(costs):
            attempt = store.begin(order(f"v1:{n}", cost_micros=expected(estimate), currency="USD"))
            for state in (State.ACCEPTED, State.READY):
                attempt = store.move(attempt, state, Facts(task=f"t{n}" if state is State.ACCEPTED else None))
            artifact, generation = result(attempt, f"{n:064x}")
            done = store.fetched(attempt, artifact, replace(generation, cost_micros=settled))
            booked = expected(settled) if expected(settled) is not None else expected(estimate)
            assert done.cost_micros == booked
            assert store.snapshot().generations[f"v1:{n}"].cost_micros == expected(settled)
            owed += booked or 0
            total = store.spent()["USD"].micros
            assert total == min(owed, 9 * 10**18)
        tables = (store.snapshot(), store.spent())
        rebuild(store)
        assert (store.snapshot(), store.spent()) == tables


def test_sums_of_many_runs_do_not_overflow(maker: Maker) -> None:
    for n in range(12):
        maker.attempt(State.SUBMITTING, f"v1:{n}", cost_micros=LIMIT - 1, currency="USD", run=n)
    assert maker.store.spent()["USD"].reserved == 12 * (LIMIT - 1)


def test_an_older_state_with_a_negative_cost_counts_what_was_reserved(tmp_path: Path) -> None:
    """What an older clipform booked when a vendor reported negative tokens."""
    dump = Path(__file__).parent / "schemas" / "v3.sql"
    with closing(sqlite3.connect(tmp_path / "clipform.db")) as database:
        database.executescript(dump.read_text(encoding="utf-8"))
        [(payload,)] = database.execute(
            "SELECT payload FROM event WHERE type = 'moved' AND json_extract(payload, '$.to') = 'fetched'"
        )
        bad = json.dumps(json.loads(payload) | {"cost_micros": -(10**10)})
        database.executescript("DROP TRIGGER event_no_update")
        database.execute("UPDATE event SET payload = ? WHERE payload = ?", (bad, payload))
        database.execute("UPDATE attempt SET cost_micros = ? WHERE state = 'done'", (-(10**10),))
        database.execute("UPDATE generation SET cost_micros = ?", (-(10**10),))
        database.commit()
        assert database.execute("SELECT sum(settled) FROM ledger").fetchone()[0] < 0
    with Store.open(tmp_path, Clock()) as store:
        assert store.spent()["USD"].settled == 500_000
        assert store.attempts("v1:aa")[0].cost_micros == 500_000
        assert store.snapshot().generations["v1:aa"].cost_micros is None
