"""The farm answers like a vendor, keeps its promises when workers die, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from reconciler.diagnostics import MediaError
from reconciler.media import worker as worker_process
from reconciler.media import worker_pool
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.media.facts import VideoFacts
from reconciler.media.frames import extract_frame
from reconciler.media.probe import probe
from reconciler.media.worker_pool import WorkerPool
from reconciler.providers.base import (
    Accepted,
    Failed,
    Job,
    MediaRef,
    NotFound,
    PollAnswer,
    Refusal,
    Rejected,
    Request,
    Succeeded,
    Working,
)
from reconciler.providers.draft.dialect import Draft
from tests.program.workers import FRESH

from .conftest import Draw, job

DRAFT = Draft()
T = TypeVar("T")

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds worker processes in /proc")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that the program starts itself."""
    monkeypatch.setattr(worker_pool, "_start", FRESH)


def with_farm(folder: Path, act: Callable[[DraftRenderer], Coroutine[None, None, T]]) -> T:
    async def run() -> T:
        farm = DraftRenderer(folder / "scratch", workers=2)
        try:
            return await act(farm)
        finally:
            await farm.aclose()

    return asyncio.run(run())


async def submit(farm: DraftRenderer, asked: Job) -> str:
    answer = DRAFT.read_submit(await farm.submit(DRAFT.submit(asked)))
    assert isinstance(answer, Accepted)
    return answer.task


async def poll(farm: DraftRenderer, task: str, asked: Job | None) -> PollAnswer:
    return DRAFT.read_poll(task, await farm.ask(DRAFT.poll(task, asked)))


async def until(farm: DraftRenderer, task: str, asked: Job | None, good: Callable[[PollAnswer], bool]) -> PollAnswer:
    """Poll until an answer is good; each poll itself waits for news."""
    while True:
        answer = await poll(farm, task, asked)
        if good(answer):
            return answer


async def finished(farm: DraftRenderer, task: str, asked: Job | None) -> PollAnswer:
    return await until(farm, task, asked, lambda answer: not isinstance(answer, Working))


def encoding(answer: PollAnswer) -> bool:
    return isinstance(answer, Working) and not answer.queued


def children(parent: int) -> list[int]:
    """Process ids of a process's children."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


_OTHERS: set[int] = set()
"""Children that this process had before a test: servers that fixtures of other tests keep for a session."""


@pytest.fixture(autouse=True)
def others() -> Iterator[None]:
    """Note them."""
    _OTHERS.update(children(os.getpid()))
    yield
    _OTHERS.clear()


def workers() -> list[int]:
    """Process ids of the workers that a test began."""
    return [child for child in children(os.getpid()) if child not in _OTHERS]


def test_a_job_goes_from_submit_to_a_verified_file(tmp_path: Path) -> None:
    asked = job(return_last_frame=True, marker="m1")

    async def act(farm: DraftRenderer) -> None:
        task = await submit(farm, asked)
        done = await finished(farm, task, asked)
        assert isinstance(done, Succeeded) and done.last_frame is not None
        video, still = io.BytesIO(), io.BytesIO()
        size, digest = await farm.fetch(done.video, video)
        assert (size, digest) == (len(video.getvalue()), hashlib.sha256(video.getvalue()).hexdigest())
        assert (await farm.run(probe, done.video)) == VideoFacts(1000, 864, 496, False, 24)
        await farm.run(extract_frame, done.video, "last_frame", tmp_path / "own.png")
        await farm.fetch(done.last_frame, still)
        assert still.getvalue() == (tmp_path / "own.png").read_bytes()

    with_farm(tmp_path, act)
    assert not (tmp_path / "scratch").exists()


def test_progress_is_what_is_encoded(tmp_path: Path) -> None:
    asked = job(duration=6)

    async def act(farm: DraftRenderer) -> list[int | None]:
        task = await submit(farm, asked)
        seen: list[int | None] = []
        while isinstance(answer := await poll(farm, task, asked), Working):
            seen.append(answer.progress)
        return seen

    seen = with_farm(tmp_path, act)
    percents = [percent for percent in seen if percent is not None]
    assert len(percents) == len(seen) and percents == sorted(percents)
    assert any(0 < percent < 100 for percent in percents)


def test_a_poll_after_a_restart_renders_again(tmp_path: Path) -> None:
    asked = job(marker="m2")
    task = with_farm(tmp_path, lambda farm: submit(farm, asked))
    answer = with_farm(tmp_path, lambda farm: finished(farm, task, asked))
    assert isinstance(answer, Succeeded)


def test_the_same_scene_is_rendered_once(tmp_path: Path, draw: Draw) -> None:
    asked = job(marker="m3")

    async def act(farm: DraftRenderer) -> list[PollAnswer]:
        tasks = await asyncio.gather(*(submit(farm, asked) for _ in range(5)))
        assert len(set(tasks)) == 1
        answers = await asyncio.gather(*(finished(farm, task, asked) for task in tasks))
        assert len(list((tmp_path / "scratch").iterdir())) == 1
        return list(answers)

    assert len({repr(answer) for answer in with_farm(tmp_path, act)}) == 1


@pytest.mark.parametrize("task", ["0" * 24, "../../etc/passwd", ""])
def test_an_unknown_id_without_a_scene_is_not_found(tmp_path: Path, task: str) -> None:
    assert isinstance(with_farm(tmp_path, lambda farm: poll(farm, task, None)), NotFound)


def test_a_scene_that_is_none_is_refused_at_submit(tmp_path: Path) -> None:
    reply = with_farm(tmp_path, lambda farm: farm.submit(Request("POST", "/render", body={"prompt": 5})))
    answer = DRAFT.read_submit(reply)
    assert isinstance(answer, Rejected) and answer.refusal is Refusal.INPUT


def test_a_missing_picture_fails_the_job_by_name(tmp_path: Path) -> None:
    asked = job(first_frame=MediaRef("file", "assets/lamp.png"))

    async def act(farm: DraftRenderer) -> PollAnswer:
        return await finished(farm, await submit(farm, asked), asked)

    answer = with_farm(tmp_path, act)
    assert isinstance(answer, Failed) and answer.refusal is Refusal.INPUT
    assert "assets/lamp.png" in answer.message


def test_only_its_own_files_are_handed_out(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        with_farm(tmp_path, lambda farm: farm.fetch(__file__, io.BytesIO()))


def test_errors_come_back_from_a_worker_as_they_were(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="none.mp4 cannot be read"):
        with_farm(tmp_path, lambda farm: farm.run(probe, tmp_path / "none.mp4"))


@pytest.mark.parametrize("name", ["os:abort", "reconciler.media.probe:nothing", "reconciler.media.mp4:read_mp4"])
def test_a_call_that_makes_no_sense_is_an_error_and_the_worker_lives(name: str) -> None:
    async def act() -> None:
        crew = WorkerPool(1)
        with pytest.raises(MediaError, match="bug in clipform"):
            await crew.call(name, ["x"])
        with pytest.raises(MediaError, match="cannot be read"):
            await crew.call("reconciler.media.probe:probe", ["nowhere.mp4"])
        await crew.aclose()

    asyncio.run(act())


@needs_proc
def test_a_worker_that_dies_fails_its_own_job_only(tmp_path: Path) -> None:
    doomed, other = job(duration=60, marker="doomed"), job(marker="other")

    async def act(farm: DraftRenderer) -> tuple[PollAnswer, PollAnswer]:
        task = await submit(farm, doomed)
        await until(farm, task, doomed, encoding)
        (worker,) = workers()
        os.kill(worker, signal.SIGKILL)
        return await finished(farm, task, doomed), await finished(farm, await submit(farm, other), other)

    failed, succeeded = with_farm(tmp_path, act)
    assert isinstance(failed, Failed) and failed.refusal is Refusal.INTERNAL and "died" in failed.message
    assert isinstance(succeeded, Succeeded)


@needs_proc
def test_workers_stay_awake_between_two_farms_and_a_dead_one_has_a_successor(tmp_path: Path) -> None:
    async def act() -> None:
        crew, asked = WorkerPool(2), job(marker="first")
        await crew.keep_warm(1)
        (awake,) = workers()
        for _ in range(2):
            farm = DraftRenderer(tmp_path / "scratch", pool=crew)
            assert isinstance(await finished(farm, await submit(farm, asked), asked), Succeeded)
            await farm.aclose()
            assert workers() == [awake]
            await crew.keep_warm(1)
        os.kill(awake, signal.SIGKILL)  # nobody has heard of it when the next call comes
        farm = DraftRenderer(tmp_path / "scratch", pool=crew)
        assert isinstance(await finished(farm, await submit(farm, asked), asked), Succeeded)
        await farm.aclose()
        await crew.aclose()

    asyncio.run(act())
    assert workers() == []


@needs_proc
def test_a_call_that_computes_for_ever_is_ended_by_the_system() -> None:
    """By the time that it computed, which a busy machine does not run down; what reports is bounded otherwise."""
    for seconds, ended in ((1, True), (None, False)):
        child = os.fork()
        if child == 0:
            try:
                worker_process._bound_time(1)
                worker_process._bound_time(seconds)
                until = time.process_time() + 2.5
                while time.process_time() < until:
                    pass
            finally:
                os._exit(0)
        status = os.waitpid(child, 0)[1]
        assert (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU) is ended


def test_an_interrupt_does_not_reach_a_worker(tmp_path: Path) -> None:
    asked = job()

    async def act(farm: DraftRenderer) -> PollAnswer:
        task = await submit(farm, asked)
        await until(farm, task, asked, lambda answer: encoding(answer) or isinstance(answer, Succeeded))
        for worker in workers():
            os.kill(worker, signal.SIGINT)
        return await finished(farm, task, asked)

    assert isinstance(with_farm(tmp_path, act), Succeeded)


@needs_proc
def test_cancelling_and_closing_stop_the_workers_at_once(tmp_path: Path) -> None:
    asked = job(duration=60)

    async def act(farm: DraftRenderer) -> None:
        task = await submit(farm, asked)
        await until(farm, task, asked, encoding)
        farm.cancel(task)
        assert isinstance(await poll(farm, task, None), NotFound)
        await until(farm, await submit(farm, asked), asked, encoding)

    with_farm(tmp_path, act)
    assert workers() == []
    assert not (tmp_path / "scratch").exists()


PARENT = """
import asyncio, json, sys
from pathlib import Path
from reconciler.media import worker as worker_process
from reconciler.media import worker_pool
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.providers.base import Request

async def main():
    farm = DraftRenderer(Path(sys.argv[1]), workers=1)
    body = json.loads(sys.argv[2])
    task = (await farm.submit(Request("POST", "/render", body=body))).body["id"]
    while (await farm.ask(Request("GET", f"/render/{task}"))).body["status"] != "running":
        pass
    print("running", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@needs_proc
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a process that is not a child")
def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    body = json.dumps(DRAFT.submit(job(duration=60)).body)
    with subprocess.Popen([sys.executable, "-c", PARENT, tmp_path, body], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == "running\n"
        (worker,) = children(parent.pid)
        handle = os.pidfd_open(worker)
        parent.kill()
    gone, _, _ = select.select([handle], [], [], 20)
    os.close(handle)
    assert gone
