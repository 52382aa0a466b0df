"""Tables: each row of a CSV or JSONL file becomes a clip of its own, named by its cells.

`{COLUMN}` in a field of the declaration means the cell of the row. It becomes `${row.COLUMN}` at the place of the
row, so that the resolver puts the cell in as plain text that is never read again, and mistakes name file and line. A
value that is nothing but a name is read as if the cell were written there without quotes; with an empty cell it is left
out, as if the line were missing. The order of rows decides nothing.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import NoReturn

from reconciler.diagnostics import Source
from reconciler.frozen import dataclass
from reconciler.spec.matrix import MAX_CLIPS, Combination
from reconciler.spec.problems import Problems, listed, shown
from reconciler.spec.reader import Fields, Items, MappingEntry, Node, Scalar, decoded
from reconciler.spec.scalars import NAME

SUFFIXES = (".csv", ".jsonl")
_CELL = re.compile(rf"(?<![{{$])\{{({NAME.pattern})\}}(?!\}})")
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row by column, and the line on which it begins."""

    cells: Mapping[str, str]
    where: Source


@dataclass(frozen=True, slots=True)
class RowClip:
    """The clip of a row."""

    name: str
    row: Row


@dataclass(frozen=True, slots=True)
class Table:
    """A file, and its clips by the cells that they are named by, which `overrides` can name like values of a matrix."""

    file: str
    clips: Mapping[Combination, RowClip]


class _Faulty(Exception):
    """A row cannot be read; `args` are the message, its line and help."""


def read_table(file: str, data: bytes, problems: Problems) -> tuple[Row, ...] | None:
    """Return the rows of a table, or None after reporting what is wrong with it."""
    text = decoded(file, data, problems)
    if text is None:
        return None
    rows: list[Row] = []
    try:
        for number, cells in _records(text) if file.endswith(".csv") else _objects(text):
            if len(rows) == MAX_CLIPS:
                _fail(f"a table can have at most {MAX_CLIPS:,} rows", number, "split the project")
            rows.append(Row(cells, Source(file, number, 1)))
    except _Faulty as fault:
        message, number, help = fault.args
        problems.error("table", message, Source(file, number, 1), help)
        return None
    if not rows:
        problems.error("table", "the table has no rows", Source(file, 1, 1), "add one, or remove the clip")
    return tuple(rows) or None


def _fail(message: str, line: int, help: str = "") -> NoReturn:
    raise _Faulty(message, line, help)


def _records(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line and the cells of each row of a CSV text that is not empty."""
    head = text.lstrip().partition("\n")[0]
    reader = csv.reader(text.splitlines(keepends=True), delimiter=max(_DELIMITERS, key=head.count), strict=True)
    columns: list[str] = []
    line = 1
    try:
        for values in reader:
            cells, first, line = [value.strip() for value in values], line, reader.line_num + 1
            if not any(cells):
                continue
            if not columns:
                columns = cells
                _require_unlike([name for name in columns if name], first)
            elif len(cells) != len(columns):
                help = "a cell with a separator in it needs quotes"
                _fail(
                    f"this row and the first one differ in length: {len(cells)} and {len(columns)} cells", first, help
                )
            else:
                yield first, {name: cell for name, cell in zip(columns, cells, strict=True) if name}
    except csv.Error as error:
        _fail(f"this is not a row of a table: {error}", line, "check its quotes")


def _require_unlike(columns: list[str], line: int) -> None:
    for index, name in enumerate(columns):
        if name in columns[:index]:
            _fail(f"two columns are named {shown(name)}", line, "rename one of the two")


def _objects(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line and the cells of each object of a JSONL text."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            pairs = json.loads(
                line, parse_float=str, parse_int=str, parse_constant=_no_constant, object_pairs_hook=_Pairs
            )
        except (ValueError, RecursionError):
            _fail("this line is not JSON", number, 'write one object on each line: {"id": "1", "prompt": "a lamp"}')
        if not isinstance(pairs, _Pairs):
            _fail("this line is not a JSON object", number, 'write {"id": "1", "prompt": "a lamp"}')
        _require_unlike([name for name, _ in pairs], number)
        yield number, {name: _cell(name, value, number) for name, value in pairs}


class _Pairs(list[tuple[str, object]]):
    """The members of a JSON object."""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _cell(name: str, value: object, line: int) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return value.strip()
    _fail(f"{shown(name)} is not a text, a number, or yes or no", line, "give each part a column of its own")


def columns_in(template: str) -> tuple[str, ...]:
    """Return the columns that a text names, in order."""
    return tuple(dict.fromkeys(_CELL.findall(template)))


def table_of(file: str, rows: Collection[Row], name: Scalar, problems: Problems) -> Table:
    """Return the clips of a table, whose names have the pattern `name`; reports those that cannot be named so."""
    columns = columns_in(name.text)
    if not columns:
        problems.error(
            "clip-name", f"{shown(name.text)} has no column in braces", name.where, 'write name: "shot-{id}"'
        )
    clips: dict[Combination, RowClip] = {}
    named: dict[str, Row] = {}
    for row in rows if columns else ():
        missing = [column for column in columns if column not in row.cells]
        if missing:
            meant = problems.did_you_mean(missing[0], row.cells)
            message = f"unknown column {shown(missing[0])}{meant}"
            problems.error("unknown-name", message, _place(name, row), f"its columns are {listed(row.cells, 'and')}")
            continue
        text = _CELL.sub(lambda match, cells=row.cells: cells[match[1]], name.text)  # type: ignore[misc]
        if not NAME.fullmatch(text):
            message = f"this row's clip cannot be named {shown(text)}"
            problems.error("clip-name", message, row.where, "use up to 100 letters, digits, - and _")
        elif text in named:
            message = f"this row's clip {shown(text)} is also that of {named[text].where}"
            problems.error("duplicate-clip", message, row.where, f"make {listed(columns, 'and')} unlike in each row")
        else:
            named[text] = row
            clips[tuple((column, row.cells[column]) for column in columns)] = RowClip(text, row)
    return Table(file, clips)


def _place(node: Scalar, row: Row) -> Source:
    """Return the place of a mistake in a column's name: the rows of a CSV all have the same ones."""
    return node.where if row.where.file.endswith(".csv") else row.where


def filled(entries: Mapping[str, MappingEntry], row: Row, others: Collection[str]) -> dict[str, MappingEntry]:
    """Return the fields of one row. `others` are names in braces that are no columns."""
    values = ((key, entry.key, _filled(entry.value, row, others)) for key, entry in entries.items())
    return {key: MappingEntry(name, value) for key, name, value in values if value is not None}


def _filled(node: Node, row: Row, others: Collection[str]) -> Node | None:
    match node:
        case Scalar(text=text):

            def token(match: re.Match[str]) -> str:
                is_other = match[1] in others and match[1] not in row.cells
                return match[0] if is_other else f"${{row.{match[1]}}}"

            whole, new = _CELL.fullmatch(text), _CELL.sub(token, text)
            if whole and row.cells.get(whole[1]) == "":
                return None
            if new == text:
                return node
            has_all = all(column in row.cells or column in others for column in columns_in(text))
            return Scalar(new, node.quoted and not whole, row.where if has_all else _place(node, row))
        case Items(items=items):
            values = [_filled(item, row, others) for item in items]
            return replace(node, items=tuple(value for value in values if value is not None))
        case Fields(entries=entries):
            return Fields(filled(entries, row, others), node.where)
