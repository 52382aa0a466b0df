"""Read the project file and its includes into a `Project`, or report every problem of every file at once.

First texts become nodes, then each file's shape is checked, then names are resolved and fields parsed. A file that
cannot be read does not hide the problems of the others. Files and declarations are steps of a memo; checks between
clips are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from reconciler.diagnostics import Diagnostic, Excerpt, Severity, Source, SpecError
from reconciler.frozen import dataclass
from reconciler.spec.cuts import check_cuts, read_cuts
from reconciler.spec.expand import NO_OTHERS, Declared, Others, expand
from reconciler.spec.field_types import SpecModel
from reconciler.spec.files import PROJECT_FILE, Files, Unreadable
from reconciler.spec.interpolate import NameScope, Resolver, TooMuch, plain
from reconciler.spec.keyframes import Keyframes
from reconciler.spec.keyframes import check_used as keyframes_used
from reconciler.spec.looks import Looks, check_used
from reconciler.spec.memo import exactly, intern, reuse
from reconciler.spec.model import EnvironmentFile, IncludeFile, ProjectFile
from reconciler.spec.modules import ModuleFile, with_modules
from reconciler.spec.overlay import check_declared, given_variables, laid_over, with_variables
from reconciler.spec.problems import Problems, named, shown
from reconciler.spec.project import NO_OVERLAY, Project, ProjectOverlay
from reconciler.spec.reader import Fields, Items, MappingEntry, Node, Scalar, collector_paused, read
from reconciler.spec.relations import check_providers, check_relations, read_moves
from reconciler.spec.rows import SUFFIXES, Row, Table, read_table, table_of
from reconciler.spec.sections import read_sections
from reconciler.spec.shape import checked
from reconciler.spec.shared_fields import FileDefaults, split

MAX_FILES = 10_000
MAX_SHOWN = 2000
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PATTERN = frozenset("*?[")
_OVERLAY = re.compile(r"clipform\.[A-Za-z0-9_-]{1,100}\.yaml")
"""The files of environments, which no pattern of `include` matches."""


def read_project(files: Files, overlay: ProjectOverlay = NO_OVERLAY) -> Project:
    """Return the whole project. Raises SpecError with all diagnostics, in order of file and place."""
    project, diagnostics = read_partly(files, overlay)
    if project is None or any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics):
        raise SpecError(diagnostics)
    return project


def read_partly(
    files: Files, overlay: ProjectOverlay = NO_OVERLAY, others: Others = NO_OTHERS
) -> tuple[Project | None, tuple[Diagnostic, ...]]:
    """Return the project without what cannot be read, and all diagnostics, in order of file and place.

    So the clips that can be read are checked further, and one run reports the mistakes of both. None if the project
    file itself cannot be read, or is too large. `others` has what `files` leaves out.
    """
    problems = Problems()
    texts, tables = dict[str, bytes](), dict[str, bytes]()
    with collector_paused():
        project = _read(_Reading(files, problems, texts, overlay, others, tables), PROJECT_FILE)
    diagnostics = tuple(_in_order(problems, texts | tables))
    if project is None:
        return None, diagnostics
    warnings = tuple(diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.WARNING)
    project = replace(project, files=tuple(texts), tables=tuple(tables), warnings=warnings, overlay=overlay)
    return project, diagnostics


@dataclass(frozen=True, slots=True)
class _Reading:
    """The context of reading one project."""

    files: Files
    problems: Problems
    texts: dict[str, bytes]  # of every file read, in order
    overlay: ProjectOverlay
    others: Others
    tables: dict[str, bytes]


def _read(reading: _Reading, name: str) -> Project | None:
    problems = reading.problems
    main = _open(reading, name, None, ProjectFile)
    if main is None:
        return None
    environment = _environment(reading)
    main = laid_over(main, environment) if environment else main
    modules = [*_listed(reading, main, "use", ModuleFile)]
    main = with_modules(main, modules, problems)
    included = [*_listed(reading, main, "include", IncludeFile)]
    check_declared(reading.overlay, (main, *included), problems)
    given = given_variables(reading.overlay, environment, main.where)
    resolver = Resolver(problems)
    try:
        vars = _vars(main, {}, resolver, given)
        project = read_sections(name, main, NameScope(vars), resolver, problems)
        scopes = [vars, *(_vars(file, vars, resolver, given) for file in included)]
        looks = intern(("looks",), project.looks, exactly)
        keyframes = intern(("keyframes",), project.keyframes, exactly)
        cuts = read_cuts(
            [(main, vars), *((file, vars) for file in modules), *zip(included, scopes[1:], strict=True)],
            resolver,
            problems,
        )
        declared = _declared(reading, (main, *included), scopes, (looks, keyframes))
        del included
        expanded = expand(_emptied(declared), resolver, problems, reading.others)
    except TooMuch:
        return None
    check_providers(expanded.clips, project.providers, problems)
    check_relations(expanded, problems)
    used = chain(reading.others.looks, *(clip.spec.use for clip in expanded.clips))
    media = (item for clip in expanded.clips for _, item in clip.media())
    stated_keyframes = {n: frame for n, frame in keyframes.items() if frame.where.file == main.where.file}
    keyframes_used({} if expanded.unclear else stated_keyframes, media, reading.others.inputs, problems)
    stated = {name: look for name, look in looks.items() if look.where.file == main.where.file}
    check_used({} if expanded.unclear else stated, used, problems)
    films = check_cuts(cuts, expanded, reading.others.durations, problems)
    names = tuple(file.where.file for file in modules)
    moved = read_moves(main, expanded, problems)
    return replace(project, clips=expanded.clips, cuts=films, moved=moved, modules=names, volume=resolver.volume)


def _emptied(declared: list[Declared]) -> Iterator[Declared]:
    """Yield the declarations without keeping them: the nodes of a clip take more memory than the clip."""
    declared.reverse()
    while declared:
        yield declared.pop()


def _environment(reading: _Reading) -> Fields | None:
    """Return the map of the environment's file, None without one."""
    overlay = reading.overlay
    if not overlay.environment:
        return None
    if not overlay.strict:
        try:
            reading.files.read(overlay.file)
        except Unreadable:
            return None
    return _open(reading, overlay.file, None, EnvironmentFile)


def _open(reading: _Reading, name: str, where: Source | None, model: type[SpecModel]) -> Fields | None:
    """Return a file's map with its shape checked, None if it has none."""
    try:
        data = reading.texts[name] = reading.files.read(name)
    except Unreadable as error:
        reading.problems.error("unreadable", f"{named(name)} {error.message}", where or Source(name, 1, 1), error.help)
        return None
    if not data and model is IncludeFile:  # such are the files whose clips a cache has
        return Fields({}, Source(name, 1, 1))

    def parse() -> tuple[Fields | None, Problems]:
        problems = reading.problems.apart()
        root = _parsed(name, data, problems)
        if root is not None:
            checked(model, plain(root), root, problems)  # values with names in them are checked once these are resolved
            if model is ProjectFile and not root.entries.keys() & {"clips", "include"}:
                help = "add clips: {sunrise: {prompt: mist at sunrise}}"
                problems.error("no-clips", "the project declares no clips", root.where, help)
        return root, problems

    root, problems = reuse(("file", name), (data, model), parse, keep=lambda file: not file[1].errors)
    reading.problems.add(problems)
    return root


def _parsed(name: str, data: bytes, problems: Problems) -> Fields | None:
    """Return a file's map; an empty file is an empty map."""
    root = read(name, data, problems)
    if root is None and problems.errors:
        return None
    if root is None or (isinstance(root, Scalar) and not root.text):
        return Fields({}, Source(name, 1, 1))
    if not isinstance(root, Fields):
        problems.error("bad-value", "the file must be a map of keys and values", root.where)
        return None
    return root


def _listed(reading: _Reading, main: Fields, key: str, model: type[SpecModel]) -> Iterable[Fields]:
    """Yield the files that `include` or `use` names, each once, in the order named."""
    for item in main.list_at(key):
        for name in _named(reading, item, main.where.file, key) if isinstance(item, Scalar) else ():
            if name in reading.texts:
                continue
            if len(reading.texts) > MAX_FILES:
                reading.problems.error("too-many-files", f"a project can have at most {MAX_FILES:,} files", item.where)
                return
            file = _open(reading, name, item.where, model)
            if file:
                yield file


def _named(reading: _Reading, item: Scalar, main: str, key: str) -> tuple[str, ...]:
    """Return the paths that match one entry of `include` or `use`."""
    files, problems = reading.files, reading.problems
    text = _inside(item, key, "clips/*.yaml" if key == "include" else "shared/*.yaml", problems)
    if not text:
        return ()
    if not _PATTERN & set(text):
        return (text,)
    paths = _matching(files, text, main)
    if not paths:
        other = f"{text[:-5]}.yml" if text.endswith(".yaml") else text.replace(".yml", ".yaml")
        near = _matching(files, other, main)
        help = f"{named(near[0])} has another ending: rename it, or include {other}" if near else ""
        problems.warn("include", f"no file matches {shown(item.text)}", item.where, help)
    return paths


def _inside(item: Scalar, key: str, example: str, problems: Problems) -> str:
    """Return a path or pattern of files of the project; empty after reporting one that leads elsewhere."""
    text = item.text.removeprefix("./")
    if text and not (text.startswith(("/", "~")) or ".." in text.split("/") or "${" in text or "\\" in text):
        return text
    message = f"{key} must name files inside the project, not {shown(item.text)}"
    problems.error(
        "include", message, item.where, f"write a path{' or pattern' if '*' in example else ''} such as {example}"
    )
    return ""


def _table(reading: _Reading, key: Scalar, body: Fields) -> Table | None:
    """Return the table of a clip with rows; None for another clip, and after reporting why there is none."""
    rows, name, problems = body.entries.get("rows"), body.entries.get("name"), reading.problems
    if rows is None:
        if name is not None:
            help = "the key of the clip is its name; description holds a note"
            problems.error("table", "name is for clips with rows", name.key.where, help)
        return None
    pattern = name.value if name is not None else None
    if not isinstance(rows.value, Scalar) or isinstance(pattern, Items | Fields):
        return None
    if pattern is None or "matrix" in body.entries:
        message, help = "a clip with rows needs a name", 'add name: "shot-{id}", with a column of the table'
        if pattern is not None:
            message, help = "rows cannot be combined with a matrix", "add a row for each combination"
        problems.error("table", message, rows.key.where, help)
        return None
    file = _inside(rows.value, "rows", "shots.csv", problems)
    if file and not file.endswith(SUFFIXES):
        problems.error(
            "table", f"{named(file)} cannot be read as a table", rows.value.where, "name a .csv or .jsonl file"
        )
    elif file and (table := _rows(reading, file, rows.value.where)) is not None:
        return _named_rows(reading, key.text, (file, table), pattern)
    return None


def _named_rows(reading: _Reading, clip: str, table: tuple[str, tuple[Row, ...]], pattern: Scalar) -> Table:
    def name_rows() -> tuple[Table, Problems]:
        problems = reading.problems.apart()
        return table_of(*table, pattern, problems), problems

    clips, problems = reuse(("rows", clip), (*table, pattern), name_rows, keep=lambda named: not named[1].errors)
    reading.problems.add(problems)
    return clips


def _rows(reading: _Reading, file: str, where: Source) -> tuple[Row, ...] | None:
    """Return the rows of a table, None if it cannot be read."""
    try:
        data = reading.tables[file] = reading.tables[file] if file in reading.tables else reading.files.read(file)
    except Unreadable as error:
        reading.problems.error("unreadable", f"{named(file)} {error.message}", where, error.help)
        return None

    def parse() -> tuple[tuple[Row, ...] | None, Problems]:
        problems = reading.problems.apart()
        return read_table(file, data, problems), problems

    rows, problems = reuse(("table", file), (data,), parse, keep=lambda table: not table[1].errors)
    reading.problems.add(problems)
    return rows


def _matching(files: Files, pattern: str, main: str) -> tuple[str, ...]:
    return tuple(name for name in files.glob(pattern) if name != main and not _OVERLAY.fullmatch(name))


def _vars(
    file: Fields, outer: Mapping[str, str], resolver: Resolver, given: Mapping[str, MappingEntry]
) -> Mapping[str, str]:
    """Return the file's variables over the outer ones, and given values over both."""
    variables = dict(outer)
    resolver.add_variables(with_variables(file, given), variables)
    return intern(("vars", file.where.file), variables)


def _declared(
    reading: _Reading,
    files: Sequence[Fields],
    scopes: Sequence[Mapping[str, str]],
    shared: tuple[Looks, Keyframes],
) -> list[Declared]:
    """Return every declaration of every file. A name can be declared only once in the project."""
    declared: dict[str, Declared] = {}
    main = files[0]
    base = intern(("defaults", main.where.file), main.map_at("defaults"))
    for file, file_vars in zip(files, scopes, strict=True):
        defaults = _defaults(file, base)
        for name, entry in file.map_at("clips").entries.items():
            if name in declared:
                first = declared[name].key.where
                message = f"clip {shown(name)} is already declared at {first}"
                reading.problems.error("duplicate-clip", message, entry.key.where, "rename one of the two")
            elif isinstance(body := _as_fields(entry.value), Fields):
                key, body = intern(("clip", name), (entry.key, body))
                declared[name] = Declared(key, body, defaults, file_vars, *shared, _table(reading, key, body))
    return list(declared.values())


def _defaults(file: Fields, base: Fields) -> FileDefaults:
    """Return a file's defaults over the project's."""
    name = file.where.file
    own = intern(("defaults", name), file.map_at("defaults"))
    layers = {**base.entries, **own.entries}
    defaults = reuse(("all defaults", name), (base, own), partial(split, layers, own.where))
    special = intern(("special defaults", name), defaults.special)
    return replace(defaults, special=special, shared=intern(("shared defaults", name), defaults.shared, exactly))


def _as_fields(node: Node) -> Node:
    empty = isinstance(node, Scalar) and not node.text and not node.quoted
    return Fields({}, node.where) if empty else node


def _in_order(problems: Problems, texts: Mapping[str, bytes]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics by file (the project file first) and place, each with its lines."""
    order = {name: index for index, name in enumerate(texts)}

    def rank(diagnostic: Diagnostic) -> tuple[int, int, int]:
        where = diagnostic.source
        return (order.get(where.file, -1), where.line, where.column) if where else (-1, 0, 0)

    diagnostics = sorted(problems.all(), key=rank)
    faulty = {diagnostic.source.file for diagnostic in diagnostics if diagnostic.source}
    lines = {name: shown_lines(name, data, problems.secrets) for name, data in texts.items() if name in faulty}
    return tuple(replace(diagnostic, excerpt=excerpt(diagnostic.source, lines)) for diagnostic in diagnostics)


def shown_lines(name: str, data: bytes, secrets: Iterable[Source] = ()) -> list[str]:
    """Return the lines of a file, safe to show: terminal control characters replaced, literal secrets masked."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = _CONTROL.sub("\ufffd", text).split("\n")
    for secret in secrets:
        if secret.file == name:
            lines[secret.line - 1] = lines[secret.line - 1][: secret.column - 1] + "********"
    return lines


def excerpt(where: Source | None, lines: Mapping[str, list[str]]) -> Excerpt | None:
    """Return the line of a place and the one before it, unless one is too long to show."""
    if where is None or where.file not in lines or where.line > len(lines[where.file]):
        return None
    first = max(1, where.line - 1)
    excerpt_lines = tuple(lines[where.file][first - 1 : where.line])
    return Excerpt(first, excerpt_lines) if max(map(len, excerpt_lines)) <= MAX_SHOWN else None
