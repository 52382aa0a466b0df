"""A saved plan: what is written is read, and a file of other types is no plan."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diagnostics import ClipformError
from reconciler.project import saved_plan
from reconciler.project.model import Choice
from reconciler.project.saved_plan import SavedPlan
from reconciler.spec.project import ProjectOverlay

CLIPS = st.lists(st.text(st.characters()), max_size=3).map(tuple)
HEX = st.text("0123456789abcdef", max_size=64)
PLANS = st.builds(
    SavedPlan,
    id=HEX,
    choice=st.builds(Choice, CLIPS, CLIPS, CLIPS, st.booleans(), st.booleans()),
    store=HEX,
    sequence=st.integers(0, 2**63 - 1),
    fingerprint=HEX,
    overlay=st.builds(ProjectOverlay, st.lists(st.tuples(st.text("ab"), st.text("=$ c"))).map(tuple), st.text("xy")),
)


@settings(deadline=None)
@given(PLANS)
def test_a_plan_file_reads_what_it_writes(plan: SavedPlan) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "p.plan"
        saved_plan.save(path, plan)
        assert saved_plan.read(path) == plan


@pytest.mark.parametrize("name", ["id", "store", "fingerprint", "sequence"])
@pytest.mark.parametrize("value", [None, True, 1.5, float("inf"), [], {}, "\ud800"], ids=repr)
def test_a_field_of_another_type_is_refused_when_the_file_is_read(name: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "p.plan"
    saved_plan.save(path, SavedPlan("a", Choice(), "b", 1, "c"))
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), name: value}), encoding="utf-8")
    with pytest.raises(ClipformError, match="is not a plan file"):
        saved_plan.read(path)
