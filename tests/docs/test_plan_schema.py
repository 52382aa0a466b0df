"""The published schema of `plan --json`, and the example policy for Open Policy Agent, fit what the command prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from tests.docs.json_fields import NOTES, plans
from tests.docs.pages import ROOT

SCHEMA = json.loads((ROOT / "docs/reference/plan.schema.json").read_text(encoding="utf-8"))
REGO = (ROOT / "examples/ci/policy/clipform.rego").read_text(encoding="utf-8")
_DEEPER = ("actions[].tier", "diagnostics[]", "moved[]", "cascades[]", "looks[]", "asks_for[]")
"""Members that the tables of the reference have as one line."""


def members(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """The path of every member that a schema describes, `[]` for the items of a list."""
    schema = SCHEMA["properties"]["cost"] if "$ref" in schema else schema
    schema = next((each for each in schema.get("anyOf", ()) if "properties" in each), schema)
    if path and schema.get("type") != "array":
        yield path
    if "items" in schema:
        yield from members(schema["items"], f"{path}[]")
    for name, member in schema.get("properties", {}).items():
        yield from members(member, f"{path}.{name}" if path else name)


def test_every_plan_fits_the_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    check = Draft202012Validator(SCHEMA)
    printed = plans()
    assert len(printed) > 3
    for plan in printed:
        check.validate(plan)
        assert not check.is_valid({**plan, "digest": "1"}) and not check.is_valid({**plan, "format_version": 2})


def test_the_schema_has_the_members_of_the_reference() -> None:
    listed = {path for path in members(SCHEMA) if not any(path.startswith(f"{each}.") for each in _DEEPER)}
    beyond = {"actions[].cost.least", "actions[].cost.source", "cost.least"}  # which the notes of `cost` name
    assert listed - beyond == set(NOTES["plan"])


def test_every_path_that_the_policy_reads_is_in_the_schema() -> None:
    paths, known = set[str](), set(members(SCHEMA))
    variables = {"input": "", **dict(re.findall(r"some (\w+) in input\.(\w+)", REGO))}
    variables["action"] = "actions"  # of `paid`, too
    for name, rest in re.findall(rf"\b({'|'.join(variables)})((?:\.\w+)+)", REGO):
        of = variables[name]
        paths.add(f"{of}[]{rest}" if of else rest.removeprefix("."))
    lists = {path.split("[]")[0] for path in known if "[]" in path}
    assert len(paths) > 10
    free = {path for path in paths if path.startswith("actions[].makes.")}
    unknown = {p for p in paths - free if p not in known and p not in lists and f"{p}[]" not in known}
    assert unknown == set()


def test_what_the_policy_reads_of_an_action_is_in_a_printed_plan() -> None:
    actions = [action for plan in plans() for action in plan["actions"] if action["action"] in ("create", "replace")]
    assert any(action["cost"]["amount"] and action["makes"].get("resolution") for action in actions)
