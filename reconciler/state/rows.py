"""Converts records to rows and back. The columns are the fields of the dataclass, so that they cannot drift."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from sys import intern
from typing import Any

from reconciler import money
from reconciler.records import Artifact, Attempt, Binding, Generation, Money, Placed, State

Record = Artifact | Attempt | Binding | Generation | Placed
Value = str | int | float | None
Payload = Mapping[str, object]

TABLES: Mapping[type[Record], tuple[str, tuple[str, ...]]] = {
    Attempt: ("attempt", ("id",)),
    Generation: ("generation", ("key",)),
    Artifact: ("artifact", ("sha256",)),
    Binding: ("binding", ("clip", "take")),
    Placed: ("placed", ("output",)),
}
"""The table of each record, and its primary key."""

_STATES = {state.value: state for state in State}
_MONEY = {money.value: money for money in Money}


COLUMNS = {kind: tuple(field.name for field in fields(kind)) for kind in TABLES}
"""The columns of each record: the names of its fields."""

_COMMON = {"key", "sha256", "suffix", "document", "clip", "output", "provider", "kind", "model"}
_COMMON |= {"endpoint", "currency", "origin"}
_SHARED = {kind: tuple(i for i, name in enumerate(names) if name in _COMMON) for kind, names in COLUMNS.items()}
"""The columns with texts that other records have too, and the specs: each text is in memory once."""

_AUDIO, _PROTECT = COLUMNS[Artifact].index("audio"), COLUMNS[Binding].index("protect")


def select(kind: type[Record], tail: str = "") -> str:
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


def attempt(row: tuple[Value, ...]) -> Attempt:
    """Return a row of `select(Attempt)` as a record. An unknown state or money word raises KeyError: damage."""
    cells = by_name(Attempt, row)
    cells |= {"state": _STATES[str(cells["state"])], "money": _MONEY[str(cells["money"])]}
    return Attempt(**cells)


def artifact(row: tuple[Value, ...]) -> Artifact:
    """Return a row of `select(Artifact)` as a record."""
    cells = cells_of(Artifact, row)
    cells[_AUDIO] = bool(cells[_AUDIO])
    return Artifact(*cells)


def binding(row: tuple[Value, ...]) -> Binding:
    """Return a row of `select(Binding)` as a record."""
    cells = cells_of(Binding, row)
    cells[_PROTECT] = bool(cells[_PROTECT])
    return Binding(*cells)


def cells_of(kind: type[Record], row: tuple[Value, ...]) -> list[Any]:
    """Return the values of a row, which STRICT tables keep of the types that the fields declare."""
    cells: list[Any] = list(row)
    for column in _SHARED[kind]:
        if text := cells[column]:
            cells[column] = intern(text)
    return cells


def by_name(kind: type[Attempt | Generation], row: tuple[Value, ...]) -> dict[str, Any]:
    """Return the same by column, with a cost that is an amount, or unknown."""
    cells = dict(zip(COLUMNS[kind], cells_of(kind, row), strict=True))
    cells["cost_micros"] = money.checked(cells["cost_micros"])
    return cells


def with_sound_cost(cells: Mapping[str, object]) -> dict[str, object]:
    """Return cells whose cost is an amount, or unknown."""
    return {**cells, "cost_micros": money.checked(cells.get("cost_micros"))}
