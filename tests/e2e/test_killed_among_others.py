"""One of two working copies with one database is killed at a named point of a purchase; the other goes on."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


@pytest.fixture
def pair(
    rig: MakeRig, vendor: Emulator, tmp_path: Path, shelf: Path, database: str,
    shared_sql: Callable[..., PostgreSQL], monkeypatch: pytest.MonkeyPatch,
) -> Pair:  # fmt: skip
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    sql = shared_sql()
    sections = {"state": {"url": database, "schema": sql.schema}, "cache": {"remote": f"file://{shelf}"}}
    ana = rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS, **sections), vendor)
    return Pair(ana, clone(ana, "ben"), sql)


@dataclass
class Pair:
    """Two working copies with one database."""

    ana: Rig
    ben: Rig
    sql: PostgreSQL

    def end_leases(self) -> None:
        """A while passes."""
        with self.sql.transaction():
            self.sql.execute("UPDATE attempt SET lease_until = clock_timestamp()")

    def requests(self) -> list[str]:
        """What the vendor accepted."""
        return [json.dumps(entry["request"]) for entry in self.ana.ledger()]

    def most(self) -> int:
        """How often the clip was bought that was bought most."""
        return max(Counter(name for name in CLIPS for request in self.requests() if f"a {name}" in request).values())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS)
def test_killed_there_it_is_carried_on_and_nothing_is_paid_twice(
    point: str, pair: Pair, tmp_path: Path, starter: Launcher
) -> None:
    def run(of: Rig, **more: str) -> int:
        process = starter.start(tmp_path, APPLY, dict(os.environ), of.folder, **more)
        code = process.wait()
        assert "Traceback" not in process.said()
        return code

    ana, ben = pair.ana, pair.ben
    assert run(ana, name=point) == -signal.SIGKILL
    pair.end_leases()
    codes = [run(ben), run(ben)]  # what was in doubt is looked up first
    requests = pair.requests()
    assert pair.most() == 1
    assert (codes[1] == 0 and len(outputs(ben)) == len(CLIPS)) is POINTS[point]
    assert run(ana) in (0, 3)  # it comes back
    assert pair.requests() == requests
    assert outputs(ana) == outputs(ben)


@pytest.mark.timeout(600)
def test_frozen_before_its_request_it_wakes_up_and_sends_nothing(pair: Pair, tmp_path: Path, starter: Launcher) -> None:
    """Its deadline has not come: only the place of its receipt in the bucket, which is taken, keeps it from sending."""
    frozen = starter.start(
        tmp_path, APPLY, dict(os.environ), pair.ana.folder, name="receipts.intent before", signal=signal.SIGSTOP
    )
    frozen.until_stopped()
    pair.end_leases()
    assert starter.start(tmp_path, APPLY, dict(os.environ), pair.ben.folder).wait() == 0
    frozen.signal(signal.SIGCONT)
    assert frozen.wait() in (0, 3) and "Traceback" not in frozen.said()
    assert pair.most() == 1 and len(pair.requests()) == len(CLIPS)
    assert outputs(pair.ana) == outputs(pair.ben)
