"""What a database of several machines adds to the contract of a ledger: other writers, other projects, and the
connection. The contract itself is in the other files of this folder, whose `memory` is each kind of database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from state_kit import Clock, memory_store, order

from reconciler.diagnostics import StateError
from reconciler.records import Binding, State
from reconciler.state import shared, shared_schema
from reconciler.state.budget import Spent
from reconciler.state.leases import Member, SharedStore
from reconciler.state.ledger import Facts, Ledger
from reconciler.state.sql import postgres
from reconciler.state.sql.postgres import PostgreSQL

Connect = Callable[..., PostgreSQL]
ANYBODY = partial(Member, name="ana@mac")


def code(act: Callable[[], object]) -> str:
    with pytest.raises(StateError) as error:
        act()
    return error.value.code


def ledger(connected: Connect, project: str = "film") -> Ledger:
    opened = Ledger(connected(project), Clock())
    opened.complete()
    return opened


def test_two_machines_cannot_both_begin_one_key(shared_sql: Connect) -> None:
    ledger(shared_sql, "one").begin(order())
    assert code(lambda: ledger(shared_sql, "two").begin(order())) == "key-open"


def test_projects_share_results_and_not_their_budgets(shared_sql: Connect) -> None:
    one, two = ledger(shared_sql, "one"), ledger(shared_sql, "two")
    one.begin(order(cost_micros=5, currency="USD"))
    two.begin(order("v1:bb", cost_micros=7, currency="USD"))
    assert (one.spent(), two.spent()) == ({"USD": Spent(0, 5, 1)}, {"USD": Spent(0, 7, 1)})
    assert one.id == two.id
    assert [attempt.key for attempt in one.attempts()] == ["v1:aa", "v1:bb"]


def test_a_number_that_is_older_never_commits_later(shared_sql: Connect) -> None:
    """Who has seen the newest event has seen all before it: else a snapshot would miss a purchase for ever."""
    first, second, reader = ledger(shared_sql), ledger(shared_sql), shared_sql()
    second.sql.query("SELECT 1")
    second.sql._locks = ("SET LOCAL lock_timeout = '1ms'", *second.sql._locks[2:])  # type: ignore[attr-defined]
    with first.transaction():
        first.note("begun first")
        assert code(lambda: second.note("begun second")) == "state-busy"
    second.note("begun second")
    assert [about for (about,) in reader.query("SELECT payload FROM event WHERE type = 'note' ORDER BY seq")] == [
        '{"what":"begun first"}',
        '{"what":"begun second"}',
    ]


def test_what_was_passed_over_is_not_committed(shared_sql: Connect) -> None:
    """PostgreSQL answers a COMMIT after an error with a ROLLBACK that is no error."""

    def act() -> None:
        with sql.transaction():
            sql.execute("INSERT INTO plan (id, time) VALUES ('p', 0)")
            assert code(lambda: sql.execute("INSERT INTO plan (id, time) VALUES ('p', 0)")) == "state-rule"

    sql = shared_sql()
    assert code(act) == "state-io"
    assert sql.query("SELECT * FROM plan") == []


def test_a_failure_within_is_undone_alone_at_each_depth(shared_sql: Connect) -> None:
    sql = shared_sql()

    def insert(name: str) -> None:
        sql.execute("INSERT INTO plan (id, time) VALUES (:name, 0)", {"name": name})

    with sql.transaction():
        with sql.transaction():
            insert("a")
        with pytest.raises(KeyError), sql.transaction():
            insert("b")
            with sql.transaction():
                insert("c")
            raise KeyError
        with pytest.raises(KeyError), sql.transaction():
            raise KeyError
        with sql.transaction():
            pass
        insert("d")
    assert sql.query("SELECT id FROM plan ORDER BY id") == [("a",), ("d",)]


def test_who_is_frozen_in_a_transaction_holds_up_nobody(shared_sql: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    other = ledger(shared_sql)
    monkeypatch.setattr(postgres, "_IDLE", 1)
    frozen = ledger(shared_sql)

    def act() -> None:
        with frozen.transaction():
            frozen.begin(order())
            other.begin(order())  # waits until the server ends the transaction above

    assert code(act) == "state-unreachable"
    assert [attempt.id for attempt in other.attempts()] == [1]


def test_a_connection_that_broke_is_replaced_but_not_within_a_transaction(shared_sql: Connect) -> None:
    opened, other = ledger(shared_sql), shared_sql()

    def break_it() -> None:
        ((pid,),) = opened.sql.query("SELECT pg_backend_pid()")
        other.query("SELECT pg_terminate_backend(:pid)", {"pid": pid})

    def act() -> None:
        with opened.transaction():
            opened.note("one")
            break_it()
            opened.note("two")

    assert code(act) == "state-unreachable"
    opened.note("three")
    assert [entry.payload for entry in opened.events() if entry.type == "note"] == [{"what": "three"}]


@pytest.mark.parametrize("address", ["postgresql:///postgres?host=/nowhere", "postgresql://127.0.0.1:1/x"])
def test_a_database_that_does_not_answer_is_a_plain_error(address: str) -> None:
    assert code(lambda: shared.connect(address, "s", "p").query("SELECT 1")) == "state-unreachable"


def test_a_database_without_our_tables_or_with_newer_ones_is_a_plain_error(
    database: str, shared_sql: Connect, tmp_path: Path
) -> None:
    absent = shared.connect(database, "nowhere", "p")
    assert code(lambda: shared.open_store(absent, tmp_path, Clock(), ANYBODY)) == "state-absent"
    absent.close()
    newer = shared_sql()
    with newer.transaction():
        newer.execute("UPDATE meta SET value = '99' WHERE name IN ('version', 'oldest')")
    assert code(lambda: shared.open_store(newer, tmp_path, Clock(), ANYBODY)) == "state-newer"
    assert code(lambda: shared_schema.migrate(newer)) == "state-newer"


def test_to_migrate_again_changes_nothing(shared_sql: Connect) -> None:
    opened = ledger(shared_sql)
    opened.begin(order())
    shared_schema.migrate(shared_sql("another"))
    assert [attempt.key for attempt in opened.attempts()] == ["v1:aa"]


def test_a_schema_of_an_older_clipform_is_brought_up_to_date(
    database: str, shared_sql: Connect, tmp_path: Path
) -> None:
    """Each step from each version: what was bought before is there, and what the newest adds, too."""
    for version in range(1, shared_schema.VERSION):
        sql = shared.connect(database, f"{shared_sql().schema}_v{version}", "film")
        shared_schema.migrate(sql, version)
        with sql.transaction():
            sql.execute("INSERT INTO artifact VALUES ('aa', 1, '.mp4', 0, 0, 0, 0)")
        assert code(partial(shared.open_store, sql, tmp_path, Clock(), ANYBODY)) == "state-older"
        shared_schema.migrate(sql)
        opened = shared.open_store(sql, tmp_path / str(version), Clock(), ANYBODY)
        opened.begin(order())
        assert opened.artifact("aa") is not None
        with sql.transaction():
            sql.execute(f'DROP SCHEMA "{sql.schema}" CASCADE')
        opened.close()


def test_a_role_without_rights_is_named_with_what_gives_them(database: str, shared_sql: Connect) -> None:
    owner = shared_sql()
    role = f"reader_{owner.schema}"
    with owner.transaction():
        owner.execute(f"CREATE ROLE {role} LOGIN")
        owner.execute(f"GRANT USAGE ON SCHEMA {owner.schema} TO {role}")
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {owner.schema} TO {role}")
    reader = Ledger(shared.connect(database.replace("clipform@", f"{role}@"), owner.schema, "film"), Clock())
    assert reader.attempts() == ()
    with pytest.raises(StateError) as error:
        reader.note("no")
    assert error.value.code == "state-rights"
    with owner.transaction():  # and what the error says is enough to buy
        owner.execute(str(error.value.help).partition("\n")[2])
    store = SharedStore(reader.sql, Clock(), memory_store().sql, ANYBODY("ana"))
    store.move(store.begin(order(account="studio", slots=2, spacing=0.1)), State.ACCEPTED, Facts(task="t"))
    store.close()
    with owner.transaction():
        owner.execute(f"DROP OWNED BY {role}")
        owner.execute(f"DROP ROLE {role}")


def test_a_task_of_any_length_is_recorded_and_unique(shared_sql: Connect) -> None:
    opened = ledger(shared_sql)
    first, second = opened.begin(order("v1:a")), opened.begin(order("v1:b"))
    task = "".join(str(number) for number in range(20_000))
    assert opened.move(first, State.ACCEPTED, Facts(task=task)).task == task
    assert code(lambda: opened.move(second, State.ACCEPTED, Facts(task=task))) == "task-taken"


def test_what_a_working_copy_holds_stays_with_it(shared_sql: Connect, tmp_path: Path) -> None:
    """Two branches that hold different keys as `hero` do not fight for one row."""
    for name, key in (("a", "v1:a"), ("b", "v1:b"), ("a", "v1:a")):
        with shared.open_store(shared_sql(), tmp_path / name, Clock(), ANYBODY) as store:
            if not store.snapshot().bindings:
                store.desk.bind(Binding("hero", 1, key))
            assert [binding.key for binding in store.snapshot().bindings.values()] == [key]
    assert [name for name in shared_sql().query("SELECT tablename FROM pg_tables WHERE tablename = 'binding'")] == []


def test_a_project_without_shared_state_never_loads_the_driver() -> None:
    program = "import sys; from reconciler.state import store; from reconciler.cli import app; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert not {"psycopg", "reconciler.state.shared"} & set(modules.split())
