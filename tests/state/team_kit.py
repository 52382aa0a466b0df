"""Working copies with one ledger, each as in a process of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from state_kit import Clock, memory_store

from reconciler.diagnostics import Refused, StateError
from reconciler.state.leases import Member, SharedStore
from reconciler.state.sql.postgres import PostgreSQL

USD = {"cost_micros": 6, "currency": "USD"}

Connect = Callable[..., PostgreSQL]


class Team:
    """Working copies with one ledger, and a hand on the database's clock."""

    def __init__(self, connected: Connect) -> None:
        self.connected, self.sql, self.stores = connected, connected(), list[SharedStore]()

    def member(self, name: str, now: float = 1_700_000_000.0, project: str = "film") -> SharedStore:
        store = SharedStore(self.connected(project), Clock(now), memory_store().sql, self.me(name))
        store.complete()
        self.stores.append(store)
        return store

    @staticmethod
    def me(name: str) -> Member:
        return Member(f"owner of {name}", name)

    def end_leases(self) -> None:
        with self.sql.transaction():
            self.sql.execute("UPDATE attempt SET lease_until = clock_timestamp() - interval '1 second'")

    def is_waiting(self) -> bool:
        """Whether somebody waits for the lock of the schema."""
        number = self.sql._locks[-1].split("(")[1].rstrip(")")
        locks = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        same = f"({number})::bigint = ((classid::bigint << 32) | objid::bigint)"
        return self.sql.query(f"{locks} AND {same}") != []


def code(act: Callable[[], object]) -> str:
    """The code of the refusal that a call ends with."""
    with pytest.raises((StateError, Refused)) as error:
        act()
    return error.value.code
