"""Measures a paid run against the requests that it sends: 1,000 clips, and one large download.

    uv run python -m benchmarks.transport [--clips 1000] [--width 64] [--rounds 3] [--megabytes 256] [--tmpfs /dev/shm]

The vendor is `clipform emulate` in a process of its own, whose tasks finish at once. Whole client processes, each round
in turn with its baselines; after each, the ledger must hold one task per clip, so that no client is fast by sending
less.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx

from benchmarks.bare import BODY, KEY
from benchmarks.kit import Case, Timings, circumstances, clipform, measure, note, python, table
from tests.emulator.process import Emulator, emulator

APPLY = "`clipform apply`"
IN_MEMORY = "`clipform apply`, project on a tmpfs"
HTTPX = "bare httpx loop"
AIOHTTP = "bare aiohttp loop"
FETCH = "clipform's download"
CURL = "`curl -o`"
CURL_HASHED = "`curl`, then `sha256sum`"
VARIABLE = "CLIPFORM_BENCHMARK_KEY"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description="Measure a paid run against its requests.")
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--width", type=int, default=64, help="clips in flight")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm"), help="where syncing a file costs nothing")
    asked = parser.parse_args(arguments)
    print(circumstances())
    os.environ[VARIABLE] = KEY
    with tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        print(f"Medians of {asked.rounds} rounds.\n\n### {asked.clips:,} clips, {asked.width} in flight\n")
        note("clips")
        with (
            _memory(asked.tmpfs) as memory,
            emulator("--latency", "0", "--no-render", cwd=Path(folder), real=True) as vendor,
        ):
            print(_clips(measure(_runs(asked, vendor, Path(folder), memory), asked.rounds), asked.clips))
        note("downloads")
        print(f"\n### One download of {asked.megabytes} MB\n")
        with _host(asked.megabytes) as url:
            print(_downloads(measure(_fetches(url, Path(folder)), asked.rounds), asked.megabytes))


@contextmanager
def _memory(root: Path) -> Iterator[Path | None]:
    """Yield a folder on the tmpfs; None if there is none."""
    if not os.access(root, os.W_OK):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="clipform-", dir=root) as folder:
        yield Path(folder)


def _runs(asked: argparse.Namespace, vendor: Emulator, folder: Path, memory: Path | None) -> dict[str, Case]:
    homes = {APPLY: folder / "project", IN_MEMORY: memory / "project" if memory else None}
    cases = {name: apply(name, asked, vendor, home) for name, home in homes.items() if home is not None}
    for name, client in ((HTTPX, "httpx"), (AIOHTTP, "aiohttp")):
        target = folder / client
        command = python("-m", "benchmarks.bare", client, vendor.api, f"{asked.clips}", f"{asked.width}", str(target))
        cases[name] = _case(name, command, asked.clips, vendor, target)
    return cases


def apply(name: str, asked: argparse.Namespace, vendor: Emulator, home: Path) -> Case:
    """Return an apply of new clips, `asked.clips` of which `asked.width` are in flight."""
    provider = {
        "kind": "uniall",
        "base_url": f"{vendor.api}/uniall",
        "api_key": f"${{env.{VARIABLE}}}",
        "concurrency": asked.width,
        "requests_per_second": 1_000_000,
        "poll_interval": "50ms",
    }
    model = {"provider": "vendor", "model": BODY["model"], "duration": BODY["duration"], "ratio": BODY["aspect_ratio"]}
    clips = {f"clip-{number}": {"prompt": f"lamp {number}"} for number in range(asked.clips)}
    text = json.dumps({"version": 1, "providers": {"vendor": provider}, "defaults": model, "clips": clips})
    command = clipform("-C", str(home), "--json", "apply", "--yes")
    return _case(name, command, asked.clips, vendor, home, {"clipform.yaml": text})


def _case(
    name: str,
    command: tuple[str, ...],
    clips: int,
    vendor: Emulator,
    home: Path,
    files: Mapping[str, str] | None = None,
) -> Case:
    """Return a run in an empty folder; afterwards the ledger is checked and reset."""

    def set_up() -> None:
        home.mkdir()
        for file, text in (files or {}).items():
            (home / file).write_text(text, encoding="utf-8")

    def tear_down() -> None:
        shutil.rmtree(home)
        count = httpx.get(f"{vendor.api}/ledger", trust_env=False, timeout=60).json()["count"]
        httpx.post(f"{vendor.api}/reset", trust_env=False)
        if count != clips:
            raise SystemExit(f"{name} bought {count} tasks, not {clips}")

    return Case(name, command, Path(__file__).parent.parent, set_up, tear_down)


@contextmanager
def _host(megabytes: int) -> Iterator[str]:
    """Run a host for one large file; yield its URL."""
    command = python("-m", "benchmarks.bare", "serve", f"{megabytes}")
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as child:
        assert child.stdout is not None
        yield json.loads(child.stdout.readline())["url"]
        child.communicate(timeout=30)


def _fetches(url: str, folder: Path) -> dict[str, Case]:
    target = str(folder / "download.mp4")
    commands = {
        FETCH: python("-m", "benchmarks.bare", "fetch", url, target),
        CURL: ("curl", "-sS", "-o", target, url),
        CURL_HASHED: ("sh", "-c", f"curl -sS -o '{target}' '{url}' && sha256sum '{target}'"),
    }
    return {name: Case(name, command, Path(__file__).parent.parent) for name, command in commands.items()}


def _clips(timings: Mapping[str, Timings], clips: int) -> str:
    head = ["", "wall", "÷ httpx", "CPU", "÷ httpx", "CPU a clip"]
    rows = []
    for name, times in timings.items():
        wall, cpu = median(times.wall), median(times.cpu)
        by_wall, by_cpu = wall / median(timings[HTTPX].wall), cpu / median(timings[HTTPX].cpu)
        row = [name, f"{wall:.1f} s", f"{by_wall:.1f}", f"{cpu:.1f} s", f"{by_cpu:.1f}", f"{1000 * cpu / clips:.1f} ms"]
        rows.append(row)
    return table(head, rows)


def _downloads(timings: Mapping[str, Timings], megabytes: int) -> str:
    rows = []
    for name, times in timings.items():
        wall, cpu = median(times.wall), median(times.cpu)
        ratio = f"{wall / median(timings[CURL_HASHED].wall):.2f}" if CURL_HASHED in timings else "–"
        rows.append([name, f"{wall:.2f} s", f"{megabytes / wall:.0f} MB/s", ratio, f"{cpu:.2f} s"])
    return table(["", "wall", "throughput", f"wall ÷ {CURL_HASHED}", "CPU"], rows)


if __name__ == "__main__":
    main()
