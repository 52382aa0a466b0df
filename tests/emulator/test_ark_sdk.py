"""The vendor's own client against `/ark`: the emulator judged by something that was not written here.

Its retries are off: it resends a POST on its own otherwise, and every one of them would be paid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.emulator.kit import clip
from tests.emulator.process import Emulator, emulator

MODEL = "doubao-seedance-2-0-260128"
TEXT = [{"type": "text", "text": "a lamp on a table"}]
PICTURE = "https://example.com/first.jpg"


@pytest.fixture(scope="module")
def vendor() -> Iterator[Emulator]:
    with emulator("--latency", "0", "--no-render") as running:
        yield running


@pytest.fixture(scope="module")
def slow() -> Iterator[Emulator]:
    """Its tasks stay in the queue for as long as any test runs."""
    with emulator("--latency", "100000", "--no-render") as running:
        yield running


Tasks = Callable[..., Any]
"""The client's task calls, for an emulator and a key."""


@pytest.fixture(scope="module")
def sdk() -> Any:
    """The client, loaded when a test needs it: it takes two seconds, and each worker collects every file."""
    return pytest.importorskip("volcenginesdkarkruntime")


@pytest.fixture(scope="module")
def errors(sdk: Any) -> Any:
    return pytest.importorskip(f"{sdk.__name__}._exceptions")


@pytest.fixture
def tasks_of(sdk: Any) -> Iterator[Tasks]:
    made: list[Any] = []

    def make(vendor: Emulator, key: str = "key") -> Any:
        made.append(sdk.Ark(base_url=f"{vendor.api}/ark", api_key=key, max_retries=0, timeout=100))
        return made[-1].content_generation.tasks

    yield make
    for client in made:
        client.close()


def test_the_vendors_client_submits_polls_and_finds_the_video(vendor: Emulator, tasks_of: Tasks) -> None:
    tasks = tasks_of(vendor)
    made = tasks.create(model=MODEL, content=TEXT, resolution="720p", ratio="16:9", duration=5, return_last_frame=True)
    assert made.id.startswith("cgt-")
    task = tasks.get(task_id=made.id)
    assert (task.id, task.status, task.model) == (made.id, "succeeded", MODEL)
    assert (task.duration, task.ratio, task.resolution) == (5, "16:9", "720p")
    assert task.seed >= 0
    assert (task.framespersecond, task.usage.completion_tokens) == (24, 108_900)
    assert task.error is None
    assert clip(httpx.get(task.content.video_url).content).width == 1280
    assert httpx.get(task.content.last_frame_url).status_code == 200


def test_the_vendors_client_sends_frames_and_references(vendor: Emulator, tasks_of: Tasks) -> None:
    tasks = tasks_of(vendor)
    for roles in (("first_frame",), ("first_frame", "last_frame"), ("reference_image", "reference_image")):
        items = [{"type": "image_url", "image_url": {"url": PICTURE}, "role": role} for role in roles]
        made = tasks.create(model=MODEL, content=[*TEXT, *items])
        assert tasks.get(task_id=made.id).status == "succeeded"


def test_the_vendors_client_lists(vendor: Emulator, tasks_of: Tasks) -> None:
    tasks = tasks_of(vendor, "lister")
    made = [tasks.create(model=MODEL, content=TEXT).id for _ in range(3)]
    listed = tasks.list(page_num=1, page_size=2, status="succeeded", model=MODEL)
    assert (listed.total, [item.id for item in listed.items]) == (3, made[:0:-1])
    some = tasks.list(task_ids=made[:2])
    assert {item.id for item in some.items} == set(made[:2])
    assert some.items[0].content.video_url


def test_the_vendors_client_cancels_what_is_queued(slow: Emulator, tasks_of: Tasks) -> None:
    tasks = tasks_of(slow)
    made = tasks.create(model=MODEL, content=TEXT)
    assert tasks.get(task_id=made.id).status == "queued"
    tasks.delete(made.id)
    assert tasks.get(task_id=made.id).status == "cancelled"


def test_the_vendors_client_erases_what_is_finished(vendor: Emulator, tasks_of: Tasks, errors: Any) -> None:
    tasks = tasks_of(vendor)
    made = tasks.create(model=MODEL, content=TEXT)
    tasks.get(task_id=made.id)
    tasks.delete(made.id)
    with pytest.raises(errors.ArkNotFoundError):
        tasks.get(task_id=made.id)


def test_the_vendors_client_understands_the_refusals(vendor: Emulator, tasks_of: Tasks, errors: Any) -> None:
    with pytest.raises(errors.ArkBadRequestError) as bad:
        tasks_of(vendor).create(model=MODEL, content=TEXT, duration=3)
    assert bad.value.code == "InvalidParameter"
    with pytest.raises(errors.ArkAuthenticationError) as wrong:
        tasks_of(vendor, "wrong-key").create(model=MODEL, content=TEXT)
    assert wrong.value.code == "AuthenticationError"
    with pytest.raises(errors.ArkPermissionDeniedError):
        tasks_of(vendor, "broke-key").create(model=MODEL, content=TEXT)


def test_the_ledger_has_what_the_vendors_client_bought(slow: Emulator, tasks_of: Tasks) -> None:
    before = httpx.get(f"{slow.api}/ledger").json()["count"]
    tasks = tasks_of(slow)
    made = [tasks.create(model=MODEL, content=TEXT).id for _ in range(2)]
    entries = httpx.get(f"{slow.api}/ledger").json()["entries"]
    assert [entry["task"] for entry in entries[before:]] == made
