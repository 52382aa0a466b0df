"""The command as users start it: what it prints, how it ends, real clips, and connections that are cut."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from reconciler.diagnostics import ClipformError
from reconciler.emulator.ledger import Ledger
from tests.cli.in_process import clipform
from tests.emulator.kit import ARK, clip
from tests.emulator.process import Emulator, emulator
from tests.program.start import start

TASKS = "/ark/contents/generations/tasks"
BEARER = {"authorization": "Bearer key"}

CUT_CONNECTIONS: dict[str, dict[str, object]] = {
    "drop": {"when": {"phase": "submit", "dialect": "3hei"}, "do": "drop", "accepted": True},
    "cut": {"when": {"phase": "submit", "model": "*-fast-*"}, "do": "cut", "length": False},
    "endless": {"when": {"phase": "submit", "model": "*-mini-*"}, "do": "endless"},
    "slow": {"when": {"phase": "submit", "model": "*-1-5-*"}, "do": "slow", "every": 0.01},
}

MORE = [
    {"when": {"phase": "submit", "dialect": "uniall", "nth": 1}, "do": "drop"},
    {"when": {"phase": "submit", "model": "doubao-seedance-1-0-lite-t2v-*"}, "do": "cut", "percent": 10},
]


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    faults = tmp_path_factory.mktemp("emulator") / "faults.json"
    faults.write_text(json.dumps({"faults": [*CUT_CONNECTIONS.values(), *MORE]}))
    with emulator("--latency", "0", "--no-render", "--faults", str(faults), real=True) as running:
        yield running


def _link(vendor: Emulator, model: str) -> str:
    body = {**ARK, "model": model}
    if "1-0" in model:
        body.pop("ratio")
    task = httpx.post(vendor.api + TASKS, json=body, headers=BEARER).raise_for_status().json()["id"]
    told = httpx.get(f"{vendor.api}{TASKS}/{task}", headers=BEARER).json()
    return str(told["content"]["video_url"])


def _accepted(vendor: Emulator, kind: str) -> int:
    return sum(entry["kind"] == kind for entry in httpx.get(f"{vendor.api}/ledger").json()["entries"])


def test_a_connection_may_close_after_the_task_was_taken(vendor: Emulator) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{vendor.api}/3hei/v1/videos", json={**ARK, "model": "doubao-seedance-2-0"}, headers=BEARER)
    assert _accepted(vendor, "3hei") == 1


def test_a_connection_may_close_before_anything_happened(vendor: Emulator) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{vendor.api}/uniall/v1/video/generations", json={}, headers=BEARER)
    assert _accepted(vendor, "uniall") == 0


def test_a_file_may_be_cut_without_a_sign(vendor: Emulator) -> None:
    answer = httpx.get(_link(vendor, "doubao-seedance-2-0-fast-260128"))
    assert answer.status_code == 200
    assert "content-length" not in answer.headers
    assert answer.content[4:8] == b"ftyp"


def test_a_file_may_be_cut_short_of_its_length(vendor: Emulator) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="received"):
        httpx.get(_link(vendor, "doubao-seedance-1-0-lite-t2v-250428"))


def test_a_body_may_never_end(vendor: Emulator) -> None:
    seen = 0
    with httpx.stream("GET", _link(vendor, "doubao-seedance-2-0-mini-260615")) as answer:
        for chunk in answer.iter_raw():
            seen += len(chunk)
            if seen > 64 << 20:
                break
    assert seen > 64 << 20


def test_a_body_may_come_byte_by_byte(vendor: Emulator) -> None:
    with httpx.stream("GET", _link(vendor, "doubao-seedance-1-5-pro-251215")) as answer:
        chunks = [chunk for chunk, _ in zip(answer.iter_raw(), range(3), strict=False)]
    assert int(answer.headers["content-length"]) > 1000
    assert sum(map(len, chunks)) < 100


def test_the_ledger_is_on_disk_and_a_clip_is_really_drawn(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    stem = "/jimmyai/api/open-api/v1"
    body = {"model": "seedance2.0-md", "prompt": "a lamp on a table", "duration": 1, "ratio": "1:1"}
    with emulator("--latency", "0", "--ledger", str(ledger)) as vendor:
        made = httpx.post(f"{vendor.api}{stem}/seedance/videos", json=body, headers=BEARER).json()["data"]
        assert json.loads(ledger.read_text())["task"] == made["task_id"]
        while made["status"] != "completed":
            made = httpx.get(f"{vendor.api}{stem}/videos/{made['task_id']}", headers=BEARER).json()["data"]
            assert made["status"] in ("queued", "processing", "completed")
        link = made["result"]["video_url"]
        assert link.startswith(vendor.media)
        answer = httpx.get(link)
    found = clip(answer.content)
    assert (found.width, found.height, found.duration_ms, found.audio) == (960, 960, 1000, False)
    assert len(answer.content) > 10_000


def _started(*options: str) -> subprocess.Popen[str]:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return start(["emulate", "--no-render", *options], text=True, **streams)


def _read_block(child: subprocess.Popen[str]) -> str:
    """What is printed, up to the last provider's last line."""
    assert child.stdout is not None
    lines: list[str] = []
    while not any("kind: ark" in line for line in lines) or "api_key" not in lines[-1]:
        lines.append(child.stdout.readline())
        assert lines[-1], "ended early"
    return "".join(lines)


def test_it_prints_providers_for_a_project_that_validates_and_ends_well_on_ctrl_c(tmp_path: Path) -> None:
    with _started("--port", "0") as child:
        block = _read_block(child)
        clips = "version: 1\nclips:\n  hero: {provider: ark, prompt: a lamp, output: hero.mp4}\n"
        (tmp_path / "clipform.yaml").write_text(block + clips)
        checked = clipform(tmp_path, "validate")
        os.kill(child.pid, signal.SIGINT)
        _, errors = child.communicate(timeout=100)
    assert (child.returncode, errors) == (0, "")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    providers = yaml.safe_load(block)["providers"]
    assert {entry["kind"] for entry in providers.values()} == {"jiekou", "jimmyai", "chanjing", "uniall", "3hei", "ark"}
    assert providers["chanjing"]["secret_key"] == providers["ark"]["api_key"] == "${env.CLIPFORM_EMULATOR_KEY}"
    assert "export CLIPFORM_EMULATOR_KEY=" in block


def test_an_open_stream_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults: [{when: {phase: download}, do: endless}]")
    with (
        emulator("--latency", "0", "--no-render", "--faults", str(faults)) as other,
        httpx.stream("GET", _link(other, "doubao-seedance-2-0-260128")) as answer,
    ):
        chunks = answer.iter_raw()
        assert next(chunks)
        os.kill(other.pid, signal.SIGINT)
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in chunks:
                pass


def test_what_keeps_it_from_starting_is_said() -> None:
    with pytest.raises(RuntimeError, match="nowhere.yaml"), emulator("--faults", "nowhere.yaml"):
        pass


def test_a_ledger_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClipformError, match="cannot be written"):
        Ledger(tmp_path / "no" / "folder")


def test_a_port_that_is_taken_is_said(vendor: Emulator) -> None:
    port = vendor.api.rpartition(":")[2]
    with _started("--port", port) as child:
        _, errors = child.communicate(timeout=100)
    assert child.returncode == 1
    assert f"port {port} cannot be used" in errors


def test_the_commands_that_need_no_emulator_do_not_load_it() -> None:
    code = "import sys, reconciler.cli.command_line as a; a.build(); sys.exit('starlette' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
