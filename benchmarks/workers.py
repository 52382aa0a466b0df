"""Shows what becomes of many clips when workers die and freeze: what was bought, what was lost, and how long it took.

    uv run python -m benchmarks.workers [--clips 1000] [--slots 40] [--latency 2] [--frozen 150]

Two workers carry out what one `apply --detach` has handed over, with a PostgreSQL, a shared folder and the emulator as
the vendor. When a tenth is done, the second is killed with SIGKILL and started again, as a supervisor does. The first
freezes itself with SIGSTOP between the commit of an intent and its permit, and wakes up after `--frozen` seconds, which
is longer than its leases. Nothing else is done to help them: leases and heartbeats have their real lengths.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from benchmarks.kit import circumstances, note, table
from reconciler.state import shared, shared_schema
from reconciler.state.sql.postgres import PostgreSQL
from tests.cluster import struck
from tests.emulator.process import Emulator, emulator
from tests.program import postgres
from tests.program.start import Child, run, start

HEADS = ["clips", "done", "bought twice", "lost", "not sent, by proof", "most in flight", "strike → all done", "in all"]
_LOOK = 0.5


def main(arguments: Sequence[str] | None = None) -> None:
    """Hand over, strike, and print the row of the table."""
    parser = argparse.ArgumentParser(description="Kill and freeze workers.")
    parser.add_argument("--clips", type=int, default=1_000)
    parser.add_argument("--slots", type=int, default=40, help="tasks that the account may have in flight")
    parser.add_argument("--latency", type=float, default=2.0, help="seconds that a task takes")
    parser.add_argument("--frozen", type=float, default=150.0, help="seconds that the first worker is frozen")
    asked = parser.parse_args(arguments)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clipform-workers-")))
        url = stack.enter_context(postgres.server(home))
        if url is None:
            raise SystemExit("PostgreSQL is not installed: initdb was not found")
        latency = ("--latency", str(asked.latency), "--no-render")
        vendor = stack.enter_context(emulator(*latency, cwd=home, real=True))
        sql = shared.connect(url, "bench", "bench")
        stack.callback(sql.close)
        shared_schema.migrate(sql)
        folder = _project(home, url, vendor, asked)
        print(f"{circumstances()}\n{table(HEADS, [])}", flush=True)
        handed = run(["-C", str(folder), "apply", "--yes", "--trust", "--detach"], check=False)
        assert handed.returncode == 0, handed.stdout + handed.stderr
        note(f"{asked.clips} clips handed over")
        began, struck_at, most = time.monotonic(), *_carried_out(stack, folder, sql, asked)
        ended = time.monotonic()
        row = [*_books(sql, vendor, asked.clips), most, f"{ended - struck_at:.0f} s", f"{ended - began:.0f} s"]
        print(f"| {' | '.join(map(str, [f'{asked.clips:,}', *row]))} |", flush=True)


def _project(home: Path, url: str, vendor: Emulator, asked: Namespace) -> Path:
    (home / "shelf").mkdir()
    (home / "shelf" / "clipform-cache.txt").touch()
    for name, value in {"ARK_API_KEY": "key", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache"}.items():
        os.environ[name] = value if name == "ARK_API_KEY" else str(home / value)
    provider = {
        "kind": "ark",
        "base_url": f"{vendor.api}/ark",
        "api_key": "${env.ARK_API_KEY}",
        "concurrency": asked.slots,
    }
    fast = {"poll_interval": "500ms", "requests_per_second": 1000, "settings": {"lists_per_second": 0}}
    document = {
        "version": 1,
        "state": {"url": url, "schema": "bench", "project": "bench", "workers": "only"},
        "cache": {"remote": f"file://{home}/shelf"},
        "providers": {"vendor": provider | fast},
        "defaults": {"provider": "vendor", "duration": 5, "ratio": "16:9"},
        "clips": {f"clip-{number:05}": {"prompt": f"number {number:05}"} for number in range(asked.clips)},
    }
    folder = home / "project"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(json.dumps(document))
    return folder


def _worker(stack: ExitStack, folder: Path, **more: Any) -> Child:
    with open(folder / "log", "ab") as log:
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        child = start(["-C", str(folder), "worker"], env=dict(os.environ), **streams, **more)
    stack.callback(lambda: (child.kill(), child.wait()))
    return child


def _carried_out(stack: ExitStack, folder: Path, sql: PostgreSQL, asked: Namespace) -> tuple[float, int]:
    """Let two workers do it all, and strike them. Returns when the later strike was, and how many were in flight."""
    tenth, most, struck_at = asked.clips // 10, 0, float("inf")
    word = folder / "frozen"
    os.mkfifo(word)
    os.environ |= {struck.WORD: str(word), struck.COUNT: str(max(1, tenth // 2))}
    frozen = _worker(stack, folder, call="tests.cluster.struck:frozen_before_it_sends")
    second = _worker(stack, folder)
    reader = os.open(word, os.O_RDONLY | os.O_NONBLOCK)
    stack.callback(os.close, reader)
    is_killed, thaw = False, float("inf")
    while True:
        ((left, done),) = sql.query(
            "SELECT count(*) FILTER (WHERE kind = ''), count(*) FILTER (WHERE kind = 'done') FROM want"
        )
        ((flight,),) = sql.query("SELECT count(*) FROM attempt WHERE state IN ('submitting', 'uncertain', 'accepted')")
        most, now = max(most, flight), time.monotonic()
        if thaw == float("inf") and os.read(reader, 100):
            struck_at, thaw = now, now + asked.frozen
            note(f"frozen with {done} done")
        if not is_killed and done >= tenth:
            second.kill()
            second.wait()
            second, is_killed = _worker(stack, folder), True
            struck_at = now if thaw == float("inf") else max(struck_at, now)
            note(f"killed with {done} done")
        if now >= thaw:
            frozen.send_signal(signal.SIGCONT)
            thaw = float("inf") if left else 0.0
            note(f"awake again with {done} done")
        if not left:
            break
        time.sleep(_LOOK)
    for child in (frozen, second):
        child.send_signal(signal.SIGCONT)
        child.send_signal(signal.SIGTERM)
    assert [child.wait() for child in (frozen, second)] == [0, 0], (folder / "log").read_text()[-2000:]
    return struck_at, most


def _books(sql: PostgreSQL, vendor: Emulator, clips: int) -> list[object]:
    """Return how many clips are done, were bought twice, are lost, and how many requests were proven not sent."""
    entries = httpx.get(f"{vendor.api}/ledger", trust_env=False).raise_for_status().json()["entries"]
    bought = Counter(json.dumps(entry["request"]).partition("number ")[2][:5] for entry in entries)
    ((results,),) = sql.query("SELECT count(DISTINCT key) FROM generation")
    ((unsent,),) = sql.query("SELECT count(*) FROM attempt WHERE state = 'not_sent'")
    return [results, sum(count > 1 for count in bought.values()), clips - results, unsent]


if __name__ == "__main__":
    main()
