"""Workers carry out what an apply hands over: each key is bought once, whatever becomes of a worker or of the queue."""

from __future__ import annotations

import asyncio
import json
import os
import select
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from reconciler.cli.context import Context
from reconciler.clock import SystemClock
from reconciler.cluster.accounts import read_sections
from reconciler.cluster.place import open_place
from reconciler.cluster.resync import Resync
from reconciler.engine.attempt import submit
from reconciler.plan.approvals import Approval
from reconciler.project.scan import DiskFiles
from reconciler.spec.project import NO_OVERLAY
from reconciler.state.sql.postgres import PostgreSQL
from reconciler.state.wants import WITHDRAWN, Want, Wants
from tests.cluster import struck
from tests.cluster.memory_queue import MemoryDispatch
from tests.e2e.kit import Rig, project, traces
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


def test_what_nobody_approves_any_more_is_not_handed_over(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The approval is taken back while the apply asks; a worker does not have the file of approvals."""
    prices = {"prices": [{"model": "*", "per_clip": 0.5}]}
    of = studio({"lamp": {"prompt": "a lamp"}}, provider=prices, approval={"required": "paid"})
    file = of.folder / "clipform.approvals"
    assert of.run("apply", "--yes", "--trust").results == {"lamp": "blocked"}
    (step,) = of.run("plan").document["actions"]
    assert step["reason"] == "needs_approval"
    line = Approval("lamp", step["key"], "draft", "sha256:ab", "2026-11-30T20:00:00Z", "Ana <a@b>")
    file.write_text(f"{line.line}\n")
    assert [step["action"] for step in of.run("plan").document["actions"]] == ["create"]
    monkeypatch.setattr(Context, "confirm", lambda *_, **__: file.unlink())
    applied = of.run("apply", "--yes", "--trust", "--detach")
    assert (applied.code, applied.results) == (3, {"lamp": "blocked"}), applied.text
    assert [step["reason"] for step in of.run("plan").document["actions"]] == ["needs_approval"]


DRAFTED = {"hero": {"prompt": "a lamp", "draft": "vendor", "model": "doubao-seedance-2-5-260628"}}
PRICED = {"provider": {"prices": [{"per_clip": "0.4"}]}, "approval": {"required": "paid", "of": "vendor_draft"}}


def approved(of: Rig) -> str:
    """Have a worker buy the draft of hero, approve it, hand the final over, and return the draft's task."""
    assert of.run("apply", "--yes", "--trust", "--detach").results == {"hero.draft": "left", "hero": "blocked"}
    assert of.run("worker", "--once").code == 0
    assert of.run("apply", "--yes", "--trust").results == {"hero": "blocked", "hero.draft": "succeeded"}
    assert of.run("approve", "hero").code == 0
    assert of.run("apply", "--yes", "--trust", "--detach").results == {"hero": "left"}
    return str(of.ledger()[0]["task"])


def test_a_worker_makes_the_final_of_an_approved_draft(studio: Studio) -> None:
    of = studio(DRAFTED, **PRICED)
    task = approved(of)
    assert of.run("worker", "--once").code == 0
    assert of.run("apply", "--yes", "--trust").results == {"hero": "succeeded"}
    _, final = (entry["request"] for entry in of.ledger())
    assert final == {"model": DRAFTED["hero"]["model"], "content": [{"type": "draft_task", "draft_task": {"id": task}}]}


def test_a_worker_makes_no_final_of_another_draft_than_the_approved_one(studio: Studio, sql: PostgreSQL) -> None:
    of = studio(DRAFTED, **PRICED)
    approved(of)
    key = next(step["key"] for step in of.run("plan").document["actions"] if step["clip"] == "hero.draft")
    assert of.run("state", "rm", key, "--yes", "--trust").code == 0
    assert of.run("apply", "--yes", "--trust", "--detach", "hero.draft").results == {"hero.draft": "left"}
    assert of.run("worker", "--once").code == 0
    assert [entry["request"].get("draft") for entry in of.ledger()] == [True, True]
    assert sql.query("SELECT kind, note LIKE '%approve hero%' FROM want WHERE clip = 'hero'") == [("blocked", True)]


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


def test_an_apply_follows_and_places_and_a_worker_that_is_ended_gives_everything_back(
    studio: Studio, farm: Farm, sql: PostgreSQL
) -> None:
    of = studio({"lamp": {"prompt": "a lamp"}}, workers="prefer", provider={"prices": [{"per_clip": "0.4"}]})
    alone = of.run("apply", "--yes", "--trust")  # no worker serves the account, so it buys itself
    assert alone.results == {"lamp": "succeeded"} and sql.query("SELECT * FROM want") == []
    worker = farm(of)
    _until(sql, "SELECT 1 FROM worker WHERE accounts = '{vendor}'")
    of.edit('"a lamp"', '"a lamp at night"')
    followed = of.run("apply", "--yes")
    assert followed.results == {"lamp": "succeeded"}, followed.text
    assert followed.document["spent"]["amount"] == "0.40" and len(outputs(of)) == 1
    assert any("queued" in line.get("message", "") for line in followed.lines), followed.text
    assert [len(of.ledger()), *sql.query("SELECT kind, holder LIKE 'worker-1@%' FROM want")] == [2, ("done", True)]
    worker.send_signal(signal.SIGTERM)
    assert worker.wait() == 0, log_of(of)
    assert sql.query("SELECT * FROM worker") == []


def test_nothing_secret_is_in_orders_queue_bucket_and_folders(
    studio: Studio, secret: str, sql: PostgreSQL, shelf: Path, tmp_path: Path
) -> None:
    of = studio(CHAIN)
    Image.new("RGB", (640, 360), "orange").save(of.folder / "sun.png")
    assert of.run("apply", "--yes", "--trust", "--detach").code == 0
    assert of.run("worker", "--once").code == 0
    tables = sql.query("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    dump = {str(name): str(sql.query(f"SELECT whole::text FROM {name} AS whole")) for (name,) in tables}
    assert "a lamp" in dump["want"] and "v1:" in dump["pgqueuer_log"] + dump["attempt"]
    assert traces(secret, tmp_path, [*of.said, *dump.values()]) == []
    assert {path.name for path in shelf.iterdir() if path.is_dir()} >= {"inputs", "objects", "receipts", "results"}


def test_a_worker_sends_nothing_to_another_place_than_its_own_file_names(studio: Studio, sql: PostgreSQL) -> None:
    """An order decides neither where a key goes nor whether a rehearsal becomes a purchase."""
    of = studio(CHAIN | {"sun": {"prompt": "a sun"}})
    assert of.run("apply", "--yes", "--trust", "--detach").code == 0
    document = json.loads((of.folder / "clipform.yaml").read_text())
    document["providers"]["vendor"]["base_url"] = f"{of.vendor.api}/3hei"
    (of.folder / "elsewhere.yaml").write_text(json.dumps(document))
    assert of.run("worker", "--once", "--accounts", "elsewhere.yaml").code == 0
    assert of.ledger() == []
    kinds = dict(sql.query("SELECT clip, kind FROM want"))
    assert kinds == {"lamp": "failed", "sun": "failed", "orbit": "skipped"}
    again = of.run("plan").document["actions"]
    assert {action["action"] for action in again} == {"create"}  # what ended may be handed over again


def test_an_account_that_refuses_buys_nothing_and_its_orders_wait(
    studio: Studio, sql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = studio({"lamp": {"prompt": "a lamp"}})
    assert of.run("apply", "--yes", "--trust", "--detach").code == 0
    monkeypatch.setenv("ARK_API_KEY", "wrong-key")
    assert of.run("worker", "--once").code == 0
    ((kind, note),) = sql.query("SELECT kind, note FROM want")
    assert kind == "" and "credentials" in note
    (row,) = of.run("status").document["clips"]
    assert row["state"] == "queued" and "credentials" in row["detail"]
    assert {state for (state,) in sql.query("SELECT state FROM attempt")} == {"refused"}


def test_an_order_whose_request_could_not_be_sent_stays_open(
    studio: Studio, sql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = studio({"lamp": {"prompt": "a lamp"}})
    of.edit(of.vendor.api, "http://127.0.0.1:9")
    assert of.run("apply", "--yes", "--trust", "--detach").code == 0
    monkeypatch.setattr(submit, "CLOSED_TRIES", 1)
    assert of.run("worker", "--once").code == 0
    assert sql.query("SELECT kind, note LIKE 'not sent: %' FROM want") == [("", True)]
    assert {state for (state,) in sql.query("SELECT state FROM attempt")} == {"not_sent"}


def test_an_order_is_withdrawn_also_from_a_worker_that_is_about_to_buy(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, sql: PostgreSQL
) -> None:
    of = studio({"lamp": {"prompt": "a lamp"}, "sun": {"prompt": "a sun"}})
    assert of.run("apply", "--yes", "--trust", "--detach").code == 0
    assert "1 order was withdrawn" in of.run("cancel", "lamp").text
    find = Wants.find

    def withdrawn_then(self: Wants, key: str) -> Want | None:
        want = find(self, key)
        if want is not None:
            Wants(sql).end(key, WITHDRAWN)
        return want

    monkeypatch.setattr(Wants, "find", withdrawn_then)
    assert of.run("worker", "--once").code == 0
    assert of.ledger() == [] and sql.query("SELECT * FROM attempt") == []
    assert {action["action"] for action in of.run("plan").document["actions"]} == {"create"}


def test_without_credentials_no_worker_starts_and_an_order_waits(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = studio({"lamp": {"prompt": "a lamp"}})
    monkeypatch.delenv("ARK_API_KEY")  # the applying machine needs none
    assert of.run("apply", "--yes", "--trust", "--detach").results == {"lamp": "left"}
    started = of.run("worker", "--once")
    assert (started.code, started.document["error"]["code"]) == (1, "no-credentials")


def test_what_a_queue_has_lost_comes_back_by_the_resync(studio: Studio) -> None:
    of = studio(CHAIN | {"sun": {"prompt": "a sun"}})
    assert of.run("apply", "--yes", "--trust", "--detach").code == 0
    assert _lost_and_found(of) == {"lamp", "sun"}  # not the one that waits for another


def test_without_the_resync_it_would_stay_lost(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    of = studio({"lamp": {"prompt": "a lamp"}})
    assert of.run("apply", "--yes", "--trust", "--detach").code == 0

    async def nothing(self: Resync) -> None:
        pass

    monkeypatch.setattr(Resync, "resync", nothing)
    assert _lost_and_found(of) == set()


def _lost_and_found(of: Rig) -> set[str]:
    """The clips whose keys are in the queue again, a minute after it lost all of them."""
    sections, queue = read_sections(DiskFiles(of.folder), NO_OVERLAY), MemoryDispatch()
    with open_place(of.folder, sections, SystemClock(), os.environ) as place:
        resync = Resync(place, ["vendor"], queue, print, lambda: 0.5)

        async def lose() -> None:
            await resync.look()
            queue.waiting.clear()
            assert not await resync.look() and not queue.waiting
            resync.due = 0.0
            await resync.look()

        asyncio.run(lose())
        clips = {key: order.clip for key, order in place.wants.handed().items()}
        return {clips[key] for key in queue.waiting}


def _until(sql: PostgreSQL, statement: str) -> None:
    """Wait until a statement has rows."""
    while not sql.query(statement):
        select.select([], [], [], 0.02)
