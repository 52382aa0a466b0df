"""What is special at fal: the two headers, recorded addresses, a result apart from the status, and the history."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.conform.clips import clip_with, job_of
from reconciler.conform.clips import media as read
from reconciler.providers.base import Accepted, Job, NotFound, PollTrouble, Reply, Request, Succeeded, Working
from reconciler.providers.capabilities import CancelRefused, TaskPage
from reconciler.providers.check import Resolved, resolve
from reconciler.providers.fal.addresses import place_of, task_of
from reconciler.providers.fal.dialect import Fal

REQUEST = "764cabcf-b745-4b3e-ae38-1200304cf45b"
TASK = f"{REQUEST}@fal-ai/veo3.1"
HOME = "https://queue.fal.run"
AT = f"/fal-ai/veo3.1/requests/{REQUEST}"
LINK = "https://v3.fal.media/files/x/output.mp4"


def job(**fields: Any) -> Job:
    clip = clip_with(**{"prompt": "waves", "model": "bytedance/seedance-2.0/text-to-video", "duration": 5, **fields})
    resolved = resolve(clip, Fal({}))
    assert isinstance(resolved, Resolved), resolved
    return job_of(clip, resolved)


def test_every_submit_forbids_retries_and_other_models() -> None:
    headers = dict(Fal({}).submit(job()).headers)
    assert headers == {"X-Fal-No-Retry": "1", "x-app-fal-disable-fallback": "1", "X-Fal-Request-Timeout": "3600"}
    assert ("X-Fal-Request-Timeout", "600") in Fal({"start_timeout": 600}).submit(job()).headers


# Addresses -----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.from_regex(r"[a-z0-9][a-z0-9.-]{0,9}", fullmatch=True), min_size=1, max_size=4),
    ends=st.sampled_from([("/status", "", "/cancel"), ("/status", "/response", "/cancel"), ("/s", "/r", "/c")]),
    home=st.sampled_from([HOME, "http://127.0.0.1:8790/fal"]),
)
def test_the_addresses_of_a_reply_are_asked_as_they_came(parts: list[str], ends: tuple[str, ...], home: str) -> None:
    paths = [f"/{'/'.join(parts)}/requests/{REQUEST}{end}" for end in ends]
    body = dict(zip(("status_url", "response_url", "cancel_url"), (home + path for path in paths), strict=True))
    place = place_of(task_of(REQUEST, body, home))
    assert [place.status, place.result, place.cancel] == paths
    assert Fal({}).listed_name(task_of(REQUEST, body, home)) == REQUEST


@pytest.mark.parametrize("home", ["https://evil.example", "http://queue.fal.run", "https://queue.fal.run:444"])
def test_an_address_at_another_host_is_not_recorded(home: str) -> None:
    body = {name: f"{home}{AT}" for name in ("status_url", "response_url", "cancel_url")}
    assert task_of(REQUEST, body, HOME) == REQUEST


@pytest.mark.parametrize("task", [f"{REQUEST}@../../x", f"{REQUEST}@/a,//evil.example/b,/c", f"{REQUEST}@a b"])
def test_a_task_from_a_damaged_record_is_asked_for_in_the_history(task: str) -> None:
    assert Fal({}).poll(task, None).path == "/v1/models/requests/by-endpoint"


# The result ----------------------------------------------------------------------------------


def ended(reply: Reply) -> object:
    """The answer to a status that is COMPLETED, then to the request for the result."""
    spoken = Fal({})
    step = spoken.read_step(TASK, spoken.poll(TASK, None), Reply(200, {"status": "COMPLETED"}))
    assert step == Request("GET", AT), "completed is not success"
    return spoken.read_step(TASK, step, reply)


def fault(type: str, **more: object) -> dict[str, object]:
    return {"detail": [{"loc": ["body", "prompt"], "msg": "no", "type": type, "input": "a secret prompt", **more}]}


def test_a_result_has_the_link() -> None:
    assert ended(Reply(200, {"video": {"url": LINK}, "seed": 7})) == Succeeded(LINK, life=604_800.0)


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "refusal", "free"),
    [
        (422, fault("value_error"), {"x-fal-billable-units": "0"}, "Failed", "bad input", True),
        (422, fault("content_policy_violation"), {}, "Failed", "moderation", False),
        (422, fault("content_policy_violation"), {"x-fal-billable-units": "5"}, "Failed", "moderation", False),
        (422, fault("image_too_small"), {}, "Failed", "bad input", False),
        (422, fault("file_download_error"), {}, "Failed", "internal", False),
        (422, {"detail": "text alone"}, {}, "Failed", "bad input", False),
        (500, fault("internal_server_error"), {}, "Failed", "internal", True),
        (503, {"detail": "x", "error_type": "runner_disconnected"}, {}, "Failed", "internal", True),
        (504, {"detail": "x", "error_type": "request_timeout"}, {}, "Failed", "internal", True),
        (499, {"detail": "x"}, {}, "Cancelled", None, None),
        (200, {"detail": "x", "error_type": "client_cancelled"}, {}, "Cancelled", None, None),
        (200, {"video": {"url": "file:///etc/passwd"}}, {}, "NoOutput", None, None),
        (502, None, {}, "PollTrouble", None, None),  # fal's entry, not the model: ask again
        (500, {"detail": "Internal Server Error"}, {}, "PollTrouble", None, None),
        (429, {"detail": "slow down"}, {}, "PollTrouble", None, None),
        (401, {"detail": "who"}, {}, "PollTrouble", "credentials", None),
    ],
)
def test_a_result_says_how_the_task_ended_and_if_it_is_charged(
    status: int, body: object, headers: dict[str, str], kind: str, refusal: str | None, free: bool | None
) -> None:
    answer = ended(Reply(status, body, headers, "<html>" if body is None else ""))
    assert type(answer).__name__ == kind, answer
    assert getattr(answer, "refusal", None) == refusal
    assert getattr(answer, "free", None) == free
    assert "secret" not in repr(answer), "`input` repeats the prompt"


# The history ---------------------------------------------------------------------------------


def row(request: str = REQUEST, **more: object) -> dict[str, object]:
    return {
        "request_id": request,
        "endpoint_id": "bytedance/seedance-2.0/text-to-video",
        "sent_at": "2026-11-30T10:00:00+00:00",
        "ended_at": "2026-11-30T10:01:00Z",
        "status_code": 200,
        "json_output": {"video": {"url": LINK}},
        **more,
    }


def test_a_task_that_the_queue_does_not_know_is_asked_for_in_the_history_of_all_models() -> None:
    spoken = Fal({})
    first = spoken.read_step(TASK, spoken.poll(TASK, None), Reply(404, {"status": "NOT_FOUND"}))
    assert isinstance(first, Request) and first.host == "api.fal.ai"
    second = spoken.read_step(TASK, first, Reply(200, {"items": [], "has_more": False}))
    assert isinstance(second, Request)
    groups = [{value for name, value in request.query if name == "endpoint_id"} for request in (first, second)]
    assert max(map(len, groups)) <= 50
    assert groups[0] | groups[1] == {model.name for model in spoken.models}
    assert isinstance(spoken.read_step(TASK, second, Reply(200, {"items": []})), NotFound)
    assert spoken.read_step(TASK, second, Reply(200, {"items": [row()]})) == Succeeded(LINK, life=604_800.0)
    assert isinstance(spoken.read_step(TASK, second, Reply(403, {"detail": "no"})), PollTrouble)


@pytest.mark.parametrize(
    ("more", "kind", "free"),
    [
        ({"ended_at": None, "status_code": None}, "Working", None),
        ({"status_code": 422, "json_output": fault("content_policy_violation")}, "Failed", False),
        ({"status_code": 422, "json_output": None}, "Failed", False),
        ({"status_code": 503, "json_output": None}, "Failed", True),
        ({"status_code": 499, "json_output": None}, "Cancelled", None),
        ({"json_output": None}, "NoOutput", None),
    ],
)
def test_the_history_says_how_a_request_ended(more: dict[str, object], kind: str, free: bool | None) -> None:
    page = Fal({}).read_list(Reply(200, {"items": [row(**more)]}))
    assert isinstance(page, TaskPage)
    assert type(page.tasks[0].answer).__name__ == kind
    assert getattr(page.tasks[0].answer, "free", None) == free


def test_the_history_shows_every_fact_of_a_request_as_it_was_sent() -> None:
    """What a submit sends comes back as the same facts, for every family: by them a lost request is recognised."""
    spoken = Fal({})
    for model in spoken.models:
        picture = read("https://c.example/a.png")
        frame = {"first_frame": picture} if "first_frame" in model.modes else {}
        frame |= {"first_frame": picture, "last_frame": picture} if model.modes == {"frames"} else {}
        images = {"images": (picture,)} if "references" in model.modes else {}
        sent = job(model=model.name, duration=model.durations[0], **frame, **images)
        sent_input = spoken.submit(sent).body
        page = spoken.read_list(Reply(200, {"items": [row(endpoint_id=model.name, json_input=sent_input)]}))
        assert isinstance(page, TaskPage)
        (task,) = page.tasks
        assert task.echo["model"] == model.name and task.echo["prompt"] == "waves"
        if not model.name.startswith("fal-ai/minimax") or "standard" in model.name:
            assert task.echo["duration"] == model.durations[0], model.name
        assert len(task.media) == len(frame) + len(images), model.name
        assert task.created == 1_796_032_800.0


def test_a_request_without_its_input_may_be_any_of_its_model() -> None:
    page = Fal({}).read_list(Reply(200, {"items": [row()], "has_more": True, "next_cursor": "c2"}))
    assert isinstance(page, TaskPage)
    assert page.tasks[0].echo == {"model": "bytedance/seedance-2.0/text-to-video"}
    assert page.more == (("cursor", "c2"),)


def test_seedance_2_carries_a_number_that_the_history_shows() -> None:
    spoken, marked = Fal({}), job()
    assert len(spoken.marks(marked)) > 10**9
    assert not spoken.marks(job(model="fal-ai/veo3.1", duration=8)), "others have no field for it"
    body = spoken.submit(Job(marked.model, marked.mode, "p", duration=5, expires_after=123)).body
    page = spoken.read_list(Reply(200, {"items": [row(json_input=body)]}))
    assert isinstance(page, TaskPage) and page.tasks[0].echo["expires_after"] == 123


def test_absence_proves_nothing_before_a_request_would_have_begun_ended_and_appeared() -> None:
    assert Fal({}).coverage is None
    coverage = Fal({"list_complete": True, "start_timeout": 7200}).coverage
    assert coverage is not None and coverage.lag == 7200 + 3600 + 900


# Cancel --------------------------------------------------------------------------------------


def test_a_waiting_task_is_cancelled_at_its_address() -> None:
    spoken = Fal({})
    assert spoken.cancel(TASK) == Request("PUT", f"{AT}/cancel")
    assert type(spoken.read_cancel(Reply(202, {"status": "CANCELLATION_REQUESTED"}))).__name__ == "Cancelled"
    assert spoken.read_cancel(Reply(400, {"status": "ALREADY_COMPLETED"})) == CancelRefused("ALREADY_COMPLETED")
    assert spoken.read_cancel(Reply(404, {"status": "NOT_FOUND"})) == NotFound("NOT_FOUND")
    assert isinstance(spoken.read_cancel(Reply(502)), PollTrouble)


def test_a_status_alone_never_ends_a_task_well() -> None:
    assert Fal({}).read_poll(TASK, Reply(200, {"status": "COMPLETED"})) == Working()
    accepted = Fal({}).read_submit(Reply(200, {"request_id": REQUEST}))
    assert accepted == Accepted(REQUEST)
