"""Programs of two versions on one shared state: the older one goes on where the newer schema only adds, and is refused
before it writes where that says so.

The older program is this one, as it is. The newer one is this one with one more migration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from state_kit import Clock, order, result
from team_kit import USD, Connect, Team, code

from reconciler.diagnostics import StateNewer
from reconciler.records import State
from reconciler.state import leases, shared, shared_schema
from reconciler.state.budget import Caps
from reconciler.state.leases import SharedStore
from reconciler.state.ledger import Facts

TABLES = ("event", "attempt", "artifact", "generation", "ledger", "plan", "meta", "cap", "account", "want", "worker")
ADDS = tuple(f"ALTER TABLE {table} ADD COLUMN later TEXT NOT NULL DEFAULT 'newer'" for table in TABLES)


@contextmanager
def newer(*, breaks: bool) -> Iterator[None]:
    """As the next version of the program, which has one more migration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_schema, "STEPS", (*shared_schema.STEPS, ADDS))
        patch.setattr(shared_schema, "VERSION", shared_schema.VERSION + 1)
        if breaks:
            patch.setattr(shared_schema, "OLDEST", shared_schema.VERSION)
        patch.setattr(shared_schema, "__version__", "7.8.9")
        yield


Open = Callable[[str], SharedStore]


@pytest.fixture
def copy(shared_sql: Connect, tmp_path: Path) -> Iterator[Open]:
    """A working copy, opened as its program does."""
    opened: list[SharedStore] = []

    def open_copy(name: str) -> SharedStore:
        sql = shared_sql()
        opened.append(shared.open_store(sql, tmp_path / name, Clock(), lambda _: Team.me(name)))
        return opened[-1]

    yield open_copy
    for store in opened:
        store.close()


def make(store: SharedStore, key: str) -> State:
    """Buy a key, and make it."""
    attempt = store.move(store.begin(order(key, **USD, run=1), Caps("USD", total_micros=18)), State.ACCEPTED)
    return store.fetched(attempt, *result(attempt)).state


def test_an_older_program_goes_on_beside_a_newer_one(shared_sql: Connect, copy: Open) -> None:
    """Both claim and move, know what the other one bought, and share one cap."""
    old = copy("old")
    make(old, "v1:before")
    with newer(breaks=False):
        shared_schema.migrate(shared_sql())
        new = copy("new")
        mine = new.begin(order("v1:new", **USD, run=1), Caps("USD", total_micros=18))
    again = copy("old again")  # an older program that begins after the migration
    assert code(partial(again.begin, order("v1:new"))) == "key-open"
    assert code(partial(again.move, mine, State.UNCERTAIN)) == "elsewhere"
    assert make(old, "v1:old") is State.DONE
    with newer(breaks=False):
        assert new.move(mine, State.ACCEPTED, Facts(task="t")).task == "t"
        assert code(partial(new.begin, order("v1:old", after=0))) == "elsewhere"
    assert set(again.snapshot([]).attempts) == {"v1:new"}
    assert [store.spent()["USD"].micros for store in (old, new, again)] == [18, 18, 18]
    with pytest.raises(Exception, match=r"0\.000018"):
        make(again, "v1:over")
    shared_schema.migrate(shared_sql())  # what the older one may ask for, too
    assert shared_sql().query("SELECT value FROM meta WHERE name = 'version'") == [(str(shared_schema.VERSION + 1),)]


def an_older_program_writes_nothing_behind_a_breaking_migration(shared_sql: Connect, copy: Open) -> None:
    """Not the one that is opened after it, and not the one that has been open since before."""
    old = copy("old")
    sent = old.begin(order("v1:sent"))
    with newer(breaks=True):
        shared_schema.migrate(shared_sql())
    before = old.events()
    for act in (
        partial(copy, "again"),
        partial(old.begin, order()),
        old.snapshot,
        partial(shared_schema.migrate, old.sql),
    ):  # type: ignore[arg-type]
        assert code(act) == "state-newer"
    assert old.events() == before
    assert old.move(sent, State.ACCEPTED, Facts(task="t")).task == "t"  # what was paid is recorded


def test_an_older_program_is_refused_where_the_schema_says_so(shared_sql: Connect, copy: Open) -> None:
    an_older_program_writes_nothing_behind_a_breaking_migration(shared_sql, copy)
    with pytest.raises(StateNewer, match="supports up to") as error:
        copy("again")
    assert error.value.help == "install clipform 7.8.9 or newer; the state was left as it is"


def not_asked_again(patch: pytest.MonkeyPatch) -> None:
    """Whether a program is too old, by one that is open already."""
    open_already = SimpleNamespace(PRESENT=shared_schema.PRESENT, require_usable=lambda sql: None)
    patch.setattr(leases, "shared_schema", open_already)


def oldest_is_not_raised(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shared_schema, "min", lambda *_: 1, raising=False)


@pytest.mark.parametrize("bug", [not_asked_again, oldest_is_not_raised], ids=lambda bug: bug.__name__)
def test_a_planted_bug_lets_an_older_program_write(
    bug: Callable[[pytest.MonkeyPatch], None], shared_sql: Connect, copy: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        an_older_program_writes_nothing_behind_a_breaking_migration(shared_sql, copy)


_ADDS = re.compile(
    r"CREATE (TABLE|INDEX) |"
    r"ALTER TABLE \w+ ADD COLUMN \w+ [A-Z ]+?( NOT NULL DEFAULT .*| DEFAULT .*)?$"
)


def only_adds(statement: str) -> bool:
    """True for a statement that an older program does not notice."""
    return _ADDS.match(statement) is not None and not statement.endswith("NOT NULL")


def test_what_only_adds_is_known_by_its_words() -> None:
    adds = ["CREATE TABLE a (b TEXT)", "CREATE INDEX a ON b (c)", *ADDS, "ALTER TABLE a ADD COLUMN b BIGINT"]
    more = ["ALTER TABLE a ADD COLUMN b TEXT NOT NULL", "ALTER TABLE a DROP COLUMN b", "UPDATE a SET b = 1"]
    more += ["CREATE UNIQUE INDEX a ON b (c)", "ALTER TABLE a RENAME COLUMN b TO c", "DROP TABLE a"]
    assert [only_adds(text) for text in (*adds, *more)] == [True] * len(adds) + [False] * len(more)


def test_a_migration_that_does_more_than_add_says_so() -> None:
    """By `OLDEST`: else programs of the version before go on with tables that they misread."""
    later = shared_schema.STEPS[shared_schema.OLDEST :]
    assert [text for step in later for text in step if not only_adds(text)] == []
