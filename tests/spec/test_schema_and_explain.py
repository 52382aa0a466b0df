"""The schema that editors use and the text of `explain`, both read off the models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from spec_kit import Case, cases

from reconciler.spec.problems import Problems
from reconciler.spec.reader import Fields, Items, Node, Scalar, read
from reconciler.spec.schema import all_fields, explain, json_schema, nearest_field

SCHEMA = json_schema()
READ = [case for case in cases() if "== clips" in case.expected]


def as_an_editor_reads(node: Node) -> Any:
    """The document by YAML 1.2's core rules, as a schema-aware editor types it."""
    match node:
        case Fields(entries=entries):
            return {key: as_an_editor_reads(entry.value) for key, entry in entries.items()}
        case Items(items=items):
            return [as_an_editor_reads(item) for item in items]
        case Scalar(text=text, quoted=True):
            return text
        case Scalar(text="" | "~" | "null"):
            return None
        case Scalar(text=text) if text.lower() in ("true", "false"):
            return text.lower() == "true"
        case Scalar(text=text) if re.fullmatch(r"[-+]?[0-9]+", text):
            return int(text)
        case Scalar(text=text) if re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?", text):
            return Decimal(text)
        case Scalar(text=text):
            return text
    raise AssertionError(node)


TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def fits_type(value: Any, name: str) -> bool:
    """JSON Schema's types; a boolean is no number."""
    if name in ("number", "integer"):
        kinds = (int, Decimal) if name == "number" else (int,)
        return isinstance(value, kinds) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def faults(value: Any, schema: Any, path: str = "") -> list[str]:
    """What a validator would say, for the part of JSON Schema that ours uses."""
    if "$ref" in schema:
        return faults(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], path)
    if "anyOf" in schema and all(faults(value, option, path) for option in schema["anyOf"]):
        return [f"{path}: none of the options"]
    names = schema.get("type", [])
    if names and not any(fits_type(value, name) for name in ([names] if isinstance(names, str) else names)):
        return [f"{path}: not {names}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}: not in the list"]
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        return [f"{path}: not of the pattern"]
    if isinstance(value, int | Decimal) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return [f"{path}: out of bounds"]
    if isinstance(value, list):
        return [fault for item in value for fault in faults(item, schema.get("items", {}), f"{path}[]")]
    if isinstance(value, dict):
        return [fault for key, item in value.items() for fault in key_faults(key, item, schema, path)]
    return []


def key_faults(key: str, value: Any, schema: Any, path: str) -> list[str]:
    """The faults of one entry of a map."""
    names = schema.get("propertyNames", {})
    if "pattern" in names and not re.search(names["pattern"], key):
        return [f"{path}.{key}: not a name"]
    inner = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
    return (
        [f"{path}.{key}: unknown"]
        if inner is False
        else faults(value, inner if inner is not True else {}, f"{path}.{key}")
    )


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_the_schema_accepts_what_the_reader_accepts(case: Case) -> None:
    for name, text in case.files.items():
        node = read(name, text.encode(), Problems()) if name.endswith(".yaml") else None
        if node is not None:
            assert faults(as_an_editor_reads(node), SCHEMA) == []


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"clips": {"a": {"promt": "x"}}}, ".clips.a.promt: unknown"),
        ({"clips": {"a b": {}}}, ".clips.a b: not a name"),
        ({"clips": {"a": {"ratio": "16:10"}}}, ".clips.a.ratio: none of the options"),
        ({"clips": {"a": {"takes": 0}}}, ".clips.a.takes: none of the options"),
        ({"clips": {"a": {"tags": "x"}}}, ".clips.a.tags: not ['array', 'null']"),
        ({"providers": {"a": {"api_key": "hunter2"}}}, ".providers.a.api_key: not of the pattern"),
        ({"version": 2}, ".version: none of the options"),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(document: Any, fault: str) -> None:
    assert faults(document, SCHEMA) == [fault]


def test_every_field_is_explained_with_a_type_and_a_note_and_an_example() -> None:
    for name in all_fields():
        told = explain(name)
        assert told and told.type and told.note.endswith(".") and told.example, name


@pytest.mark.parametrize(
    ("field", "type", "default"),
    [
        ("duration", "whole number", ""),
        ("clips.duration", "whole number", ""),
        ("defaults.takes", "whole number", "1"),
        ("retake", "whole number or map", "0"),
        ("protect", "yes/no", "no"),
        ("ratio", "16:9 9:16 4:3 3:4 1:1 21:9 adaptive", ""),
        ("references.images", "list of media", ""),
        ("matrix", "map", ""),
        ("overrides.set.seed", "whole number", ""),
        ("providers", "map of map", ""),
        ("providers.kind", "name", "required"),
        ("providers.prices.per_second", "number", ""),
        ("budget.currency", "text", "USD"),
        ("vars", "map of text", ""),
    ],
)
def test_a_field_is_explained(field: str, type: str, default: str) -> None:
    told = explain(field)
    assert told and (told.field, told.type, told.default) == (field, type, default)


def test_every_field_of_the_schema_is_explained_by_its_name_alone() -> None:
    names = {name for properties in _properties(SCHEMA) for name in properties}
    assert len(names) > 60
    assert [name for name in sorted(names) if explain(name) is None] == []


def _properties(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema.get("properties", {})
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _properties(part)


@pytest.mark.parametrize(
    ("name", "field", "also"),
    [
        ("prices", "providers.prices", ()),
        ("per_second", "providers.prices.per_second", ()),
        ("duration", "duration", ()),
        ("images", "looks.images", ("references.images",)),
        ("endpoint", "publish.endpoint", ("cache.endpoint",)),
    ],
)
def test_the_end_of_a_name_explains_the_first_field_and_names_the_others(
    name: str, field: str, also: tuple[str, ...]
) -> None:
    explained = explain(name)
    assert explained and (explained.field, explained.also) == (field, also)


def test_a_map_is_explained_with_its_keys() -> None:
    told = explain("budget")
    assert told and told.keys == (
        "currency",
        "per_apply",
        "total",
        "clips_per_apply",
        "per_day",
        "per_month",
        "per_tag",
    )


@pytest.mark.parametrize(
    ("word", "meant"), [("duratoin", "duration"), ("provider.prices", "providers.prices"), ("qqqqqq", None)]
)
def test_a_misspelt_field_is_not_explained_but_guessed(word: str, meant: str | None) -> None:
    assert explain(word) is None
    assert nearest_field(word) == meant
