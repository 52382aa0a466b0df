"""A real standby that lacks the last commits is promoted, a server is killed in the middle of a purchase: nothing is
bought before the receipts are merged, and no key twice. And the planted bug that would."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from state_kit import order
from team_kit import Connect
from test_lineage import Studio

from reconciler.diagnostics import Refused, StateError, StateUnreachable
from reconciler.records import State
from reconciler.state import lineage, shared
from reconciler.state.leases import SharedStore
from reconciler.state.ledger import Facts
from reconciler.state.sql.postgres import PostgreSQL
from tests.program import postgres
from tests.program.line import Line, line_to
from tests.program.postgres import Standby


class Failover(Studio):
    """A studio whose address leads to another server later, and the vendor's books."""

    def __init__(self, line: Line, primary: PostgreSQL, standby: Standby, folder: Path) -> None:
        super().__init__(lambda project="film": shared.connect(line.url, primary.schema, project), line.url, folder)
        self.line, self.primary, self.standby, self.books = line, primary, standby, Counter[str]()

    def buys(self, store: SharedStore, key: str, task: str) -> None:
        super().buys(store, key, task)
        self.books[key] += 1

    def tries(self, store: SharedStore, key: str) -> str:
        """Buy a key unless it is refused; the code of the error. A connection that broke is replaced, as by a run."""
        for _ in range(2):
            try:
                self.buys(store, key, f"{key} again")
            except StateUnreachable:
                continue
            except (StateError, Refused) as error:
                return error.code
            return ""
        return "unreachable"

    def stop_receiving(self) -> None:
        """The standby has what was committed until now, and gets nothing after it."""
        ((end,),) = self.primary.query("SELECT pg_current_wal_flush_lsn()::text")
        its = shared.connect(self.standby.url, self.primary.schema, "film")
        while its.query(f"SELECT pg_last_wal_replay_lsn() < '{end}'::pg_lsn") == [(True,)]:
            pass
        its.close()
        self.standby.receive_nothing()

    def fail_over(self) -> None:
        """The address leads to the standby, before it is promoted."""
        self.line.folder = self.standby.data
        for store in self.stores:
            store.sql.close()


@pytest.fixture
def studio(shared_sql: Connect, database: str, tmp_path: Path) -> Iterator[Failover]:
    (tmp_path / "shelf").mkdir()
    with line_to(database) as line, postgres.standby(database) as standby:
        together = Failover(line, shared_sql(), standby, tmp_path / "shelf")
        yield together
        for each in (*together.stores, *together.buckets, together.sql):
            each.close()


def what_a_standby_lacks_is_not_bought_again(studio: Failover) -> None:
    """By those who bought it, those who saw it, and somebody who has never seen the database."""
    ana, ben = studio.person("ana"), studio.person("ben")
    studio.buys(ana, "v1:a", "t-a")
    studio.buys(ben, "v1:b", "t-b")
    studio.stop_receiving()
    studio.buys(ana, "v1:c", "t-c")
    studio.buys(ben, "v1:d", "t-d")
    studio.buys(ana, "v1:e", "t-e")
    studio.fail_over()
    assert studio.tries(ana, "v1:d") == "unreachable"  # it is not promoted yet
    studio.standby.promote()
    seen = ana.sql.query("SELECT DISTINCT key FROM attempt ORDER BY key")
    assert seen == [("v1:a",), ("v1:b",)]
    carl = studio.person("carl")
    for store, key in ((carl, "v1:d"), (ana, "v1:d"), (ben, "v1:c"), (ben, "v1:e"), (carl, "v1:a")):
        assert studio.tries(store, key) == "key-open"
    for store, key in ((carl, "v1:f"), (ana, "v1:g"), (ben, "v1:h")):
        assert studio.tries(store, key) == ""
    assert studio.books == dict.fromkeys((f"v1:{letter}" for letter in "abcdefgh"), 1)
    tasks = {attempt.key: attempt.task for attempt in ana.attempts() if attempt.key < "v1:f"}
    assert tasks == {f"v1:{letter}": f"t-{letter}" for letter in "abcde"}


def test_what_a_promoted_standby_lacks_is_not_bought_again(studio: Failover) -> None:
    what_a_standby_lacks_is_not_bought_again(studio)


def test_not_to_notice_a_promotion_would_buy_twice(studio: Failover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "require_whole", lambda sql, seen: None)
    with pytest.raises(AssertionError):
        what_a_standby_lacks_is_not_bought_again(studio)
    assert max(studio.books.values()) == 2


def test_a_timeline_is_noticed_although_nobody_saw_what_is_missing(studio: Failover) -> None:
    """The mark of the bucket is lost, too: only the server says that it is another one."""
    ana = studio.person("ana")
    studio.buys(ana, "v1:a", "t-a")
    studio.stop_receiving()
    studio.buys(ana, "v1:b", "t-b")
    studio.fail_over()
    studio.standby.promote()
    (studio.folder / "meta" / "high" / ana.id).unlink()
    carl = studio.person("carl")
    assert studio.tries(carl, "v1:b") == "key-open"
    assert studio.books == {"v1:a": 1, "v1:b": 1}


def test_a_server_that_is_killed_in_the_middle_forgets_nothing_and_nothing_is_bought_twice(studio: Failover) -> None:
    """At the commit of an intent, which is not sent then, and at the commit of an answer, which is recorded once."""
    studio.standby.promote()
    studio.line.folder = studio.standby.data
    ana = studio.person("ana")
    studio.buys(ana, "v1:a", "t-a")

    def killed(act: Callable[[], object]) -> None:
        again = threading.Event()

        def restart() -> None:
            studio.standby.restart()
            again.set()

        studio.line.call = restart
        studio.line.cut(b"COMMIT", "", "call")
        with suppress(StateUnreachable):
            act()
        assert again.wait(60)

    killed(lambda: ana.begin(order("v1:b")))
    for attempt in ana.attempts("v1:b"):
        ana.move(attempt, State.NOT_SENT)
    sent = ana.begin(order("v1:b"))
    answer = Facts(task="t-b")
    killed(lambda: ana.move(sent, State.ACCEPTED, answer))
    assert ana.move(sent, State.ACCEPTED, answer).task == "t-b"
    tasks = [attempt.task for attempt in studio.person("ben").attempts() if attempt.state is State.ACCEPTED]
    assert (tasks, studio.line.cuts) == (["t-a", "t-b"], 2)
