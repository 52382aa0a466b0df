"""A database that was restored buys nothing before it has what it lost; and the planted bug that would."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from state_kit import Clock, order, result
from team_kit import Connect, Team

from reconciler.artifacts.bucket_receipts import BucketReceipts
from reconciler.artifacts.shelf import Shelf
from reconciler.diagnostics import ClipformError
from reconciler.records import State
from reconciler.state import lineage
from reconciler.state.carry import mirror
from reconciler.state.leases import SharedStore
from reconciler.state.ledger import Facts
from reconciler.state.receipts import Receipts
from reconciler.state.store import Store
from tests.program import postgres


class Studio(Team):
    """A team, its bucket, and a backup of its database."""

    def __init__(self, connected: Connect, database: str, folder: Path) -> None:
        super().__init__(connected)
        self.database, self.folder = database, folder
        (folder / "clipform-cache.txt").touch()
        self.buckets: list[BucketReceipts] = []

    def person(self, name: str, now: float = 1_700_000_000.0) -> SharedStore:
        """A working copy that has the bucket."""
        store = self.member(name, now)
        store.team = BucketReceipts(Shelf({"remote": f"file://{self.folder}"}, {}, self.folder))
        self.buckets.append(store.team)
        return store

    def buys(self, store: SharedStore, key: str, task: str) -> None:
        """Buy as `submit` does."""
        (home := self.folder.parent / store._me["owner"].replace(" ", "-")).mkdir(exist_ok=True)  # type: ignore[attr-defined]
        with Receipts.open(home, store.id, Clock(), store.team) as receipts:
            attempt = store.begin(order(key))
            receipts.intent(attempt)
            assert store.team is None or store.team.permission(attempt.marker).result() == ""
            receipts.accepted(attempt, task)
            store.move(attempt, State.ACCEPTED, Facts(task=task))

    def backup(self) -> Callable[[], None]:
        """Make a backup, and return what puts it back."""
        binaries = postgres.binaries()
        assert binaries is not None
        tools, dump = (binaries / "initdb").resolve().parent, self.folder.parent / "backup.dump"
        make = [tools / "pg_dump", f"--schema={self.sql.schema}", "--format=custom", f"--file={dump}", self.database]
        subprocess.run(make, check=True, timeout=60)

        def restore() -> None:
            for store in self.stores:
                store.sql.close()
            with self.sql.transaction():
                self.sql.execute(f"DROP SCHEMA {self.sql.schema} CASCADE")
            put_back = [tools / "pg_restore", "--exit-on-error", f"--dbname={self.database}", dump]
            subprocess.run(put_back, check=True, timeout=60)

        return restore


@pytest.fixture
def studio(shared_sql: Connect, database: str, tmp_path: Path) -> Iterator[Studio]:
    (tmp_path / "shelf").mkdir()
    together = Studio(shared_sql, database, tmp_path / "shelf")
    yield together
    for each in (*together.stores, *together.buckets):
        each.close()


def code(act: Callable[[], object]) -> str:
    with pytest.raises(ClipformError) as error:
        act()
    return error.value.code


def what_a_backup_lacks_is_not_bought_again(studio: Studio) -> None:
    """By somebody who has never seen the database: the bucket knows."""
    ana = studio.person("ana")
    studio.buys(ana, "v1:a", "t-a")
    restore = studio.backup()
    studio.buys(ana, "v1:b", "t-b")
    restore()
    ben = studio.person("ben")
    assert code(lambda: ben.begin(order("v1:b"))) == "key-open"
    tasks = {attempt.key: (attempt.task, attempt.state) for attempt in ben.attempts()}
    assert tasks == {"v1:a": ("t-a", State.ACCEPTED), "v1:b": ("t-b", State.ACCEPTED)}
    studio.buys(ben, "v1:c", "t-c")


def a_run_that_outlives_a_restore_notices(studio: Studio) -> None:
    ana, ben = studio.person("ana"), studio.person("ben")
    studio.buys(ana, "v1:a", "t-a")
    restore = studio.backup()
    studio.buys(ben, "v1:b", "t-b")
    studio.buys(ana, "v1:c", "t-c")
    restore()
    assert code(lambda: ana.begin(order("v1:b"))) == "key-open"
    assert code(lambda: ben.begin(order("v1:c"))) == "key-open"


def a_standby_that_lacks_commits_is_noticed(studio: Studio) -> None:
    """Its timeline is another one, even if nobody has seen what is missing."""
    ana = studio.person("ana")
    studio.buys(ana, "v1:a", "t-a")
    (studio.folder / "meta" / "high" / ana.id).unlink()
    with studio.sql.transaction():
        studio.sql.execute("DELETE FROM attempt")
        studio.sql.execute("UPDATE meta SET value = '1 00000000' WHERE name = 'server'")
    assert code(lambda: studio.person("ben").begin(order("v1:a"))) == "key-open"


def a_clock_that_runs_ahead_hides_no_receipt(studio: Studio) -> None:
    """The machine that wrote the newest event of the backup is a month ahead of the bucket."""
    ana = studio.person("ana", now=time.time() + 30 * 86_400)
    studio.buys(ana, "v1:a", "t-a")
    restore = studio.backup()
    studio.buys(ana, "v1:b", "t-b")
    restore()
    for store in (studio.person("ben", now=time.time() - 86_400), ana):
        assert code(partial(store.begin, order("v1:b"))) == "key-open"


def without_a_bucket_nothing_is_bought_until_it_is_carried_there(studio: Studio) -> None:
    ana = studio.member("ana")
    restore = studio.backup()
    studio.buys(ana, "v1:a", "t-a")
    own = Store(ana.desk.sql, Clock())
    mirror(ana, own)
    restore()
    again = SharedStore(studio.connected(), Clock(), own.sql, studio.me("ana"))
    assert code(lambda: again.begin(order("v1:a"))) == "state-behind"
    assert code(lambda: again.begin(order("v1:b"))) == "state-behind"


LAWS = [
    what_a_backup_lacks_is_not_bought_again,
    a_run_that_outlives_a_restore_notices,
    a_standby_that_lacks_commits_is_noticed,
    a_clock_that_runs_ahead_hides_no_receipt,
    without_a_bucket_nothing_is_bought_until_it_is_carried_there,
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_holds(law: Callable[[Studio], None], studio: Studio) -> None:
    law(studio)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_not_to_notice_would_buy_twice(
    law: Callable[[Studio], None], studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lineage, "require_whole", lambda sql, seen: None)
    with pytest.raises((AssertionError, pytest.fail.Exception, KeyError)):
        law(studio)


def test_what_was_made_comes_back_with_the_mirror(studio: Studio) -> None:
    ana, restore = studio.person("ana"), studio.backup()
    ready = ana.move(ana.move(ana.begin(order("v1:a")), State.ACCEPTED, Facts(task="t")), State.READY)
    ana.fetched(ready, *result(ready))
    mirror(ana, Store(ana.desk.sql, Clock()))
    restore()
    assert ana.begin(order("v1:b")).key == "v1:b"
    assert ana.generation("v1:a") is not None
    assert [attempt.state for attempt in ana.attempts("v1:a")] == [State.DONE]


def test_a_number_that_was_given_twice_is_no_purchase_of_ours(studio: Studio) -> None:
    """The answer comes after the database was restored, and the number is another attempt's."""
    ana, restore = studio.person("ana"), studio.backup()
    attempt = ana.begin(order("v1:a"))
    restore()
    ben = studio.person("ben")
    ben.team.latest = (0, 0.0)  # type: ignore[union-attr]
    other = ben.begin(order("v1:b"))
    assert other.id == attempt.id
    ben.move(other, State.UNCERTAIN)
    assert code(lambda: ana.move(attempt, State.ACCEPTED, Facts(task="t"))) == "elsewhere"
    assert ben.attempt(other.id).task is None
