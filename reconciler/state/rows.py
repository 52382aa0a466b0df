"""Converts records to rows and back. The columns are the fields of the dataclass, so that they cannot drift."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from sys import intern
from typing import Any, TypeVar

from reconciler import money
from reconciler.records import Artifact, Attempt, Binding, Generation, Money, Placed, State

Record = Artifact | Attempt | Binding | Generation | Placed
R = TypeVar("R", bound=Record)
Value = str | int | float | None
Payload = Mapping[str, object]
Columns = dict[str, list[Any]]
"""Cells by the name of their column, those of a row at the same place in each."""

TABLES: Mapping[type, tuple[str, tuple[str, ...]]] = {
    Attempt: ("attempt", ("id",)),
    Generation: ("generation", ("key",)),
    Artifact: ("artifact", ("sha256",)),
    Binding: ("binding", ("clip", "take")),
    Placed: ("placed", ("output",)),
}
"""The table of each record, and its primary key."""

COLUMNS: Mapping[type, tuple[str, ...]] = {kind: tuple(field.name for field in fields(kind)) for kind in TABLES}
"""The columns of each record: the names of its fields."""

_SHARED: tuple[str, ...] = ("key", "sha256", "suffix", "document", "clip", "output", "provider", "kind", "model")
_SHARED += ("endpoint", "currency", "origin")
"""Columns with texts that other records have too, and the specs: each text is in memory once."""

_CELLS = {**dict.fromkeys(_SHARED, "{0} and _shared({0})"), "audio": "bool({0})", "protect": "bool({0})"}
_CELLS |= {"cost_micros": "_amount({0})", "state": "_states[{0}]", "money": "_money[{0}]"}
"""How a column's value becomes a field's, where STRICT tables do not keep it as the field declares it."""

_NAMES: dict[str, object] = {"_shared": intern, "_amount": money.checked}
_NAMES |= {"_states": {state.value: state for state in State}, "_money": {money.value: money for money in Money}}


_READERS: dict[type, Callable[..., Any]] = {}


def reader(kind: type) -> Callable[..., Any]:
    """Return a function from the cells of a row of `select(kind)` to its record. An unknown state or money word raises
    KeyError: damage. It is compiled: an apply reads ten thousand rows of each kind."""
    if kind not in _READERS:
        _READERS[kind] = _compiled(kind)
    return _READERS[kind]


def _compiled(kind: type) -> Callable[..., Any]:
    names = COLUMNS[kind]
    values = ", ".join(f"{name}={_CELLS.get(name, '{0}').format(name)}" for name in names)
    text = f"lambda {', '.join(names)}: _record({values})"
    read: Callable[..., Any] = eval(text, {**_NAMES, "_record": kind})  # noqa: S307  # names in our own code
    return read


def columns(kind: type, parts: Iterable[Sequence[tuple[Any, ...]]]) -> Columns:
    """Return the cells of the rows of `select(kind)`, which come in parts. A cell that is not text raises TypeError:
    damage."""
    table: Columns = {name: [] for name in COLUMNS[kind]}
    for rows in filter(None, parts):
        for (name, column), cells in zip(table.items(), zip(*rows, strict=True), strict=True):
            column += [cell and intern(cell) for cell in cells] if name in _SHARED else cells
    return table


def select(kind: type[R], tail: str = "") -> str:
    """Return the statement that reads records of a kind, columns in the order of the fields."""
    return f"SELECT {', '.join(COLUMNS[kind])} FROM {TABLES[kind][0]} {tail}"


def upsert(kind: type[Record]) -> str:
    """Return the statement that writes a record over the one with the same primary key.

    Not `INSERT OR REPLACE`: that deletes the old row first, which fires foreign keys and delete triggers.
    """
    table, key = TABLES[kind]
    names = COLUMNS[kind]
    updates = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    marks = ", ".join(f":{name}" for name in names)
    insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
    return f"{insert} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates}"


def values(record: Record) -> dict[str, Value]:
    """Return a record as JSON-able column values, its texts made storable."""
    return {name: clean(getattr(record, name)) for name in COLUMNS[type(record)]}


def clean(value: Value) -> Value:
    """Escape what a provider's text may hold and a database refuses: lone surrogates as `\\udXXX`, NUL as `\\x00`."""
    if not isinstance(value, str):
        return value
    text = value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")
    return text.replace("\0", "\\x00")


def dump(payload: Payload) -> str:
    """Return a payload as text, the same for the same values."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"))


def with_sound_cost(cells: Mapping[str, object]) -> dict[str, object]:
    """Return cells whose cost is an amount, or unknown."""
    return {**cells, "cost_micros": money.checked(cells.get("cost_micros"))}
