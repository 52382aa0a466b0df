"""One of two working copies with one database is killed at a named point of a purchase; the other goes on."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.state.sql.postgres import PostgreSQL
from tests.e2e.kit import Rig, project
from tests.e2e.shared import MakeRig, clone, outputs
from tests.emulator.process import Emulator
from tests.reliability.processes.launch import Launcher, launcher

CLIPS = {name: {"prompt": f"a {name}"} for name in ("lamp", "sun")}
APPLY = ("apply", "--yes", "--trust")
POINTS = {
    "vendor.slot": True,  # nothing was begun
    "receipts.intent before": True,  # begun, and not sent: the bucket has no permit for it
    "vendor.request sent": True,
    "vendor.submit after": True,
    "receipts.accepted before": True,
    "receipts.accepted after": True,  # the task is in the receipts of the dead copy, and in no database
    "vendor.fetch before": True,
    "vendor.fetch after": True,
    "lockfile.write before": True,
    "desk.bind before": True,
}
"""Where it is killed, and whether the other one then makes every clip."""


@pytest.fixture(scope="module")
def starter() -> Iterator[Launcher]:
    with launcher() as running:
        yield running


@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS)
def test_killed_there_it_is_carried_on_and_nothing_is_paid_twice(
    point: str,
    rig: MakeRig,
    vendor: Emulator,
    tmp_path: Path,
    shelf: Path,
    database: str,
    shared_sql: Callable[..., PostgreSQL],
    monkeypatch: pytest.MonkeyPatch,
    starter: Launcher,
) -> None:
    def run(of: Rig, *words: str, **more: str) -> int:
        process = starter.start(tmp_path, [*APPLY, *words], dict(os.environ), of.folder, **more)
        code = process.wait()
        assert "Traceback" not in process.said()
        return code

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    sql = shared_sql()
    sections = {"state": {"url": database, "schema": sql.schema}, "cache": {"remote": f"file://{shelf}"}}
    ana = rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS, **sections), vendor)
    ben = clone(ana, "ben")
    assert run(ana, name=point) == -signal.SIGKILL
    with sql.transaction():  # a while later
        sql.execute("UPDATE attempt SET lease_until = clock_timestamp()")
    codes = [run(ben), run(ben)]  # what was in doubt is looked up first
    requests = [json.dumps(entry["request"]) for entry in ana.ledger()]
    bought = Counter(name for name in CLIPS for request in requests if f"a {name}" in request)
    assert max(bought.values()) == 1
    assert (codes[1] == 0 and len(outputs(ben)) == len(CLIPS)) is POINTS[point]
    assert run(ana) in (0, 3)  # it comes back
    assert [json.dumps(entry["request"]) for entry in ana.ledger()] == requests
    assert outputs(ana) == outputs(ben)
