"""A receipt that no clipform could have written counts for nothing and stops no command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.state.receipts import parse
from tests.cli.in_process import clipform

LINE: dict[str, object] = {
    **{"seq": 1, "store": "s", "time": 1.0, "event": "accepted", "marker": "m", "attempt": 1, "key": "v1:aa"},
    **{"clip": "hero", "take": 1, "provider": "studio", "kind": "ark", "model": "x", "task": "t-1"},
}
CRAFTED = [
    *(("time", time) for time in (1e300, float("nan"), float("inf"), -1.0, 253_402_300_800)),
    *((name, number) for name in ("seq", "attempt", "seed", "expires_after") for number in (2**63, -(2**63))),
    *((name, "a\ud800") for name in ("store", "marker", "key", "clip", "provider", "model", "task", "endpoint")),
]


@pytest.mark.parametrize("values", [{}, {"time": 0}, {"time": 253_402_300_799}, {"seed": 2**63 - 1}], ids=repr)
def test_an_honest_line_counts_to_the_edge_of_what_is_possible(values: dict[str, object]) -> None:
    assert len(parse(json.dumps(LINE | values).encode())) == 1


@pytest.mark.parametrize(("field", "value"), CRAFTED)
def test_a_crafted_line_counts_for_nothing(field: str, value: object) -> None:
    assert parse(json.dumps(LINE | {field: value}).encode()) == ()


def test_commands_go_on_beside_crafted_lines(tmp_path: Path) -> None:
    spec = "version: 1\nclips:\n  hero: {prompt: a lamp, duration: 1, resolution: 480p}\n"
    (tmp_path / "clipform.yaml").write_text(spec, encoding="utf-8")
    (tmp_path / "state").mkdir()
    lines = "".join(json.dumps(LINE | {field: value}) + "\n" for field, value in CRAFTED)
    (tmp_path / "state" / "receipts").write_text(lines, encoding="utf-8")
    for command in (["plan"], ["recover"], ["apply", "--yes"], ["history"]):
        result = clipform(tmp_path, *command)
        assert (result.returncode, "bug in clipform" in result.stderr) == (0, False), (command, result)
