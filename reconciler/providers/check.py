"""Check a clip against a dialect's catalogue; every violation is a diagnostic with its source line.

`resolve` is the entry point: it finds the clip's model, derives its mode and checks every field, so that a clip that
the vendor's page rules out is refused here, before anything is sent. Another layer adds the excerpts of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.next_command import command
from reconciler.providers import rules
from reconciler.providers.base import Billing, Dialect, Mode, Model, Placement, Scalar
from reconciler.providers.capabilities import SpokenOverHttp, Uploads
from reconciler.providers.phrases import choices, did_you_mean
from reconciler.spec.project import Clip
from reconciler.spec.values import ClipMedia, LocalMedia
from reconciler.spec.vendor_drafts import is_vendor_draft

PARAMS = ("duration", "resolution", "ratio", "seed", "camera_fixed", "audio", "watermark", "return_last_frame")
"""The clip fields that become parameters of a generation."""

CONTRADICTION = "resolution-contradicts-model"
"""The one model error with which the other fields can still be checked."""

COSTLY = ("duration", "resolution", "audio")
"""Parameters that change the price: sent even if they are defaults, and priced as sent (never-pay-twice#f44)."""


@dataclass(frozen=True)
class Resolved:
    """A clip that its dialect can generate. `params` are the fields that the clip declares, and no others.

    It has no slots, so that its properties are computed once.
    """

    model: Model
    mode: Mode
    params: Mapping[str, Scalar] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()

    @cached_property
    def settled(self) -> Mapping[str, Scalar]:
        """The parameters that are sent and priced: `params`, and the defaults that cost money."""
        return costly_defaults(self.model) | dict(self.params)

    @cached_property
    def server_chosen(self) -> Mapping[str, Scalar | None]:
        """Parameters that are left to the provider, with their defaults; None if the default is unknown."""
        names = rules.switches(self.model) + (("ratio",) if self.model.ratios else ())
        return {name: self.model.defaults.get(name) for name in PARAMS if name in names and name not in self.settled}

    @cached_property
    def left_open(self) -> tuple[str, ...]:
        """`server_chosen` as people read it; empty for a model that bills nothing."""
        if self.model.billing is Billing.FREE:
            return ()
        return tuple(name if v is None else f"{name} {_word(v)}" for name, v in self.server_chosen.items())

    @cached_property
    def shape(self) -> tuple[tuple[str, str], ...]:
        """Length, ratio and resolution of the result, as far as they are settled."""
        names = ("duration", "ratio", "resolution")
        return tuple((name, str(self.settled[name])) for name in names if name in self.settled)


def _word(value: Scalar) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def defaults_v1(model: Model) -> Mapping[str, Scalar]:
    """Return the defaults that recipe v1 leaves out of a key: the catalogue's when the recipe was frozen."""
    return model.defaults if model.defaults_v1 is None else model.defaults_v1


def costly_defaults(model: Model) -> dict[str, Scalar]:
    """Return the defaults that cost money, which every request states."""
    return {name: model.defaults[name] for name in COSTLY if name in model.defaults}


def resolve(clip: Clip, dialect: Dialect, *, can_publish: bool = False) -> Resolved | tuple[Diagnostic, ...]:
    """Return the clip's model, mode and declared parameters, or all diagnostics about it, warnings included.

    `can_publish`: the project can give a local file a URL (`publish:`); a vendor with its own upload needs none.
    """
    model = find_model(clip, dialect)
    if is_vendor_draft(clip.name) and (isinstance(model, Diagnostic) or not model.draft_finals):
        return ()  # its final reports it
    if isinstance(model, Diagnostic):
        if model.code == "field-required" and "resolution" in clip.faulty:
            return ()
        return (model, *_other_problems(model, clip, dialect, can_publish))
    problems = (
        *rules.check(clip, model, can_publish or _hosts(clip, dialect)),
        *_reserved_options(clip, model, dialect),
        *_final(clip, model, dialect),
    )
    if any(problem.severity is Severity.ERROR for problem in problems):
        return problems
    params = _declared(clip)
    if clip.draft and params.get("resolution", model.defaults.get("resolution")) not in model.draft_finals:
        params["resolution"] = model.draft_finals[0]
    return Resolved(model, rules.mode_of(clip), params, problems)


def _hosts(clip: Clip, dialect: Dialect) -> bool:
    """True if the vendor's own upload can host the clip's files. The slow protocol check comes last."""
    return any(isinstance(media, LocalMedia | ClipMedia) for _, media in clip.media()) and isinstance(dialect, Uploads)


def _other_problems(problem: Diagnostic, clip: Clip, dialect: Dialect, can_publish: bool) -> tuple[Diagnostic, ...]:
    """Return the problems besides a resolution that contradicts the model, found by leaving it out."""
    if problem.code != CONTRADICTION:
        return ()
    other = resolve(clip.with_fields(resolution=None), dialect, can_publish=can_publish)
    return other.warnings if isinstance(other, Resolved) else other


def find_model(clip: Clip, dialect: Dialect) -> Model | Diagnostic:
    """Return the clip's model. If the resolution is part of the name, the declared one selects from the line."""
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
    help = f"choose one of these, or another model ({command('models', '--resolution', clip.spec.resolution)})"
    return Diagnostic("resolution-not-offered", message, clip.source("resolution"), help)


def _contradiction(clip: Clip, named: Model, siblings: tuple[Model, ...]) -> Diagnostic:
    resolution = clip.spec.resolution
    fits = [model.name for model in siblings if resolution in model.resolutions]
    message = f"resolution {resolution} contradicts model {named.name}, which makes {choices(named.resolutions)}"
    other = f"choose another model ({command('models', '--resolution', str(resolution))})"
    help = f"{f'set model: {fits[0]}' if fits else other}, or drop `resolution:`"
    return Diagnostic(CONTRADICTION, message, clip.source("resolution"), help)


def _unknown_model(clip: Clip, dialect: Dialect, wanted: str) -> Diagnostic:
    names = [model.name for model in dialect.models]
    message = f"unknown model {wanted!r} for kind {dialect.kind}{did_you_mean(wanted, names)}"
    help = f"choose one of {choices(names)}; a newer one is added under `models:` of the provider"
    return Diagnostic("unknown-model", message, clip.source("model"), help)


def _declared(clip: Clip) -> dict[str, Scalar]:
    values = {name: getattr(clip.spec, name) for name in PARAMS}
    return {name: value for name, value in values.items() if value is not None}


def _reserved_options(clip: Clip, model: Model, dialect: Dialect) -> Iterator[Diagnostic]:
    """Yield options that set a field which clipform writes: they would make the key and the price wrong.

    A watermark costs nothing, and clipform never writes it for a model without the switch: that is left to the vendor.
    """
    reserved = dialect.reserved if clip.spec.options and isinstance(dialect, SpokenOverHttp) else frozenset()
    reserved = reserved if model.has_watermark else reserved - {"watermark"}
    for name, whole in _dotted(clip.spec.options):
        if name in reserved or (whole and any(inner.startswith(f"{name}.") for inner in reserved)):
            message = f"option {name!r} is written by clipform itself for kind {dialect.kind}"
            source = clip.source(f"options.{name}") if f"options.{name}" in clip.fields else clip.source("options")
            yield Diagnostic("option-reserved", message, source, "use the clip's own fields")


def _final(clip: Clip, model: Model, dialect: Dialect) -> Iterator[Diagnostic]:
    """Check whether a model makes a clip from its own draft."""
    mode, resolution = rules.mode_of(clip), clip.spec.resolution
    if not clip.draft:
        return
    if not model.draft_finals:
        able = [other.name for other in dialect.models if other.draft_finals]
        help = f"choose one that has them: {choices(able)}" if able else f"kind {dialect.kind} has no model with drafts"
        yield Diagnostic("no-drafts", f"{model.name} has no drafts", clip.source("draft"), help)
    elif mode in (Mode.EDIT, Mode.EXTEND):
        message = f"{model.name} makes no draft of operation: {mode}"
        yield Diagnostic("no-drafts", message, clip.source("draft"), "remove draft")
    elif resolution is not None and resolution not in model.draft_finals:
        message = f"{model.name} makes a final from a draft in {choices(model.draft_finals)}, not in {resolution}"
        yield Diagnostic("no-drafts", message, clip.source("resolution"), "leave the resolution out")


def _dotted(options: Mapping[str, object]) -> Iterator[tuple[str, bool]]:
    """Yield names with dots, two levels deep; True if the name includes everything below it."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield name, False
            yield from ((f"{name}.{inner}", True) for inner in value)
        else:
            yield name, True
