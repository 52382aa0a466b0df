"""Measures what a shared state costs over a line of 40 ms, what a shared cache costs beside the bare library, and
what the processes of a team wait for (`team_runs`).

    uv run python -m benchmarks.team [--rounds 20] [--keys 1000] [--short] [--write]

Needs PostgreSQL; its server runs on this machine, and a proxy delays each direction by half of the round trip. Each
figure is a ratio to what was measured beside it in the same run.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import team_cache, team_runs
from benchmarks.kit import circumstances, table
from reconciler.cluster.dispatch import HEARTBEAT
from reconciler.records import Artifact, Generation, State
from reconciler.state import new_database, shared, shared_schema
from reconciler.state.budget import Caps, NewAttempt
from reconciler.state.leases import Member, SharedStore
from reconciler.state.ledger import Facts
from reconciler.state.sql import sqlite
from reconciler.state.sql.sqlite import SQLite
from reconciler.state.store import LEASE, Store
from tests.program import postgres
from tests.program.line import Line, line_to

ROUND_TRIP = 0.04
PAGE = Path(__file__).with_name("TEAM.md")

Row = tuple[str, str, str, str]


def order(key: str) -> NewAttempt:
    """A purchase as `submit` begins one, at an account with slots and a rate."""
    about = {"clip": key, "take": 1, "provider": "studio", "kind": "ark", "model": "m", "currency": "USD"}
    limits = {"account": "studio", "slots": 1_000_000, "spacing": 1e-9, "after": 0, "run": 1}
    return NewAttempt(key=key, marker=f"marker {key}", cost_micros=1, **about, **limits)  # type: ignore[arg-type]


def desk() -> SQLite:
    """A desk in memory."""
    connection = sqlite.in_memory()
    new_database.create(connection)
    return SQLite(connection)


def timed(act: Callable[[], object]) -> float:
    """Seconds that something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


@contextmanager
def studio(folder: Path) -> Iterator[tuple[Line, SharedStore, Store]]:
    """A store at the end of a long line, and a local one beside it."""
    with postgres.server(folder) as url:
        assert url is not None, "PostgreSQL is not installed"
        schema = f"bench_{os.urandom(4).hex()}"
        direct = shared.connect(url, schema, "film")
        shared_schema.migrate(direct)
        with line_to(url, ROUND_TRIP / 2) as line:
            store = SharedStore(shared.connect(line.url, schema, "film"), time.time, desk(), Member("me", "ana@mac"))
            store.complete()
            own = Store(desk(), time.time)
            own.complete()
            yield line, store, own
            store.close()
        direct.close()


def purchases(line: Line, store: SharedStore, rounds: int) -> list[Row]:
    """A claim and a move over the line, beside one empty round trip of the same connection."""
    caps = Caps("USD", run_micros=10**9, total_micros=10**9)
    store.begin(order("v1:first"), caps)
    trips, claims, moves, sent = [], [], [], {"claim": 0, "move": 0}
    for number in range(rounds):
        trips.append(timed(lambda: store.sql.query("SELECT 1")))
        before = line.chunks
        claims.append(timed(partial(store.begin, order(f"v1:{number}"), caps)))
        sent["claim"] += line.chunks - before
        (attempt,) = store.attempts(f"v1:{number}")
        before = line.chunks
        moves.append(timed(partial(store.move, attempt, State.ACCEPTED, Facts(task=attempt.key))))
        sent["move"] += line.chunks - before
    one = median(trips)
    return [
        bar("a claim ÷ one round trip", median(claims) / one, 2.6, f"{sent['claim'] / rounds:.0f} round trips"),
        bar("a move ÷ one round trip", median(moves) / one, 1.3, f"{sent['move'] / rounds:.0f} round trips"),
    ]


def planning(line: Line, store: SharedStore, own: Store, keys: int, rounds: int) -> list[Row]:
    """What a plan reads, of a project whose clips are all made, beside the same in a local state."""
    names = [f"v1:made-{number}" for number in range(keys)]
    line.delay = 0.0
    for ledger in (store, own):
        with ledger.transaction():
            for name in names:
                sha256 = hashlib.sha256(name.encode()).hexdigest()
                about = {"provider": "studio", "kind": "ark", "model": "m", "key": name, "task": None}
                video = Artifact(sha256, 1, ".mp4", 5000, 1280, 720, audio=True)
                generation = Generation(sha256=sha256, document="{}", elapsed=1.0, **about)  # type: ignore[arg-type]
                ledger.adopt(generation, video)
    line.delay = ROUND_TRIP / 2
    store.snapshot(names)
    near = median(timed(own.snapshot) for _ in range(rounds))
    before = line.chunks
    far = median(timed(lambda: store.snapshot(names)) for _ in range(rounds))
    trips = (line.chunks - before) / rounds
    return [
        bar(
            f"records for a plan of {keys:,}: (shared − local) ÷ 40 ms",
            (far - near) / ROUND_TRIP,
            4,
            f"{trips:.0f} round trips",
        )
    ]


def together(folder: Path, url: str, clips: int) -> list[Row]:
    """What processes of a team do together."""
    delays = team_runs.followed(folder / "followed", url)
    given, made = team_runs.taken_over(folder / "taken", url)
    rates = [(team_runs.given_out(url, "bare"), team_runs.given_out(url, "ours")) for _ in range(5)]  # in turn
    queue, worker = (median(each) for each in zip(*rates, strict=True))
    asked = team_runs.bucket_requests(folder / "bucket", clips)
    heartbeat, few = HEARTBEAT.total_seconds(), f"{asked['one lacking']} for one that is lacking"
    return [
        bar("a follower has the video, seconds after it is recorded", max(delays), 2, f"median {median(delays):.2f}"),
        bar("a worker is killed: another has its jobs, seconds", given, heartbeat + 2, f"heartbeat {heartbeat:.0f} s"),
        bar("and has made its clips, seconds", made, LEASE + heartbeat + 2, f"lease {LEASE:.0f} s"),
        bar("jobs/s of 2 workers ÷ bare PgQueuer", worker / queue, 0.5, f"{worker:,.0f} of {queue:,.0f}", least=True),
        bar(f"requests of a plan and a push at {clips:,}", asked["plan"] + asked["push"], 0, few),
    ]


def bar(name: str, measured: float, limit: float, detail: str, *, least: bool = False) -> Row:
    """A row of the table."""
    met = measured >= limit if least else measured <= limit
    return name, f"{measured:.2f} ({detail})", f"{'≥' if least else '≤'} {limit:g}", "met" if met else "**missed**"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description="Measure a shared state and a shared cache.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--keys", type=int, default=1_000, help="clips of the plan")
    parser.add_argument("--short", action="store_true", help="without the processes of a team, which take minutes")
    parser.add_argument("--write", action="store_true", help="rewrite TEAM.md")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with studio(folder) as (line, store, own):
            rows = purchases(line, store, asked.rounds)
            rows += planning(line, store, own, asked.keys, max(3, asked.rounds // 4))
        rows += [bar(*row, least=True) for row in team_cache.measured(folder, 12, 3)]
        if not asked.short:
            with postgres.server(folder) as url:
                assert url is not None
                rows += together(folder, url, 10_000)
    text = f"{circumstances()}\n{table(['', 'measured', 'bar', ''], rows)}\n"
    if asked.write:
        head = (
            "# A team's state and cache\n\nOver a line of 40 ms, in a shared folder, and among real processes:\n\n"
            "    uv run python -m benchmarks.team --write\n\n"
        )
        PAGE.write_text(head + text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
