"""Expand declarations into clips: apply defaults and overrides, resolve names, parse fields.

A clip's fields replace its file's defaults, which replace the project's; the last override that matches a combination
replaces them all. A field is replaced as a whole, lists and maps too: nothing is merged inside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import cache, partial
from typing import NamedTuple

from reconciler.diagnostics import Source
from reconciler.frozen import dataclass
from reconciler.spec.clip_values import ClipValues, with_values
from reconciler.spec.interpolate import NameScope, Resolver, TooMuch, plain
from reconciler.spec.keyframes import Keyframes, with_keyframes
from reconciler.spec.looks import LookReader, Looks
from reconciler.spec.matrix import MAX_CLIPS, SINGLE, Combination, MatrixReader, ResolvedMatrix, clip_name, file_names
from reconciler.spec.memo import reuse
from reconciler.spec.model import ClipDecl, ClipFields
from reconciler.spec.paths import DEFAULT_OUTPUT, output_path
from reconciler.spec.problems import Problems, shown
from reconciler.spec.project import Clip
from reconciler.spec.reader import Fields, MappingEntry, Scalar
from reconciler.spec.rows import Row, Table, filled
from reconciler.spec.scalars import NAME, Unfit
from reconciler.spec.shape import checked_fields
from reconciler.spec.shared_fields import NOTHING_SHARED, FileDefaults, Shared
from reconciler.spec.values import ClipMedia, LookUse
from reconciler.spec.vendor_drafts import with_draft
from reconciler.spec.volume import Volume

_FIELDS = frozenset(ClipFields.model_fields)
_KEYS = frozenset(ClipDecl.model_fields)
_MEDIA = frozenset(("first_frame", "last_frame", "references"))
_NOT_IN_THE_VIDEO = frozenset(("output", "tags", "description"))
_NO_FAULTS = frozenset[str]()
_blank = cache(ClipFields)  # with every default; all clips share these
_MATRIX_NAME = re.compile(r"(?<!\$)\$\{\s*matrix\.([A-Za-z0-9_-]+)\s*\}")


@dataclass(frozen=True, slots=True)
class Declared:
    """One clip as a file declares it, with the defaults and variables that apply to it."""

    key: Scalar
    body: Fields
    defaults: FileDefaults
    vars: Mapping[str, str]
    looks: Looks
    keyframes: Keyframes
    table: Table | None = None  # of a clip with rows


@dataclass(frozen=True, slots=True)
class Others:
    """The clips of a project that are not read: their declarations by name, the looks and the local inputs that they
    use, and the durations that are stated, by name."""

    names: Mapping[str, str]
    looks: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()
    durations: Mapping[str, int] = field(default_factory=dict)


NO_OTHERS = Others({})


@dataclass(frozen=True, slots=True)
class Expanded:
    """The result of all declarations."""

    clips: tuple[Clip, ...]
    names: dict[str, str]  # of every clip, by name: its declaration
    unclear: frozenset[str]  # declarations with unknown combinations


@dataclass(frozen=True, slots=True)
class _Part:
    """A clip without the fields that it shares with others: the fields that it has, and their places."""

    name: str
    fields: Mapping[str, object]
    combination: Combination
    places: Mapping[str, Source]
    faulty: frozenset[str]
    looks: tuple[LookUse, ...]


class _Reader(NamedTuple):
    """What reads the texts and the fields of clips."""

    resolver: Resolver
    values: ClipValues


@dataclass(slots=True)
class _Result:
    """The result of one declaration: its clips (`count` before excludes), problems and volume of text.

    `stopped` is set if the volume exceeded the limit.
    """

    problems: Problems
    volume: Volume
    count: int = 0
    names: list[str] = field(default_factory=list)
    parts: list[_Part] = field(default_factory=list)
    clips: Sequence[Clip] = ()
    stopped: TooMuch | None = None


def expand(
    declarations: Iterable[Declared], resolver: Resolver, problems: Problems, others: Others = NO_OTHERS
) -> Expanded:
    """Return every clip of the declarations, in their order. Each declaration is one step. Raises TooMuch."""
    clips: list[Clip] = []
    names = dict(others.names)
    unclear: set[str] = set()
    reader = _Reader(resolver, ClipValues())
    for declared in declarations:
        name = declared.key.text
        result = _remembered(declared, reader, problems, MAX_CLIPS - len(names))
        problems.add(result.problems, name)
        resolver.volume.add(result.volume)
        if result.stopped is not None:
            raise result.stopped
        clips += result.clips
        for each in names.keys() & set(result.names):
            message = f"there is another clip {shown(each)}"
            problems.error("duplicate-clip", message, declared.key.where, "rename one of the two")
        names.update(dict.fromkeys(result.names, name))
        unclear |= set() if result.names else {name}
    return Expanded(tuple(clips), names, frozenset(unclear))


def _remembered(declared: Declared, reader: _Reader, problems: Problems, limit: int) -> _Result:
    """Return the result of one declaration, from memory if it still fits the limits after the others before it."""

    def expand_one(defaults: Mapping[str, MappingEntry]) -> _Result:
        return _expanded(declared, defaults, reader, problems.apart(), limit)

    name, defaults = declared.key.text, declared.defaults
    is_shared = defaults.are_shared(declared.body.entries)
    special = defaults.special.entries if is_shared else defaults.entries
    shared = defaults.shared if is_shared else NOTHING_SHARED
    inputs = (declared.key, declared.body, special, declared.vars, declared.looks, declared.keyframes, declared.table)
    result = reuse(("parts", name), inputs, partial(expand_one, special), keep=_is_sound)
    if not _is_sound(result):
        return _completed(expand_one(defaults.entries), declared, NOTHING_SHARED)
    result = reuse(("expand", name), (result, shared), partial(_completed, result, declared, shared))
    if result.count <= limit and reader.resolver.volume.fits(result.volume):
        return result
    return _completed(expand_one(defaults.entries), declared, NOTHING_SHARED)


def _is_sound(result: _Result) -> bool:
    return not result.problems.errors


def _completed(result: _Result, declared: Declared, shared: Shared) -> _Result:
    """Return a result with its clips, which have the shared fields that the declaration does not write."""
    shared = shared.beside(declared.body.entries)
    volume = Volume(sum(shared.counts.values()) * len(result.parts))
    volume.add(result.volume)
    names, count, clips = [*result.names], result.count, list[Clip]()
    for part in result.parts:
        formed = with_draft(_clip(part, declared, shared))
        clips += formed
        names += [clip.name for clip in formed if clip.name != part.name]
        count += len(formed) - 1
    return _Result(result.problems, volume, count, names, result.parts, clips, result.stopped)


def _clip(part: _Part, declared: Declared, shared: Shared) -> Clip:
    spec = with_values(_blank(), {**shared.values, **part.fields})
    return Clip(
        part.name,
        declared.key.text,
        spec,
        part.combination,
        declared.key.where,
        {**part.places, **shared.places},
        part.faulty - shared.values.keys() if part.faulty else _NO_FAULTS,
        looks=part.looks,
        rows=declared.table.file if declared.table else "",
    )


def _expanded(
    declared: Declared, defaults: Mapping[str, MappingEntry], reader: _Reader, problems: Problems, limit: int
) -> _Result:
    start, resolver = reader.resolver.volume, reader.resolver.apart(problems)
    result = _Result(problems, Volume())
    try:
        _fill(result, declared, defaults, _Reader(resolver, reader.values), limit)
    except TooMuch as stopped:
        result.stopped = stopped
    result.volume = resolver.volume.beyond(start)
    result.volume.clips = result.count
    return result


def _fill(
    result: _Result, declared: Declared, defaults: Mapping[str, MappingEntry], reader: _Reader, limit: int
) -> None:
    matrix = _matrix(declared, reader.resolver, result.problems, limit)
    if matrix is None:
        return
    result.count = matrix.count
    files = file_names(declared.key.text, matrix.combinations)
    if "matrix" in declared.body.entries:
        _warn_of_unused(declared.body, _base(declared.key.where, defaults, declared.body.entries), result.problems)
    for combination, overrides in matrix.combinations.items():
        shot = declared.table.clips.get(combination) if declared.table else None
        name = shot.name if shot else clip_name(declared.key.text, combination)
        result.names.append(name)
        layers = (defaults, declared.body.entries, *(fields.entries for fields in overrides))
        entries = _base(
            declared.key.where, *(filled(layer, shot.row, declared.looks) if shot else layer for layer in layers)
        )
        file = name if shot else files[combination]
        builder = _Builder(declared, combination, name, file, entries, result.problems, shot.row if shot else None)
        result.parts.append(builder.build(*reader))


def _matrix(declared: Declared, resolver: Resolver, problems: Problems, limit: int) -> ResolvedMatrix | None:
    if not NAME.fullmatch(declared.key.text):
        message = f"{shown(declared.key.text)} cannot be the name of a clip"
        problems.error("clip-name", message, declared.key.where, "use up to 100 letters, digits, - and _")
        return None
    if limit <= 0:
        problems.error("too-many-clips", f"a project has at most {MAX_CLIPS:,} clips", declared.key.where, "split it")
        return None
    if declared.table is None and not declared.body.entries.keys() & {"matrix", "overrides", "rows"}:
        return SINGLE
    reader = MatrixReader(problems, resolver, NameScope(declared.vars))
    if declared.table is not None:
        if len(declared.table.clips) <= limit:
            return reader.read_rows(declared.body, tuple(declared.table.clips))
        problems.error("too-many-clips", f"a project has at most {MAX_CLIPS:,} clips", declared.key.where, "split it")
        return None
    if "rows" in declared.body.entries:  # with mistakes, which were reported
        return None
    return reader.read(declared.body, limit)


def _warn_of_unused(body: Fields, base: Mapping[str, MappingEntry], problems: Problems) -> None:
    """Warn about lists of the matrix that neither a field nor a condition names: their values give the same video."""
    overrides = [item for item in body.list_at("overrides") if isinstance(item, Fields)]
    fields = [*base.items(), *(entry for item in overrides for entry in item.map_at("set").entries.items())]
    texts = [plain(entry.value) for name, entry in fields if name in _FIELDS - _NOT_IN_THE_VIDEO]
    used = {*_MATRIX_NAME.findall(repr(texts)), *(axis for item in overrides for axis in item.map_at("when").entries)}
    for axis, entry in body.map_at("matrix").entries.items():
        if axis != "exclude" and axis not in used:
            field = axis if axis in _FIELDS - _NOT_IN_THE_VIDEO else "prompt"
            help = f"use it, as in {field}: {'' if field == axis else 'a storefront, '}${{matrix.{axis}}}; or remove it"
            message = f"no field uses {axis} of the matrix, so each of its values gives the same video"
            problems.warn("matrix", message, entry.key.where, help)


def _base(where: Source, *layers: Mapping[str, MappingEntry]) -> dict[str, MappingEntry]:
    """Return the clip's fields, each of the last layer that has it. Unknown keys were reported with the file."""
    output = MappingEntry(Scalar("output", True, where), Scalar(DEFAULT_OUTPUT, True, where))
    return {"output": output} | {key: item for layer in layers for key, item in layer.items() if key in _FIELDS}


@dataclass(frozen=True, slots=True)
class _Builder:
    """Builds one clip from its fields."""

    declared: Declared
    combination: Combination
    name: str
    file: str  # `${clip.name}` in its output
    entries: dict[str, MappingEntry]
    problems: Problems
    row: Row | None = None

    def build(self, resolver: Resolver, valid: ClipValues) -> _Part:
        """Return the clip after reporting every error; later checks do without its faulty fields."""
        name, row, matrix = self.name, self.row, dict(self.combination) or None
        scope = NameScope(self.declared.vars, None if row else matrix, name, row.cells if row else None)
        scopes = {"output": scope if self.file == name else replace(scope, clip=self.file)}
        values = {key: resolver.resolve(entry.value, scopes.get(key, scope)) for key, entry in self.entries.items()}
        placed: dict[str, object] = dict(values)
        for key in _MEDIA & values.keys():
            place = self.entries[key].value.where
            placed[key] = with_keyframes(values[key], self.declared.keyframes, place, self.problems)
        raw = {key: value for key, value in placed.items() if value is not None}
        spec, unfit = valid.read(raw), frozenset[str]()
        if spec is None:
            node = Fields(self.entries, self.declared.key.where)
            spec, unfit = checked_fields(ClipFields, raw, node, self.problems, ("clips", self.declared.key.text))
        faulty = {*unfit, *(values.keys() - raw.keys())}
        output = self._output(spec.output, faulty)
        places, looks = self._places(), tuple[LookUse, ...]()
        spec = spec if output == spec.output else spec.model_copy(update={"output": output})
        looked = self.declared.looks or spec.use or spec.avoid
        if looked and faulty.isdisjoint(("prompt", "use", "avoid", "references")):
            spec, looks, brought = self._with_looks(spec, places, faulty, resolver)
            places.update(brought)
        self._check_together(spec, faulty)
        fields = {key: getattr(spec, key) for key in (*raw, "prompt", "references", "output")}
        return _Part(name, fields, self.combination, places, frozenset(faulty) if faulty else _NO_FAULTS, looks)

    def _with_looks(
        self, spec: ClipFields, places: Mapping[str, Source], faulty: set[str], resolver: Resolver
    ) -> tuple[ClipFields, tuple[LookUse, ...], tuple[tuple[str, Source], ...]]:
        """Return the fields with the looks that they use, these looks, and the places of what they brought."""
        where = {"prompt": self.declared.key.where, **places}
        looked = LookReader(self.declared.looks, spec, where, self.problems).read()
        if looked is None:
            faulty.add("prompt")
            return spec, (), ()
        if looked.uses:
            resolver.count(len(looked.spec.prompt), where["prompt"])
        return looked.spec, looked.uses, looked.places

    def _places(self) -> dict[str, Source]:
        """Return the place of each field's value, and of each reference and look by its name in `Clip.media`."""
        places = {name: entry.value.where for name, entry in self.entries.items()}
        if self.entries.keys() & {"references", "use"}:
            node = Fields(self.entries, self.declared.key.where)
            references = node.map_at("references")
            for kind in references.entries:
                places |= {f"references.{kind}[{i}]": item.where for i, item in enumerate(references.list_at(kind))}
            places |= {f"use[{index}]": item.where for index, item in enumerate(node.list_at("use"))}
        return places

    def _output(self, text: str, faulty: set[str]) -> str:
        try:
            return text if "output" in faulty else output_path(text)
        except Unfit as unfit:
            self._error("output", f"output {unfit.message}", unfit.help, faulty)
            return ""

    def _check_together(self, spec: ClipFields, faulty: set[str]) -> None:
        """Check the rules between fields that hold for every provider, except those about a faulty field."""
        frames = [name for name in ("first_frame", "last_frame") if name in self.entries]
        references = (*spec.references.images, *spec.references.videos, *spec.references.audios)
        if frames and references:
            culprit = "references" if "references" in self.declared.body.entries else frames[0]
            self._error(culprit, f"references cannot be combined with {frames[0]}", "remove one of the two", faulty)
        if any(isinstance(item, ClipMedia) and item.frozen for item in references):
            self._error("references", "a seam is between frames; references have none", "remove seam", faulty)
        if spec.operation and len(spec.references.videos) != 1 and "references" not in faulty:
            message = f"operation {spec.operation} needs exactly one reference video, not {len(spec.references.videos)}"
            self._error("operation", message, "write references: {videos: [${clips.NAME.video}]}", faulty)
        if spec.pick > spec.takes and "takes" not in faulty:
            help = f"set takes: {spec.pick}, or pick one of the {spec.takes}" if spec.takes > 1 else "raise takes"
            self._error("pick", f"pick is {spec.pick}, but takes is {spec.takes}", help, faulty)
        beyond = [take for take in spec.retake if take > spec.takes] if isinstance(spec.retake, dict) else []
        if beyond and "takes" not in faulty:
            self._error("retake", f"retake names take {beyond[0]}, but takes is {spec.takes}", "remove it", faulty)
        if self.declared.body.entries.keys() - _KEYS:  # misspelt: each may be a field that is not written
            faulty |= _FIELDS - self.entries.keys() - {"provider", "model"}
        if not (spec.prompt or frames or references or faulty & {"prompt", "references"}):
            message = f"clip {shown(self.declared.key.text)} has no prompt"
            self._error("prompt", message, "add prompt: what it shows", faulty)

    def _error(self, field: str, message: str, help: str, faulty: set[str]) -> None:
        faulty.add(field)
        entry = self.entries.get(field)
        self.problems.error("bad-clip", message, entry.value.where if entry else self.declared.key.where, help)
