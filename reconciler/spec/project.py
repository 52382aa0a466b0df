"""The result of reading a project: frozen values with every variable, matrix and default resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import Diagnostic, Source
from reconciler.frozen import dataclass
from reconciler.spec.values import (
    NO_POLICY,
    NO_RULE,
    ApprovalRule,
    ClipMedia,
    DraftTask,
    JsonValue,
    LocalMedia,
    LookUse,
    Media,
    Policy,
    Secret,
    final_name,
)
from reconciler.spec.volume import Volume

if TYPE_CHECKING:  # commands that read no spec start without pydantic
    from reconciler.spec.cut_fields import CutDecl
    from reconciler.spec.keyframes import Keyframes
    from reconciler.spec.looks import Looks
    from reconciler.spec.model import Budget, ClipFields, Provider, References
    from reconciler.spec.provenance_fields import ProvenanceDecl


@dataclass(frozen=True, slots=True)
class ProjectOverlay:
    """What a command line lays over the project: variables by name, and an environment, which has a file of its own.

    `strict`: both must exist; for an earlier revision they need not.
    """

    vars: tuple[tuple[str, str], ...] = ()
    environment: str = ""
    strict: bool = True

    @property
    def file(self) -> str:
        """The environment's file."""
        return f"clipform.{self.environment}.yaml"

    def options(self) -> tuple[str, ...]:
        """Return the same as words of a command line."""
        variables = (word for name, value in self.vars for word in ("--var", f"{name}={value}"))
        return (*(("--env", self.environment) if self.environment else ()), *variables)


NO_OVERLAY = ProjectOverlay()

CREDENTIALS = ("api_key", "app_id", "secret_key", "access_token")


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip with everything resolved; a matrix yields several.

    `media` and `depends_on` are computed once, in slots: ten thousand dictionaries for them take 7 MiB.
    """

    name: str  # "hero" or "social[ratio=16:9,lang=en]"
    declared: str  # the name in the file: "social"
    spec: ClipFields
    matrix: tuple[tuple[str, str], ...] = ()  # its combination of values
    where: Source | None = None  # of the clip's name
    fields: Mapping[str, Source] = field(default_factory=dict)  # of each field's value
    faulty: frozenset[str] = frozenset()  # fields with an error, without their values: the project is not used
    lead: int = 0  # characters at the start of the prompt that other clips begin with too
    looks: tuple[LookUse, ...] = ()
    rows: str = ""  # the table that it is a row of
    draft: str = ""  # the clip whose task it is made from, with nothing else
    _media: tuple[tuple[str, Media], ...] = field(default=(), repr=False, compare=False)  # always computed
    _depends_on: tuple[str, ...] = field(default=(), repr=False, compare=False)  # likewise

    def __post_init__(self) -> None:
        if self.draft:
            object.__setattr__(self, "_media", (("draft", DraftTask(self.draft)),))
            object.__setattr__(self, "_depends_on", (self.draft,))
            return
        spec, references = self.spec, self.spec.references
        frames = (("first_frame", spec.first_frame), ("last_frame", spec.last_frame))
        media = [(name, frame) for name, frame in frames if frame is not None]
        if references.images or references.videos or references.audios:
            for kind, items in references:
                media += [(f"references.{kind}[{i}]", item) for i, item in enumerate(items)]
        needs = {item.clip for _, item in media if isinstance(item, ClipMedia)} if media else ()
        object.__setattr__(self, "_media", tuple(media))
        object.__setattr__(self, "_depends_on", tuple(sorted(needs)))

    @property
    def file(self) -> str:
        """The file that declares it."""
        return self.where.file if self.where is not None else ""

    def with_fields(self, **values: Any) -> Clip:
        """Return the same clip with other field values, which must be of the fields' types."""
        return replace(self, spec=self.spec.model_copy(update=values))

    @property
    def written(self) -> str:
        """The name under which its file has fields of this clip alone, in `overrides`."""
        cells = ",".join(f"{column}={cell}" for column, cell in self.matrix)
        return f"{self.declared}[{cells}]" if self.rows else final_name(self.name)

    @property
    def references(self) -> References:
        """Its reference pictures, videos and sounds."""
        return self.spec.references

    def frozen(self) -> dict[str, str]:
        """Return the clip of each frozen seam, by field."""
        return {name: item.clip for name, item in self._media if isinstance(item, ClipMedia) and item.frozen}

    def avoided(self) -> tuple[str, ...]:
        """Return what the end of its prompt excludes: its own words, and those of its looks."""
        return tuple(filter(None, (self.spec.avoid, *(look.avoid for look in self.looks))))

    def media(self) -> tuple[tuple[str, Media], ...]:
        """Return every input with the name of its field (`references.images[0]`, …), in a fixed order."""
        return self._media

    def depends_on(self) -> tuple[str, ...]:
        """Return the names of the clips whose frames or video this one uses: sorted, each once."""
        return self._depends_on

    def source(self, field_name: str) -> Source | None:
        """Return the place of a field's value, or of the clip's name if the field is not written."""
        return self.fields.get(field_name) or self.where


def local_inputs(clips: Iterable[Clip]) -> Iterator[str]:
    """Yield the path of each local input of clips."""
    return (item.path for clip in clips for _, item in clip.media() if isinstance(item, LocalMedia))


@dataclass(frozen=True, slots=True)
class Cut:
    """A film of clips, with everything resolved. `source` returns the place of a value by its path in the YAML, or of
    its nearest parent that is written."""

    name: str
    spec: CutDecl
    where: Source  # of its name
    source: Callable[[Sequence[str | int]], Source]

    def needs(self) -> tuple[str, ...]:
        """Return the clips and cuts that it shows, each once."""
        return tuple(dict.fromkeys(piece.source for piece in self.spec.sequence if piece.source))

    def files(self) -> Iterator[tuple[str, str, Sequence[str | int]]]:
        """Yield each local file that it is made from: what it is used as, its path, and where the YAML has it."""
        for index, piece in enumerate(self.spec.sequence):
            if piece.still is not None:
                yield "still", piece.still, ("sequence", index, "still")
        for index, sound in enumerate(self.spec.audio):
            yield "audio", sound.file, ("audio", index, "file")
        if self.spec.subtitles is not None:
            yield "subtitles", self.spec.subtitles.file, ("subtitles", "file")


def cut_inputs(cuts: Iterable[Cut]) -> Iterator[str]:
    """Yield the path of each local input of cuts."""
    return (path for cut in cuts for _, path, _ in cut.files())


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """A provider as the project declares it. In `spec`, None means the dialect's own default."""

    alias: str
    spec: Provider
    where: Source | None = None  # of the alias
    fields: Mapping[str, Source] = field(default_factory=dict)  # of each field's value

    def with_fields(self, **values: Any) -> ProviderConfig:
        """Return the same provider with other field values, which must be of the fields' types."""
        return replace(self, spec=self.spec.model_copy(update=values))

    @property
    def kind(self) -> str:
        """Which dialect it uses; one that the project describes is named by its vendor, `http:NAME`."""
        name = self.spec.settings.get("name", "") if self.spec.kind == "http" else ""
        return f"http:{name}" if name else self.spec.kind

    @property
    def credentials(self) -> Mapping[str, Secret | str]:
        """The credentials that are set, by field. Only `app_id`, which is not secret, may be a plain text."""
        values = ((name, getattr(self.spec, name)) for name in CREDENTIALS)
        return {name: value for name, value in values if value is not None}

    @property
    def settings(self) -> Mapping[str, JsonValue]:
        """The dialect's facts that the project overrides, and its `models`."""
        models = {} if self.spec.models is None else {"models": self.spec.models}
        return {**self.spec.settings, **models}


@dataclass(frozen=True, slots=True)
class Project:
    """Everything the project's files declare."""

    name: str  # "clipform.yaml"
    clips: Sequence[Clip]  # in file order
    providers: Mapping[str, ProviderConfig]  # always has `draft`
    cuts: tuple[Cut, ...] = ()  # each after those that it shows
    budget: Budget | None = None
    publish: Mapping[str, JsonValue] = field(default_factory=dict)
    cache: Mapping[str, JsonValue] = field(default_factory=dict)
    state: Mapping[str, JsonValue] = field(default_factory=dict)
    approval: ApprovalRule = NO_RULE
    notify: Mapping[str, JsonValue] = field(default_factory=dict)
    policy: Policy = NO_POLICY
    allowed_inputs: tuple[str, ...] = ()  # folders outside the project that local media may be read from
    files: tuple[str, ...] = ()  # the specs read, the project file first
    tables: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()  # those of the files that are modules
    moved: Mapping[str, str] = field(default_factory=dict)  # present names of clips by former ones
    warnings: tuple[Diagnostic, ...] = ()
    overlay: ProjectOverlay = ProjectOverlay()
    looks: Looks = field(default_factory=dict)
    keyframes: Keyframes = field(default_factory=dict)
    provenance: ProvenanceDecl | None = None
    chain_warning: int | None = None  # clips that may be made from one another without a warning
    volume: Volume = field(default_factory=Volume)  # resolved to read it

    def inputs(self) -> Iterator[str]:
        """Yield the path of each local input of its clips and cuts."""
        return chain(local_inputs(self.clips), cut_inputs(self.cuts))
