"""Runs that end early, and runs that are not allowed to begin: the ledger says what was bought all the same."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Account
from tests.e2e.kit import Rig, project, traces
from tests.emulator.process import Emulator, emulator

MakeRig = Callable[[str, Path, Emulator], Rig]

CLIPS = {name: {"prompt": f"a lamp, {name}"} for name in ("one", "two", "three")}

PRICED = {"prices": [{"model": "*", "per_second": "0.10"}]}
"""Three clips of 5 seconds: 1.50 in all."""

CAPS: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "--max-cost": ({"provider": PRICED}, ("--max-cost", "1.49"), "--max-cost is 1.49"),
    "per_apply": ({"provider": PRICED, "budget": {"per_apply": "1.49"}}, (), "budget.per_apply is 1.49"),
    "total": ({"provider": PRICED, "budget": {"total": "1.49"}}, (), "budget.total is 1.49"),
    "clips_per_apply": ({"budget": {"clips_per_apply": "2"}}, (), "budget.clips_per_apply is 2"),
    "unpriced under a budget": ({"budget": {"per_apply": "100"}}, (), "no known price"),
    "unpriced under --max-cost": ({}, ("--max-cost", "100"), "no known price"),
    "--locked": ({}, ("--locked",), "--locked"),
}


@pytest.mark.parametrize("cap", CAPS)
def test_what_costs_more_than_allowed_is_refused_before_anything_is_sent(
    cap: str, vendor: Emulator, rig: MakeRig, tmp_path: Path
) -> None:
    more, options, says = CAPS[cap]
    refused = rig("uniall", project("uniall", tmp_path / "project", vendor, CLIPS, **more), vendor)
    ended = refused.run("apply", "--yes", *options)
    assert ended.code == 4
    assert says in ended.document["error"]["message"]
    assert refused.ledger() == []


def test_what_costs_as_much_as_allowed_is_made_and_what_was_spent_counts_the_next_time(
    vendor: Emulator, rig: MakeRig, tmp_path: Path
) -> None:
    caps = {"provider": PRICED, "budget": {"per_apply": "1.50", "total": "1.99"}}
    folder = project("uniall", tmp_path / "project", vendor, CLIPS, **caps)
    spender = rig("uniall", folder, vendor)
    assert spender.run("apply", "--yes").code == 0
    assert len(spender.ledger()) == 3
    spender.edit("a lamp, one", "a lamp at dusk")
    assert spender.run("apply", "--yes").code == 4, "0.50 on top of 1.50 is more than 1.99"
    assert len(spender.ledger()) == 3


def test_nobody_to_confirm_means_no(vendor: Emulator, rig: MakeRig, tmp_path: Path) -> None:
    unasked = rig("uniall", project("uniall", tmp_path / "project", vendor, CLIPS), vendor)
    assert unasked.run("apply").code == 4
    assert unasked.ledger() == []


@pytest.mark.parametrize("kind", ["chanjing", "3hei"])
def test_a_detached_run_is_collected_by_a_later_one(kind: str, vendor: Emulator, rig: MakeRig, tmp_path: Path) -> None:
    leaver = rig(kind, project(kind, tmp_path / "project", vendor, CLIPS), vendor)
    left = leaver.run("apply", "--yes", "--detach")
    assert left.code == 0, left.text
    assert set(left.results.values()) == {"left"}
    bought = leaver.ledger()
    assert len(bought) == len(CLIPS)
    assert not (leaver.folder / "renders").exists()

    collected = leaver.run("apply", "--yes")
    assert collected.code == 0, collected.text
    assert set(collected.results.values()) == {"succeeded"}
    assert leaver.ledger() == bought
    assert len(list((leaver.folder / "renders").iterdir())) == len(CLIPS)


@pytest.mark.parametrize(("kind", "end"), [("uniall", signal.SIGKILL), ("chanjing", signal.SIGINT)])
def test_a_run_that_is_ended_after_a_submit_is_carried_on_without_another_one(
    kind: str, end: signal.Signals, vendor: Emulator, rig: MakeRig, secret: str, tmp_path: Path
) -> None:
    """The first run would not ask for a long time; it is ended at the very line that tells of the last submit."""
    slow = {"poll_interval": "1h"}
    ended = rig(kind, project(kind, tmp_path / "project", vendor, CLIPS, provider=slow), vendor)
    program = Path(sys.executable).with_name("clipform")
    command = [str(program), "-C", str(ended.folder), "--json", "apply", "--yes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as child:
        assert child.stdout is not None
        submitted = 0
        while submitted < len(CLIPS):
            submitted += json.loads(child.stdout.readline())["event"] == "submitted"
        child.send_signal(end)
        said = child.communicate(timeout=100)
    assert child.returncode == (130 if end is signal.SIGINT else -end)
    bought = ended.ledger()
    assert len(bought) == len(CLIPS)

    ended.edit('"poll_interval": "1h"', '"poll_interval": "50ms"')
    carried_on = ended.run("apply", "--yes")
    assert carried_on.code == 0, carried_on.text
    assert set(carried_on.results.values()) == {"succeeded"}
    assert ended.ledger() == bought
    assert traces(secret, ended.folder, [*ended.said, *(text.decode() for text in said)]) == []


def test_a_key_that_is_refused_stops_its_provider_and_no_other(
    vendor: Emulator, rig: MakeRig, account: Account, tmp_path: Path
) -> None:
    """The first submit is refused, so no second one is made there; the other provider's clip is made."""
    folder = project("uniall", tmp_path / "project", vendor, {**CLIPS, "own": {"prompt": "a lamp", "provider": "good"}})
    good = {
        "kind": "3hei",
        "base_url": f"{vendor.api}/3hei",
        "api_key": "${env.STUDIO_API_KEY}",
        "poll_interval": "50ms",
    }
    file = folder / "clipform.yaml"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["providers"]["good"] = good
    file.write_text(json.dumps(document), encoding="utf-8")
    mixed = rig("3hei", folder, vendor)
    account("uniall", "wrong-key-canary")

    ended = mixed.run("apply", "--yes")
    assert ended.code == 3
    assert ended.results == {"one": "failed", "two": "skipped", "three": "skipped", "own": "succeeded"}
    assert "credentials" in ended.text
    assert [entry["kind"] for entry in mixed.ledger()] == ["3hei"]
    assert traces("wrong-key-canary", folder, mixed.said) == []

    account("uniall", "good-key-canary")  # mended: the rest is made, each once
    assert mixed.run("apply", "--yes").code == 0
    mixed.account = "good-key-canary"
    assert len(mixed.ledger()) == len(CLIPS)


def test_an_empty_account_is_asked_once(vendor: Emulator, rig: MakeRig, account: Account, tmp_path: Path) -> None:
    broke = rig("ark", project("ark", tmp_path / "project", vendor, CLIPS), vendor)
    broke.account = account("ark", "broke-key")
    ended = broke.run("apply", "--yes")
    assert ended.code == 3
    assert ended.results == {"one": "failed", "two": "skipped", "three": "skipped"}
    assert broke.ledger() == []


def test_an_account_that_is_charged_only_after_it_accepted_is_not_asked_for_the_rest(
    vendor: Emulator, rig: MakeRig, account: Account, tmp_path: Path
) -> None:
    """ChanJing takes a task and fails it for lack of beans afterwards: each run finds out once, not once a clip."""
    one_by_one = {"provider": {"concurrency": 1}}
    broke = rig("chanjing", project("chanjing", tmp_path / "project", vendor, CLIPS, **one_by_one), vendor)
    app = account("chanjing", "broke-secret")
    broke.account = f"broke-{app}"
    for runs in (1, 2):
        ended = broke.run("apply", "--yes")
        assert ended.code == 3
        assert ended.results == {"one": "failed", "two": "skipped", "three": "skipped"}
        assert len(broke.ledger()) == runs


def test_a_token_that_another_process_has_killed_is_renewed(vendor: Emulator, rig: MakeRig, tmp_path: Path) -> None:
    """A new token ends the one before: what the first run keeps for the next is no good any more."""
    folder = project("chanjing", tmp_path / "project", vendor, {"one": CLIPS["one"]})
    mine = rig("chanjing", folder, vendor)
    assert mine.run("apply", "--yes").code == 0
    theirs = {"app_id": mine.account, "secret_key": "theirs"}
    told = httpx.post(f"{vendor.api}/chanjing/open/v1/access_token", json=theirs, trust_env=False).json()
    assert told["code"] == 0

    mine.edit("a lamp, one", "a lamp at dusk")
    assert mine.run("apply", "--yes").code == 0
    assert [entry["request"]["ref_prompt"] for entry in mine.ledger()] == ["a lamp, one", "a lamp at dusk"]


def test_a_token_that_expires_in_the_middle_of_a_run_costs_one_more_request(rig: MakeRig, tmp_path: Path) -> None:
    rules = tmp_path / "faults.yaml"
    refusal = "do: refuse, code: '10400'"
    when = ("{phase: submit, nth: 2}", "{phase: list, nth: 1}", "{phase: poll, nth: 1}")
    rules.write_text("faults:\n" + "".join(f"  - {{when: {phase}, {refusal}}}\n" for phase in when), encoding="utf-8")
    with emulator("--latency", "0.05", "--no-render", "--faults", str(rules), cwd=tmp_path) as strict:
        renewed = rig("chanjing", project("chanjing", tmp_path / "project", strict, CLIPS), strict)
        ended = renewed.run("apply", "--yes")
        assert ended.code == 0, ended.text
        assert len(renewed.ledger()) == len(CLIPS)
