"""Declarations to clips: defaults under, overrides over, every name resolved, each field typed.

What a clip says goes over its file's defaults, and those over the project's; the last override that fits a
combination goes over all. A field is replaced whole, lists and maps too: nothing is merged inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.diagnostics import Source
from reconciler.spec.interpolate import NameScope, Resolver, TooMuch, Volume
from reconciler.spec.matrix import MAX_CLIPS, SINGLE, Combination, MatrixReader, ResolvedMatrix, clip_name, fits
from reconciler.spec.memo import NOTHING, Memo
from reconciler.spec.model import ClipDecl, ClipFields
from reconciler.spec.paths import output_path
from reconciler.spec.problems import Problems, shown
from reconciler.spec.project import Clip
from reconciler.spec.reader import Fields, Items, MappingEntry, Scalar
from reconciler.spec.scalars import NAME, Unfit
from reconciler.spec.shape import checked

_FIELDS = frozenset(ClipFields.model_fields)
_KEYS = frozenset(ClipDecl.model_fields)
_DEFAULT_OUTPUT: str = ClipFields.model_fields["output"].default


@dataclass(frozen=True, slots=True)
class Declared:
    """One clip as a file declares it, with what the files say for all of theirs."""

    key: Scalar
    body: Fields
    defaults: Mapping[str, MappingEntry]
    vars: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Expanded:
    """What became of the declarations. A clip with errors has a name, and is not among the clips."""

    clips: tuple[Clip, ...]
    names: dict[str, str]  # of every clip, to the name of its declaration
    unclear: frozenset[str]  # declarations whose combinations are not known


@dataclass(slots=True)
class _Made:
    """What became of one declaration: its clips (`count` before any was excluded), what was found wrong with it, how
    much text it came to. `stopped`: that was more than is read."""

    problems: Problems
    volume: Volume
    count: int = 0
    names: list[str] = field(default_factory=list)
    clips: list[Clip] = field(default_factory=list)
    stopped: TooMuch | None = None


def expand(declarations: Iterable[Declared], resolver: Resolver, problems: Problems, memo: Memo = NOTHING) -> Expanded:
    """Every clip of the project, in the order declared. Raises TooMuch. Each declaration is a step for `memo`."""
    clips: list[Clip] = []
    names: dict[str, str] = {}
    unclear: set[str] = set()
    for declared in declarations:
        name = declared.key.text
        made = _remembered(declared, resolver, problems, MAX_CLIPS - len(names), memo)
        problems.add(made.problems)
        resolver.volume.add(made.volume)
        if made.stopped is not None:
            raise made.stopped
        clips += made.clips
        names.update(dict.fromkeys(made.names, name))
        unclear |= set() if made.names else {name}
    return Expanded(tuple(clips), names, frozenset(unclear))


def _remembered(declared: Declared, resolver: Resolver, problems: Problems, left: int, memo: Memo) -> _Made:
    """One declaration. What was sound may be too much where others before it take more now: then that is told anew."""

    def make() -> _Made:
        return _expanded(declared, resolver, problems.apart(), left)

    given = (declared.key, declared.body, declared.defaults, declared.vars)
    made = memo.compute(("expand", declared.key.text), given, make, keep=lambda made: not made.problems.errors)
    fits = made.count <= left and resolver.volume.fits(made.volume)
    return made if fits or made.problems.errors else make()


def _expanded(declared: Declared, resolver: Resolver, problems: Problems, left: int) -> _Made:
    before, resolver = resolver.volume, resolver.apart(problems)
    made = _Made(problems, Volume())
    try:
        _fill(made, declared, resolver, left)
    except TooMuch as stopped:
        made.stopped = stopped
    made.volume = resolver.volume.beyond(before)
    return made


def _fill(made: _Made, declared: Declared, resolver: Resolver, left: int) -> None:
    matrix = _matrix(declared, resolver, made.problems, left)
    if matrix is None:
        return
    made.count = matrix.count
    base = _base(declared)
    for combination in matrix.combinations:
        made.names.append(clip_name(declared.key.text, combination))
        entries = _overridden(base, matrix, combination)
        clip = _Builder(declared, combination, entries, made.problems).build(resolver)
        made.clips += [clip] if clip else []


def _matrix(declared: Declared, resolver: Resolver, problems: Problems, left: int) -> ResolvedMatrix | None:
    if not NAME.fullmatch(declared.key.text):
        message = f"{shown(declared.key.text)} cannot be the name of a clip"
        problems.error("clip-name", message, declared.key.where, "use up to 100 letters, digits, - and _")
        return None
    if left <= 0:
        problems.error("too-many-clips", f"a project has at most {MAX_CLIPS:,} clips", declared.key.where, "split it")
        return None
    if not declared.body.entries.keys() & {"matrix", "overrides"}:
        return SINGLE
    return MatrixReader(problems, resolver, NameScope(declared.vars)).read(declared.body, left)


def _base(declared: Declared) -> dict[str, MappingEntry]:
    """The fields without overrides. Unknown keys were told when the file was checked."""
    where = declared.key.where
    output = MappingEntry(Scalar("output", True, where), Scalar(_DEFAULT_OUTPUT, True, where))
    layered = {"output": output, **declared.defaults, **declared.body.entries}
    return {key: entry for key, entry in layered.items() if key in _FIELDS}


def _overridden(
    base: dict[str, MappingEntry], matrix: ResolvedMatrix, combination: Combination
) -> dict[str, MappingEntry]:
    fitting = [override.fields.entries for override in matrix.overrides if fits(override.when, combination)]
    known = ({key: entry for key, entry in over.items() if key in _FIELDS} for over in fitting)
    entries = base
    for over in known:
        entries = {**entries, **over}
    return entries


class _Builder:
    """Makes one clip of its fields."""

    def __init__(
        self, declared: Declared, combination: Combination, entries: dict[str, MappingEntry], problems: Problems
    ) -> None:
        self._declared = declared
        self._combination = combination
        self._entries = entries
        self._problems = problems
        self._name = clip_name(declared.key.text, combination)

    def build(self, resolver: Resolver) -> Clip | None:
        """The clip, or None with every error told."""
        before = self._problems.errors
        scope = NameScope(self._declared.vars, dict(self._combination) or None, self._name)
        values = {key: resolver.resolve(entry.value, scope) for key, entry in self._entries.items()}
        raw = {key: value for key, value in values.items() if value is not None}
        node = Fields(self._entries, self._declared.key.where)
        spec = checked(ClipFields, raw, node, self._problems, ("clips", self._declared.key.text))
        if spec is None or self._problems.errors > before:
            return None
        output = self._output(spec.output)
        self._check_together(spec)
        if self._problems.errors > before:
            return None
        declared, places = self._declared.key, dict(_places(self._entries))
        spec = spec if output == spec.output else spec.model_copy(update={"output": output})
        return Clip(self._name, declared.text, spec, self._combination, declared.where, places)

    def _output(self, text: str) -> str:
        try:
            return output_path(text)
        except Unfit as unfit:
            self._wrong("output", f"output {unfit.message}", unfit.help)
            return ""

    def _check_together(self, spec: ClipFields) -> None:
        """Rules over several fields, whatever the provider."""
        frames = [name for name in ("first_frame", "last_frame") if name in self._entries]
        references = (*spec.references.images, *spec.references.videos, *spec.references.audios)
        if frames and references:
            culprit = "references" if "references" in self._declared.body.entries else frames[0]
            self._wrong(culprit, f"references cannot stand together with {frames[0]}", "remove one of the two")
        if spec.operation and len(spec.references.videos) != 1:
            message = f"operation {spec.operation} needs exactly one reference video, not {len(spec.references.videos)}"
            self._wrong("operation", message, "write references: {videos: [${clips.NAME.video}]}")
        if spec.pick > spec.takes:
            help = f"set takes: {spec.pick}, or pick one of the {spec.takes}" if spec.takes > 1 else "raise takes"
            self._wrong("pick", f"pick is {spec.pick}, but takes is {spec.takes}", help)
        misspelt = self._declared.body.entries.keys() - _KEYS  # one may have been the prompt
        if not (spec.prompt or frames or references or misspelt):
            self._wrong("prompt", f"clip {shown(self._declared.key.text)} has no prompt", "add prompt: what it shows")

    def _wrong(self, field: str, message: str, help: str) -> None:
        entry = self._entries.get(field)
        self._problems.error("bad-clip", message, entry.value.where if entry else self._declared.key.where, help)


def _places(entries: Mapping[str, MappingEntry]) -> Iterator[tuple[str, Source]]:
    """Where each field's value stands, and each reference by the name that `Clip.media` gives it."""
    for name, entry in entries.items():
        yield name, entry.value.where
    references = entries.get("references")
    if references and isinstance(references.value, Fields):
        for kind, entry in references.value.entries.items():
            for index, item in enumerate(entry.value.items if isinstance(entry.value, Items) else ()):
                yield f"references.{kind}[{index}]", item.where
