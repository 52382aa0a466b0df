"""Change one field of a clip in a YAML file and nothing else, for `retake`, `pick` and `undo`, so that git shows it.

The file is not written out from its nodes: comments, order, layout and line endings would be lost. An edit is a splice
of the text at a place that the reader gave. The result is then read and compared: it must equal the old content with
that one value changed, else the edit is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate, islice
from typing import Any

from reconciler.diagnostics import ClipformError, Source
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.spec.interpolate import plain
from reconciler.spec.problems import Problems, shown
from reconciler.spec.reader import Fields, Items, MappingEntry, Node, Scalar, read
from reconciler.spec.spelling import spellings

_FLOW = re.compile(r"(&\S+\s+)?[{\[]")
_BRACE = re.compile(r"\}")
_CLOSING = re.compile(r"\s*\]")
MAX_CLOSINGS = 20
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(:[0-9]+)?")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")

_COMMA = re.compile(r"\s*,[ \t]*")
_COMMA_BEFORE = re.compile(r",\s*$")

Tree = dict[str, Any]

FieldValue = int | str | Mapping[int, int] | Mapping[str, str] | None
"""A number, a text, numbers by take, texts by name, or None to remove the field."""


def set_field(text: str, file: str, clip: str, field: str, value: FieldValue) -> str:
    """Return the file's text with `field` of a clip set to a value, or removed.

    `clip` is a declared name, or the name of one combination of a matrix (`social[lang=en]`): then an entry of the
    declaration's `overrides` is changed or added. Raises ClipformError if the file cannot be edited without guessing.
    """
    document = _document(text, file)
    declared, combination = _name_parts(clip)
    entry = _declaration(document, declared)
    tree: Tree = {key: plain(entry.value) for key, entry in document.root.entries.items()}
    if combination is None:
        candidates = _set_in_map(document, entry, field, value)
        _put(_change(tree, "clips", declared), field, value)
    else:
        candidates = _set_in_overrides(document, entry, combination, field, value)
        _change_overrides(_change(tree, "clips", declared), combination, field, value)
    for candidate in candidates:
        root = _root(candidate, file)
        if root is not None and plain(root) == tree:
            return document.bom + candidate
    help = f"edit it by hand: {f'remove {field}' if value is None else f'{field}: {_as_yaml(value)}'}"
    raise ClipformError(f"{file} cannot be edited safely at clip {shown(clip)}", help=help, code="edit")


def written_text(text: str, file: str, clip: str, field: str) -> str | None:
    """Return the text of a clip's own field as the file has it, with `${…}` unresolved; None if the declaration does
    not state it as a text. For one combination of a matrix it is that of its own entry of `overrides`."""
    value = written_value(text, file, clip, field)
    return str(value) if isinstance(value, str) else None


def written_value(text: str, file: str, clip: str, field: str) -> object:
    """Return the value of a clip's own field as `written_text` does: a text, or a map or list of values."""
    document = _document(text, file)
    declared, combination = _name_parts(clip)
    body = _declaration(document, declared).value
    if combination is not None and isinstance(body, Fields):
        items = body.list_at("overrides")
        index = _exact_override([plain(item) for item in items], combination, field)
        item = items[index] if index is not None else None
        body = item.map_at("set") if isinstance(item, Fields) else item  # type: ignore[assignment]  # checked below
    entry = body.entries.get(field) if isinstance(body, Fields) else None
    return None if entry is None else plain(entry.value)


# The text and its places ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Document:
    text: str
    bom: str
    root: Fields
    lines: tuple[str, ...]  # with their ends
    starts: tuple[int, ...]

    def at(self, where: Source, column: int | None = None) -> int:
        """Return the index of a place in the text."""
        return self.starts[where.line - 1] + (where.column if column is None else column) - 1

    @property
    def ending(self) -> str:
        """The file's line ending."""
        first = self.lines[0]
        return first[len(first.rstrip("\r\n")) :] or "\n"

    def end_of_line(self, line: int) -> int:
        """Return the index after a line's text, before its line ending."""
        return self.starts[line - 1] + len(self.lines[line - 1].rstrip("\r\n"))

    def splice(self, start: int, end: int, new: str) -> str:
        return self.text[:start] + new + self.text[end:]

    def is_flow(self, where: Source) -> bool:
        """True if a map or list in brackets starts at a place."""
        return _FLOW.match(self.text, self.at(where)) is not None


def _document(text: str, file: str) -> _Document:
    bom, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    root = _root(body, file)
    if root is None:
        raise ClipformError(f"{file} has errors, so it is not edited", help=command("validate"), code="edit")
    lines = tuple(match[0] for match in _LINE.finditer(body) if match[0])
    return _Document(body, bom, root, lines, tuple(accumulate(map(len, lines), initial=0)))


def _root(text: str, file: str) -> Fields | None:
    problems = Problems()
    root = read(file, text.encode("utf-8", "surrogatepass"), problems)
    return root if isinstance(root, Fields) and not problems.errors else None


def _name_parts(clip: str) -> tuple[str, dict[str, str] | None]:
    """Split a clip's name into the declared name and the values of its combination."""
    declared, bracket, values = clip.partition("[")
    pairs = (value.partition("=") for value in values.removesuffix("]").split(","))
    return declared, {axis: value for axis, _, value in pairs} if bracket else None


def _declaration(document: _Document, name: str) -> MappingEntry:
    clips = document.root.entries.get("clips")
    if clips is None or not isinstance(clips.value, Fields) or name not in clips.value.entries:
        raise ClipformError(f"{document.root.where.file} does not declare clip {shown(name)}", code="edit")
    entry = clips.value.entries[name]
    if not isinstance(entry.value, Fields) and not (isinstance(entry.value, Scalar) and not entry.value.text):
        raise ClipformError(f"clip {shown(name)} is not a map of fields", help=command("validate"), code="edit")
    return entry


# The expected tree ---------------------------------------------------------------------------


def _change(tree: Tree, *path: str) -> Tree:
    """Return the map at a path, and create what is missing."""
    for key in path:
        if not tree.get(key):
            tree[key] = {}
        tree = tree[key]
    return tree


def _put(tree: Tree, field: str, value: FieldValue) -> None:
    if value is None:
        tree.pop(field, None)
    else:
        tree[field] = _as_tree(value)


def _as_tree(value: FieldValue) -> str | Tree:
    return {str(key): str(number) for key, number in value.items()} if isinstance(value, Mapping) else str(value)


def _as_yaml(value: FieldValue) -> str:
    """Return a value as YAML for use inside brackets."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_as_yaml(item)}' for key, item in value.items())}}}"
    return str(value) if isinstance(value, int) else _written(value or "")


def _change_overrides(body: Tree, combination: dict[str, str], field: str, value: FieldValue) -> None:
    if not body.get("overrides"):
        body["overrides"] = []
    index = _exact_override(body["overrides"], combination, field)
    if index is not None:
        _put(_change(body["overrides"][index], "set"), field, value)
    elif value is not None:
        body["overrides"].append({"when": dict(combination), "set": {field: _as_tree(value)}})


def _exact_override(overrides: list[Any], combination: dict[str, str], field: str) -> int | None:
    """Return the index of the override for exactly this combination, unless a later one overrules it."""
    for index in range(len(overrides) - 1, -1, -1):
        when = overrides[index].get("when") or {} if isinstance(overrides[index], dict) else {}
        if when == combination:
            return index
        if when.items() <= combination.items() and _sets(overrides[index], field):
            return None
    return None


def _sets(override: object, field: str) -> bool:
    return isinstance(override, dict) and field in (override.get("set") or {})


# Splices, as candidates in order of preference ---------------------------------------------------


def _set_in_map(document: _Document, holder: MappingEntry, field: str, value: FieldValue) -> Iterator[str]:
    """Yield texts with a field of the map under `holder` replaced, removed or added."""
    body = holder.value
    entry = body.entries.get(field) if isinstance(body, Fields) else None
    in_brackets = document.is_flow(body.where)
    if entry is not None:
        yield from _replaced(document, entry, value, in_brackets)
    elif isinstance(value, int | Mapping):
        yield from _added(document, holder, f"{field}: {_as_yaml(value)}")
    elif value is not None:
        for spelling in spellings(value, "", 0):
            yield from _added(document, holder, f"{field}: {spelling}")


def _replaced(document: _Document, entry: MappingEntry, value: FieldValue, in_brackets: bool) -> Iterator[str]:
    """Yield texts with the value of an entry replaced, or with the entry removed."""
    old, key = entry.value, entry.key.where
    if isinstance(old, Fields):
        yield from _replaced_map(document, entry, value, in_brackets)
        return
    if not isinstance(old, Scalar) or (in_brackets and not old.where.end):
        return
    start, after = document.at(old.where), _block_end(document, key.line, key.column + 1)
    end = document.at(old.where, old.where.end) if old.where.end else document.end_of_line(after - 1)
    if value is not None:
        indent = 0 if in_brackets else key.column + 1
        blank = " " if start and document.text[start - 1] == ":" else ""
        maps = (_as_yaml(value),) if isinstance(value, Mapping) else ()
        for spelling in maps or spellings(str(value), document.text[start:end], indent, document.ending):
            yield document.splice(start, end, blank + spelling)
    else:
        yield _removed(document, entry, end if in_brackets else None)


def _removed(document: _Document, entry: MappingEntry, end: int | None) -> str:
    """Return the text without an entry: of a map in brackets up to its `end` and one comma, of a block its lines."""
    key = entry.key.where
    if end is None:
        after = _block_end(document, key.line, key.column + 1)
        return document.splice(document.starts[key.line - 1], document.starts[after - 1], "")
    begin = document.at(key)
    comma, before = _COMMA.match(document.text, end), _COMMA_BEFORE.search(document.text, 0, begin)
    return document.splice(begin if comma or not before else before.start(), comma.end() if comma else end, "")


def _replaced_map(document: _Document, entry: MappingEntry, value: FieldValue, in_brackets: bool) -> Iterator[str]:
    """Yield texts with a map of numbers replaced: in brackets as a whole, in a block only the number that differs; or
    with the map removed."""
    if value is None and not in_brackets:
        yield _removed(document, entry, None)
    elif document.is_flow(entry.value.where):
        start = document.at(entry.value.where)
        # Every `}` may be the end of the map. The check of the result finds the right one.
        for match in islice(_BRACE.finditer(document.text, start), MAX_CLOSINGS):
            if value is None:
                yield _removed(document, entry, match.end())
            else:
                yield document.splice(start, match.end(), _as_yaml(value))
    elif isinstance(value, Mapping) and isinstance(present := plain(entry.value), dict):
        differing = [(str(key), item) for key, item in value.items() if present.get(str(key)) != str(item)]
        yield from (_set_in_map(document, entry, *differing[0]) if differing else (document.text,))


def _added(document: _Document, holder: MappingEntry, *new: str) -> Iterator[str]:
    """Yield texts with an entry (as lines) added to the map under `holder`, at its end if possible, else its start."""
    body = holder.value
    if isinstance(body, Fields) and document.is_flow(body.where):
        bracket = document.text.index("{", document.at(body.where)) + 1
        comma = "" if not body.entries else "," if document.text[bracket] in "\r\n" else ", "
        yield document.splice(bracket, bracket, " ".join(new) + comma)
    elif isinstance(body, Fields):
        first = next(iter(body.entries.values())).key.where
        yield _with_lines(document, _block_end(document, first.line, first.column), first.column, new)
        yield _with_lines(document, first.line, first.column, new)
    else:
        yield _with_lines(document, holder.key.where.line + 1, holder.key.where.column + 2, new)


def _block_end(document: _Document, line: int, column: int) -> int:
    """Return the line after the block that contains `line` and is indented to `column`.

    Blank lines after the block and less indented comments do not belong to it.
    """
    end = line
    for number in range(line + 1, len(document.lines) + 1):
        written = document.lines[number - 1].rstrip()
        content = written.lstrip(" ")
        if len(written) - len(content) >= column - 1 and content:
            end = number
        elif content and not content.startswith("#"):
            break
    return end + 1


def _with_lines(document: _Document, line: int, column: int, new: tuple[str, ...]) -> str:
    """Insert lines before line number `line`, indented to a column, with the file's line endings."""
    ending = document.ending
    at = document.starts[line - 1]
    block = "".join(" " * (column - 1) + text + ending for text in new)
    if at and document.text[at - 1] not in "\r\n":  # the last line has no line ending, and must not get one
        block = ending + block.removesuffix(ending)
    return document.splice(at, at, block)


def _set_in_overrides(
    document: _Document, entry: MappingEntry, combination: dict[str, str], field: str, value: FieldValue
) -> Iterator[str]:
    body = entry.value
    overrides = body.entries.get("overrides") if isinstance(body, Fields) else None
    when = ", ".join(f"{axis}: {_written(text)}" for axis, text in combination.items())
    new = f"{{when: {{{when}}}, set: {{{field}: {_as_yaml(value)}}}}}"
    if overrides is None:
        in_brackets = isinstance(body, Fields) and document.is_flow(body.where)
        yield from _added(document, entry, *([f"overrides: [{new}]"] if in_brackets else ["overrides:", f"  - {new}"]))
        return
    items = overrides.value.items if isinstance(overrides.value, Items) else ()
    index = _exact_override([plain(item) for item in items], combination, field)
    if index is None:
        yield from _appended(document, overrides, items, new)
    elif isinstance(item := items[index], Fields) and "set" in item.entries:
        yield from _set_in_map(document, item.entries["set"], field, value)


def _appended(document: _Document, overrides: MappingEntry, items: tuple[Node, ...], new: str) -> Iterator[str]:
    """Yield texts with an item added at the end of a list, where the last match wins."""
    where = overrides.value.where
    if isinstance(overrides.value, Scalar):
        yield _with_lines(document, overrides.key.where.line + 1, overrides.key.where.column + 2, (f"- {new}",))
    elif not document.is_flow(where):
        end = _block_end(document, items[-1].where.line, where.column + 1)
        yield _with_lines(document, end, where.column, (f"- {new}",))
    else:
        # Every `]` may be the end of the list. The check of the result finds the right one.
        for match in islice(_CLOSING.finditer(document.text, document.at(where)), MAX_CLOSINGS):
            yield document.splice(match.start(), match.start(), (", " if items else "") + new)


def _written(text: str) -> str:
    """Return a text as YAML for use inside brackets."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
