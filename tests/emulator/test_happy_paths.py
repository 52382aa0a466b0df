"""Each vendor by its page: a task is taken, walks, and ends with a clip that is what was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.kit import LATENCY, LINK_AT, PICTURE, POLLS, SUBMITS, Rig, at, clip

WALKS = {
    "jiekou": ("TASK_STATUS_QUEUED", "TASK_STATUS_PROCESSING", "TASK_STATUS_SUCCEED"),
    "jimmyai": ("queued", "processing", "completed"),
    "chanjing": ("Queued", "Generating", "Success"),
    "uniall": ("queued", "in_progress", "completed"),
    "3hei": ("queued", "running", "succeeded"),
    "ark": ("queued", "running", "succeeded"),
}

SIZES = {
    "jiekou": (1248, 704, 5, False),
    "jimmyai": (1280, 720, 5, True),
    "chanjing": (704, 1248, 5, False),
    "uniall": (1280, 720, 8, False),
    "3hei": (1280, 720, 5, True),
    "ark": (1280, 720, 5, True),
}


@pytest.mark.parametrize("kind", SUBMITS)
def test_a_task_walks_in_the_vendors_words(rig: Rig, kind: str) -> None:
    task = rig.submit(kind)
    words = [rig.status(kind, task)]
    for share in (0.5, 0.5):
        rig.now += LATENCY * share
        words.append(rig.status(kind, task))
    assert tuple(words) == WALKS[kind]


@pytest.mark.parametrize("kind", SUBMITS)
def test_the_clip_has_the_asked_size_length_and_sound(rig: Rig, kind: str) -> None:
    answer = rig.fetch(rig.finish(kind))
    assert answer.headers["content-type"] == "video/mp4"
    found = clip(answer.content)
    assert (found.width, found.height, found.duration_ms // 1000, found.audio) == SIZES[kind]


@pytest.mark.parametrize("kind", SUBMITS)
def test_no_link_is_told_before_the_end(rig: Rig, kind: str) -> None:
    body = rig.poll(kind, rig.submit(kind)).json()
    with pytest.raises((KeyError, IndexError, TypeError)):
        at(body, LINK_AT[kind])


@pytest.mark.parametrize("kind", SUBMITS)
def test_two_tasks_never_get_the_same_bytes(rig: Rig, kind: str) -> None:
    first, second = (rig.fetch(rig.finish(kind)).content for _ in range(2))
    assert first != second


@pytest.mark.parametrize("kind", SUBMITS)
def test_a_task_belongs_to_the_key_that_paid_it(rig: Rig, kind: str) -> None:
    task = rig.submit(kind)
    if kind == "chanjing":
        answer = rig.send(
            "POST", "/chanjing/open/v1/access_token", json={"app_id": "other", "secret_key": "key"}
        ).json()
        header = {"access_token": answer["data"]["access_token"]}
    else:
        header = rig.credential(kind, "another")
    answer = rig.send("GET", POLLS[kind] + task, headers=header)
    assert task not in answer.text


def test_jiekou_tells_numbers_as_text_and_always_three_arrays(rig: Rig) -> None:
    task = rig.submit("jiekou", seed=7)
    rig.now += LATENCY
    body = rig.poll("jiekou", task).json()
    assert body["extra"]["seed"] == "7"
    assert body["videos"][0]["video_url_ttl"] == "3600"
    assert (body["images"], body["audios"]) == ([], [])
    assert body["task"]["task_id"] == task


def test_jimmyai_tells_its_code_as_text_on_video_addresses(rig: Rig) -> None:
    answer = rig.ask("POST", *SUBMITS["jimmyai"]).json()
    assert (answer["code"], answer["msg"], answer["data"]["status"]) == ("20000", "ok", "queued")


def test_chanjing_answers_a_submit_with_the_bare_id(rig: Rig) -> None:
    answer = rig.ask("POST", *SUBMITS["chanjing"]).json()
    assert (answer["code"], answer["msg"], type(answer["data"])) == (0, "success", str)
    assert len(answer["trace_id"]) == 32


def test_uniall_answers_with_the_job_object(rig: Rig) -> None:
    answer = rig.ask("POST", *SUBMITS["uniall"]).json()
    assert answer["id"] == answer["task_id"]
    assert (answer["object"], answer["model"]) == ("video.generation.job", "seedance2.0-720p")


def test_3hei_answers_a_submit_with_the_id_and_nothing_else(rig: Rig) -> None:
    answer = rig.ask("POST", *SUBMITS["3hei"]).json()
    assert answer.keys() == {"id"}
    assert answer["id"].startswith("cgt-")


TWO = "doubao-seedance-2-0-260128"


def test_ark_reports_what_it_chose_and_the_tokens(rig: Rig) -> None:
    task = rig.submit("ark", duration=-1, ratio="adaptive")
    rig.now += LATENCY
    body = rig.poll("ark", task).json()
    assert (body["duration"], body["ratio"], body["resolution"]) == (5, "16:9", "720p")
    assert body["seed"] >= 0
    assert body["usage"] == {"completion_tokens": 108_900, "total_tokens": 108_900}


@pytest.mark.parametrize(
    ("model", "sent"), [("doubao-seedance-1-0-pro-250528", 7), ("doubao-seedance-1-0-pro-250528", None), (TWO, None)]
)
def test_ark_reports_the_seed_that_it_was_sent_or_one_of_its_own(rig: Rig, model: str, sent: int | None) -> None:
    tasks = [rig.submit("ark", model=model, seed=sent) for _ in range(3)]
    rig.now += LATENCY
    seeds = [_seed(rig, task) for task in tasks]
    assert seeds == [7, 7, 7] if sent == 7 else len(set(seeds)) > 1


def _seed(rig: Rig, task: str) -> int:
    """What its list says, and its poll."""
    rows = rig.ask("GET", SUBMITS["ark"][0]).json()["items"]
    (listed,) = (row["seed"] for row in rows if row["id"] == task)
    assert listed == rig.poll("ark", task).json()["seed"]
    return int(listed)


def _frame_cases() -> list[Any]:
    text = {"type": "text", "text": "a lamp"}
    return [
        ("ark", {"content": [text], "return_last_frame": True}, ("content", "last_frame_url")),
        ("uniall", {"extra_body": {"return_last_frame": True}}, ("last_frame_url",)),
    ]


@pytest.mark.parametrize(("kind", "changes", "place"), _frame_cases())
def test_the_last_frame_is_returned_where_it_was_asked_for(
    rig: Rig, kind: str, changes: dict[str, object], place: tuple[str, ...]
) -> None:
    task = rig.submit(kind, **changes)
    rig.now += LATENCY
    answer = rig.fetch(at(rig.poll(kind, task).json(), place))
    assert (answer.headers["content-type"], answer.content[:4]) == ("image/png", b"\x89PNG")


ASSET = "asset://asset-1"
VOICE = "https://example.com/voice.mp3"
CLIP = "https://example.com/clip.mp4"


def _item(sort: str, url: str, role: str | None = None) -> dict[str, object]:
    item: dict[str, object] = {"type": sort, sort: {"url": url}}
    return item | {"role": role} if role else item


TAKEN: list[tuple[str, dict[str, object]]] = [
    ("jiekou", {"last_image": PICTURE, "seed": -1, "camera_fixed": True, "aspect_ratio": "21:9", "duration": 10}),
    ("jiekou", {"image": "http://example.com/first.jpg"}),
    ("jimmyai", {"images": [PICTURE] * 9, "reference_videos": [CLIP] * 3, "reference_audios": [VOICE, ASSET]}),
    ("jimmyai", {"first_image": PICTURE}),
    ("jimmyai", {"model": "seedance2.0-md", "duration": 1, "resolution": None, "images": [PICTURE] * 4}),
    ("jimmyai", {"model": "seedance2.0-md", "resolution": None, "first_image": PICTURE, "last_image": PICTURE}),
    ("jimmyai", {"model": "seedance2.0-fast-i2v", "resolution": None, "images": [PICTURE], "ratio": "1:1"}),
    ("jimmyai", {"model": "seedance2.0-std", "resolution": None, "reference_audios": [VOICE], "images": [PICTURE]}),
    ("jimmyai", {"model": "sd2_mx_2k", "resolution": None, "ratio": "Adaptive", "images": [ASSET]}),
    ("jimmyai", {"model": "sd2_mx_video_fast_720p", "resolution": None, "duration": 12, "reference_videos": [ASSET]}),
    ("jimmyai", {"model": "seedance2.0-mini-sp", "resolution": "480p", "ratio": "1:1"}),
    ("jimmyai", {"ratio": None, "orientation": "portrait"}),
    ("chanjing", {"start_frame": None, "end_frame": None, "clarity": None, "aspect_ratio": None}),
    ("chanjing", {"start_frame": None, "end_frame": None, "ref_img_url": [PICTURE, PICTURE]}),
    ("uniall", {"duration": "15"}),
    ("uniall", {"model": "seedance2.0-4k", "image": PICTURE, "last_image": PICTURE}),
    ("uniall", {"images": [PICTURE] * 9, "videos": [CLIP] * 3, "audios": [VOICE], "extra_body": {"watermark": "true"}}),
    ("3hei", {"content": [_item("image_url", PICTURE)]}),
    ("3hei", {"content": [_item("image_url", PICTURE, "first_frame"), _item("image_url", PICTURE, "last_frame")]}),
    ("3hei", {"content": [_item("image_url", ASSET, "reference_image"), _item("audio_url", VOICE, "reference_audio")]}),
    ("ark", {"service_tier": "default", "execution_expires_after": 3600, "priority": 9}),
    (
        "ark",
        {"model": "doubao-seedance-1-5-pro-251215", "camera_fixed": True, "resolution": "1080p", "seed": 2**31 - 1},
    ),
    ("ark", {"model": "doubao-seedance-1-0-pro-250528", "camera_fixed": False, "seed": -1}),
    ("ark", {"watermark": None, "seed": None, "tools": None}),
]


@pytest.mark.parametrize(("kind", "changes"), TAKEN)
def test_what_the_page_allows_is_taken(rig: Rig, kind: str, changes: dict[str, object]) -> None:
    path, body = SUBMITS[kind]
    nulls = kind == "ark"
    changed = {name: value for name, value in {**body, **changes}.items() if nulls or value is not None}
    answer = rig.ask("POST", path, changed)
    assert answer.status_code == 200, answer.text
    assert len(rig.world.ledger.entries) == 1, answer.text
