"""The matrix of two working copies with one database: frozen, cut off, and the server restarted, at every point.

Long, so it is collected only by name: `python -m pytest tests/reliability/fleet.py -n0 -q`. What the suite has of it is
in `tests/e2e/test_killed_among_others.py` and `tests/state/test_partitions.py`.

Each cell: the fault, then the other copy applies, then the first one; leases are ended by hand instead of waiting. The
vendor's ledger has no key twice, both copies have every clip in the end, and nothing is left in doubt but what only the
vendor's list could say, and not yet.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.state import shared, shared_schema
from reconciler.state.sql import postgres as executor
from tests.e2e.conftest import account, rig, secret, shelf, vendor  # noqa: F401  # fixtures
from tests.e2e.kit import Rig, project
from tests.e2e.shared import MakeRig, clone, outputs
from tests.e2e.test_killed_among_others import APPLY, CLIPS, POINTS, Pair, pair, starter  # noqa: F401
from tests.emulator.process import Emulator
from tests.program import postgres
from tests.program.line import line_to
from tests.reliability.processes.launch import Launcher

COMMITS = range(16)
"""Which commit of an apply is hit. It makes about a dozen for two clips."""
FROZEN = sorted({*POINTS, "receipts.intent after"})

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="session")
def own_server() -> Iterator[str]:
    """A server that may be restarted."""
    folder = postgres.binaries()
    assert folder is not None
    data = postgres._start(folder)
    yield f"postgresql://clipform@/postgres?host={data}"
    postgres._run(folder / "pg_ctl", "stop", "-m", "immediate", "-D", str(data))
    subprocess.run(["rm", "-rf", str(data)], check=True)


def settled(both: Pair) -> None:
    """Both go on, and are done."""
    for each in (both.ben, both.ana, both.ben, both.ana):
        both.end_leases()
        assert each.run(*APPLY).code in (0, 3)
    doubts = both.sql.query("SELECT clip FROM attempt WHERE state = 'uncertain'")
    assert both.most() == 1
    assert len(outputs(both.ana)) + len(doubts) >= len(CLIPS)
    assert outputs(both.ana) == outputs(both.ben)


@pytest.mark.parametrize("point", FROZEN)
def test_frozen(point: str, pair: Pair, tmp_path: Path, starter: Launcher) -> None:  # noqa: F811
    frozen = starter.start(tmp_path, APPLY, dict(os.environ), pair.ana.folder, name=point, signal=signal.SIGSTOP)
    frozen.until_stopped()
    for _ in range(2):
        pair.end_leases()
        assert pair.ben.run(*APPLY).code in (0, 3)
    frozen.signal(signal.SIGCONT)
    assert frozen.wait() in (0, 3, 5) and "Traceback" not in frozen.said()
    settled(pair)


@pytest.mark.parametrize("commit", COMMITS)
@pytest.mark.parametrize(
    ("when", "how"),
    [("before", "reset"), ("after", "reset"), ("before", "silence"), ("after", "silence"), ("", "call")],
)
def test_cut_off(
    commit: int, when: str, how: str,
    rig: MakeRig, vendor: Emulator, tmp_path: Path, shelf: Path, own_server: str, monkeypatch: pytest.MonkeyPatch,  # noqa: F811
) -> None:  # fmt: skip
    """`call`: the server is restarted with -m immediate in the middle."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    monkeypatch.setattr(executor, "_IDLE", 1)
    folder, schema = postgres.binaries(), f"cell_{os.urandom(5).hex()}"
    assert folder is not None
    data = own_server.partition("host=")[2]
    sql = shared.connect(own_server, schema, "ana")
    shared_schema.migrate(sql)
    with line_to(own_server) as line:
        monkeypatch.setattr(executor, "monotonic", lambda: 1e9 if line.cuts else 0.0)
        sections = {"state": {"url": line.url, "schema": schema}, "cache": {"remote": f"file://{shelf}"}}
        ana: Rig = rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS, **sections), vendor)
        both = Pair(ana, clone(ana, "ben"), sql)
        assert ana.run("trust", "--yes").code in (0, 64)
        restart = (folder / "pg_ctl", "restart", "-w", "-m", "immediate", "-D", data, "-l", f"{data}/server.log")
        restarted = threading.Event()

        def run() -> None:
            try:
                postgres._run(*restart)
            finally:
                restarted.set()

        line.call = run
        line.cut(b"COMMIT", when, how, commit)
        first = ana.run(*APPLY)
        assert first.code in (0, 3, 5), first.text
        if how == "call" and line.cuts:
            assert restarted.wait(60)
        sql.close()  # a restart broke this connection, too
        settled(both)
    with sql.transaction():
        sql.execute(f"DROP SCHEMA {schema} CASCADE")
    sql.close()
