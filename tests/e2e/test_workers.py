"""Workers carry out what an apply hands over: each key is bought once, whatever becomes of a worker or of the queue."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reconciler.state.sql.postgres import PostgreSQL
from tests.e2e.kit import Rig, project
from tests.e2e.shared import MakeRig, outputs
from tests.emulator.process import Emulator
from tests.program.start import Child, start

pytestmark = pytest.mark.timeout(300)
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

    def worker(of: Rig, *words: str, **more: Any) -> Child:
        folder = of.folder.parent / "farm"
        folder.mkdir(exist_ok=True)
        document = json.loads((of.folder / "clipform.yaml").read_text())
        sections = {name: document[name] for name in ("version", "providers", "state", "cache")}
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
