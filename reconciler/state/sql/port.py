"""What carries out SQL: the port of the ledger and the desk to their databases."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import field
from typing import Any, Protocol, runtime_checkable

from reconciler.diagnostics import StateDamaged, StateError
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.state.rows import Columns, R

Row = tuple[Any, ...]
Values = Mapping[str, object]
NONE: Values = {}
Question = tuple[str, Values]
"""A statement that only reads, and its values."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a batch. `otherwise` is raised if it gives no row: what it was to change has changed since."""

    text: str
    values: Values = field(default_factory=dict)
    otherwise: StateError | None = None


class Sql(Protocol):
    """One database, which the threads of this process share. A statement names its values as `:name` and may be given
    more than it names.

    `project` is the one whose rows `own` selects; empty in a database that has no others.
    """

    project: str
    own: str

    def query(self, statement: str, values: Values = NONE) -> list[Row]:
        """Return the rows of one statement; by itself it sees one state."""

    def records(self, kind: type[R], tail: str = "", values: Values = NONE) -> list[R]:
        """Return records of a kind, see `rows.select`."""

    def columns(self, kind: type[R], tail: str = "", values: Values = NONE) -> Columns:
        """Return the same as columns, see `rows.columns`."""

    def execute(self, statement: str, values: Values = NONE) -> int:
        """Run one statement within `transaction`, and return how many rows it changed."""

    def batch(self, *statements: Statement, last: bool = False) -> list[list[Row]]:
        """Run statements at once, as a write transaction or within the one that is open, and return the rows of each:
        all are carried out, or none and an error is raised. `last`: in the open transaction no other one follows, so
        it may be committed with them."""

    def transaction(self) -> AbstractContextManager[None]:
        """Run the block as one write transaction, also nested: all of it is committed, or none and a StateError is
        raised. No other process writes at the same time."""

    def reading(self) -> AbstractContextManager[None]:
        """Run the block as one read transaction: every query sees the same state."""

    def close(self) -> None:
        """Close the database. Everything committed is durable already."""


@runtime_checkable
class Asks(Protocol):
    """A database behind a line on which each question takes a while."""

    def ask(self, *questions: Question, last: bool = False) -> None:
        """Ask several questions within a transaction at once. `query` then gives each answer, once. `last` as in
        `Sql.batch`."""


def damaged(detail: str) -> StateDamaged:
    """Return the error for a database that is not sound: nothing is bought by its records."""
    help = f"put back a backup of state/, or rebuild it from receipts, lock file and providers:\n{command('recover')}"
    return StateDamaged(f"the state database is damaged: {detail}", help=help, code="state-damaged")


def broken_rule(text: str) -> StateError:
    """Return the error for what a rule of the database forbids; `text` names the rule."""
    if "attempt.key" in text:
        return StateError("this key already has an unresolved attempt", code="key-open")
    if "attempt.task" in text:
        return StateError("this task id already belongs to another attempt", code="task-taken")
    if "illegal move" in text:
        return StateError(f"{text}. This is a bug in clipform.", code="illegal-move")
    return StateError(f"the state refuses this: {text}. This is a bug in clipform.", code="state-rule")


def number_too_large() -> StateError:
    """Return the error for a value that no column can hold."""
    return StateError("a number is too large to be stored", code="state-value")
