"""Two working copies with one account at a vendor: what it asks of one of them, both observe."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.run.shared_cache import SharedCache
from reconciler.state.leases import SharedStore
from reconciler.state.sql.postgres import PostgreSQL
from tests.e2e.kit import Rig, ask, project
from tests.e2e.shared import MakeRig, clone
from tests.emulator.process import Emulator, emulator

CLIPS = {"lamp": {"prompt": "a lamp"}, "sun": {"prompt": "the sun"}}
APPLY = ("apply", "--yes", "--trust", "--timeout")


@pytest.fixture
def make(
    rig: MakeRig, tmp_path: Path, shelf: Path, database: str, shared_sql: Callable[..., PostgreSQL],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str, Emulator], Rig]:  # fmt: skip
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    sections = {"state": {"url": database, "schema": shared_sql().schema}, "cache": {"remote": f"file://{shelf}"}}
    return lambda kind, vendor: rig(kind, project(kind, tmp_path / "ana", vendor, CLIPS, **sections), vendor)


def test_a_429_on_one_machine_stops_the_other(make: Callable[[str, Emulator], Rig], tmp_path: Path) -> None:
    rules = {"faults": [{"when": {"phase": "submit", "nth": 1}, "do": "busy", "retry_after": "600"}]}
    (file := tmp_path / "faults.json").write_text(json.dumps(rules), encoding="utf-8")
    with emulator("--latency", "0.05", "--no-render", "--faults", str(file), cwd=tmp_path) as vendor:
        ana = make("ark", vendor)
        ben = clone(ana, "ben")
        ana.run(*APPLY, "1s", "lamp")
        waited = ben.run(*APPLY, "1s", "sun")
        assert waited.results == {"sun": "skipped"} and "vendor is busy" in waited.text
        assert ana.ledger() == []  # a second request would have been accepted


def test_who_speaks_for_an_account_is_the_only_one_to_ask(
    make: Callable[[str, Emulator], Rig], vendor: Emulator, shared_sql: Callable[..., PostgreSQL]
) -> None:
    """A token of ChanJing ends the one before."""
    ana = make("chanjing", vendor)
    ben = clone(ana, "ben")
    assert ana.run(*APPLY, "60s", "lamp").results == {"lamp": "succeeded"}
    with (sql := shared_sql()).transaction():  # as if she had not ended
        sql.execute("UPDATE account SET lease_until = clock_timestamp() + interval '1 hour'")
    requests = len(ask(vendor, "/ledger")["entries"])
    waited = ben.run(*APPLY, "1s", "sun")
    assert waited.results == {"sun": "skipped"} and "speaks for vendor" in waited.text
    assert len(ask(vendor, "/ledger")["entries"]) == requests
    with sql.transaction():
        sql.execute("UPDATE account SET lease_until = clock_timestamp()")
    assert ben.run(*APPLY, "60s", "sun").results == {"sun": "succeeded"}


def durable_first(
    make: Callable[[str, Emulator], Rig], vendor: Emulator, shelf: Path, patch: pytest.MonkeyPatch
) -> None:
    """When it is on record that everybody can have a video, it is in the bucket."""
    fetched, missing = SharedStore.fetched, list[str]()

    def watched(store: SharedStore, attempt: Any, artifact: Any, *about: Any) -> Any:
        missing.extend([] if (shelf / "objects" / artifact.sha256).exists() else [artifact.sha256])
        return fetched(store, attempt, artifact, *about)

    patch.setattr(SharedStore, "fetched", watched)
    assert make("ark", vendor).run(*APPLY, "60s", "lamp").results == {"lamp": "succeeded"}
    assert missing == []


def test_a_video_is_in_the_bucket_before_it_is_on_record(
    make: Callable[[str, Emulator], Rig], vendor: Emulator, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable_first(make, vendor, shelf, monkeypatch)


def test_a_record_before_the_video_would_be_noticed(
    make: Callable[[str, Emulator], Rig], vendor: Emulator, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def later(cache: object, sha256: str, suffix: str) -> None:
        pass

    monkeypatch.setattr(SharedCache, "keep", later)
    with pytest.raises(AssertionError):
        durable_first(make, vendor, shelf, monkeypatch)
