"""What a provider's YAML may say about its dialect: facts that the vendor's page leaves open, and models.

Each kind has a frozen dataclass of settings whose field defaults are the facts as we know them; `read` checks a
provider's `settings` against it (pydantic, imported only when there is something to check). Two keys are everyone's:

    models:                                      # adds entries, or overrides known ones field by field
      doubao-seedance-3-0: {like: doubao-seedance-2-0, durations: 4-30}
      seedance2.0-720p: {max_images: 4, image_limits: {max_bytes: 10000000}}
    default_model: doubao-seedance-3-0           # taken when a clip names none

An entry takes every field of `base.Model`; `like` names the entry to start from (else the model's own, else an empty
one); a new entry is a line of its own. `durations` may be a list or a span `4-15`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, ClassVar, TypeVar

from reconciler.diagnostics import Diagnostic, SpecError
from reconciler.providers.base import Model
from reconciler.providers.phrases import did_you_mean

if TYPE_CHECKING:
    from pydantic import ValidationError

HOLES = re.compile(r"\{(\w*)\}")
"""A placeholder of a template."""

_SPAN = re.compile(r"(\d{1,4})\s*-\s*(\d{1,4})\Z")
_WHOLE = re.compile(r"-?\d{1,9}\Z")
_WORDS = {"true": True, "yes": True, "false": False, "no": False}

BEARER = "Authorization: Bearer {api_key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every kind takes. Paths are relative to the provider's base URL; `{task}` and `{model}` are filled in."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid"}

    submit_path: str = "/"
    """Where generations are asked for; `{model}` stands for the model's name."""
    poll_path: str = "/{task}"
    """Where a task's standing is read; has `{task}`, in the path or in the query."""
    default_model: str = ""
    """The model of clips that name none."""
    auth_header: str = BEARER
    """Name and value of the header with the credential, whose name stands in braces."""
    failures_free: bool = False
    """Whether a failed task is known to cost nothing; true only where the vendor says so."""
    status_words: Mapping[str, str] = field(default_factory=dict)
    """Words for a task's standing that the vendor does not document, each with the known word that it stands for."""
    models: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Entries that are added to the catalogue, or override it."""

    def __post_init__(self) -> None:
        _check_path("submit_path", self.submit_path, frozenset({"model"}))
        _check_path("poll_path", self.poll_path, frozenset({"task"}))
        if "{task}" not in self.poll_path:
            raise ValueError("poll_path needs {task} where the task id goes")
        if not re.fullmatch(r"[A-Za-z0-9_-]+: [!-~ ]*\{\w+\}[!-~ ]*", self.auth_header):
            raise ValueError(f"auth_header is written 'Name: value' with the credential in braces, as in {BEARER!r}")


def _check_path(name: str, path: str, holes: frozenset[str]) -> None:
    if not path.startswith("/") or re.search(r"[\s\\#]", path):
        raise ValueError(f"{name} starts with '/' and is relative to base_url, found {path!r}")
    if unknown := set(HOLES.findall(path)) - holes:
        raise ValueError(f"{name} has an unknown placeholder {{{min(unknown)}}}")


S = TypeVar("S", bound=Settings)


def read(shape: type[S], settings: Mapping[str, object]) -> S:
    """A provider's settings in the shape of its kind. Raises SpecError with one diagnostic per fault."""
    if not settings:
        return shape()
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(shape).validate_python(dict(settings))
    except ValidationError as error:
        raise SpecError(_faults("", error, [f.name for f in fields(shape)])) from error


def catalogue(models: Sequence[Model], entries: Mapping[str, Mapping[str, object]]) -> tuple[Model, ...]:
    """The models with a provider's own entries over them, added ones last. Raises SpecError."""
    if not entries:
        return tuple(models)
    found = {model.name: model for model in models}
    for name, entry in entries.items():
        found[name] = _entry(name, entry, found)
    return tuple(found.values())


def _entry(name: str, entry: Mapping[str, object], known: Mapping[str, Model]) -> Model:
    """One entry of `models:`. What recipe v1 froze stays as it was, so that an override changes no key by itself."""
    from pydantic import TypeAdapter, ValidationError

    if own := {"name", "defaults_v1"} & entry.keys():
        raise SpecError([Diagnostic("bad-setting", f"models.{name}: `{min(own)}` cannot be set", help="remove it")])
    like = entry.get("like", name)
    if "like" in entry and like not in known:
        hint = did_you_mean(str(like), list(known))
        raise SpecError([Diagnostic("unknown-model", f"models.{name}.like: unknown model {str(like)!r}{hint}")])
    base = known[name] if like == name and name in known else replace(known.get(str(like), Model(name)), line=name)
    stated = {key: _plain(key, value) for key, value in entry.items() if key != "like"}
    names = [f.name for f in fields(Model)]
    if unknown := stated.keys() - set(names):
        raise SpecError([_unknown(f"models.{name}.", min(unknown), names)])
    try:
        made = TypeAdapter(Model).validate_python(_merge(asdict(base), stated) | {"name": name})
    except ValidationError as error:
        raise SpecError(_faults(f"models.{name}.", error, names)) from error
    frozen = known[name].defaults_v1 or known[name].defaults if name in known else {}
    return replace(made, durations=tuple(sorted(made.durations)), defaults_v1=frozen)


def _merge(base: dict[str, object], stated: Mapping[str, object]) -> dict[str, object]:
    """Fields over fields; limits and defaults member by member."""
    nested = {
        key: {**old, **new}
        for key, new in stated.items()
        if isinstance(new, Mapping) and isinstance(old := base.get(key), Mapping)
    }
    return {**base, **stated, **nested}


def _plain(key: str, value: object) -> object:
    """Values as their fields want them: a project's free maps may hold every scalar as text."""
    if key == "durations" and isinstance(value, str) and (span := _SPAN.match(value)):
        return list(range(int(span[1]), int(span[2]) + 1))
    if key == "defaults" and isinstance(value, Mapping):
        return {name: _scalar(item) for name, item in value.items()}
    return value


def _scalar(value: object) -> object:
    if not isinstance(value, str):
        return value
    return int(value) if _WHOLE.match(value) else _WORDS.get(value.lower(), value)


def _faults(prefix: str, error: ValidationError, names: Sequence[str]) -> Iterator[Diagnostic]:
    for fault in error.errors(include_url=False, include_context=False):
        place = ".".join(str(step) for step in fault["loc"])
        if fault["type"] == "unexpected_keyword_argument":
            yield _unknown(prefix, place, names)
        else:
            message = fault["msg"].removeprefix("Value error, ")
            where = f"{prefix}{place}: " if place else prefix
            yield Diagnostic("bad-setting", f"{where}{message}", help=f"settings: {', '.join(names)}")


def _unknown(prefix: str, name: str, names: Sequence[str]) -> Diagnostic:
    message = f"unknown setting {prefix + name!r}{did_you_mean(name, names)}"
    return Diagnostic("unknown-setting", message, help=f"settings: {', '.join(names)}")
