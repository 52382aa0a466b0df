"""Whether a dialect offers what a clip asks for: every rule of the catalogue, as located diagnostics.

`resolve` is the one door: it finds the clip's model, derives its mode and checks every field, so that whatever the
vendor's page refuses is refused here, before anything is sent. Excerpts of the file are another layer's to add.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.providers import rules
from reconciler.providers.base import Dialect, Mode, Model, Placement, Scalar
from reconciler.providers.capabilities import SpokenOverHttp, Uploads
from reconciler.providers.phrases import choices, did_you_mean
from reconciler.spec.project import Clip
from reconciler.spec.values import ClipMedia, LocalMedia

PARAMS = ("duration", "resolution", "ratio", "seed", "camera_fixed", "audio", "watermark", "return_last_frame")
"""The clip fields that become parameters of a generation."""

CONTRADICTION = "resolution-contradicts-model"
"""The one fault of a model that leaves the rest of the clip judgeable."""

COSTLY = ("duration", "resolution", "audio")
"""Parameters that change the price: sent even when only the default asks for them (F44), and priced as sent."""


@dataclass(frozen=True)
class Resolved:
    """A clip that its dialect can make. `params` are the fields the clip states, and no others.

    Without slots, so that what is asked of it several times in a run is worked out once.
    """

    model: Model
    mode: Mode
    params: Mapping[str, Scalar] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()

    @cached_property
    def settled(self) -> Mapping[str, Scalar]:
        """What is sent and priced: `params`, and the known defaults of those that cost money."""
        return costly_defaults(self.model) | dict(self.params)

    @cached_property
    def server_chosen(self) -> Mapping[str, Scalar | None]:
        """What is left to the provider, shown in the plan as "provider default"; None where nobody says which."""
        takes = rules.switches(self.model) + (("ratio",) if self.model.ratios else ())
        return {name: self.model.defaults.get(name) for name in PARAMS if name in takes and name not in self.settled}


def defaults_v1(model: Model) -> Mapping[str, Scalar]:
    """The defaults that recipe v1 leaves out of a key: what the catalogue said when the recipe was frozen."""
    return model.defaults if model.defaults_v1 is None else model.defaults_v1


def costly_defaults(model: Model) -> dict[str, Scalar]:
    """The defaults that cost money, which every request states."""
    return {name: model.defaults[name] for name in COSTLY if name in model.defaults}


def resolve(clip: Clip, dialect: Dialect, *, can_publish: bool = False) -> Resolved | tuple[Diagnostic, ...]:
    """The clip's model, mode and stated parameters, or everything that is wrong with it (warnings included).

    `can_publish` says whether the project can give a local file a URL (`publish:`); a vendor with an upload of its own
    needs none.
    """
    model = find_model(clip, dialect)
    if isinstance(model, Diagnostic):
        return (model, *_beyond(model, clip, dialect, can_publish))
    found = [*rules.check(clip, model, can_publish or _hosts(clip, dialect)), *_reserved_options(clip, dialect)]
    if any(problem.severity is Severity.ERROR for problem in found):
        return tuple(found)
    return Resolved(model, rules.mode_of(clip), _stated(clip), tuple(found))


def offering(
    models: Iterable[Model],
    *,
    mode: Mode | None = None,
    duration: int | None = None,
    resolution: str | None = None,
    ratio: str | None = None,
    switches: Iterable[str] = (),
) -> tuple[Model, ...]:
    """The models that can do a shot: the filters of `clipform models`, which the help of our diagnostics names."""
    return tuple(
        model
        for model in models
        if mode in (None, *model.modes)
        and duration in (None, *model.durations)
        and resolution in (None, *model.resolutions)
        and ratio in (None, *model.ratios)
        and set(switches) <= set(rules.switches(model))
    )


def _hosts(clip: Clip, dialect: Dialect) -> bool:
    """Whether the vendor's own upload can host this clip's files. Asked only when it has some: protocols are slow."""
    return any(isinstance(item, LocalMedia | ClipMedia) for _, item in clip.media()) and isinstance(dialect, Uploads)


def _beyond(problem: Diagnostic, clip: Clip, dialect: Dialect, can_publish: bool) -> tuple[Diagnostic, ...]:
    """What else is wrong beside a resolution that contradicts the model, judged as if it were not there."""
    if problem.code != CONTRADICTION:
        return ()
    other = resolve(clip.with_fields(resolution=None), dialect, can_publish=can_publish)
    return other.warnings if isinstance(other, Resolved) else other


def find_model(clip: Clip, dialect: Dialect) -> Model | Diagnostic:
    """The clip's model. Where the resolution lives in the name, the declared one chooses among the line's models."""
    wanted = clip.spec.model or dialect.default_model
    named = next((model for model in dialect.models if model.name == wanted), None)
    if named is None:
        line = _line(dialect, wanted)
        return _by_resolution(clip, wanted, line) if line else _unknown_model(clip, dialect, wanted)
    if named.resolution_in is not Placement.MODEL or clip.spec.resolution in (None, *named.resolutions):
        return named
    siblings = _line(dialect, named.line)
    if clip.spec.model is None:
        return _by_resolution(clip, named.line, siblings)
    return _contradiction(clip, named, siblings)


def _line(dialect: Dialect, line: str) -> tuple[Model, ...]:
    return tuple(m for m in dialect.models if m.resolution_in is Placement.MODEL and m.line == line)


def _by_resolution(clip: Clip, line: str, models: tuple[Model, ...]) -> Model | Diagnostic:
    for model in models:
        if clip.spec.resolution in model.resolutions:
            return model
    offered = choices([value for model in models for value in model.resolutions])
    if clip.spec.resolution is None:
        message = f"model {line} needs a resolution ({offered})"
        help = f"add `resolution:`, or name one of {choices([model.name for model in models])}"
        return Diagnostic("field-required", message, clip.source("model"), help)
    message = f"resolution {clip.spec.resolution} is not offered by {line} ({offered})"
    help = f"choose one of these, or another model (clipform models --resolution {clip.spec.resolution})"
    return Diagnostic("resolution-not-offered", message, clip.source("resolution"), help)


def _contradiction(clip: Clip, named: Model, siblings: tuple[Model, ...]) -> Diagnostic:
    resolution = clip.spec.resolution
    fits = [model.name for model in siblings if resolution in model.resolutions]
    message = f"resolution {resolution} contradicts model {named.name}, which makes {choices(named.resolutions)}"
    way = f"set model: {fits[0]}" if fits else f"choose another model (clipform models --resolution {resolution})"
    help = f"{way}, or drop `resolution:`"
    return Diagnostic(CONTRADICTION, message, clip.source("resolution"), help)


def _unknown_model(clip: Clip, dialect: Dialect, wanted: str) -> Diagnostic:
    names = [model.name for model in dialect.models]
    message = f"unknown model {wanted!r} for kind {dialect.kind}{did_you_mean(wanted, names)}"
    help = f"choose one of {choices(names)}; a newer one is added under `models:` of the provider"
    return Diagnostic("unknown-model", message, clip.source("model"), help)


def _stated(clip: Clip) -> dict[str, Scalar]:
    values = {name: getattr(clip.spec, name) for name in PARAMS}
    return {name: value for name, value in values.items() if value is not None}


def _reserved_options(clip: Clip, dialect: Dialect) -> Iterator[Diagnostic]:
    """Options that name a field of the request which clipform writes: they would falsify the key and the price."""
    reserved = dialect.reserved if clip.spec.options and isinstance(dialect, SpokenOverHttp) else frozenset()
    for name, whole in _dotted(clip.spec.options):
        if name in reserved or (whole and any(inner.startswith(f"{name}.") for inner in reserved)):
            message = f"option {name!r} is written by clipform itself for kind {dialect.kind}"
            source = clip.source(f"options.{name}") if f"options.{name}" in clip.fields else clip.source("options")
            yield Diagnostic("option-reserved", message, source, "say it with the clip's own fields")


def _dotted(options: Mapping[str, object]) -> Iterator[tuple[str, bool]]:
    """Names with dots, two levels deep; true for one that stands for all below it."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield name, False
            yield from ((f"{name}.{inner}", True) for inner in value)
        else:
            yield name, True
