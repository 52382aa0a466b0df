"""Read the names of a project's clips without checking it, for shell completion.

It reads as much as possible of a broken project: a file that is not valid YAML is scanned by lines, and a clip with an
invalid matrix has its bare name. It reports no diagnostics.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from reconciler.diagnostics import Source
from reconciler.frozen import dataclass
from reconciler.spec.files import Files, Unreadable
from reconciler.spec.interpolate import NameScope, Resolver, TooMuch
from reconciler.spec.matrix import MAX_CLIPS, SINGLE, Combination, MatrixReader, clip_name
from reconciler.spec.paths import DEFAULT_OUTPUT
from reconciler.spec.problems import Problems
from reconciler.spec.reader import Fields, Items, MappingEntry, Node, Scalar, collector_paused, read
from reconciler.spec.rows import read_table, table_of
from reconciler.spec.scalars import NAME

_FILES = 2000
"""Limit of files to read, so that completion stays fast."""
_CLIPS = re.compile(r"^clips:", re.MULTILINE)
_KEY = re.compile(r"^( +)([A-Za-z0-9_-]{1,100}):(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Named:
    """A film, or a clip with its name: the declaration's, or that of one of its combinations."""

    name: str
    declared: str
    selectors: tuple[str, ...] = ()  # patterns that select it, such as `tag:NAME`
    takes: int = 1
    is_film: bool = False


def names(files: Files, name: str) -> tuple[Named, ...]:
    """Return every clip that can be read, in the order declared. Raises nothing."""
    clips: dict[str, Named] = {}
    with collector_paused():
        for clip in _clips(files, name):
            clips.setdefault(clip.name, clip)
            if len(clips) >= MAX_CLIPS:
                break
    return tuple(clips.values())


def _clips(files: Files, name: str) -> Iterator[Named]:
    main, text = _open(files, name)
    yield from _scanned(text)
    shared = main.map_at("defaults").entries
    variables = _variables(main, {})
    yield from _declared(files, main, shared, variables)
    yield from _films(main)
    for path in _listed(files, main, name, "use")[:_FILES]:
        yield from _films(_open(files, path)[0])
    for path in _listed(files, main, name, "include")[:_FILES]:
        root, text = _open(files, path)
        yield from _films(root)
        yield from _scanned(text)
        defaults = {**shared, **root.map_at("defaults").entries}
        yield from _declared(files, root, defaults, _variables(root, variables))


def _films(root: Fields) -> Iterator[Named]:
    return (Named(film, film, is_film=True) for film in filter(NAME.fullmatch, root.map_at("cuts").entries))


def _open(files: Files, name: str) -> tuple[Fields, str]:
    """Return a file's map, or an empty one and the text to scan instead."""
    empty = Fields({}, Source(name, 1, 1))
    try:
        data = files.read(name)
    except Unreadable:
        return empty, ""
    try:
        root = read(name, data, Problems())
    except RecursionError:
        root = None
    return (root, "") if isinstance(root, Fields) else (empty, data.decode("utf-8", "replace"))


def _declared(
    files: Files, root: Fields, defaults: Mapping[str, MappingEntry], variables: Mapping[str, str]
) -> Iterator[Named]:
    clips = root.map_at("clips")
    for name in filter(NAME.fullmatch, clips.entries):
        body = clips.map_at(name)
        fields = {**defaults, **body.entries}
        selectors, takes = tuple(_selectors(fields)), _count(fields.get("takes"))
        yield from (Named(row, name, selectors, takes) for row in _rows(files, body))
        for combination in _combinations(body, variables):
            yield Named(clip_name(name, combination), name, selectors, takes)


def _selectors(fields: Mapping[str, MappingEntry]) -> Iterator[str]:
    yield from (f"tag:{tag}" for tag in _texts(fields.get("tags")))
    yield from (f"look:{look}" for look in _texts(fields.get("use")))
    for name in ("model", "provider"):
        yield from (f"{name}:{text}" for text in _texts(fields.get(name)) if "${" not in text)
    output = next(_texts(fields.get("output")), DEFAULT_OUTPUT)
    written, dollar, _ = output.partition("${")
    folder, slash, _ = written.rpartition("/")
    if slash or not dollar:
        yield f"path:{folder}/*" if dollar else f"path:{output}"


def _rows(files: Files, body: Fields) -> Iterable[str]:
    """Return the names of the clips that a declaration makes of a table's rows."""
    file, name = (body.entries[key].value if key in body.entries else None for key in ("rows", "name"))
    if not isinstance(file, Scalar) or not isinstance(name, Scalar):
        return ()
    problems, path = Problems(), file.text.removeprefix("./")
    try:
        rows = read_table(path, files.read(path), problems) or ()
    except Unreadable:
        return ()
    return [clip.name for clip in table_of(path, rows, name, problems).clips.values()]


def _combinations(body: Fields, variables: Mapping[str, str]) -> Iterable[Combination]:
    """Return the combinations of a matrix; a single empty one if the matrix is invalid, and none for a table."""
    if "rows" in body.entries:
        return ()
    if "matrix" not in body.entries:
        return SINGLE.combinations
    problems = Problems()
    matrix_only = Fields({"matrix": body.entries["matrix"]}, body.where)
    try:
        matrix = MatrixReader(problems, Resolver(problems), NameScope(variables)).read(matrix_only, MAX_CLIPS)
    except TooMuch:
        matrix = None
    return SINGLE.combinations if matrix is None else matrix.combinations


def _listed(files: Files, main: Fields, name: str, key: str) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    for text in _texts(main.entries.get(key)):
        pattern = text.removeprefix("./")
        if pattern and not pattern.startswith(("/", "~")) and ".." not in pattern.split("/"):
            paths.update(dict.fromkeys(files.glob(pattern) if set("*?[") & set(pattern) else (pattern,)))
    paths.pop(name, None)
    return tuple(paths)


def _variables(root: Fields, outer: Mapping[str, str]) -> dict[str, str]:
    variables = dict(outer)
    with suppress(TooMuch):
        Resolver(Problems()).add_variables(root.map_at("vars"), variables)
    return variables


def _texts(entry: MappingEntry | None) -> Iterator[str]:
    nodes: tuple[Node, ...] = ()
    if entry is not None:
        nodes = entry.value.items if isinstance(entry.value, Items) else (entry.value,)
    yield from (node.text for node in nodes if isinstance(node, Scalar) and node.text)


def _count(entry: MappingEntry | None) -> int:
    text = entry.value.text if entry is not None and isinstance(entry.value, Scalar) else ""
    return int(text) if text.isdecimal() and len(text) < 5 else 1


def _scanned(text: str) -> Iterator[Named]:
    """Yield the keys under `clips:` of a file that is not valid YAML, by their indentation."""
    start = _CLIPS.search(text)
    indent = ""
    for line in text[start.end() :].splitlines() if start else ():
        if line[:1] not in ("", " ", "#"):
            return
        key = _KEY.match(line)
        if key and (not indent or key[1] == indent):
            indent = key[1]
            yield Named(key[2], key[2])
