"""Records move to a database and back, and to new machines, and nothing is bought again for that."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from reconciler.cli.app import main
from tests.e2e.kit import EXAMPLES, Rig, project, traces
from tests.e2e.shared import MakeRig, clone, outputs
from tests.emulator.process import Emulator
from tests.program import postgres

CLIPS = {"lamp": {"prompt": "a lamp"}, "sun": {"prompt": "the sun"}}


@pytest.fixture
def state(database: str) -> Iterator[dict[str, str]]:
    """The section `state` of a project, with a schema of its own that does not exist yet."""
    schema = f"studio_{secrets.token_hex(6)}"
    yield {"url": database, "schema": schema, "project": "film"}
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'.encode())


@pytest.fixture
def studio(rig: MakeRig, vendor: Emulator, tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A project whose clips were bought without a database, and are in the cache."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    made = rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS, cache={"remote": f"file://{shelf}"}), vendor)
    assert made.run("apply", "--yes", "--trust").code == 0
    return made


def share(of: Rig, state: dict[str, str]) -> None:
    of.edit('"cache": ', f'"state": {json.dumps(state)}, "cache": ')


def dumped(state: dict[str, str]) -> str:
    """All that the database has of a schema, as text."""
    with psycopg.connect(state["url"]) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s", [state["schema"]]
        ).fetchall()
        assert len(tables) > 5
        rows = [connection.execute(f'SELECT * FROM "{state["schema"]}"."{name}"'.encode()) for (name,) in tables]
        return repr([each.fetchall() for each in rows])


def test_there_and_back_and_to_new_machines_buys_nothing(studio: Rig, state: dict[str, str], secret: str) -> None:
    bought, videos = studio.ledger(), outputs(studio)
    assert len(bought) == 2
    share(studio, state)
    assert studio.run("state", "push").code == 4  # the address is not trusted yet
    assert studio.run("state", "migrate", "--trust").code == 0
    assert studio.run("state", "push").document["requests"] == 2
    assert studio.run("state", "push").document["requests"] == 0
    (studio.folder.parent / "dump.txt").write_text(dumped(state), encoding="utf-8")
    assert "the sun" in dumped(state) and traces(secret, studio.folder.parent, studio.said) == []

    fresh = clone(studio, "ben")
    assert fresh.run("state", "pull", "--trust").document["requests"] == 2
    assert fresh.run("pull").code == 0 and outputs(fresh) == videos
    listed = fresh.run("state", "list").document["purchases"]
    assert [row["group"] for row in listed] == ["made", "made"]
    assert {row["task"] for row in listed} == {entry["task"] for entry in bought}
    assert fresh.run("state", "detach").code == 0
    fresh.edit(f'"state": {json.dumps(state)}, ', "")
    assert fresh.run("plan").document["summary"]["noop"] == 2
    assert fresh.run("apply", "--yes").code == 0

    lock_only = clone(fresh, "ci")
    assert lock_only.run("pull", "--trust").code == 0 and outputs(lock_only) == videos
    assert lock_only.run("plan").document["summary"]["noop"] == 2
    assert studio.ledger() == bought


def test_records_that_are_shared_buy_nothing_by_themselves(studio: Rig, state: dict[str, str]) -> None:
    section = f'"state": {json.dumps(state)}, '
    share(studio, state)
    assert studio.run("state", "migrate", "--trust").code == 0
    early = studio.run("apply", "--yes")
    assert early.code == 1 and early.document["error"]["code"] == "state-not-joined", early.text
    assert studio.run("plan").document["error"]["code"] == "state-not-joined"
    assert studio.run("state", "push").code == 0
    studio.edit('"the sun"', '"the moon"')
    assert studio.run("apply", "--yes").results == {"sun": "succeeded"}
    assert len(studio.ledger()) == 3
    studio.edit(section, "")
    studio.edit('"the moon"', '"the star"')
    refused = studio.run("apply", "--yes")
    assert refused.code == 4 and refused.document["error"]["code"] == "state-joined", refused.text
    (studio.folder / "renders/lamp.mp4").unlink()
    assert studio.run("apply", "lamp", "--yes").results == {"lamp": "succeeded"}  # what is free goes on
    assert len(studio.ledger()) == 3
    studio.edit('"cache": ', f'{section}"cache": ')
    assert studio.run("state", "detach").code == 0
    studio.edit(section, "")
    assert studio.run("apply", "--yes").results == {"sun": "succeeded"}
    assert len(studio.ledger()) == 4


def test_without_a_connection_what_is_free_goes_on_and_nothing_is_bought(studio: Rig, state: dict[str, str]) -> None:
    share(studio, state)
    assert studio.run("state", "migrate", "--trust").code == 0
    assert studio.run("state", "push").code == 0
    studio.edit('"the sun"', '"the moon"')
    assert studio.run("apply", "--yes").results == {"sun": "succeeded"}
    bought = studio.ledger()
    away = {**state, "url": "postgresql:///clipform?host=/nowhere"}
    studio.edit(json.dumps(state), json.dumps(away))
    assert studio.run("trust").code == 4
    planned = studio.run("plan", "--json")
    assert planned.code == 4  # its address is a new one
    assert studio.run("apply", "lamp", "--yes", "--trust").code == 0
    planned = studio.run("plan")
    assert planned.document["summary"]["noop"] == 2
    [warning] = planned.document["diagnostics"]
    assert warning["code"] == "state-offline" and "offline" in warning["message"]
    listed = studio.run("state", "list")
    assert [row["group"] for row in listed.document["purchases"]] == ["made"] * 3
    for said in (listed, studio.run("status"), studio.run("show", "lamp")):
        assert said.document["diagnostics"] == [warning], said.text
    assert main(["-C", str(studio.folder), "status"]) == 0
    assert "UTC, offline: the shared state cannot be reached" in studio.read()[1]
    studio.edit('"the moon"', '"the star"')
    (studio.folder / "renders/lamp.mp4").unlink()
    ended = studio.run("apply", "--yes")
    assert (ended.code, ended.results) == (3, {"lamp": "succeeded", "sun": "skipped"}), ended.text
    assert studio.ledger() == bought
    for words in ("state push", "state cap", "state rm v1: --yes", "state mv --project film b"):
        ended = studio.run(*words.split())
        assert ended.code == 5 and ended.document["error"]["code"] == "state-unreachable", ended.text
    fresh = clone(studio, "ben")
    nothing = fresh.run("apply", "--yes", "--trust")
    assert nothing.code == 5 and nothing.document["error"]["code"] == "state-unreachable"
    studio.edit(json.dumps(away), json.dumps(state))
    assert studio.run("apply", "--yes").results == {"sun": "succeeded"}
    assert len(studio.ledger()) == len(bought) + 1


def test_what_a_restored_backup_lacks_comes_back_from_the_mirrors(studio: Rig, state: dict[str, str]) -> None:
    binaries, dump = postgres.binaries(), studio.folder.parent / "lamp.dump"
    assert binaries is not None
    folder = (binaries / "initdb").resolve().parent
    share(studio, state)
    assert studio.run("state", "migrate", "--trust").code == 0
    section = f'"state": {json.dumps(state)}, '
    fresh = clone(studio, "ben")
    assert fresh.run("state", "pull", "--trust").document["requests"] == 0  # a mirror of nothing
    backup = [folder / "pg_dump", f"--schema={state['schema']}", "--format=custom", f"--file={dump}"]
    subprocess.run([*backup, state["url"]], check=True, timeout=60)
    assert studio.run("state", "push").document["requests"] == 2
    assert fresh.run("state", "pull").document["requests"] == 2
    with psycopg.connect(state["url"], autocommit=True) as connection:
        connection.execute(f'DROP SCHEMA "{state["schema"]}" CASCADE'.encode())
    restore = [folder / "pg_restore", "--exit-on-error", f"--dbname={state['url']}", dump]
    subprocess.run(restore, check=True, timeout=60)
    assert fresh.run("state", "push").document["requests"] == 2
    assert studio.run("state", "push").document["requests"] == 0
    for each in (studio, fresh):
        assert each.run("state", "detach").code == 0
        each.edit(section, "")
        assert each.run("plan").document["summary"]["noop" if each is studio else "restore"] == 2
    assert len(studio.ledger()) == 2


def test_what_a_project_bought_counts_under_the_name_that_it_gets(studio: Rig, state: dict[str, str]) -> None:
    share(studio, state)
    assert studio.run("state", "migrate", "--trust").code == 0
    assert studio.run("state", "push").code == 0
    assert len(studio.run("state", "list", "--project", "film").document["purchases"]) == 2
    assert studio.run("state", "list", "--project", "spot").document["purchases"] == []
    assert studio.run("state", "mv", "--project", "spot", "lamp").code == 64
    assert studio.run("state", "mv", "--project", "film", "film").code == 64
    assert studio.run("state", "mv", "--project", "film", "spot").document["requests"] == 2
    listed = studio.run("state", "list", "--project", "spot").document["purchases"]
    assert {row["clip"] for row in listed} == {"lamp", "sun"}
    studio.edit('"project": "film"', '"project": "spot"')
    assert studio.run("plan").document["summary"]["noop"] == 2


def test_clones_in_folders_of_other_names_share_one_budget(studio: Rig, state: dict[str, str]) -> None:
    nameless = {name: value for name, value in state.items() if name != "project"}
    share(studio, nameless)
    assert studio.run("state", "migrate", "--trust").code == 0
    assert studio.run("state", "push").code == 0
    assert (studio.folder / "state/project").read_text() == "ana\n"  # the name of its folder
    fresh = clone(studio, "ben")
    assert fresh.run("state", "pull", "--trust").document["requests"] == 2
    fresh.edit('"the sun"', '"the moon"')
    assert fresh.run("apply", "--yes").results["sun"] == "succeeded"
    folder = studio.folder.rename(studio.folder.parent / "elsewhere")
    (folder / "clipform.lock").unlink()
    moved = Rig(folder, studio.vendor, studio.account, studio.read)
    assert moved.run("state", "pull", "--trust").document["requests"] == 1  # what the other clone bought
    with psycopg.connect(state["url"]) as connection:
        schema = f'SET search_path = "{state["schema"]}"'
        projects = connection.execute(f"{schema}; SELECT DISTINCT project FROM attempt".encode())
        projects.nextset()
        assert projects.fetchall() == [("ana",)]


def test_a_result_is_forgotten_only_with_consent_and_for_everybody(
    studio: Rig, state: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    share(studio, state)
    assert studio.run("state", "migrate", "--trust").code == 0
    assert studio.run("state", "push").code == 0
    fresh = clone(studio, "ben")
    assert fresh.run("state", "pull", "--trust").code == 0
    key = next(row["key"] for row in fresh.run("state", "list").document["purchases"] if row["clip"] == "sun")
    refused = studio.run("state", "rm", key)
    assert refused.code == 4 and refused.document["error"]["code"] == "unconfirmed"
    assert studio.run("plan").document["summary"]["noop"] == 2
    assert studio.run("state", "rm", "v1:none", "--yes").code == 64
    assert studio.run("state", "rm", key[:12], "--yes").document["key"] == key
    planned = {action["clip"]: action["action"] for action in studio.run("plan").document["actions"]}
    assert planned == {"lamp": "noop", "sun": "create"}
    assert '"sun#1"' not in (studio.folder / "clipform.lock").read_text()
    (fresh.folder / "clipform.lock").write_text((studio.folder / "clipform.lock").read_text())
    assert fresh.run("state", "pull").code == 0
    assert {action["action"] for action in fresh.run("plan").document["actions"]} == {"restore", "create"}
    assert fresh.run("state", "push").document["results"] == 0  # nobody's mirror brings it back
    assert fresh.run("state", "rm", key, "--yes").code == 64
    assert len(studio.ledger()) == 2
    assert studio.run("apply", "--yes").results == {"sun": "succeeded"}
    assert len(studio.ledger()) == 3  # no result that the cache still has is taken for it


def test_no_project_file_raises_a_cap_of_the_database(studio: Rig, state: dict[str, str]) -> None:
    share(studio, state)
    studio.edit('"kind": "ark"', '"prices": [{"model": "*", "per_clip": 3}], "kind": "ark"')
    studio.edit('"cache": ', '"budget": {"currency": "USD"}, "cache": ')
    assert studio.run("state", "migrate", "--trust").code == 0
    assert studio.run("state", "push").code == 0
    assert studio.run("state", "cap", "--per", "week", "--max", "5").code == 64
    assert studio.run("state", "cap").document["caps"] == []
    assert studio.run("state", "cap", "--per", "total", "--max", "9").code == 0
    capped = studio.run("state", "cap", "--per", "total", "--max", "5", "--all").document["caps"]
    assert [(cap["project"], cap["micros"]) for cap in capped] == [("", 5_000_000), ("film", 9_000_000)]
    studio.edit('"a lamp"', '"a torch"')
    studio.edit('"the sun"', '"the moon"')
    ended = studio.run("apply", "--yes")
    assert ended.code == 3 and sorted(ended.results.values()) == ["failed", "succeeded"], ended.text
    assert "the cap of all projects in all" in ended.text and len(studio.ledger()) == 3


def test_a_database_that_does_not_answer_ends_a_command_that_can_do_nothing(studio: Rig, state: dict[str, str]) -> None:
    share(studio, {**state, "url": "postgresql:///clipform?host=/nowhere"})
    for command in (["state", "push"], ["state", "migrate"], ["state", "pull"]):
        ended = studio.run(*command, "--trust")
        assert ended.code == 5 and ended.document["error"]["code"] == "state-unreachable", ended.text


def test_a_working_copy_is_not_carried_into_a_second_database(
    studio: Rig, state: dict[str, str], database: str
) -> None:
    share(studio, state)
    assert studio.run("state", "migrate", "--trust").code == 0
    assert studio.run("state", "push").code == 0
    other = {**state, "schema": f"{state['schema']}_b"}
    studio.edit(json.dumps(state), json.dumps(other))
    assert studio.run("state", "migrate").code == 0
    try:
        refused = studio.run("state", "push")
        assert refused.code == 1 and refused.document["error"]["code"] == "state-elsewhere"
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA "{other["schema"]}" CASCADE'.encode())


def test_a_project_without_a_shared_state_says_so(studio: Rig) -> None:
    for words in ("migrate", "push", "detach", "cap", "mv --project a b", "list --project a"):
        ended = studio.run("state", *words.split())
        assert ended.code == 1, ended.text
    shutil.rmtree(studio.folder / "state")


def test_the_example_for_a_team_is_made_by_the_commands_of_its_readme(
    rig: MakeRig, vendor: Emulator, tmp_path: Path, shelf: Path, state: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    folder = shutil.copytree(EXAMPLES.parent / "team", tmp_path / "team")
    film = rig("ark", folder, vendor)
    film.edit("postgresql://db.example.com/clipform?sslmode=verify-full", state["url"])
    film.edit("schema: studio", f"schema: {state['schema']}")
    film.edit("s3://studio-clips/lamp-campaign", f"file://{shelf}")
    film.edit(
        "# base_url: http://127.0.0.1:8790/ark",
        f"base_url: {vendor.api}/ark\n    poll_interval: 50ms\n    requests_per_second: 100",
    )
    readme = (EXAMPLES.parent / "team/README.md").read_text(encoding="utf-8")
    lines = [line.partition(" #")[0].split()[1:] for line in readme.splitlines() if line.startswith("clipform ")]
    assert [line[0] for line in lines] == ["state", "state", "plan", "apply", "status", "state"]
    for words in lines:
        more = {"migrate": ["--trust"], "apply": ["--yes"]}.get(words[-1], [])
        ended = film.run(*words, *more)
        assert ended.code == 0, ended.text
    assert len(film.ledger()) == 3 and len(outputs(film)) == 3
