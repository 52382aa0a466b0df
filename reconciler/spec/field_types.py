"""The types of fields: each leaf has its parser (`scalars`), its name for people and its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from reconciler.spec import scalars
from reconciler.spec.database_address import database_address, schema_name
from reconciler.spec.values import InputMedia, JsonValue, Secret

INTERPOLATED = {"type": "string", "pattern": r"\{"}
"""JSON Schema of a text with `${…}` or `{COLUMN}`, which an editor must accept in every field."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """The type of one scalar: its parser, its name for people, and its JSON Schema."""

    parse: Callable[[Any], object]
    label: str
    schema: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        def validate(raw: object) -> object:
            try:
                return self.parse(raw)
            except scalars.Unfit as unfit:
                raise unfit_error(unfit) from unfit

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self.schema)


def unfit_error(unfit: scalars.Unfit) -> PydanticCustomError:
    """Convert to pydantic's form. The message is passed as a value, so that its braces are not interpreted."""
    return PydanticCustomError("unfit", "{message}", {"message": unfit.message, "help": unfit.help, "code": unfit.code})


def choice_of(*options: str) -> Leaf:
    """Return the type of a text that is one of these."""
    schema = {"anyOf": [{"enum": list(options)}, INTERPOLATED]}
    return Leaf(scalars.choice(*options), " ".join(options), schema)


def whole_from(least: int, most: int = 10**18 - 1, parse: Callable[[Any], int | None] | None = None) -> Leaf:
    """Return the type of a whole number within bounds; `parse` may read more than that."""
    bounds = {"type": "integer", "minimum": least, "maximum": most}
    numeral = {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)$"}
    return Leaf(parse or scalars.whole(least, most), "whole number", {"anyOf": [bounds, numeral, INTERPOLATED]})


_ANY_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_NUMBER = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9.]+$"}, INTERPOLATED]}
_SPELLINGS = [form for word in scalars.BOOLEANS for form in (word, word.title(), word.upper())]
_YES_NO = {"anyOf": [{"type": "boolean"}, {"enum": _SPELLINGS}, INTERPOLATED]}
_ENV_ONLY = {"type": "string", "pattern": r"^\$\{env\.[A-Za-z_][A-Za-z0-9_]*\}$"}
TIME = {"anyOf": [{"type": "string", "pattern": r"^[0-9.]+(ms|s|m|h)$"}, INTERPOLATED]}

Text = Annotated[str, Leaf(scalars.text, "text", _ANY_SCALAR)]
Line = Annotated[str, Leaf(scalars.line, "text", _ANY_SCALAR)]
Address = Annotated[str, Leaf(scalars.address, "address", {"type": "string"})]
Database = Annotated[str, Leaf(database_address, "address", {"type": "string"})]
SchemaName = Annotated[str, Leaf(schema_name, "name", {"type": "string"})]
Name = Annotated[str, Leaf(scalars.name, "name", {"type": ["string", "number"]})]
RawText = Annotated[str, Leaf(scalars.text_as_is, "text", _ANY_SCALAR)]
YesNo = Annotated[bool, Leaf(scalars.boolean, "yes/no", _YES_NO)]
Amount = Annotated[Decimal, Leaf(scalars.decimal, "number", _NUMBER)]
Span = Annotated[Decimal, Leaf(scalars.span, "length of time", TIME)]
Medium = Annotated[InputMedia, Leaf(scalars.media, "media", {"type": ["string", "object"]})]
Picture = Annotated[InputMedia, Leaf(scalars.picture, "path or URL", {"type": "string"})]
SecretName = Annotated[Secret, Leaf(scalars.secret, "secret", _ENV_ONLY)]
OpenId = Annotated[Secret | str, Leaf(scalars.open_id, "text or secret", {"type": ["string", "number"]})]
Free = Annotated[JsonValue, Leaf(scalars.free, "anything", {})]
Variable = Annotated[str, Leaf(scalars.variable, "name of an environment variable", {"type": "string"})]
Folder = Annotated[str, Leaf(scalars.folder, "folder", {"type": "string"})]
Day = Annotated[date, Leaf(scalars.day, "date", {"type": "string"})]
Positive = Annotated[int, whole_from(1)]


def _none_is(empty: Callable[[], object]) -> BeforeValidator:
    """Read an empty value as an empty map or list: `clips:` remains when its last entry is commented out."""
    return BeforeValidator(lambda raw: empty() if isinstance(raw, scalars.Bare) and not raw else raw)


AS_MAP = _none_is(dict)
AS_LIST = _none_is(tuple)

MediaList = Annotated[tuple[Medium, ...], AS_LIST]
Variables = Annotated[tuple[Variable, ...], AS_LIST]
FreeMap = Annotated[dict[str, Free], AS_MAP]


def noted(note: str, example: str, default: Any = None) -> Any:
    """Return a field with the note and example that `explain` shows. `default` may be a factory."""
    notes: dict[str, Any] = {"description": note, "examples": [example]}
    return Field(default_factory=default, **notes) if callable(default) else Field(default, **notes)


class SpecModel(BaseModel):
    """Base class of every map with fixed keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # most are only part of others

    @model_validator(mode="before")
    @classmethod
    def _empty_is_a_map(cls, raw: object) -> object:
        return {} if isinstance(raw, scalars.Bare) and not raw else raw
