"""Connects to PostgreSQL, runs transactions, and translates its errors.

A write transaction is the twin of SQLite's `BEGIN IMMEDIATE`: before anything else it takes one advisory lock, which
ends with the transaction, so nothing outlives its holder and there is nothing to unlock. At PostgreSQL's isolation each
statement sees what was committed when it began; what is read after the lock is therefore the newest, and stays it until
the commit. The lock is a statement of its own: one that locked and counted would count what it saw before it waited.
One lock for the whole schema, not one for each project in it: numbers of events and attempts, slots of an account and
caps of the store are shared by its projects, and "an older number never commits later" must hold for all of them.

Nothing is set for longer than a transaction, and nothing is prepared: the connections of a pooler have no memory.
What comes before a statement (`BEGIN`, settings, lock, savepoint) goes with it, as one text and one round trip; so does
a batch, with its `COMMIT`. A statement of a batch that must find its row fails by itself where there is none, since
what comes after it is under way already. Not by libpq's pipeline: the server then never notices that a transaction is
idle.
A process that is frozen inside a transaction loses it after `_IDLE` seconds, so that it does not hold up the others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from itertools import starmap
from threading import RLock
from time import monotonic
from typing import Any, TypeVar, cast

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from reconciler.diagnostics import StateError, StateUnreachable
from reconciler.next_command import command
from reconciler.state.rows import Columns, R, columns, reader, select
from reconciler.state.sql.port import NONE, Question, Row, Statement, Values, broken_rule, number_too_large

_IDLE = 15
_WAIT = 30
"""Seconds to wait for the other writers. Each takes milliseconds; longer means that something is wrong."""
_LINK: dict[str, Any] = {
    **{"connect_timeout": 10, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3},
    **{"tcp_user_timeout": 20_000, "application_name": "clipform"},
}
"""A connection that is cut without a word is noticed within seconds."""
_ANSWER = 60.0
"""Seconds within which a statement must be answered. A proxy or a pooler that hangs goes on answering for its side of
the connection, so no timeout of the network notices it; a statement waits `_WAIT` seconds for the others at most."""
_HEARD = 2.0
"""Seconds until an announcement that was not heard counts as lost."""
_VALUE = re.compile(r"(?<![:\w]):([a-z]\w*)")
_BEGIN = "BEGIN"
_NO_ROW = re.compile(r"0 rows of statement (\d+)")

T = TypeVar("T")
Waits = Generator[Any, Any, T]


class Link(psycopg.Connection[Row]):
    """A connection whose server answers in time, or is taken for gone."""

    def wait(self, gen: Waits[T], *args: Any, **more: Any) -> T:
        """Consume a generator of psycopg, which waits for the server. Raises OperationalError after `_ANSWER`."""
        return super().wait(_answered(gen), *args, **more)


def _answered(waits: Waits[T]) -> Waits[T]:
    end = monotonic() + _ANSWER
    try:
        wanted = next(waits)
        while True:
            ready = yield wanted
            if not ready and monotonic() > end:
                raise psycopg.OperationalError(f"no answer for {_ANSWER:g} s")
            wanted = waits.send(ready)
    except StopIteration as stop:
        return cast("T", stop.value)


class PostgreSQL:
    """Carries out statements on one connection, which it opens when it first needs it, and again after it broke; see
    `port.Sql`. `project` names the rows that count for the budget of one project."""

    def __init__(self, url: str, schema: str, project: str) -> None:
        """Raises StateError for an address that is not one. Connects to nothing."""
        with translated(str):
            conninfo_to_dict(url)
        self.schema, self.project, self.own = schema, project, "project = :project"
        self._url = url
        self._mutex = RLock()  # a worker thread may commit while the loop's thread reads
        self._connection: Link | None = None
        self._unsent: list[str] = []
        self._depth = 0  # of transactions within each other
        self._answers: list[tuple[Question, list[Row]]] = []  # of `ask`
        self._settings = (
            f"SET LOCAL search_path = {quoted(schema)}, pg_temp",
            f"SET LOCAL idle_in_transaction_session_timeout = '{_IDLE}s'",
        )
        self._locks = (
            "SET LOCAL synchronous_commit = on",
            f"SET LOCAL lock_timeout = '{_WAIT}s'",
            "SELECT set_config('clipform.project', :project, true)",
            f"SELECT pg_advisory_xact_lock({_number(schema)})",
        )

    def hears(self) -> bool:
        """Return whether an announcement reaches who listens at this address. Not through a pooler that gives each
        transaction another connection: workers need an address without one. Raises StateError."""
        with translated(str), psycopg.connect(self._url, autocommit=True, **_LINK) as listener:
            listener.execute("LISTEN clipform_doctor")
            self.query("SELECT pg_notify('clipform_doctor', '')")
            return any(True for _ in listener.notifies(timeout=_HEARD, stop_after=1))

    def of_project(self, project: str) -> PostgreSQL:
        """Return the same database for another project, by a connection of its own."""
        return PostgreSQL(self._url, self.schema, project)

    def query(self, statement: str, values: Values = NONE) -> list[Row]:
        """Return the rows of one statement."""
        with self._mutex:
            for number, (question, rows) in enumerate(self._answers):
                if question == (statement, values):
                    del self._answers[number]
                    return rows
            if self._depth:
                return _rows(self._run(statement, values))
            with self.reading():
                return _rows(self._run(statement, values, "COMMIT"))

    def ask(self, *questions: Question, last: bool = False) -> None:
        """Ask several questions within a transaction as one round trip. `query` then gives each answer, once."""
        with self._mutex:
            texts = [self._text(statement, values) for statement, values in questions]
            answers = self._together([*texts, "COMMIT"] if last and self._depth == 1 else texts)
            self._answers += zip(questions, answers, strict=False)

    def batch(self, *statements: Statement, last: bool = False) -> list[list[Row]]:
        """Run statements as one round trip, and return the rows of each."""
        with self._mutex:
            if self._depth > (1 if last else 0):
                with self._nested():
                    return self._carried_out(statements)
            with nullcontext() if self._depth else self.transaction():
                return self._carried_out(statements, "COMMIT")

    def _carried_out(self, statements: Sequence[Statement], *after: str) -> list[list[Row]]:
        texts = []
        for number, statement in enumerate(statements):
            text = statement.text if statement.otherwise is None else _guarded(statement.text, number)
            texts.append(self._text(text, statement.values))
        try:
            answers = self._together([*texts, *after])
        except StateError as error:
            absent = _NO_ROW.search(error.message) if isinstance(error.__cause__, errors.DataError) else None
            if absent is None or (otherwise := statements[int(absent[1])].otherwise) is None:
                raise
            raise otherwise from error
        pairs = zip(statements, answers, strict=False)  # without what came `after`
        return [rows if each.otherwise is None else [row[:-1] for row in rows] for each, rows in pairs]

    def _together(self, texts: Sequence[str]) -> list[list[Row]]:
        """Send what was not sent yet and these texts as one, and return the rows of each text."""
        before = self._take_unsent()
        with translated(self._rights):
            cursor = self._live(before).cursor()
            cursor.execute("; ".join((*(self._text(statement, NONE) for statement in before), *texts)))
            for _ in before:
                cursor.nextset()
            answers = []
            for _ in texts:
                answers.append(cursor.fetchall() if cursor.description is not None else [])
                cursor.nextset()
            return answers

    def _text(self, statement: str, values: Values) -> str:
        """Return a statement with its values in it, quoted by libpq."""
        with translated(self._rights):
            cursor = psycopg.ClientCursor(self._live(tuple(self._unsent)))
            return cursor.mogrify(_named(statement), _adapted(values, self.project))

    def records(self, kind: type[R], tail: str = "", values: Values = NONE) -> list[R]:
        """Return records of a kind."""
        return [*starmap(reader(kind), self.query(select(kind, tail), values))]

    def columns(self, kind: type[R], tail: str = "", values: Values = NONE) -> Columns:
        """Return records of a kind as columns."""
        return columns(kind, [self.query(select(kind, tail), values)])

    def execute(self, statement: str, values: Values = NONE) -> int:
        """Run one statement within `transaction`, and return how many rows it changed."""
        with self._mutex:
            return self._run(statement, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as one write transaction, or as a part of the one that is open."""
        with self._mutex, self._nested() if self._depth else self._outer(_BEGIN, *self._settings, *self._locks):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Run the block as one read transaction, or within the transaction that is open."""
        with self._mutex:
            if not self._depth:
                with self._outer(f"{_BEGIN} ISOLATION LEVEL REPEATABLE READ READ ONLY", *self._settings):
                    yield
                return
            self._depth += 1  # what is last in the block is not what is last in the transaction
            try:
                yield
            finally:
                self._depth -= 1

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    @contextmanager
    def _outer(self, *first: str) -> Iterator[None]:
        """Run the block between `first` and a commit. Nothing is sent for a block that runs no statement."""
        self._unsent[:] = first
        self._depth = 1
        try:
            yield
            if self._is_open:
                self._commit()
        finally:
            self._depth = 0
            self._unsent.clear()
            self._answers.clear()
            self._roll_back()

    @property
    def _is_open(self) -> bool:
        """True while the server has a transaction of ours."""
        idle = TransactionStatus.IDLE
        return self._connection is not None and self._connection.info.transaction_status is not idle

    def _commit(self) -> None:
        if self._run("COMMIT", NONE).statusmessage != "COMMIT":  # an error in it was passed over: it is undone
            raise StateError("a transaction was undone by an earlier error", code="state-io")

    def _roll_back(self) -> None:
        """End a transaction that failed. A connection that cannot even do that is given up: the server does it."""
        if self._connection is None or not self._is_open:
            return
        try:
            self._connection.execute("ROLLBACK")
        except psycopg.Error:
            self._connection.close()

    @contextmanager
    def _nested(self) -> Iterator[None]:
        """Run the block as a transaction within one: undone alone if it fails, even if the caller goes on."""
        name = f"nested_{self._depth}"
        begin = f"SAVEPOINT {name}"
        self._unsent.append(begin)
        self._depth += 1
        try:
            yield
        except BaseException:
            if begin in self._unsent:
                del self._unsent[self._unsent.index(begin) :]
            else:
                self._unsent[:] = [f"ROLLBACK TO SAVEPOINT {name}", f"RELEASE SAVEPOINT {name}"]
            raise
        else:
            if begin in self._unsent:
                self._unsent.remove(begin)
            else:
                self._unsent.append(f"RELEASE SAVEPOINT {name}")
        finally:
            self._depth -= 1
            self._answers.clear()  # what follows may have changed them

    def _run(self, statement: str, values: Values, *after: str) -> psycopg.Cursor[Row]:
        """Send what was not sent yet, a statement and what comes `after` it, as one round trip."""
        before = self._take_unsent()
        with translated(self._rights):
            cursor = self._live(before).cursor()
            cursor.execute(_named("; ".join((*before, statement, *after))), _adapted(values, self.project))
            for _ in before:
                cursor.nextset()
            return cursor

    def _rights(self) -> str:
        """Return what gives our role the rights of an apply."""
        role = quoted(self._connection.info.user) if self._connection is not None else "ROLE"
        schema, tables = quoted(self.schema), "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA"
        return f"GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT {tables} {schema} TO {role};"

    def _take_unsent(self) -> tuple[str, ...]:
        before, self._unsent[:] = tuple(self._unsent), ()
        if not self._is_open and not _begins(before):
            raise StateError("a statement came after the last one. This is a bug in clipform.", code="state-io")
        return before

    def _live(self, before: tuple[str, ...]) -> Link:
        """Return the connection. Only at the beginning of a transaction a new one may replace it."""
        if self._connection is not None and self._connection.closed and _begins(before):
            self.close()
            self._connection = None
        if self._connection is None:
            # Values are written into the text, quoted by libpq: several statements go together only as one text.
            self._connection = Link.connect(self._url, autocommit=True, cursor_factory=psycopg.ClientCursor, **_LINK)
        return self._connection


def _begins(statements: tuple[str, ...]) -> bool:
    return bool(statements) and statements[0].startswith(_BEGIN)


def _rows(cursor: psycopg.Cursor[Row]) -> list[Row]:
    with translated(str):
        return cursor.fetchall()


def _guarded(statement: str, number: int) -> str:
    """Return a statement that fails unless it gives a row. No expression of SQL raises, but a cast that cannot be done
    is one. Its rows get one more column, 0."""
    fails = f"CAST(rows || ' rows of statement {number}' AS integer)"
    counted = "(SELECT count(*) AS rows FROM step) AS counted LEFT JOIN step ON true"
    return f"WITH step AS ({statement}) SELECT step.*, CASE WHEN rows > 0 THEN 0 ELSE {fails} END FROM {counted}"


@cache
def _named(statement: str) -> str:
    """Return a statement as psycopg wants it."""
    return _VALUE.sub(r"%(\1)s", statement.replace("%", "%%"))


def _adapted(values: Values, project: str) -> Mapping[str, object]:
    """Return values as the columns have them: 0 and 1 for truth, as in SQLite."""
    return {name: int(v) if isinstance(v, bool) else v for name, v in values.items()} | {"project": project}


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _number(schema: str) -> int:
    """Return the number of the advisory lock of a schema."""
    return int.from_bytes(hashlib.sha256(f"clipform {schema}".encode()).digest()[:8], "big", signed=True)


@contextmanager
def translated(rights: Callable[[], str]) -> Iterator[None]:
    """Raise errors of PostgreSQL and of the connection as StateErrors; see `explain`. `rights` gives what is run for a
    role that lacks them."""
    try:
        yield
    except psycopg.Error as error:
        explained = explain(error)
        if explained.code == "state-rights" and (grants := rights()):
            explained.help = f"to apply, it needs what its owner gives by:\n{grants}"
        raise explained from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise number_too_large() from error


def explain(error: psycopg.Error) -> StateError:
    """Return an error of PostgreSQL as a StateError. What has no code of the server is about the connection."""
    text = " ".join((error.diag.message_primary or str(error)).split())  # of a connection it has several lines
    rule = error.diag.constraint_name or ""
    match error:
        case errors.UniqueViolation() | errors.RaiseException() | errors.IntegrityError():
            return broken_rule({"one_open": "attempt.key", "task_once": "attempt.task"}.get(rule, text))
        case errors.LockNotAvailable() | errors.DeadlockDetected():
            return StateError("the state is busy: another process is using it", help="try again", code="state-busy")
        case errors.DiskFull():
            return StateError("cannot write the state: the database's disk is full", code="disk-full")
        case errors.ReadOnlySqlTransaction():
            return StateError("cannot write the state: the database is read-only", code="read-only")
        case errors.InsufficientPrivilege():
            return StateError(f"the database refuses this role: {text}", code="state-rights")
        case errors.UndefinedTable() | errors.InvalidSchemaName():
            help = f"create its tables, with a role that may:\n{command('state', 'migrate')}"
            return StateError(f"the database has no state here: {text}", help=help, code="state-absent")
        case errors.NumericValueOutOfRange():
            return number_too_large()
        case psycopg.OperationalError() | psycopg.InterfaceError() | errors.IdleInTransactionSessionTimeout():
            reason = f"the shared state cannot be reached: {text}"
            return StateUnreachable(reason, help="try again when it answers", code="state-unreachable")
    return StateError(f"cannot use the state: {text}", code="state-io")
