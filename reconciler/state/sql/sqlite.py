"""Opens SQLite, runs transactions, and translates its errors.

Settings (never-pay-twice#s3-3). `journal_mode=PERSIST`: the journal's space stays allocated, so a small commit still
succeeds on a full disk; WAL loses that, loses acknowledged commits to a stray close of the file, and has a reset
race in many SQLite versions. `synchronous=EXTRA`: a commit that returned survives a power cut; it costs about a
millisecond and a clip takes minutes. `isolation_level=None`: Python's implicit transactions are off, every write is
inside `BEGIN IMMEDIATE`, because a deferred transaction that turns into a writer can lose the race and fail midway.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import starmap
from pathlib import Path
from threading import RLock

from reconciler.diagnostics import StateError
from reconciler.state.rows import Columns, R, columns, reader, select
from reconciler.state.sql.port import NONE, Row, Statement, Values, broken_rule, damaged, number_too_large

BUSY_MS = 5_000
"""Milliseconds to wait for a reader. Readers take milliseconds; longer means that something is wrong."""

_PART = 500  # rows

_FULL = "free some space, then run the same command again"


class SQLite:
    """Carries out statements on one connection; see `port.Sql`."""

    project, own = "", "TRUE"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._mutex = RLock()  # a worker thread may commit while the loop's thread reads

    def query(self, statement: str, values: Values = NONE) -> list[Row]:
        """Return the rows of one statement."""
        with self._mutex, translated():
            return self.connection.execute(statement, values).fetchall()

    def records(self, kind: type[R], tail: str = "", values: Values = NONE) -> list[R]:
        """Return records of a kind; one row at a time is in memory."""
        with self._mutex, translated():
            return [*starmap(reader(kind), self.connection.execute(select(kind, tail), values))]

    def columns(self, kind: type[R], tail: str = "", values: Values = NONE) -> Columns:
        """Return records of a kind as columns; a few rows at a time are in memory."""
        with self._mutex, translated():
            cursor = self.connection.execute(select(kind, tail), values)
            return columns(kind, iter(lambda: cursor.fetchmany(_PART), []))

    def execute(self, statement: str, values: Values = NONE) -> int:
        """Run one statement, and return how many rows it changed."""
        with self._mutex, translated():
            return self.connection.execute(statement, values).rowcount

    def batch(self, *statements: Statement, last: bool = False) -> list[list[Row]]:
        """Run statements as one transaction, and return the rows of each."""
        answers = []
        with self.transaction():
            for statement in statements:
                answers.append(self.query(statement.text, statement.values))
                if statement.otherwise is not None and not answers[-1]:
                    raise statement.otherwise
        return answers

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as one write transaction, or as a part of the one that is open."""
        with self._mutex:
            begin = nested if self.connection.in_transaction else immediate
            with begin(self.connection):
                yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Run the block as one read transaction, or within the transaction that is open."""
        with self._mutex:
            begin = translated() if self.connection.in_transaction else reading(self.connection)
            with begin:
                yield

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a database; `mode` is SQLite's: ro, rw or rwc. Nothing is read or written yet."""
    with translated():
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        return connection


def in_memory() -> sqlite3.Connection:
    """Open a database in memory, which ends with its connection."""
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def configure(connection: sqlite3.Connection) -> None:
    """Set what a writer needs. Only after the version check: changing the journal mode may touch the file."""
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "foreign_keys=ON", "synchronous=EXTRA"):
        connection.execute(f"PRAGMA {pragma}")
    if sys.platform == "darwin":
        connection.execute("PRAGMA fullfsync=ON")
    connection.execute("PRAGMA journal_mode=PERSIST")


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """Return an integer setting, such as `user_version`."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


@contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one write transaction: all of it is committed, or none and a StateError is raised."""
    with translated():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


@contextmanager
def nested(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as a transaction within one: undone alone if it fails, even if the caller goes on."""
    with translated():
        connection.execute("SAVEPOINT nested")
        try:
            yield
        except BaseException:
            if connection.in_transaction:  # some errors, such as a full disk, end the whole transaction
                connection.execute("ROLLBACK TO nested")
                connection.execute("RELEASE nested")
            raise
        connection.execute("RELEASE nested")


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one read transaction: every select sees the same state."""
    with translated():
        connection.execute("BEGIN")
        try:
            yield
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


@contextmanager
def translated() -> Iterator[None]:
    """Raise SQLite's errors of the block as StateErrors; see `explain`."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error) from error
    except UnicodeDecodeError as error:  # a schema or a text that is no longer UTF-8
        raise damaged("it holds text that is not UTF-8") from error
    except OverflowError as error:
        raise number_too_large() from error


def explain(error: sqlite3.Error) -> StateError:
    """Return a SQLite error as a StateError. Extended result codes keep the primary code in their low byte."""
    name = str(getattr(error, "sqlite_errorname", ""))
    text = str(error)
    lacks = text.startswith(
        ("no such ", "You did not supply a value")
    )  # a name of the schema or of a record was garbled
    if lacks or name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "decode to UTF-8" in text:
        return damaged(text)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StateError("the state is busy: another process is using it", help="try again", code="state-busy")
    if name.startswith("SQLITE_FULL"):
        return StateError("cannot write the state: the disk is full", help=_FULL, code="disk-full")
    if name == "SQLITE_READONLY_ROLLBACK":
        return StateError("a transaction was cut short", help="run the command again", code="hot-journal")
    if name.startswith("SQLITE_READONLY"):
        return StateError("cannot write the state: the file or its folder is read-only", code="read-only")
    if name.startswith("SQLITE_CONSTRAINT"):
        return broken_rule(text)
    return StateError(f"cannot use the state: {text}", code="state-io")
