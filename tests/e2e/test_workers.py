"""Workers carry out what an apply hands over: each key is bought once, whatever becomes of a worker or of the queue."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reconciler.state.sql.postgres import PostgreSQL
from tests.cluster import struck
from tests.e2e.kit import Rig, project
from tests.e2e.shared import MakeRig, outputs
from tests.emulator.process import Emulator
from tests.program.start import Child, start

pytestmark = pytest.mark.timeout(100)
CHAIN = {
    "lamp": {"prompt": "a lamp"},
    "orbit": {"prompt": "an orbit", "first_frame": "${clips.lamp.last_frame}"},
    "sun": {"prompt": "a sun", "first_frame": "sun.png"},
}


@pytest.fixture
def sql(shared_sql: Callable[..., PostgreSQL]) -> PostgreSQL:
    return shared_sql()


Studio = Callable[..., Rig]
Farm = Callable[..., Child]


@pytest.fixture
def studio(
    rig: MakeRig,
    vendor: Emulator,
    tmp_path: Path,
    shelf: Path,
    database: str,
    sql: PostgreSQL,
    monkeypatch: pytest.MonkeyPatch,
) -> Studio:
    """Make a project whose orders are for workers."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))

    def make(clips: dict[str, Any], workers: str = "only", **more: Any) -> Rig:
        state = {"url": database, "schema": sql.schema, "project": "film", "workers": workers}
        sections = {"state": state, "cache": {"remote": f"file://{shelf}"}, **more}
        return rig("ark", project("ark", tmp_path / "ana", vendor, clips, **sections), vendor)

    return make


@pytest.fixture
def farm() -> Iterator[Farm]:
    """Start workers in a folder that has the sections of a project, and no clips."""
    started: list[Child] = []

    def worker(of: Rig, *words: str, slots: int = 8, **more: Any) -> Child:
        folder = of.folder.parent / "farm"
        folder.mkdir(exist_ok=True)
        document = json.loads((of.folder / "clipform.yaml").read_text())
        sections = {name: document[name] for name in ("version", "providers", "state", "cache")}
        sections["providers"]["vendor"]["concurrency"] = slots
        (folder / "accounts.yaml").write_text(json.dumps(sections))
        with open(folder / f"log-{len(started)}", "wb") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
            line = ("-C", str(folder), "worker", "--accounts", "accounts.yaml", *words)
            started.append(start(line, env=dict(os.environ), **streams, **more))
        return started[-1]

    yield worker
    for child in started:
        child.kill()
        child.wait()


def log_of(of: Rig) -> str:
    return "".join(file.read_text() for file in sorted((of.folder.parent / "farm").glob("log-*")))


def bought(of: Rig) -> Counter[str]:
    """How often each clip was bought, by its prompt, which no other clip's has in it."""
    requests = [json.dumps(entry["request"]) for entry in of.ledger()]
    clips = json.loads((of.folder / "clipform.yaml").read_text())["clips"]
    return Counter({name: sum(clip["prompt"] in request for request in requests) for name, clip in clips.items()})


def test_workers_make_a_chain_that_was_handed_over_and_left(studio: Studio, farm: Farm) -> None:
    """The applying machine has ended: what is next in the chain is bought by whoever made what it needs."""
    of = studio(CHAIN)
    Image.new("RGB", (640, 360), "orange").save(of.folder / "sun.png")
    left = of.run("apply", "--yes", "--trust", "--detach")
    assert (left.code, set(left.results.values())) == (0, {"left"}), left.text
    rows = {row["clip"]: row["detail"] for row in of.run("status").document["clips"]}
    assert "no worker that is running has the credentials of account vendor" in rows["lamp"]
    assert "waits for the clips that it needs" in rows["orbit"]
    assert {action["action"] for action in of.run("plan").document["actions"]} == {"resume"}
    worker = farm(of, "--once")
    assert worker.wait() == 0, log_of(of)
    done = of.run("apply", "--yes", "--trust")
    assert done.code == 0, done.text
    assert bought(of) == dict.fromkeys(CHAIN, 1), log_of(of)
    assert len(outputs(of)) == 3


def test_one_is_killed_and_one_is_frozen_and_each_of_twenty_clips_is_bought_once(
    studio: Studio, farm: Farm, sql: PostgreSQL, tmp_path: Path
) -> None:
    """Killed between the vendor's answer and its record, with its folder lost; frozen between intent and permit."""
    clips = {f"clip-{number:02}": {"prompt": f"number {number:02}"} for number in range(20)}
    of = studio(clips)
    assert of.run("apply", "--yes", "--trust", "--detach").code == 0
    frozen = _struck(farm, of, "frozen_before_it_sends", slots=1)  # nothing else is on its way
    _later(sql, "pgqueuer SET heartbeat = heartbeat - interval '1 hour'")
    killed = _struck(farm, of, "killed_before_it_records", slots=2)  # it follows the frozen one in the first
    assert killed.wait() == -signal.SIGKILL
    shutil.rmtree(tmp_path / "farm" / "state" / "workers" / "2")
    _later(sql, "attempt SET lease_until = clock_timestamp()")
    _later(sql, "pgqueuer SET heartbeat = heartbeat - interval '1 hour'")
    last = farm(of, "--once")
    assert last.wait() == 0, log_of(of)
    frozen.send_signal(signal.SIGCONT)
    frozen.send_signal(signal.SIGTERM)
    assert frozen.wait() == 0, log_of(of)
    done = of.run("apply", "--yes", "--trust")
    assert done.code == 0, done.text
    assert bought(of) == dict.fromkeys(clips, 1), log_of(of)
    assert len(outputs(of)) == len(clips)
    assert sql.query("SELECT DISTINCT state FROM attempt ORDER BY 1") == [("done",), ("not_sent",)]


def _struck(farm: Farm, of: Rig, how: str, slots: int) -> Child:
    """Start a worker, and wait until it is struck."""
    word = of.folder.parent / how
    os.mkfifo(word)
    os.environ[struck.WORD] = str(word)
    child = farm(of, slots=slots, call=f"tests.cluster.struck:{how}")
    assert word.read_text() == "struck"
    return child


def _later(sql: PostgreSQL, change: str) -> None:
    """Let the time pass after which the database counts somebody as dead."""
    with sql.transaction():
        sql.execute(f"UPDATE {change}")
