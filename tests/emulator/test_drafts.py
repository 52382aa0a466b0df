"""A draft, and the final from its task, typed in by hand from the owner's page, on a clock that the test turns."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.emulator.kit import SUBMITS, Rig

PATH = SUBMITS["ark"][0]
MODEL, PRO = "doubao-seedance-2-5-260628", "doubao-seedance-1-5-pro-251215"
TEXT = {"type": "text", "text": "a lamp"}
DAY = 86_400


def draft(rig: Rig, model: str = MODEL) -> str:
    """A draft that is done; its task's id."""
    body = {"model": model, "content": [TEXT], "draft": True, "duration": 5, "ratio": "16:9"}
    answer = rig.ask("POST", PATH, body)
    assert answer.status_code == 200, answer.text
    rig.now += 100
    return str(answer.json()["id"])


def final(rig: Rig, task: str, model: str = MODEL, key: str = "key", **more: object) -> Mapping[str, object]:
    """What the vendor answers to a request for a final."""
    body = {"model": model, "content": [{"type": "draft_task", "draft_task": {"id": task}}], **more}
    answer: Mapping[str, object] = rig.ask("POST", PATH, body, key=key).json()
    return answer


def test_a_final_is_the_draft_in_full_and_both_are_billed(rig: Rig) -> None:
    task = draft(rig)
    made = str(final(rig, task)["id"])
    rig.now += 100
    sketch, whole = (rig.poll("ark", each).json() for each in (task, made))
    assert (sketch["draft"], sketch["draft_task_id"], sketch["resolution"]) == (True, None, "480p")
    assert (whole["draft"], whole["draft_task_id"], whole["resolution"]) == (False, task, "1080p")
    assert (whole["duration"], whole["ratio"]) == (5, "16:9")
    assert [int(entry.charge.amount) for entry in rig.world.ledger.entries] == [48_437, 245_025]


def test_a_draft_of_1_5_pro_is_billed_for_a_part(rig: Rig) -> None:
    draft(rig, PRO)  # with sound, as by default
    assert [int(entry.charge.amount) for entry in rig.world.ledger.entries] == [50_638 * 60 // 100]


def test_a_final_of_1_5_pro_states_its_resolution(rig: Rig) -> None:
    made = str(final(rig, draft(rig, PRO), PRO, resolution="720p", watermark=True)["id"])
    rig.now += 100
    assert rig.poll("ark", made).json()["resolution"] == "720p"


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({"content": [{"type": "draft_task", "draft_task": {"id": "TASK"}}, TEXT]}, 0),
        ({"content": [{"type": "draft_task", "draft_task": {"id": "TASK"}, "text": "a lamp"}]}, 0),
        ({"duration": 5}, 0),
        ({"resolution": "1080p"}, 0),
        ({"execution_expires_after": 172_801}, 0),
        ({"draft": True}, 0),
        ({"model": PRO}, 0),
        ({"task": "cgt-20260101000000-00000000"}, 0),
        ({"key": "another"}, 0),
        ({}, 7),
    ],
    ids=str,
)
def test_a_final_that_the_page_rules_out_is_refused(rig: Rig, changes: dict[str, object], days: int) -> None:
    task = draft(rig)
    rig.now += days * DAY
    if "content" in changes:
        changes = json.loads(json.dumps(changes).replace("TASK", task))
    refused = final(rig, **{"task": task, **changes})  # type: ignore[arg-type]  # fields of several types
    assert refused["error"]["code"] == "InvalidParameter", refused  # type: ignore[index]  # as above
    assert len(rig.world.ledger.entries) == 1


def test_a_final_of_a_draft_that_is_not_done_or_of_no_draft_is_refused(rig: Rig) -> None:
    task = draft(rig)
    rig.now -= 100
    plain = rig.submit("ark", model=MODEL)
    assert "error" in final(rig, task)
    rig.now += 100
    assert "error" in final(rig, plain)
    assert "id" in final(rig, task)


def test_a_model_without_drafts_and_another_resolution_are_refused(rig: Rig) -> None:
    for changes in ({"model": "doubao-seedance-2-0-260128"}, {"resolution": "720p"}):
        body = {"model": MODEL, "content": [TEXT], "draft": True, **changes}
        assert rig.ask("POST", PATH, body).status_code == 400
