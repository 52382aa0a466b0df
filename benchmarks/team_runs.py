"""Measures the processes of a team: a follower, a take-over, the requests to a bucket, and the queue.

Called by `benchmarks.team`, which has the bars. Processes, leases and heartbeats are the real ones; the vendor is the
emulator, the database a PostgreSQL of this machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from benchmarks import workers
from benchmarks.kit import clipform, python, run
from benchmarks.project import up_to_date
from reconciler.artifacts.shelf import Shelf
from reconciler.cluster.dispatch import pgqueuer
from reconciler.state import lockfile, shared, shared_schema
from reconciler.state.paths import LOCK_FILE
from reconciler.state.sql.postgres import PostgreSQL
from tests.emulator.process import emulator
from tests.program.start import start

SLOTS = 40


def _until(holds: Callable[[], bool], seconds: float = 300.0) -> float:
    """Wait until something holds; return when it did."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "this takes too long"
        time.sleep(0.01)
    return time.time()


@contextmanager
def _team(home: Path, url: str, clips: int, latency: float, work: str) -> Iterator[tuple[Path, PostgreSQL]]:
    """A project with clips that take so many seconds at the vendor, and its database."""
    with ExitStack() as stack:
        home.mkdir()
        delay = ("--latency", str(latency), "--no-render")
        vendor = stack.enter_context(emulator(*delay, cwd=home, real=True))
        sql = shared.connect(url, "bench", "bench")
        stack.callback(sql.close)
        shared_schema.migrate(sql)
        folder = workers._project(home, url, vendor, Namespace(clips=clips, slots=SLOTS))
        document = json.loads((folder / "clipform.yaml").read_text())
        document["state"]["workers"] = work
        (folder / "clipform.yaml").write_text(json.dumps(document))
        yield folder, sql
        with sql.transaction():
            sql.execute("DROP SCHEMA bench CASCADE")


def _states(sql: PostgreSQL, *states: str) -> int:
    ((count,),) = sql.query("SELECT count(*) FROM attempt WHERE state = ANY(:states)", {"states": [*states]})
    return int(count)


def followed(home: Path, url: str, clips: int = 8) -> list[float]:
    """Seconds from each commit of a result by one copy until another copy, which follows it, has placed the video."""
    with _team(home, url, clips, 8.0, "off") as (ana, sql), ExitStack() as stack:
        ben = ana.parent / "ben"
        ben.mkdir()
        shutil.copy(ana / "clipform.yaml", ben)
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        for folder in (ana, ben):
            child = start(["-C", str(folder), "apply", "--yes", "--trust"], env=dict(os.environ), **streams)
            stack.callback(lambda child=child: (child.kill(), child.wait()))
            _until(lambda: _states(sql, "accepted") == clips)
        placed: dict[str, float] = {}

        def has_all() -> bool:
            for file in (ben / "renders").glob("*.mp4"):
                placed.setdefault(file.stem, time.time())
            return len(placed) == clips

        _until(has_all)
        moves = "SELECT clip, time FROM event WHERE type = 'moved' AND payload::json ->> 'to' = 'fetched'"
        return [placed[clip] - fetched for clip, fetched in sql.query(moves)]


def taken_over(home: Path, url: str, clips: int = 20) -> tuple[float, float]:
    """Seconds from the SIGKILL of one of two workers until the other one has been given its jobs, and until its clips
    are made, of which the vendor has made each long before: the leases must be over first."""
    with _team(home, url, clips, 15.0, "only") as (folder, sql), ExitStack() as stack:
        run("hand over", clipform("apply", "--yes", "--trust", "--detach"), folder)
        first = workers._worker(stack, folder)
        _until(lambda: _states(sql, "submitting", "accepted") > 0)
        workers._worker(stack, folder)
        _until(lambda: _states(sql, "accepted") == clips)
        first.kill()
        struck = time.time()
        ((manager,), *_) = sql.query("SELECT queue_manager_id::text FROM pgqueuer WHERE status = 'picked' ORDER BY id")
        jobs = "SELECT 1 FROM pgqueuer WHERE queue_manager_id::text = :manager"
        given = _until(lambda: not sql.query(jobs, {"manager": manager}))
        made = _until(lambda: _states(sql, "done") == clips)
        return given - struck, made - struck


def bucket_requests(home: Path, clips: int) -> dict[str, int]:
    """Requests that a plan and a push make of a bucket, of a project whose videos were all seen there; and those of a
    push after one was forgotten, which shows that they are counted."""
    home.mkdir()
    folder = up_to_date(home / "project", clips)
    with _counting() as (port, count):
        section = {"remote": "s3://bucket/clips", "endpoint": f"http://127.0.0.1:{port}", "region": "x"}
        with open(folder / "clipform.yaml", "a", encoding="utf-8") as file:
            file.write(f"cache: {json.dumps(section)}\n")
        env = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "XDG_CONFIG_HOME": str(home)}
        memory = Shelf(section, env, folder / "state").memory
        entries = lockfile.loads((folder / LOCK_FILE).read_bytes().decode())
        for entry in entries:
            memory.add(entry.key, entry.sha256)
        memory.save()
        requests = {}
        for name, options in (("push", ["--trust"]), ("plan", [])):
            run(name, clipform(name, *options), folder, env)
            requests[name] = count()
        memory.forget(entries[0].sha256)
        memory.save()
        run("push", clipform("push"), folder, env, codes=("1", "3", "5"))
        return {**requests, "one lacking": count()}


@contextmanager
def _counting() -> Iterator[tuple[int, Callable[[], int]]]:
    """A port that hangs up, and how often it was called since it was asked for that last."""
    calls: list[None] = []

    def listen(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                listener.accept()[0].close()
                calls.append(None)

    def count() -> int:
        number = len(calls)
        calls.clear()
        return number

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1], count
        listener.shutdown(socket.SHUT_RDWR)


def given_out(url: str, how: str, jobs: int = 3_000) -> float:
    """Jobs a second that two processes carry out which do nothing: by PgQueuer alone (`bare`), or as our workers."""
    schema = f"queue_{how}"
    sql = shared.connect(url, schema, "bench")
    shared_schema.migrate(sql)
    asyncio.run(_enqueue(url, schema, jobs))
    command = python("-m", "benchmarks.team_runs", how, url, schema)
    pipe, root = subprocess.PIPE, Path(__file__).parent.parent
    children = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root) for _ in range(2)]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    began = time.monotonic()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    assert sql.query("SELECT 1")
    _until(lambda: sql.query("SELECT count(*) FROM pgqueuer") == [(0,)])
    took = time.monotonic() - began
    for child in children:
        child.communicate()
        assert child.returncode == 0
    with sql.transaction():
        sql.execute(f"DROP SCHEMA {schema} CASCADE")
    sql.close()
    return jobs / took


async def _enqueue(url: str, schema: str, jobs: int) -> None:
    async with pgqueuer(url, schema) as queue:
        await queue.enqueue([(f"v1:{number}", "one") for number in range(jobs)])


async def _carry_out(how: str, url: str, schema: str) -> None:
    """Be one of the two processes."""
    async with pgqueuer(url, schema) as queue:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        if how == "bare":
            await _bare(queue._queries())
        else:
            await queue.run({"one": SLOTS}, _nothing, asyncio.Event(), once=True)


async def _nothing(_: str) -> None:
    """Be done with a key."""


async def _bare(queries: object) -> None:
    from pgqueuer.core.qm import QueueManager
    from pgqueuer.queries import Queries
    from pgqueuer.types import QueueExecutionMode

    assert isinstance(queries, Queries)
    manager = QueueManager(queries, queries.qbe.settings.channel)

    @manager.entrypoint("one")
    async def nothing(_: object) -> None:
        """Be done with a job."""

    await manager.run(batch_size=10, mode=QueueExecutionMode.drain)


if __name__ == "__main__":
    asyncio.run(_carry_out(*sys.argv[1:]))
