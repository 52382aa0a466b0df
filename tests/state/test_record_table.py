"""Records of a snapshot, which are held as columns, are those that the rows give one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from state_kit import memory_store

from reconciler.records import Artifact, Binding, Generation, column
from reconciler.state.rows import COLUMNS
from reconciler.state.store import Store

KEYS: Mapping[type, Any] = {
    Generation: lambda record: record.key,
    Artifact: lambda record: record.sha256,
    Binding: lambda record: (record.clip, record.take),
}


@pytest.fixture
def store() -> Iterator[Store]:
    """A store with more rows than come in one part; the newest were written first."""
    store = memory_store()
    with store.transaction():
        for number in range(1203):
            artifact = Artifact(f"{number:064}", number, ".mp4", audio=number % 2 == 0)
            made = {"provider": "studio", "kind": "ark", "model": f"m{number % 5}", "created": 1e9 - number}
            result = Generation(key=f"v1:{number}", sha256=artifact.sha256, document=f'{{"n": {number}}}', **made)
            store.adopt(result, artifact, f"clip-{number}")
            store.desk.bind(Binding(f"clip-{number % 7}", number, result.key, f"{number}.mp4" if number % 3 else None))
    yield store
    store.close()


def test_a_table_has_the_records_of_its_rows(store: Store) -> None:
    records = store.snapshot()
    for kind, table in zip(KEYS, (records.generations, records.artifacts, records.bindings), strict=True):
        every = {KEYS[kind](record): record for record in store.sql.records(kind)}
        assert len(table) == len(every) == 1203, kind
        for name in COLUMNS[kind]:
            assert column(table, name) == column(every, name), (kind, name)
        assert table == every, kind
        assert ("v1:none" in table, table.get("v1:none")) == (False, None)


def test_results_are_in_the_order_of_their_time(store: Store) -> None:
    results = store.snapshot().generations
    times = [result.created for result in results.values()]
    assert times == sorted(times) == list(column(results, "created").values())
