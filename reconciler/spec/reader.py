"""Parse YAML into nodes with places. No types are guessed: a scalar stays the text that was written.

PyYAML's C parser yields events, and the nodes are composed here. The alternatives were tried and rejected: loaders
assign types by YAML 1.1 (`16:9` is 969 there), `yaml.compose` loses duplicate keys and, with the C parser, overflows
the stack on deep nesting, and the pure Python parser is ten times slower.

Input is bounded: one document, no directives, tags or merge keys, and limits on bytes, depth and nodes, where an alias
counts as all the nodes that it refers to.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, NoReturn, cast

import yaml
from yaml._yaml import Mark as ParserMark

from reconciler.diagnostics import Source
from reconciler.frozen import dataclass
from reconciler.spec.other_names import PLAIN_COLON, WIDE_COLON
from reconciler.spec.problems import Problems, shown

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 40
MAX_NODES = 1_000_000

_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_HIDDEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as written. `quoted` is true for quotes and blocks: a free map reads `"5"` and `5` differently."""

    text: str
    quoted: bool
    where: Source


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    where: Source


class MappingEntry(NamedTuple):
    """A key and its value, each with its place."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """A map, in the order written. Comparison includes the order."""

    entries: dict[str, MappingEntry]
    where: Source

    def __eq__(self, other: object) -> bool:
        """Compare entries, places and order; places alone do not give the order if keys are aliases."""
        if not isinstance(other, Fields):
            return NotImplemented
        entries, others = self.entries, other.entries
        return self.where == other.where and entries == others and [*entries] == [*others]

    def places(self) -> dict[str, Source]:
        """Return where each value is written, by key."""
        return {key: item.value.where for key, item in self.entries.items()}

    def map_at(self, key: str) -> Fields:
        """Return the map under a key; an empty one if there is none."""
        value = self.entries[key].value if key in self.entries else None
        return value if isinstance(value, Fields) else Fields({}, self.where)

    def list_at(self, key: str) -> tuple[Node, ...]:
        """Return the items of the list under a key; an empty tuple if it is not a list."""
        value = self.entries[key].value if key in self.entries else None
        return value.items if isinstance(value, Items) else ()


Node = Scalar | Items | Fields

_Mark = yaml.Mark | ParserMark
_STARTS = (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Disable cyclic garbage collection: nodes have no cycles, and the collector is most of the cost of loading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def read(file: str, data: bytes, problems: Problems) -> Node | None:
    """Return the document of one file, or None if it is empty or unreadable (then `problems` has the reason)."""
    text = decoded(file, data, problems)
    if text is None:
        return None
    parser = yaml.CBaseLoader(text)
    composer = _Composer(file, parser, problems)
    try:
        return composer.document()
    except _Stop:
        return None
    except yaml.YAMLError as error:
        message, help, mark = _explained(error, text)
        problems.error("yaml-syntax", message, composer.place(mark), help)
        return None
    finally:
        parser.dispose()


def decoded(file: str, data: bytes, problems: Problems) -> str | None:
    """Return the text of a file, without a byte order mark; None after reporting why it has none."""
    start = Source(file, 1, 1)
    if len(data) > MAX_BYTES:
        message = f"the file has {len(data) / 1024 / 1024:.1f} MiB; the limit is {MAX_BYTES // 1024 // 1024} MiB"
        problems.error("too-big", message, start, "split it: include accepts a list of files and patterns")
        return None
    if data.startswith(_UTF16):
        problems.error("not-utf-8", "the file is UTF-16; it must be UTF-8", start, "save it as UTF-8")
        return None
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place_after(file, data[: error.start].decode("utf-8", "replace"))
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        problems.error("not-utf-8", message, place, "save the file as UTF-8")
        return None
    bad = _UNREADABLE.search(text)
    if bad:
        place = _place_after(file, text[: bad.start()])
        help = 'remove it; if it is intended, write it as an escape in "double quotes"'
        problems.error("control-character", f"character U+{ord(bad.group()):04X} is not allowed in a file", place, help)
        return None
    return text


def _place_after(file: str, text: str) -> Source:
    """Return the place of the character that follows this text."""
    lines = re.split("\r\n|\r|\n", text)
    return Source(file, len(lines), len(lines[-1]) + 1)


class _Stop(Exception):
    """Reading this file cannot continue; the problem has been reported."""


class _Anchored(NamedTuple):
    """The target of an alias, its number of nodes, and its number of levels below the first."""

    node: Node
    weight: int
    height: int


class _Composer:
    """Composes the events of one text into nodes. It has state, because the parser is a stream."""

    def __init__(self, file: str, parser: yaml.CBaseLoader, problems: Problems) -> None:
        self._file = file
        self._parser = parser
        self._problems = problems
        self._count = 0
        self._deepest = 0
        self._anchors: dict[str, _Anchored | None] = {}  # None: not closed yet

    def place(self, start: _Mark | None, end: _Mark | None = None) -> Source:
        """Return the place of a mark, which counts from 0; its end only if it is on the same line."""
        if start is None:
            return Source(self._file, 1, 1)
        end_column = end.column + 1 if end is not None and end.line == start.line else 0
        return Source(self._file, start.line + 1, start.column + 1, end_column)

    def document(self) -> Node | None:
        """Return the only document, or None for a file without content."""
        root: Node | None = None
        while True:
            match event := self._next():
                case yaml.StreamEndEvent():
                    return root
                case yaml.DocumentStartEvent():
                    if root is not None:
                        message = "a second document starts here; a file can have only one"
                        self._stop("several-documents", message, event, "move it to its own file and include that")
                    if event.version or event.tags:
                        message = "directives (%YAML, %TAG) are not supported"
                        self._problem("directive", message, event, "remove the line")
                    root = self._node(self._next(), 1)
                case _:
                    pass

    def _next(self) -> yaml.Event:
        return self._parser.get_event() or yaml.StreamEndEvent()

    def _node(self, event: yaml.Event, depth: int) -> Node:
        """Return the node that starts with this event, and consume its events."""
        self._spend(1, event)
        if isinstance(event, yaml.ScalarEvent) and event.tag is event.anchor is None:  # as most are
            return self._scalar(event)
        if not isinstance(event, _STARTS):
            return self._alias(cast(yaml.AliasEvent, event), depth)
        if event.tag is not None:
            message = f"tag {shown(str(event.tag))} is not supported: the field decides the type"
            self._problem("tag", message, event, "remove the tag")
        if event.anchor is None:
            return self._content(event, depth)
        self._anchors[event.anchor] = None
        count, deepest, self._deepest = self._count, self._deepest, depth
        node = self._content(event, depth)
        self._anchors[event.anchor] = _Anchored(node, self._count - count + 1, self._deepest - depth)
        self._deepest = max(self._deepest, deepest)
        return node

    def _content(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        self._deepen(depth, event)
        return self._map(event, depth) if isinstance(event, yaml.MappingStartEvent) else self._list(event, depth)

    def _deepen(self, depth: int, event: yaml.Event) -> None:
        """Bound the depth, through aliases too, because walking a node recurses."""
        self._deepest = max(self._deepest, depth)
        if depth > MAX_DEPTH:
            self._stop("too-deep", f"nested more than {MAX_DEPTH} levels deep", event)

    def _alias(self, event: yaml.AliasEvent, depth: int) -> Node:
        if event.anchor not in self._anchors:
            self._stop("undefined-alias", f"alias {shown(str(event.anchor))} has no anchor before it", event)
        target = self._anchors[event.anchor]
        if target is None:
            self._stop("recursive-alias", f"alias {shown(str(event.anchor))} is used inside its own anchor", event)
        self._spend(target.weight, event)
        self._deepen(depth + target.height, event)
        return target.node

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        where = self.place(event.start_mark, event.end_mark)
        text: str = event.value
        quoted = event.style is not None and event.style != ""
        if not text.isprintable():
            self._look_for_hidden(text, where)
        return Scalar(text, quoted, where)

    def _look_for_hidden(self, text: str, where: Source) -> None:
        if bad := _CONTROL.search(text):
            message = f"the text contains the control character U+{ord(bad.group()):04X}"
            self._problems.error("control-character", message, where, "remove the escape")
        elif hidden := _HIDDEN.search(text):
            message = f"the text contains the invisible character U+{ord(hidden.group()):04X}"
            help = "remove it unless it is intended: it is sent unchanged"
            self._problems.warn("hidden-character", message, where, help)

    def _list(self, start: yaml.Event, depth: int) -> Items:
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Items(tuple(items), self.place(start.start_mark, start.end_mark))

    def _map(self, start: yaml.Event, depth: int) -> Fields:
        entries: dict[str, MappingEntry] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(self._next(), depth + 1)
            if self._usable(key, entries) and isinstance(key, Scalar):
                entries[key.text] = MappingEntry(key, value)
        return Fields(entries, self.place(start.start_mark, start.end_mark))

    def _usable(self, key: Node, entries: dict[str, MappingEntry]) -> bool:
        if not isinstance(key, Scalar):
            self._problems.error("key-not-text", "a key must be text, not a list or a map", key.where)
            return False
        if key.text == "<<" and not key.quoted:
            help = "move shared fields to defaults, or repeat them"
            self._problems.error("merge-key", "merge keys (<<) are not supported", key.where, help)
            return False
        if key.text in entries:
            first = entries[key.text].key.where
            message = f"duplicate key {shown(key.text)}; first defined at line {first.line}, column {first.column}"
            self._problems.error("duplicate-key", message, key.where, "remove one of the two")
            return False
        return True

    def _spend(self, nodes: int, event: yaml.Event) -> None:
        self._count += nodes
        if self._count > MAX_NODES:
            message = f"more than {MAX_NODES:,} values, with aliases counted in full"
            self._stop("too-many-nodes", message, event, "split the file, or use fewer aliases")

    def _problem(self, code: str, message: str, event: yaml.Event, help: str = "") -> None:
        self._problems.error(code, message, self.place(event.start_mark, event.end_mark), help)

    def _stop(self, code: str, message: str, event: yaml.Event, help: str = "") -> NoReturn:
        self._problem(code, message, event, help)
        raise _Stop


class _Phrase(NamedTuple):
    """A message of the parser and ours. `opens`: report the place where the construct begins, not where it fails."""

    theirs: str
    ours: str
    help: str
    opens: bool = False


_PHRASES = (
    _Phrase(
        "mapping values are not allowed", "a ':' is not allowed here", "indent the line, or put the text in quotes"
    ),
    _Phrase("cannot start any token", "an unquoted text cannot start with this", "put the text in quotes"),
    _Phrase("expected ',' or ']'", "a list opened with [ is not closed", "close it with ]", opens=True),
    _Phrase("expected ',' or '}'", "a map opened with { is not closed", "close it with }", opens=True),
    _Phrase("expected '-' indicator", "this does not continue the list above", "start it with '- ', or indent it"),
    _Phrase("expected key", "this is not a 'key: value' of the map above", "check the indentation and the quotes"),
    _Phrase("could not find expected ':'", "this key has no ':'", "write 'key: value'"),
    _Phrase("unexpected end of stream", "a quote opened here is never closed", "close the quote", opens=True),
    _Phrase("unknown escape", "unknown escape", "write \\\\ for a backslash, or use 'single quotes'"),
    _Phrase("unknown directive", "directives (%…) are not supported", "remove the line"),
)


def _explained(error: yaml.YAMLError, text: str) -> tuple[str, str, _Mark | None]:
    """Return a message, how to fix it, and the place."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return "this is not valid YAML", "", None
    problem = error.problem or ""
    mark = error.problem_mark or error.context_mark
    if "cannot start any token" in problem and mark and text[mark.index : mark.index + 1] == "\t":
        return "tabs cannot be used for indentation", "indent with spaces", mark
    if "expected node content" in problem:
        character = text[mark.index : mark.index + 1].strip() if mark else ""
        extra = f", or remove the {'comma' if character == ',' else character}" if character else ""
        return "a value is missing here", f"write one{extra}", mark
    wide = _wide_colon(error, text) if "mapping values" in problem or "expected ':'" in problem else None
    if wide:
        return "a key cannot end with the full-width '：'", PLAIN_COLON, wide
    for phrase in _PHRASES:
        if phrase.theirs in problem:
            return phrase.ours, phrase.help, (phrase.opens and error.context_mark) or mark
    return f"this is not valid YAML: {problem}", "put texts with special characters in quotes", mark


def _wide_colon(error: yaml.MarkedYAMLError, text: str) -> _Mark | None:
    """Return the place of a full-width colon after a key, on the lines of an error or just above."""
    lines = text.splitlines()
    numbers = {mark.line - above for mark in (error.context_mark, error.problem_mark) if mark for above in (0, 1)}
    for number in sorted(numbers):
        match = WIDE_COLON.match(lines[number]) if 0 <= number < len(lines) else None
        if match:
            return yaml.Mark("", 0, number, match.end() - 1, None, 0)
    return None
