"""The project file and what it includes, read into a `Project`: every problem of every file at once, or none.

Order of work: texts to nodes, each file's shape, then names and fields. A file that cannot be read does not hide the
problems of the others. Files and declarations are steps that a memo may remember; what is between clips is not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.diagnostics import Diagnostic, Excerpt, Severity, Source, SpecError
from reconciler.spec.expand import Declared, expand
from reconciler.spec.files import PROJECT_FILE, Files, Unreadable
from reconciler.spec.interpolate import NameScope, Resolver, TooMuch, plain
from reconciler.spec.memo import NOTHING, Memo
from reconciler.spec.model import IncludeFile, ProjectFile, SpecModel
from reconciler.spec.problems import Problems, named, shown
from reconciler.spec.project import Project
from reconciler.spec.reader import Fields, Items, MappingEntry, Node, Scalar, collector_paused, read
from reconciler.spec.relations import check_providers, check_relations
from reconciler.spec.sections import read_sections
from reconciler.spec.shape import checked

MAX_FILES = 10_000
MAX_SHOWN = 2000
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PATTERN = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class _File:
    """A file's map, None when it is none; and what was found wrong with it by itself."""

    name: str
    root: Fields | None
    told: Problems


def read_project(
    files: Files, name: str = PROJECT_FILE, env: Mapping[str, str] | None = None, memo: Memo = NOTHING
) -> Project:
    """The whole project, or `SpecError` with all diagnostics in order of file and place.

    `env` is what may be known of the environment: for addresses and the like, never for secrets.
    """
    problems = Problems()
    texts: dict[str, bytes] = {}
    with collector_paused():
        project = _read(_Reading(files, problems, texts, memo), name, env or {})
    diagnostics = _in_order(problems, texts)
    if project is None or problems.errors:
        raise SpecError(diagnostics)
    warnings = tuple(diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.WARNING)
    return replace(project, files=tuple(texts), warnings=warnings, digest=_digest(texts))


@dataclass(frozen=True, slots=True)
class _Root:
    """A file that has a map."""

    name: str
    root: Fields


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one reading of a project works with."""

    files: Files
    problems: Problems
    texts: dict[str, bytes]  # of every file read, in order
    memo: Memo


def _read(on: _Reading, name: str, env: Mapping[str, str]) -> Project | None:
    problems = on.problems
    main = _open(on, name, None, ProjectFile)
    if main is None:
        return None
    included = [*_included(on, main)]
    resolver = Resolver(problems)
    try:
        vars = _vars(main, {}, resolver, on)
        sections = read_sections(main.root, NameScope(vars, environment=env), resolver, problems)
        declared = _declared(on, main, included, vars, resolver)
        expanded = expand(declared, resolver, problems, on.memo)
    except TooMuch:
        return None
    check_providers(expanded.clips, sections.providers, problems)
    check_relations(expanded, problems)
    return Project(
        name=name,
        clips=expanded.clips,
        providers=sections.providers,
        budget=sections.budget,
        publish=sections.publish,
        cache=sections.cache,
        allowed_inputs=sections.allowed_inputs,
    )


def _open(on: _Reading, name: str, where: Source | None, model: type[SpecModel]) -> _Root | None:
    """One file's map, its shape checked; None when it has none."""
    try:
        data = on.texts[name] = on.files.read(name)
    except Unreadable as error:
        on.problems.error("unreadable", f"{named(name)} {error.message}", where or Source(name, 1, 1), error.help)
        return None

    def parse() -> _File:
        told = on.problems.apart()
        root = _parsed(name, data, told)
        if root is not None:
            _check(root, model, told)
        return _File(name, root, told)

    file = on.memo.compute(("file", name), (data, model), parse, keep=lambda file: not file.told.errors)
    on.problems.add(file.told)
    return None if file.root is None else _Root(name, file.root)


def _parsed(name: str, data: bytes, problems: Problems) -> Fields | None:
    """A file's map; one that is empty is a map of nothing."""
    root = read(name, data, problems)
    if root is None and problems.errors:
        return None
    if root is None or (isinstance(root, Scalar) and not root.text):
        return Fields({}, Source(name, 1, 1))
    if not isinstance(root, Fields):
        problems.error("bad-value", "the file must be a map of keys and values", root.where)
        return None
    return root


def _check(root: Fields, model: type[SpecModel], problems: Problems) -> None:
    """The shape of a whole file, by itself. What depends on names is judged when they are known."""
    checked(model, plain(root), root, problems)
    if model is ProjectFile and not root.entries.keys() & {"clips", "include"}:
        help = "add clips: {sunrise: {prompt: mist at sunrise}}"
        problems.error("no-clips", "the project declares no clips", root.where, help)


def _included(on: _Reading, main: _Root) -> Iterable[_Root]:
    """The files that `include` names, each once, in the order named."""
    entry = main.root.entries.get("include")
    for item in entry.value.items if entry and isinstance(entry.value, Items) else ():
        for name in _named(on.files, item, main.name, on.problems) if isinstance(item, Scalar) else ():
            if name in on.texts:
                continue
            if len(on.texts) > MAX_FILES:
                on.problems.error("too-many-files", f"a project has at most {MAX_FILES:,} files", item.where)
                return
            file = _open(on, name, item.where, IncludeFile)
            if file:
                yield file


def _named(files: Files, item: Scalar, main: str, problems: Problems) -> tuple[str, ...]:
    """The paths that one entry of `include` stands for."""
    text = item.text.removeprefix("./")
    if not text or text.startswith(("/", "~")) or ".." in text.split("/") or "${" in text or "\\" in text:
        message = f"include must name files inside the project, not {shown(item.text)}"
        problems.error("include", message, item.where, "write a path or pattern such as clips/*.yaml")
        return ()
    if not _PATTERN & set(text):
        return (text,)
    found = tuple(name for name in files.glob(text) if name != main)
    if not found:
        problems.warn("include", f"no file matches {shown(item.text)}", item.where)
    return found


def _vars(file: _Root, outer: Mapping[str, str], resolver: Resolver, on: _Reading) -> Mapping[str, str]:
    """The file's variables over the outer ones. One may use those above it, so there are no circles."""
    known = dict(outer)
    for name, entry in _entries(file.root, "vars").items():
        value = resolver.resolve(entry.value, NameScope(known)) if isinstance(entry.value, Scalar) else None
        known[name] = str(value) if isinstance(value, str) else ""
    return on.memo.intern(("vars", file.name), known)


def _declared(
    on: _Reading, main: _Root, included: list[_Root], vars: Mapping[str, str], resolver: Resolver
) -> list[Declared]:
    """Every declaration of every file; a name stands once in the project."""
    found: dict[str, Declared] = {}
    base = on.memo.intern(("defaults", main.name), _section(main.root, "defaults"))
    for file in (main, *included):
        own_vars = vars if file is main else _vars(file, vars, resolver, on)
        defaults = base if file is main else _defaults(on, file, base)
        for name, entry in _entries(file.root, "clips").items():
            if name in found:
                first = found[name].key.where
                message = f"clip {shown(name)} is declared twice; the first is at {first}"
                on.problems.error("duplicate-clip", message, entry.key.where, "rename one of the two")
            elif isinstance(body := _as_fields(entry.value), Fields):
                key, body = on.memo.intern(("clip", name), (entry.key, body))
                found[name] = Declared(key, body, defaults.entries, own_vars)
    return list(found.values())


def _defaults(on: _Reading, file: _Root, base: Fields) -> Fields:
    """What a file says for all of its clips, over what the project says."""
    own = on.memo.intern(("defaults", file.name), _section(file.root, "defaults"))
    return on.memo.compute(
        ("all defaults", file.name), (base, own), lambda: Fields({**base.entries, **own.entries}, own.where)
    )


def _section(root: Fields, name: str) -> Fields:
    """A section that is a map; one that is not there is empty. What is no map was told when the file was checked."""
    value = root.entries[name].value if name in root.entries else None
    return value if isinstance(value, Fields) else Fields({}, root.where)


def _entries(root: Fields, section: str) -> Mapping[str, MappingEntry]:
    return _section(root, section).entries


def _as_fields(node: Node) -> Node:
    empty = isinstance(node, Scalar) and not node.text and not node.quoted
    return Fields({}, node.where) if empty else node


def _in_order(problems: Problems, texts: Mapping[str, bytes]) -> tuple[Diagnostic, ...]:
    """Diagnostics by file (the project file first) and place, each with its lines."""
    order = {name: index for index, name in enumerate(texts)}

    def rank(diagnostic: Diagnostic) -> tuple[int, int, int]:
        where = diagnostic.source
        return (order.get(where.file, -1), where.line, where.column) if where else (-1, 0, 0)

    found = sorted(problems.all(), key=rank)
    named = {diagnostic.source.file for diagnostic in found if diagnostic.source}
    lines = {name: shown_lines(name, data, problems.secrets) for name, data in texts.items() if name in named}
    return tuple(replace(diagnostic, excerpt=excerpt(diagnostic.source, lines)) for diagnostic in found)


def shown_lines(name: str, data: bytes, secrets: Iterable[Source] = ()) -> list[str]:
    """The lines of a file as they may be shown: nothing in them steers a terminal, and a literal secret is masked."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = _STEERING.sub("\ufffd", text).split("\n")
    for secret in secrets:
        if secret.file == name:
            lines[secret.line - 1] = lines[secret.line - 1][: secret.column - 1] + "********"
    return lines


def excerpt(where: Source | None, lines: Mapping[str, list[str]]) -> Excerpt | None:
    """The line and the one before it, where a screen can take them."""
    if where is None or where.file not in lines or where.line > len(lines[where.file]):
        return None
    first = max(1, where.line - 1)
    seen = tuple(lines[where.file][first - 1 : where.line])
    return Excerpt(first, seen) if max(map(len, seen)) <= MAX_SHOWN else None


def _digest(texts: Mapping[str, bytes]) -> str:
    """SHA-256 over names and bytes; lengths keep one file's end from being the next one's start."""
    digest = hashlib.sha256()
    for name, data in texts.items():
        for part in (name.encode(), data):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()
