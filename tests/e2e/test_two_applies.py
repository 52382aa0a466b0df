"""Working copies with one database: two applies at once buy each key once, and none of them waits for the other's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.engine.attempt import submit
from reconciler.project.shared_state import user_and_machine
from reconciler.state.leases import SharedStore
from reconciler.state.sql.postgres import PostgreSQL
from tests.e2e.kit import Rig, project
from tests.e2e.shared import MakeRig, clone, outputs
from tests.emulator.process import Emulator, emulator

CLIPS = {name: {"prompt": f"a {name}"} for name in ("lamp", "sun", "moon", "star")}
pytestmark = pytest.mark.timeout(900)
APPLY = [sys.executable, "-m", "reconciler", "--json", "apply", "--yes", "--trust", "-C"]


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A vendor whose tasks take long enough to be followed."""
    with emulator("--latency", "3", "--no-render", cwd=tmp_path_factory.mktemp("slow")) as running:
        yield running


@pytest.fixture
def sql(shared_sql: Callable[..., PostgreSQL]) -> PostgreSQL:
    return shared_sql()


@pytest.fixture
def studio(
    rig: MakeRig,
    slow: Emulator,
    tmp_path: Path,
    shelf: Path,
    database: str,
    sql: PostgreSQL,
    monkeypatch: pytest.MonkeyPatch,
) -> Rig:
    """A project with a shared database and a shared folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    state = {"url": database, "schema": sql.schema, "project": "film"}
    sections = {"state": state, "cache": {"remote": f"file://{shelf}"}}
    return rig("ark", project("ark", tmp_path / "ana", slow, CLIPS, **sections), slow)


def start(of: Rig, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*APPLY, str(of.folder), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ}
    )


def ended(process: subprocess.Popen[bytes], *codes: int) -> str:
    out, err = process.communicate()
    assert process.returncode in (codes or (0,)), (out + err).decode()
    return out.decode()


def until(process: subprocess.Popen[bytes], words: bytes) -> None:
    """Read what a process says until it says this."""
    assert process.stdout is not None
    assert any(words in line for line in process.stdout)


def purchases(of: Rig) -> Counter[str]:
    """How often each clip was bought."""
    requests = [json.dumps(entry["request"]) for entry in of.ledger()]
    return Counter({name: sum(clip["prompt"] in request for request in requests) for name, clip in CLIPS.items()})


def lease(sql: PostgreSQL, until: str) -> None:
    """Set until when what is under way is held."""
    with sql.transaction():
        sql.execute(f"UPDATE attempt SET lease_until = clock_timestamp() {until}")


def test_two_applies_of_one_branch_at_once_buy_each_key_once(studio: Rig) -> None:
    other = clone(studio, "ben")
    texts = [ended(process) for process in [start(studio), start(other)]]
    assert purchases(studio) == dict.fromkeys(CLIPS, 1), texts
    assert outputs(other) == outputs(studio) and len(outputs(other)) == len(CLIPS)
    for each in (studio, other):
        assert {a["action"] for a in each.run("plan").document["actions"]} == {"noop"}


def says_who_makes_what(of: Rig) -> None:
    """Of what another working copy has sent: who, since when, and why the rest cannot be sent at once."""
    assert of.run("apply", "nothing", "--trust").code == 64  # it asks before it looks for the clip
    of.edit('"concurrency": "8"', '"concurrency": "1"')
    rows = of.run("status").document["clips"]
    of.edit('"concurrency": "1"', '"concurrency": "8"')
    name = user_and_machine()
    making = [row for row in rows if row["state"] == "running"]
    assert making and {row["by"] for row in making} == {name} and all(row["since"].endswith("Z") for row in making)
    queued = [row["waits_for"] for row in rows if row["state"] == "new"]
    assert all(text.endswith(f"of 1 slots of vendor are taken ({name} {len(making)})") for text in queued)
    planned = [a for a in of.run("plan").document["actions"] if a["action"] == "resume"]
    assert {a["reason"] for a in planned} == {"elsewhere"} and f"{name} since " in planned[0]["detail"]
    listed = of.run("state", "list", "--in-flight").document["purchases"]
    assert {row["holder"]["by"] for row in listed} == {name} and listed[0]["holder"]["project"] == "film"


def test_who_follows_pays_nothing_and_says_who_makes_it(studio: Rig, sql: PostgreSQL) -> None:
    """The first is frozen until the second follows it."""
    other = clone(studio, "ben")
    first = start(studio)
    until(first, b'"submitted"')
    first.send_signal(signal.SIGSTOP)
    lease(sql, "+ interval '1 hour'")
    says_who_makes_what(other)
    second = start(other)
    until(second, b"is making it; free here")
    first.send_signal(signal.SIGCONT)
    text = ended(second)
    ended(first)
    assert purchases(studio) == dict.fromkeys(CLIPS, 1)
    assert "made it; nothing was paid here" in text
    assert outputs(other) == outputs(studio) and len(outputs(other)) == len(CLIPS)


def test_applies_of_different_clips_go_on_side_by_side(studio: Rig) -> None:
    other = clone(studio, "ben")
    running = [start(studio, "lamp", "sun"), start(other, "moon", "star")]
    for process in running:
        ended(process)
    assert purchases(studio) == dict.fromkeys(CLIPS, 1)
    assert outputs(studio).keys() & outputs(other).keys() == set()


def test_one_is_killed_and_the_other_goes_on_once_its_leases_are_over(studio: Rig, sql: PostgreSQL) -> None:
    other = clone(studio, "ben")
    first = start(studio)
    until(first, b'"submitted"')
    first.kill()
    first.communicate()
    lease(sql, "+ interval '1 hour'")
    second = start(other)
    until(second, b"is making it; free here")
    lease(sql, "")
    ended(second, 0, 3)
    for _ in range(2):  # what was in doubt is looked up first, and then collected
        ended(start(other), 0, 3)
    assert max(purchases(studio).values()) == 1
    accepted = sql.query("SELECT clip FROM attempt WHERE task IS NOT NULL")
    assert {f"{clip}.mp4" for (clip,) in accepted} == {path for path in outputs(other)}


def test_the_one_that_was_killed_comes_back_and_goes_on_at_once(studio: Rig) -> None:
    first = start(studio)
    until(first, b'"submitted"')
    first.kill()
    first.communicate()
    ended(start(studio), 0, 3)
    assert max(purchases(studio).values()) == 1
    assert len(outputs(studio)) >= 1


def test_nothing_is_bought_while_the_database_cannot_be_reached(studio: Rig, database: str) -> None:
    studio.edit(database, "postgresql:///postgres?host=/nowhere")
    applied = studio.run("apply", "--yes", "--trust")
    assert (applied.code, applied.document["error"]["code"]) == (5, "state-unreachable")
    assert studio.ledger() == []


def test_nothing_is_asked_of_a_database_that_the_user_has_not_agreed_to(studio: Rig, sql: PostgreSQL) -> None:
    planned = studio.run("plan")
    assert planned.code == 4 and studio.folder.name not in str(sql.query("SELECT * FROM event"))
    assert "gets your login there" in planned.text


def test_without_the_driver_the_extra_is_named(studio: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    applied = studio.run("apply", "--yes", "--trust")
    assert (applied.code, applied.document["error"]["code"]) == (1, "no-extra")
    assert "clipform[team]" in applied.text and studio.ledger() == []


CLOCKS = ["monotonic", "now"]  # a frozen process; a laptop that slept, while its monotonic clock stood still


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_purchase_that_was_frozen_before_its_request_is_not_sent(
    clock: str, studio: Rig, sql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease may be over, and somebody else's look-up may have said that it was not accepted."""
    freeze(clock, monkeypatch)
    applied = studio.run("apply", "--yes", "--trust", "lamp")
    assert applied.code == 0, applied.text
    states = sql.query("SELECT state, message FROM attempt ORDER BY id")
    assert [state for state, _ in states] == ["not_sent", "done"], states
    assert purchases(studio)["lamp"] == 1


def test_a_dropped_deadline_would_be_noticed(studio: Rig, sql: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submit, "_deadline", lambda clock: None)
    freeze("monotonic", monkeypatch)
    studio.run("apply", "--yes", "--trust", "lamp")
    assert sql.query("SELECT state FROM attempt ORDER BY id") != [("not_sent",), ("done",)]


def freeze(clock: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an hour pass between the first intent and its request."""
    begin, read = SharedStore.begin, getattr(SystemClock, clock)
    hours: list[int] = []

    def frozen(store: SharedStore, *about: object) -> object:
        attempt = begin(store, *about)  # type: ignore[arg-type]
        hours.append(3600 if not hours else 0)
        return attempt

    monkeypatch.setattr(SharedStore, "begin", frozen)
    monkeypatch.setattr(SystemClock, clock, lambda self: read(self) + sum(hours))
