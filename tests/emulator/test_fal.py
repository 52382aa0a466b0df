"""The emulated fal: a queue that checks nothing, a result apart from the status, and two headers that save money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.emulator.kit import API, LATENCY, PICTURE, Rig, clip

ONCE = {"X-Fal-No-Retry": "1", "x-app-fal-disable-fallback": "1"}
SEEDANCE = "bytedance/seedance-2.0/text-to-video"
BODY = {"prompt": "a lamp", "duration": "5", "resolution": "480p", "aspect_ratio": "16:9", "generate_audio": True}
HISTORY = "/fal/v1/models/requests/by-endpoint"


def ask(rig: Rig, method: str, url: str, key: str = "key", **more: Any) -> httpx.Response:
    headers = {"authorization": f"Key {key}", **more.pop("headers", {})}
    return rig.send(method, url, headers=headers, **more)


def submit(rig: Rig, body: Mapping[str, object] = BODY, model: str = SEEDANCE, **headers: str) -> dict[str, Any]:
    answer = ask(rig, "POST", f"/fal/{model}", json=body, headers=headers or ONCE)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_task_walks_to_its_result(rig: Rig) -> None:
    task = submit(rig)
    assert task["status_url"] == f"{API}/fal/bytedance/seedance-2.0/requests/{task['request_id']}/status"
    assert ask(rig, "GET", task["response_url"]).status_code == 400
    words = []
    for share in (0.0, 0.5, 0.5):
        rig.now += LATENCY * share
        answer = ask(rig, "GET", task["status_url"])
        words.append((answer.status_code, answer.json()["status"]))
    assert words == [(202, "IN_QUEUE"), (202, "IN_PROGRESS"), (200, "COMPLETED")]
    result = ask(rig, "GET", task["response_url"])
    assert result.headers["x-fal-billable-units"]
    video = clip(rig.fetch(result.json()["video"]["url"]).content)
    assert (video.width, video.height, video.duration_ms, video.audio) == (864, 496, 5000, True)


@pytest.mark.parametrize("missing", ONCE)
def test_without_one_of_the_headers_it_is_bought_twice(rig: Rig, missing: str) -> None:
    submit(rig)
    assert len(rig.world.ledger.entries) == 1
    submit(rig, **{name: value for name, value in ONCE.items() if name != missing}, other="x")
    assert len(rig.world.ledger.entries) == 3


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (SEEDANCE, {"duration": 5}),
        (SEEDANCE, {"duration": "5s"}),
        (SEEDANCE, {"duration": "3"}),
        (SEEDANCE, {"prompt": ""}),
        (SEEDANCE, {"image_url": PICTURE}),
        (SEEDANCE, {"surprise": 1}),
        ("bytedance/seedance-2.0/fast/text-to-video", {"resolution": "1080p"}),
        ("fal-ai/veo3.1", {"duration": "4", "resolution": "720p"}),
        ("fal-ai/wan/v2.7/text-to-video", {"duration": "5", "resolution": "720p"}),
    ],
)
def test_a_wrong_input_is_accepted_and_is_a_422_after_the_wait(
    rig: Rig, model: str, changes: dict[str, object]
) -> None:
    task = submit(rig, {**BODY, **changes}, model)
    rig.now += LATENCY
    assert ask(rig, "GET", task["status_url"]).json()["status"] == "COMPLETED"
    answer = ask(rig, "GET", task["response_url"])
    assert (answer.status_code, answer.headers["x-fal-billable-units"]) == (422, "0")


def test_a_key_or_a_model_that_is_no_good_is_refused(rig: Rig) -> None:
    path = f"/fal/{SEEDANCE}"
    assert ask(rig, "POST", path, "wrong-key", json=BODY).status_code == 401
    assert "Exhausted balance" in ask(rig, "POST", path, "broke-key", json=BODY).text
    assert rig.send("POST", path, json=BODY, headers={"authorization": "Bearer key"}).status_code == 401
    assert ask(rig, "POST", "/fal/fal-ai/nothing", json=BODY).status_code == 404
    assert ask(rig, "POST", path, json=[1]).status_code == 400
    assert rig.world.ledger.entries == []


def test_the_history_shows_what_has_ended_with_its_input(rig: Rig) -> None:
    first, second = submit(rig), submit(rig, {**BODY, "prompt": "a candle"})
    query = {"endpoint_id": SEEDANCE, "expand": "payloads", "limit": 1}
    assert ask(rig, "GET", HISTORY, params=query).json()["items"] == [], "they wait or run"
    rig.now += LATENCY
    page = ask(rig, "GET", HISTORY, params=query).json()
    following = ask(rig, "GET", HISTORY, params={**query, "cursor": page["next_cursor"]}).json()
    rows = [*page["items"], *following["items"]]
    assert {row["request_id"]: row["json_input"] for row in rows} == {
        first["request_id"]: BODY,
        second["request_id"]: {**BODY, "prompt": "a candle"},
    }
    assert (page["has_more"], following["has_more"]) == (True, False)
    assert ask(rig, "GET", HISTORY).status_code == 400
    assert ask(rig, "GET", HISTORY, params={"endpoint_id": "fal-ai/veo3.1"}).json()["items"] == []


def test_a_waiting_task_is_cancelled_and_ends_completed_with_a_499(rig: Rig) -> None:
    task = submit(rig)
    assert ask(rig, "PUT", task["cancel_url"]).json() == {"status": "CANCELLATION_REQUESTED"}
    assert ask(rig, "GET", task["status_url"]).json()["status"] == "COMPLETED"
    assert ask(rig, "GET", task["response_url"]).status_code == 499
    assert ask(rig, "PUT", task["cancel_url"]).json() == {"status": "ALREADY_COMPLETED"}
    assert ask(rig, "GET", task["status_url"], "other-key").json() == {"status": "NOT_FOUND"}
