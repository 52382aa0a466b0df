"""Read the models of a kind from its `models.yaml`, and put a provider's own `models:` over them.

Both have one form, a mapping from a model's name to its fields:

    doubao-seedance-3-0: {like: doubao-seedance-2-0, durations: 4-30}
    seedance2.0-720p: {max_images: 4, image_limits: {max_bytes: 10000000}}

An entry takes every field of `base.Model`. `like` names the entry to start from; without it the entry starts from the
model of its own name, or from an empty one. Limits and defaults are merged member by member. A new entry is a line of
its own unless it states `line`. `durations` is a list or a span `4-15`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from functools import cache
from pkgutil import get_data
from typing import Any

from reconciler.diagnostics import Diagnostic, SpecError
from reconciler.providers.base import Billing, MediaLimits, Mode, Model, Placement
from reconciler.providers.phrases import did_you_mean
from reconciler.providers.settings import adapter, setting_faults, unknown_setting

Entries = Mapping[str, Mapping[str, object]]

_SPAN = re.compile(r"(\d{1,4})\s*-\s*(\d{1,4})\Z")
_WHOLE = re.compile(r"-?\d{1,9}\Z")
_WORDS = {"true": True, "yes": True, "false": False, "no": False}
_FIELDS = tuple(field.name for field in fields(Model))


@cache
def shipped(file: str) -> tuple[Model, ...]:
    """Return the models of a data file of this package, such as `ark/models.yaml`, or of another package, such as
    `clipform_lumen:models.yaml`; each file is read once a process."""
    models: dict[str, Model] = {}
    for name, entry in entries_of(file).items():
        base, stated = _start(name, entry, models)
        models[name] = replace(base, **{key: _CONVERT.get(key, _same)(value) for key, value in stated.items()})
    return tuple(models.values())


def entries_of(file: str) -> Entries:
    """Return the entries of a data file as YAML gives them."""
    import yaml

    package, _, path = file.rpartition(":")
    data = get_data(package or __package__, path) or b""
    entries: Entries = yaml.load(data, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return entries


def catalogue(models: Sequence[Model], entries: Entries) -> tuple[Model, ...]:
    """Return the models with a provider's entries over them, new ones last. Raises SpecError.

    `defaults_v1` of a model stays what it was, so that an override changes no key by itself.
    """
    merged = {model.name: model for model in models}
    for name, entry in entries.items():
        frozen = merged[name].defaults_v1 or merged[name].defaults if name in merged else {}
        like = merged.get(str(entry.get("like", name)), Model(""))
        model = _checked(name, *_start(name, entry, merged))
        merged[name] = replace(model, defaults_v1=frozen, stem=like.stem or like.name)
    return tuple(merged.values())


def _start(name: str, entry: Mapping[str, object], models: Mapping[str, Model]) -> tuple[Model, dict[str, object]]:
    """Return the model that an entry starts from, under the entry's name, and the fields to set on it."""
    if reserved := {"name", "defaults_v1", "stem"} & entry.keys():
        message = f"models.{name}: `{min(reserved)}` cannot be set"
        raise SpecError([Diagnostic("bad-setting", message, help="remove it")])
    like = str(entry.get("like", name))
    if "like" in entry and like not in models:
        hint = did_you_mean(like, list(models))
        raise SpecError([Diagnostic("unknown-model", f"models.{name}.like: unknown model {like!r}{hint}")])
    base = models[name] if like == name and name in models else replace(models.get(like, Model(name)), line=name)
    stated = {key: _merged(getattr(base, key, None), _plain(key, value)) for key, value in entry.items()}
    stated.pop("like", None)
    if unknown := stated.keys() - set(_FIELDS):
        raise SpecError([unknown_setting(f"models.{name}.", min(unknown), _FIELDS)])
    return replace(base, name=name), stated


def _checked(name: str, base: Model, stated: Mapping[str, object]) -> Model:
    """Return the model with fields from a project, whose types pydantic checks. Raises SpecError."""
    from pydantic import ValidationError

    values = {**{key: getattr(base, key) for key in _FIELDS}, **stated}
    try:
        model: Model = adapter(Model).validate_python(values)
    except ValidationError as error:
        raise SpecError(setting_faults(f"models.{name}.", error, _FIELDS)) from error
    return replace(model, durations=tuple(sorted(model.durations)))


def _merged(base: object, stated: object) -> object:
    """Return a stated mapping over the value of the base; any other value as it is."""
    if isinstance(stated, Mapping) and is_dataclass(base) and not isinstance(base, type):
        base = asdict(base)
    return {**base, **stated} if isinstance(stated, Mapping) and isinstance(base, Mapping) else stated


def _plain(key: str, value: object) -> object:
    """Return a value as its field wants it: a project's free maps may hold every scalar as text."""
    if key == "durations" and isinstance(value, str) and (span := _SPAN.match(value)):
        return list(range(int(span[1]), int(span[2]) + 1))
    if key == "defaults" and isinstance(value, Mapping):
        return {name: _scalar(item) for name, item in value.items()}
    return value


def _scalar(value: object) -> object:
    if not isinstance(value, str):
        return value
    return int(value) if _WHOLE.match(value) else _WORDS.get(value.lower(), value)


def _same(value: Any) -> Any:
    return value


def _limits(value: Any) -> MediaLimits:
    return MediaLimits(**{**value, "formats": tuple(value.get("formats", ()))})


# The package's own files are tested, not checked at every start: pydantic would take a hundred times as long.
_CONVERT: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("modes", "adaptive_only", "adaptive_never"), lambda names: frozenset(map(Mode, names))),
    "options": lambda rows: {name: tuple(values) for name, values in rows.items()},
    "resolution_in": Placement,
    "billing": Billing,
    **dict.fromkeys(("durations", "resolutions", "ratios", "draft_finals"), tuple),
    **dict.fromkeys(("image_schemes", "video_schemes", "audio_schemes", "required"), frozenset),
    **dict.fromkeys(("image_limits", "video_limits", "audio_limits"), _limits),
}
