"""The settings that a provider's YAML may give its dialect: facts that the vendor's page leaves open.

Each kind has a frozen dataclass of settings whose defaults are the facts as we know them. `read` checks a provider's
`settings` against it; pydantic is imported only when there is something to check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from reconciler.diagnostics import Diagnostic, SpecError
from reconciler.frozen import dataclass
from reconciler.providers.phrases import did_you_mean

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

HOLES = re.compile(r"\{(\w*)\}")
"""A placeholder of a template."""

T = TypeVar("T")

BEARER = "Authorization: Bearer {api_key}"


def setting(help: str, default: T) -> T:
    """Declare a setting with its help text and its default."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of every kind. Paths are relative to the base URL; `{task}` and `{model}` are filled in."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid"}

    submit_path: str = setting("Path of a submit; `{model}` is replaced by the model's name.", "/")
    poll_path: str = setting("Path of a task's status; has `{task}`, in the path or in the query.", "/{task}")
    default_model: str = setting("The model of clips that name none.", "")
    auth_header: str = setting("Name and value of the header with the credential, whose name is in braces.", BEARER)
    failures_free: bool = setting("A failed task costs nothing; true only where the vendor says so.", False)
    status_words: Mapping[str, str] = field(
        default_factory=dict,
        metadata={"help": "Status words that the vendor does not document, each with the documented word it means."},
    )
    models: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict, metadata={"help": "Models to add to the catalogue, or to override in it."}
    )

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
    """Return a provider's settings as the dataclass of its kind. Raises SpecError with one diagnostic per fault."""
    if not settings:
        return shape()
    from pydantic import ValidationError

    dataclass_of_kind: object = shape  # mypy takes the class for its instances, which are not hashable
    try:
        settled: S = adapter(dataclass_of_kind).validate_python(dict(settings))
    except ValidationError as error:
        raise SpecError(setting_faults("", error, [f.name for f in fields(shape)])) from error
    return settled


@cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """Return pydantic's check of a type, made once: making it costs a hundred times what a use does."""
    from pydantic import TypeAdapter

    return TypeAdapter(shape)


def setting_faults(prefix: str, error: ValidationError, names: Sequence[str]) -> Iterator[Diagnostic]:
    """Yield one diagnostic per fault that pydantic reports; `prefix` goes before the setting's name."""
    for fault in error.errors(include_url=False, include_context=False):
        path = ".".join(str(step) for step in fault["loc"])
        if fault["type"] == "unexpected_keyword_argument":
            yield unknown_setting(prefix, path, names)
        else:
            message = fault["msg"].removeprefix("Value error, ")
            setting = f"{prefix}{path}: " if path else prefix
            yield Diagnostic("bad-setting", f"{setting}{message}", help=f"settings: {', '.join(names)}")


def unknown_setting(prefix: str, name: str, names: Sequence[str]) -> Diagnostic:
    """Return the diagnostic of a setting that does not exist, with the nearest of those that do."""
    message = f"unknown setting {prefix + name!r}{did_you_mean(name, names)}"
    return Diagnostic("unknown-setting", message, help=f"settings: {', '.join(names)}")
