"""A draft that nobody is drawing is interrupted, for `plan`, `status` and `is:`; while another process has the state,
it is being drawn."""

from __future__ import annotations

from pathlib import Path

from reconciler.clock import SystemClock
from reconciler.plan.model import Action, Reason
from reconciler.project.model import Choice
from reconciler.project.workspace import Workspace
from reconciler.records import State
from reconciler.state.budget import NewAttempt
from reconciler.state.ledger import Facts
from reconciler.state.lock import Lock
from reconciler.state.store import Store
from reconciler.views.status import status


def seen(workspace: Workspace, *clips: str) -> tuple[Action, Reason, str]:
    planned = workspace.plan(Choice(clips), workspace.load())
    (row,) = status(planned, 0.0)
    return planned.plan.steps[0].action, planned.plan.steps[0].reason, row.state


def test_a_draft_is_interrupted_unless_another_process_has_the_state(tmp_path: Path) -> None:
    (tmp_path / "clipform.yaml").write_text("version: 1\nclips: {lamp: {prompt: a lamp, duration: 1}}\n")
    clock, state = SystemClock(), tmp_path / "state"
    workspace = Workspace(tmp_path, clock, {})
    order = workspace.load().orders[0]
    new = NewAttempt("m", key=order.wanted.key, clip="lamp", take=1, provider="draft", kind="draft", model="animatic")
    with Lock(state, "apply", clock.now), Store.open(state, clock.now) as store:
        store.move(store.begin(new), State.ACCEPTED, Facts(task="t1"))
        assert seen(workspace) == (Action.RESUME, Reason.DRAWING, "running")
    assert seen(workspace, "is:interrupted") == (Action.RESUME, Reason.INTERRUPTED, "interrupted")
