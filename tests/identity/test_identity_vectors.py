"""Key vectors: each row of `vectors.json` is a promise that was given to somebody who paid.

The file is append only. A row is {"why", "subject", "document", "key"}; the subject is plain JSON with the members of
`reconciler.identity.Subject`, where a number with a fraction stands for itself. `recipe_v1` below was written from the
docstring of the recipe alone and shares no code with it: a stranger can do the same in any language.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.identity import Input, Subject, identify
from reconciler.providers import registry
from reconciler.providers.base import Mode
from reconciler.providers.check import PARAMS
from reconciler.spec.values import Number

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"), parse_float=Decimal)
FROZEN = 73
"""Rows that were given out. Raise it, with the digest, when rows were added; never for any other reason."""
DIGEST = "a2d3aa228fe0ca75bd2566bfef67e69ca0e7cb18572a0ae5862dd51bad69a1ee"
KINDS = {"sha256", "url", "asset", "clip"}
rows = pytest.mark.parametrize("row", VECTORS, ids=lambda row: row["why"])

SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def written(value: Any) -> str:
    """Step 2 of the recipe: canonical JSON."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{"".join(SHORT.get(c) or (f"{chr(92)}u{ord(c):04x}" if ord(c) < 32 else c) for c in value)}"'
    if isinstance(value, list):
        return f"[{','.join(written(item) for item in value)}]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: [ord(c) for c in name])
        return f"{{{','.join(f'{written(name)}:{written(value[name])}' for name in names)}}}"
    return str(value)


def recipe_v1(subject: dict[str, Any]) -> tuple[str, str]:
    """Steps 1 and 3: the document without what is absent, and the key of its canonical text."""
    defaults = subject.get("defaults", {})
    params = {n: v for n, v in subject.get("params", {}).items() if written(v) != written(defaults.get(n))}
    found = {"recipe": "v1", **{name: subject[name] for name in ("dialect", "model", "mode")}}
    found["prompt"] = unicodedata.normalize("NFC", subject.get("prompt", ""))
    found |= {"params": params, "inputs": subject.get("inputs", []), "options": subject.get("options", {})}
    found |= {"take": subject.get("take", 1), "retake": subject.get("retake", 0)}
    absent = {"prompt": "", "params": {}, "inputs": [], "options": {}, "take": 1, "retake": 0}
    text = written({name: value for name, value in found.items() if name not in absent or value != absent[name]})
    return text, "v1:" + hashlib.sha256(text.encode("utf-8")).hexdigest()


def subject_of(row: dict[str, Any]) -> Subject:
    """A row's subject as clipform has it."""
    values = dict(row["subject"])
    values["inputs"] = tuple(_input(dict(item)) for item in values.get("inputs", []))
    values["options"] = _numbers(values.get("options", {}))
    return Subject(**values)


def _input(item: dict[str, str]) -> Input:
    field, part = item.pop("field"), item.pop("part", "")
    ((kind, value),) = item.items()
    return Input(field, kind, value, part)


def _numbers(value: Any) -> Any:
    match value:
        case Decimal():
            return Number(str(value))
        case dict():
            return {name: _numbers(item) for name, item in value.items()}
        case list():
            return [_numbers(item) for item in value]
    return value


@rows
def test_clipform_gives_the_key_that_was_promised(row: dict[str, Any]) -> None:
    key, document = identify(subject_of(row))
    assert document == row["document"]
    assert key == row["key"]


@rows
def test_a_stranger_with_the_docstring_gets_the_same(row: dict[str, Any]) -> None:
    assert recipe_v1(row["subject"]) == (row["document"], row["key"])


def test_rows_that_were_given_out_are_unchanged() -> None:
    """If this fails, every user pays again: mend the recipe or make a `v2` beside it, and leave the digest alone."""
    assert len(VECTORS) >= FROZEN
    promised = [[row["document"], row["key"]] for row in VECTORS[:FROZEN]]
    assert hashlib.sha256(json.dumps(promised).encode()).hexdigest() == DIGEST


def test_each_row_is_another_key_unless_it_says_that_it_is_the_same() -> None:
    seen: dict[str, str] = {}
    for row in VECTORS:
        assert (row["key"] in seen) == row["why"].startswith("the same: "), row["why"]
        seen[row["key"]] = row["why"]


def test_the_rows_cover_the_recipe() -> None:
    subjects = [row["subject"] for row in VECTORS]
    inputs = [item for subject in subjects for item in subject.get("inputs", [])]
    assert {subject["dialect"] for subject in subjects} >= set(registry.BUILT_IN)
    assert {subject["mode"] for subject in subjects} == {mode.value for mode in Mode}
    assert {name for subject in subjects for name in subject.get("params", {})} == set(PARAMS)
    assert {name for subject in subjects for name in subject.get("defaults", {})} <= set(PARAMS)
    assert {kind for item in inputs for kind in item} == KINDS | {"field", "part"}
    assert {item["part"] for item in inputs if "part" in item} == {"last_frame", "first_frame", "video", "task"}
    members = {"recipe", "dialect", "model", "mode", "prompt", "params", "inputs", "options", "take", "retake"}
    assert {name for row in VECTORS for name in json.loads(row["document"])} == members
