"""Format a file: indentation, quotes where YAML would guess, blanks in lines; the order of keys only if asked.

Comments, order, empty lines and line endings stay. Nothing is written out from nodes: each step edits the text at the
places that the reader gave, and its result is read and compared. A step whose result reads differently is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from types import UnionType
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel

from reconciler.diagnostics import ClipformError
from reconciler.spec.field_types import Leaf, RawText
from reconciler.spec.interpolate import plain
from reconciler.spec.model import Matrix, ProjectFile
from reconciler.spec.problems import Problems
from reconciler.spec.reader import Fields, Items, Node, Scalar, read
from reconciler.spec.shape import content, element

INDENT = 2
_GUESSED = re.compile(
    r"~|null|true|false|yes|no|on|off|y|n|[-+]?(\.\d+|\d[\d_]*\.?\d*)(e[-+]?\d+)?|0x[0-9a-f]+|0o[0-7]+|[-+]?\.(inf|nan)"
    r"|\d{4}-\d\d?-\d\d?",
    re.IGNORECASE,
)
"""Plain texts that other readers take for a number, a yes or no, nothing, or a date."""
_BLOCK = re.compile(r"(^|[:\-] +)[|>][-+0-9]*\s*(#.*)?$")
_TEXTS = ("text", "name")
_INDENTS = (yaml.BlockEntryToken, yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken)
"""Tokens beside which blanks may be the indentation of the lines below."""


def formatted(text: str, file: str, *, sort: bool = False) -> str:
    """Return the text of a file in the common layout. Raises ClipformError for a file with YAML errors."""
    bom, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    before = _tree(body, file)
    steps: list[Callable[[str, Node], str]] = [_with_quotes, _with_indents, _with_single_blanks, _without_blanks]
    for step in [*steps, _sorted] if sort else steps:
        root = _root(body, file)
        body = step(body, root) if root is not None else body
        if _tree(body, file) != before:
            raise ClipformError(f"{file} cannot be formatted safely", help="format it by hand", code="edit")
    return bom + body


def _root(text: str, file: str) -> Node | None:
    problems = Problems()
    root = read(file, text.encode("utf-8", "surrogatepass"), problems)
    if problems.errors:
        raise ClipformError(f"{file} has errors, so it is not formatted", code="edit")
    return root


def _tree(text: str, file: str) -> object:
    root = _root(text, file)
    return None if root is None else plain(root)


# Quotes --------------------------------------------------------------------------------------


def _with_quotes(text: str, root: Node) -> str:
    starts = _starts(text)
    places = {(s.where.line, s.where.column): s for s in _texts(root, ProjectFile) if _GUESSED.fullmatch(s.text)}
    pieces, done = list[str](), 0
    for (line, column), scalar in sorted(places.items()):
        start = starts[line - 1] + column - 1
        end = start + len(scalar.text)
        if not scalar.quoted and text[start:end] == scalar.text:
            pieces += [text[done:start], f'"{scalar.text}"']
            done = end
    return "".join([*pieces, text[done:]])


def _texts(node: Node, annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[Scalar]:
    """Yield the scalars whose field is a text."""
    kind = content(annotation)
    match node:
        case Scalar() if (leaf := _leaf(annotation, metadata)) is not None and leaf.label in _TEXTS:
            yield node
        case Fields(entries=entries) if isinstance(kind, type) and issubclass(kind, BaseModel):
            for key, entry in entries.items():
                field = kind.model_fields.get(key)
                if field is not None:
                    yield from _texts(entry.value, field.annotation, tuple(field.metadata))
                elif kind is Matrix:
                    yield from _texts(entry.value, tuple[RawText, ...])
        case Fields(entries=entries) if get_origin(kind) is dict:
            for entry in entries.values():
                yield from _texts(entry.value, element(kind))
        case Items(items=items) if get_origin(kind) is tuple:
            for item in items:
                yield from _texts(item, element(kind))
        case _:
            return


def _leaf(annotation: Any, metadata: tuple[Any, ...] = ()) -> Leaf | None:
    for item in (*metadata, *getattr(annotation, "__metadata__", ())):
        if isinstance(item, Leaf):
            return item
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    return next(filter(None, map(_leaf, options)), None)


# Indentation ---------------------------------------------------------------------------------


def _with_indents(text: str, root: Node) -> str:
    lines = text.splitlines(keepends=True)
    wanted = dict(_indents(root, 0, lines, set()))
    shift, level, edited = 0, 0, list[str]()
    shifts: dict[int, int] = {}  # of the keys above, by their indentation
    for number, line in enumerate(lines, 1):
        following = next((n for n in range(number, len(lines) + 1) if _is_content(lines[n - 1])), number)
        if number in wanted:
            level = _width(line)
            shift = shifts[level] = wanted[number] - level
            edited.append(" " * wanted[number] + re.sub(r"^-[ ]+(?=\S)", "- ", line.lstrip(" ")))
            continue
        width, move = _width(line), shift
        if not _is_content(line) and following in wanted and width == _width(lines[following - 1]):
            move = wanted[following] - width  # a comment moves with the key below it, else with one above
        elif not _is_content(line) and width <= level:
            move = shifts.get(width, shift)
        indent = max(0, width + move) if width else 0
        edited.append(" " * indent + line.lstrip(" "))
    return "".join(edited)


def _indents(node: Node, indent: int, lines: list[str], seen: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the lines on which a key or an item of a block begins, with the indentation that they should have."""
    if id(node) in seen or isinstance(node, Scalar) or _at(lines, node)[:1] in ("{", "["):
        return
    seen.add(id(node))  # an alias leads to the same node
    if isinstance(node, Fields):
        for key, value in node.entries.values():
            if _width(lines[key.where.line - 1]) == key.where.column - 1:
                yield key.where.line, indent
            yield from _indents(value, indent + INDENT, lines, seen)
    elif _at(lines, node)[:1] == "-":
        for item in node.items:
            number = item.where.line
            while number > node.where.line and not lines[number - 1].lstrip(" ").startswith("-"):
                number -= 1
            if _width(lines[number - 1]) == node.where.column - 1:
                yield number, indent
            yield from _indents(item, indent + INDENT, lines, seen)


def _at(lines: list[str], node: Node) -> str:
    return lines[node.where.line - 1][node.where.column - 1 :]


def _width(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


# Blanks and order ----------------------------------------------------------------------------


def _with_single_blanks(text: str, root: Node) -> str:
    """Reduce runs of blanks between the words of a line to one; comments below each other keep their column."""
    tokens = pairwise(yaml.scan(text, Loader=yaml.CBaseLoader))
    gaps = [(one, other, text[one.end_mark.index : other.start_mark.index]) for one, other in tokens]
    columns = dict(comment for one, _, gap in gaps for comment in _comments(one, gap))
    pieces, done, removed = list[str](), 0, 0
    for one, other, gap in gaps:
        start, line = one.end_mark.index, one.end_mark.line
        if gap.strip(" ") or not one.end_mark.column:  # the line ends, or begins after a block of text
            is_aligned = columns.get(line, -1) in (columns.get(line - 1), columns.get(line + 1))
            pieces += [text[done:start], " " * removed] if is_aligned else []
            done, removed = start if is_aligned else done, 0
        elif len(gap) > 1 and not isinstance(one, (*_INDENTS, yaml.KeyToken)) and not isinstance(other, _INDENTS):
            pieces += [text[done:start], " "]
            done, removed = start + len(gap), removed + len(gap) - 1
    return "".join([*pieces, text[done:]])


def _comments(token: yaml.Token, gap: str) -> Iterator[tuple[int, int]]:
    """Yield the line and column of each comment in the text after a token."""
    for offset, line in enumerate(gap.splitlines()):
        if "#" in line:
            yield token.end_mark.line + offset, line.index("#") + (0 if offset else token.end_mark.column)


def _without_blanks(text: str, root: Node) -> str:
    """Remove blanks at the ends of lines, but not in blocks of text, and end the last line."""
    edited, block = list[str](), -1
    for line in text.splitlines(keepends=True):
        if block >= 0 and line.strip() and _width(line) <= block:
            block = -1
        ending = line[len(line.rstrip("\r\n")) :]
        edited.append(line if block >= 0 else line.rstrip() + ending)
        if block < 0 and _BLOCK.search(line.rstrip("\r\n")):
            block = _width(line)
    ending = edited[0][len(edited[0].rstrip("\r\n")) :] or "\n" if edited else ""
    return "".join(edited) + ("" if not edited or edited[-1].endswith(("\n", "\r")) else ending)


def _sorted(text: str, root: Node) -> str:
    lines = text.splitlines(keepends=True)
    for fields, model in reversed([*_models(root, ProjectFile)]):
        keys = [entry.key.where for entry in fields.entries.values()]
        if _at(lines, fields)[:1] == "{" or any(_width(lines[key.line - 1]) != key.column - 1 for key in keys):
            continue
        starts = [_with_comments(lines, key.line) for key in keys]
        last = keys[-1].line
        while last < len(lines) and (not lines[last].strip() or _width(lines[last]) >= keys[-1].column):
            last += 1
        while not lines[last - 1].strip():
            last -= 1
        order = {name: index for index, name in enumerate(model)}
        chunks = zip(fields.entries, starts, [*starts[1:], last], strict=True)
        ranked = sorted(chunks, key=lambda chunk: order.get(chunk[0], len(order)))
        lines[starts[0] : last] = [line for _, start, end in ranked for line in lines[start:end]]
    return "".join(lines)


def _with_comments(lines: list[str], number: int) -> int:
    """Return the index of the first of the comments directly above a line, else of the line."""
    index, width = number - 1, _width(lines[number - 1])
    while index and lines[index - 1].lstrip().startswith("#") and _width(lines[index - 1]) == width:
        index -= 1
    return index


def _models(node: Node, annotation: Any) -> Iterator[tuple[Fields, Mapping[str, Any]]]:
    """Yield the maps with fixed keys and those keys, outer ones first."""
    kind = content(annotation)
    match node:
        case Fields(entries=entries) if isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not Matrix:
            if entries:
                yield node, kind.model_fields
            for key, entry in entries.items():
                if key in kind.model_fields:
                    yield from _models(entry.value, kind.model_fields[key].annotation)
        case Fields(entries=entries) if get_origin(kind) is dict:
            for entry in entries.values():
                yield from _models(entry.value, element(kind))
        case _:
            return


def _starts(text: str) -> list[int]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts
