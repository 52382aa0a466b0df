"""How often whole commands wait for a database that is far away, when there is nothing to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from reconciler.state.sql.postgres import Link, PostgreSQL
from tests.e2e.kit import project
from tests.e2e.shared import MakeRig
from tests.emulator.process import Emulator
from tests.program.line import line_to

CLIPS = {name: {"prompt": f"a {name}"} for name in ("lamp", "sun")}
MOST = {"plan": 3, "status": 3, "apply --yes": 16}
"""Texts that go out, the first of which opens the connection. However many clips there are."""


def test_a_command_with_nothing_to_do_waits_a_few_times(
    rig: MakeRig, vendor: Emulator, tmp_path: Path, shelf: Path, database: str,
    shared_sql: Callable[..., PostgreSQL], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    with line_to(database) as line:
        state = {"url": line.url, "schema": shared_sql().schema, "project": "film"}
        sections = {"state": state, "cache": {"remote": f"file://{shelf}"}}
        ana = rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS, **sections), vendor)
        assert ana.run("apply", "--yes", "--trust").code == 0
        texts = dict.fromkeys(MOST, 0)
        for words in MOST:
            before = line.texts
            assert ana.run(*words.split()).code == 0
            texts[words] = line.texts - before
    assert texts == MOST

    tries: list[str] = []

    def away(url: str, **about: Any) -> None:
        tries.append(url)
        raise psycopg.OperationalError("away")

    monkeypatch.setattr(Link, "connect", away)
    offline = ana.run("plan")
    assert offline.document["summary"]["noop"] == 2 and offline.document["diagnostics"][0]["code"] == "state-offline"
    assert len(tries) == 1  # the rest is the mirror's, as without a shared state
