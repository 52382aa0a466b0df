"""Resolve `${…}` in texts: from nodes and the names in scope to the raw tree that the models validate.

There are no expressions: a name is replaced by a text, and `$${` is a literal `${`. Two names have a value
instead and must be the whole text: `${clips.NAME.last_frame}` is another clip's frame, and `${env.X}` in a credential
is the *name* of a secret. In an address `${env.X}` stays as it is. The environment is never read here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import NoReturn

from reconciler.diagnostics import Source
from reconciler.frozen import dataclass
from reconciler.spec import volume as bounds
from reconciler.spec.problems import Problems, listed, named, shown
from reconciler.spec.reader import Fields, Items, Node, Scalar
from reconciler.spec.scalars import MAX_TEXT, Bare
from reconciler.spec.values import ClipMedia, Frame, Secret
from reconciler.spec.volume import Volume

_TOKEN = re.compile(r"\$\$\{|\$\{(?P<body>(?:[^${}]|\$\{[^${}]*\})*)\}|\$\{")
_PLAIN_NAME = re.compile(r"\$\{((?:vars|matrix)\.[^${}]+|clip\.name)\}")
_HEADS = ("vars", "matrix", "clip", "clips", "env")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Raw = str | ClipMedia | Secret | list["Raw"] | dict[str, "Raw"]


class Env(Enum):
    """The meaning of `${env.X}` in a text."""

    REFUSED = "refused"
    KEPT = "kept"  # part of an address: stays as written until the address is used
    NAME = "name"  # the name of a secret


@dataclass(frozen=True, slots=True)
class NameScope:
    """The names that a text can use; None if that sort of name is not allowed."""

    vars: Mapping[str, str]
    matrix: Mapping[str, str] | None = None
    clip: str | None = None
    row: Mapping[str, str] | None = None
    env: Env = Env.REFUSED


class TooMuch(Exception):
    """The resolved text exceeds the limit; the problem has been reported."""


class Unresolved(str):
    """A text with names that are not resolved yet: its value is checked later."""

    __slots__ = ()


class _Unresolved(Exception):
    """This text cannot be resolved; the problem has been reported."""


def plain(node: Node, opening: str = "${") -> Raw:
    """Return the raw tree of a node with nothing resolved, to check a file by itself. `opening` begins a name; in a
    clip with rows, names of columns are in mere braces."""
    match node:
        case Scalar(text=text, quoted=quoted):
            return Unresolved(text) if opening in text else text if quoted else Bare(text)
        case Items(items=items):
            return [plain(item, opening) for item in items]
        case Fields(entries=entries):
            opening = "{" if "rows" in entries else opening
            return {key: plain(entry.value, opening) for key, entry in entries.items()}


class Resolver:
    """Resolves nodes and counts their volume."""

    def __init__(self, problems: Problems, volume: Volume | None = None) -> None:
        self._problems = problems
        self.volume = volume or Volume()

    def apart(self, problems: Problems) -> Resolver:
        """Return a resolver that continues this count and reports to another collector."""
        return Resolver(problems, Volume(self.volume.values, self.volume.written))

    def resolve(self, node: Node, scope: NameScope) -> Raw | None:
        """Return the raw tree of a node, or None after reporting that something in it cannot be resolved."""
        match node:
            case Scalar(text=text, quoted=quoted):
                self.volume.values += 1
                if self.volume.values > bounds.MAX_VALUES:
                    self._too_much(f"the resolved files have more than {bounds.MAX_VALUES:,} values", node.where)
                if "${" not in text:
                    return text if quoted else Bare(text)
                return self._scalar(node, scope)
            case Items(items=items):
                values = [self.resolve(item, scope) for item in items]
                return None if None in values else [value for value in values if value is not None]
            case Fields(entries=entries):
                fields = {key: self.resolve(entry.value, scope) for key, entry in entries.items()}
                return None if None in fields.values() else {k: v for k, v in fields.items() if v is not None}

    def add_variables(self, section: Fields, variables: dict[str, str]) -> None:
        """Add the variables of a section. Each can use only those above it, so none is circular."""
        for name, entry in section.entries.items():
            value = self.resolve(entry.value, NameScope(variables)) if isinstance(entry.value, Scalar) else None
            variables[name] = str(value) if isinstance(value, str) else ""

    def _scalar(self, scalar: Scalar, scope: NameScope) -> Raw | None:
        try:
            value = self._text(scalar, scope)
        except _Unresolved:
            return None
        return Bare(value) if isinstance(value, str) and not scalar.quoted else value

    def _text(self, scalar: Scalar, scope: NameScope) -> str | ClipMedia | Secret:
        if (filled := _filled(scalar.text, scope)) is not None:
            return self._joined(filled, scalar)
        parts: list[str] = []
        end = failed = 0
        for token in _TOKEN.finditer(scalar.text):
            parts.append(scalar.text[end : token.start()])
            end = token.end()
            whole = token.start() == 0 and end == len(scalar.text)
            try:
                value = "${" if token[0] == "$${" else self._token(token, whole, scope, scalar)
            except _Unresolved:
                failed += 1
                continue
            if not isinstance(value, str):
                return value
            parts.append(value)
        if failed:
            raise _Unresolved
        parts.append(scalar.text[end:])
        return self._joined(parts, scalar)

    def _joined(self, parts: list[str], scalar: Scalar) -> str:
        size = sum(map(len, parts))
        if size > MAX_TEXT and size > len(scalar.text):
            self._fail("too-long", f"this resolves to {size:,} characters; the limit is {MAX_TEXT:,}", scalar.where)
        self.count(size, scalar.where)
        return "".join(parts)

    def count(self, characters: int, where: Source | None) -> None:
        """Add the size of a text that was put together. Raises TooMuch, with the problem at `where`."""
        self.volume.written += characters
        if self.volume.written > bounds.MAX_WRITTEN:
            self._too_much(f"the resolved files have more than {bounds.MAX_WRITTEN:,} characters", where)

    def _too_much(self, message: str, where: Source | None) -> NoReturn:
        self._problems.error("too-much", message, where, "split the project, or use fewer combinations")
        raise TooMuch

    def _token(self, token: re.Match[str], whole: bool, scope: NameScope, scalar: Scalar) -> str | ClipMedia | Secret:
        body = token["body"]
        if body is not None and (text := _simple_value(body, scope)) is not None:
            return text
        where = _within(scalar, token.start(), token.end())
        if body is None:
            self._fail("interpolation", "'${' is not closed", where, "write $${ for a literal ${")
        inner = self._text(Scalar(body, True, where), scope) if "${" in body else body
        if not isinstance(inner, str):
            self._fail("interpolation", f"{shown(token[0])} has a clip or a secret inside a name", where)
        head, _, name = inner.strip().partition(".")
        match head:
            case "vars":
                return self._named("variable", name, scope.vars, where, "declare it under vars")
            case "matrix" if scope.matrix is not None:
                return self._named("matrix value", name, scope.matrix, where, "declare it under matrix")
            case "row" if scope.row is not None:
                return self._named("column", name, scope.row, where, f"its columns are {listed(scope.row, 'and')}")
            case "clip" if scope.clip is not None and name == "name":
                return scope.clip
            case "clips" if scope.clip is not None:
                return self._clip(name, whole, where)
            case "env":
                return self._env(name, whole, scope, where)
            case _:
                self._unknown(token[0], head, name, scope, where)

    def _named(self, sort: str, name: str, values: Mapping[str, str], where: Source, help: str) -> str:
        if name not in values:
            meant = self._problems.did_you_mean(name, values)
            self._fail("unknown-name", f"unknown {sort} {shown(name)}{meant}", where, help)
        return values[name]

    def _clip(self, path: str, whole: bool, where: Source) -> ClipMedia:
        name, _, part = path.rpartition(".")
        if not name or part not in set(Frame):
            parts = listed([f"${{clips.{named(name or part or 'NAME')}.{frame}}}" for frame in Frame])
            meant = self._problems.did_you_mean(part, [str(frame) for frame in Frame]) if name else ""
            self._fail("interpolation", f"a clip has no {shown(part)} to refer to{meant}", where, f"write {parts}")
        if not whole:
            message = f"{shown(f'${{clips.{path}}}')} is a file, so it must be the whole value"
            self._fail("interpolation", message, where, "write nothing else in the field")
        return ClipMedia(name, Frame(part))

    def _env(self, name: str, whole: bool, scope: NameScope, where: Source) -> str | Secret:
        if scope.env is Env.REFUSED:
            message = (
                "${env.…} is only allowed in credentials and addresses of providers, publish and cache; elsewhere"
                " it would get into prompts and keys"
            )
            self._fail("env-here", message, where, "use ${vars.…} for shared texts")
        if not _VARIABLE.fullmatch(name):
            self._fail("interpolation", f"{shown(name)} is not a valid name of an environment variable", where)
        if scope.env is Env.NAME:
            if not whole:
                self._fail("interpolation", "a credential must be a single ${env.…} and nothing else", where)
            return Secret(name)
        return f"${{env.{name}}}"

    def _unknown(self, token: str, head: str, name: str, scope: NameScope, where: Source) -> NoReturn:
        clip, _, part = name.rpartition(".") if head in ("clip", "clips") else (head, "", name)
        if scope.clip and part in set(Frame):
            meant = f"; did you mean '${{clips.{named(clip or 'NAME')}.{part}}}'?"
            self._fail("interpolation", f"unknown name {shown(token)}{meant}", where)
        if head == "matrix":
            self._fail("interpolation", f"{shown(token)} is used without a matrix", where, "add a matrix to the clip")
        if head in ("clip", "clips"):
            help = "of the clip itself only ${clip.name} can be used" if scope.clip else ""
            self._fail("interpolation", f"{shown(token)} cannot be used here", where, help)
        if not name and head in scope.vars:
            self._fail("interpolation", f"unknown name {shown(token)}; did you mean '${{vars.{head}}}'?", where)
        meant = self._problems.did_you_mean(head, _HEADS)
        help = "known names: ${vars.…}, ${matrix.…}, ${clip.name}, ${clips.NAME.last_frame}; $${ is a literal ${"
        self._fail("interpolation", f"unknown name {shown(token)}{meant}", where, help)

    def _fail(self, code: str, message: str, where: Source, help: str = "") -> NoReturn:
        self._problems.error(code, message, where, help)
        raise _Unresolved


def _filled(text: str, scope: NameScope) -> list[str] | None:
    """Return the parts of a text whose names are all plain and known, with their values; None for any other text. Fast
    path: only what is unusual or wrong needs its place."""
    parts = _PLAIN_NAME.split(text)
    for index in range(1, len(parts), 2):
        value = _simple_value(parts[index], scope)
        if value is None:
            return None
        parts[index] = value
    return None if any("$" in part for part in parts[::2]) else parts


def _simple_value(body: str, scope: NameScope) -> str | None:
    """Return the value of a plain variable or matrix name, or the clip's own name; None for any other."""
    head, _, name = body.partition(".")
    if "$" in name or name != name.strip():
        return None
    if head == "vars":
        return scope.vars.get(name)
    if head == "matrix":
        return scope.matrix.get(name) if scope.matrix is not None else None
    return scope.clip if body == "clip.name" else None


def _within(scalar: Scalar, start: int, end: int) -> Source:
    """Return the place of a part of a text if the file has the text verbatim, else of the whole text."""
    where = scalar.where
    width = where.end - where.column
    for quotes in (0, 1):
        if where.end and width == len(scalar.text) + 2 * quotes:
            first = where.column + quotes
            return Source(where.file, where.line, first + start, first + end)
    return where
