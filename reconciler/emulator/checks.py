"""Check a body against the page's table: names, types, choices and ranges, and pictures sent as data.

The first fault is raised as `Broken`; each vendor puts it into its own envelope and wording.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from PIL import Image, UnidentifiedImageError

from reconciler.frozen import dataclass
from reconciler.providers.base import MediaLimits

_DATA: Final = re.compile(r"data:image/([a-z]+);base64,")
_LOOPBACK: Final = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")


class Why(StrEnum):
    """The fault of a field; vendors have different codes for some of these."""

    UNKNOWN = "unknown"
    MISSING = "missing"
    TYPE = "type"
    VALUE = "value"
    RULE = "rule"
    MODEL = "model"
    IMAGE_FORMAT = "image format"
    IMAGE_BYTES = "image bytes"
    IMAGE_SIDES = "image sides"
    IMAGE_RATIO = "image ratio"


class Broken(Exception):
    """A request that breaks the page's rules: the field, the fault, and a sentence. Each vendor words its refusal."""

    def __init__(self, field: str, why: Why, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.why = why
        self.message = message


class Type(StrEnum):
    """The JSON types of the pages' tables."""

    TEXT = "string"
    WHOLE = "integer"
    FLAG = "boolean"
    TEXTS = "array of strings"
    OBJECTS = "array of objects"
    OBJECT = "object"
    WHOLE_OR_TEXT = "integer or string"
    FLAG_OR_TEXT = "boolean or string"


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a page's table."""

    type: Type
    required: bool = False
    choices: tuple[object, ...] = ()
    lowest: int | None = None
    highest: int | None = None


def check_fields(
    body: object, table: Mapping[str, Field], *, nulls: bool = False, within: str = ""
) -> dict[str, object]:
    """Return the body's fields if they all fit the table; `nulls`: omit fields that are null. Raises Broken."""
    if not isinstance(body, dict):
        raise Broken("", Why.TYPE, "the request body is not a JSON object")
    fields = {name: value for name, value in body.items() if not (nulls and value is None)}
    for name in fields:
        if name not in table:
            raise Broken(within + name, Why.UNKNOWN, f"unknown parameter `{within}{name}`")
    for name, row in table.items():
        if name in fields:
            _check(within + name, fields[name], row)
        elif row.required:
            raise Broken(within + name, Why.MISSING, f"missing required parameter `{within}{name}`")
    return fields


def _check(name: str, value: object, row: Field) -> None:
    if not _fits(value, row.type):
        raise Broken(name, Why.TYPE, f"`{name}` must be of type {row.type}")
    if row.required and value == "":
        raise Broken(name, Why.MISSING, f"`{name}` must not be empty")
    if row.choices and value not in row.choices:
        choices = ", ".join(str(choice) for choice in row.choices)
        raise Broken(name, Why.VALUE, f"`{name}` must be one of {choices}")
    if isinstance(value, int) and not isinstance(value, bool):
        low = row.lowest is not None and value < row.lowest
        high = row.highest is not None and value > row.highest
        if low or high:
            raise Broken(name, Why.VALUE, f"`{name}` must be between {row.lowest} and {row.highest}")


def _fits(value: object, type: Type) -> bool:
    text, flag = isinstance(value, str), isinstance(value, bool)
    whole = isinstance(value, int) and not flag
    match type:
        case Type.TEXT:
            return text
        case Type.WHOLE:
            return whole
        case Type.FLAG:
            return flag
        case Type.TEXTS:
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case Type.OBJECTS:
            return isinstance(value, list) and all(isinstance(item, dict) for item in value)
        case Type.OBJECT:
            return isinstance(value, dict)
        case Type.WHOLE_OR_TEXT:
            return whole or (isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}", value) is not None)
        case Type.FLAG_OR_TEXT:
            return flag or value in ("true", "false")


def scheme_of(value: str) -> str:
    """Return https, http, data, asset or bare. HTTP on loopback counts as https: no server there has a certificate."""
    if value.startswith(("https://", *_LOOPBACK)):
        return "https"
    for prefix, name in (("http://", "http"), ("data:", "data"), ("asset://", "asset")):
        if value.startswith(prefix) and len(value) > len(prefix):
            return name
    return "bare"


def check_picture(name: str, value: str, limits: MediaLimits) -> None:
    """Check a picture that is sent as a data URL or as bare Base64, against the page's limits. Raises Broken.

    Limits that are not on this vendor's page (`strict` is false) are not enforced.
    """
    head = _DATA.match(value)
    if value.startswith("data:") and not head:
        raise Broken(name, Why.IMAGE_FORMAT, f"`{name}`: a picture is data:image/<format>;base64,<content>")
    try:
        content = base64.b64decode(value[head.end() :] if head else value, validate=True)
    except (binascii.Error, ValueError):
        raise Broken(name, Why.IMAGE_FORMAT, f"`{name}` is neither a URL nor Base64") from None
    if not limits.strict:
        return
    if limits.max_bytes is not None and len(content) > limits.max_bytes:
        raise Broken(
            name, Why.IMAGE_BYTES, f"`{name}` has {len(content)} bytes, at most {limits.max_bytes} are accepted"
        )
    format, width, height = _probe(name, content)
    if format not in limits.formats or (head and head[1] not in (format, "jpg" if format == "jpeg" else format)):
        raise Broken(name, Why.IMAGE_FORMAT, f"`{name}` is {format}; accepted are {', '.join(limits.formats)}")
    _check_sides(name, width, height, limits)


def _probe(name: str, content: bytes) -> tuple[str, int, int]:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return (picture.format or "").lower(), picture.width, picture.height
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        raise Broken(name, Why.IMAGE_FORMAT, f"`{name}` is not a picture") from None


def _check_sides(name: str, width: int, height: int, limits: MediaLimits) -> None:
    size = f"`{name}` is {width}x{height}"
    if limits.min_side is not None and min(width, height) < limits.min_side:
        raise Broken(name, Why.IMAGE_SIDES, f"{size}; the shortest side allowed is {limits.min_side} px")
    if limits.max_side is not None and max(width, height) > limits.max_side:
        raise Broken(name, Why.IMAGE_SIDES, f"{size}; the longest side allowed is {limits.max_side} px")
    least, most = limits.min_ratio or 0.0, limits.max_ratio or float("inf")
    if not least <= width / height <= most:
        raise Broken(name, Why.IMAGE_RATIO, f"{size}; width ÷ height must be {least} to {most}")
