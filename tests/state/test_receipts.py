"""Receipts: reserved space, torn lines, full disks, and what they teach a database that knows less (F14, F21, F22)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from state_kit import Clock, Maker, memory_store, order

from reconciler.diagnostics import StateError
from reconciler.records import Attempt, State
from reconciler.state import receipts as module
from reconciler.state.ledger import Facts, Merged
from reconciler.state.receipts import BLOCK, Receipt, Receipts, parse
from reconciler.state.store import Store
from tests.state.replay import rebuild


def _lines(directory: Path) -> list[tuple[int, str, str]]:
    return [(line.seq, line.event, line.marker) for line in parse((directory / "receipts").read_bytes())]


def test_only_the_user_may_read_them(tmp_path: Path) -> None:
    with Receipts.open(tmp_path, "store-1", Clock()):
        assert (tmp_path / "receipts").stat().st_mode & 0o777 == 0o600


def test_lines_are_numbered_and_hold_what_a_purchase_needs_and_no_prompt(tmp_path: Path, maker: Maker) -> None:
    attempt = maker.attempt(marker="m1", seed=7, cost_micros=5, currency="USD")
    with Receipts.open(tmp_path, "store-1", Clock()) as receipts:
        receipts.intent(attempt)
        receipts.accepted(attempt, "task-9")
    first, second = parse((tmp_path / "receipts").read_bytes())
    assert (first.seq, first.store, first.event, first.key, first.clip) == (1, "store-1", "intent", "v1:aa", "hero")
    assert (first.provider, first.kind, first.model, first.seed, first.cost_micros) == ("studio", "ark", "m1", 7, 5)
    assert (second.seq, second.event, second.marker, second.task) == (2, "accepted", "m1", "task-9")
    assert b"a cat" not in (tmp_path / "receipts").read_bytes()


def test_numbers_go_on_where_they_stopped(tmp_path: Path, maker: Maker) -> None:
    attempt = maker.attempt(marker="m")
    for _ in range(3):
        with Receipts.open(tmp_path, "s", Clock()) as receipts:
            receipts.intent(attempt)
    assert [number for number, _, _ in _lines(tmp_path)] == [1, 2, 3]


def test_the_answers_of_all_open_intents_have_room(
    tmp_path: Path, maker: Maker, file_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    attempts = [maker.attempt(key=f"v1:{number}", marker=f"m{number}") for number in range(100)]
    with Receipts.open(tmp_path, "s", Clock()) as receipts:
        for attempt in attempts:
            receipts.intent(attempt)
        reserved = (tmp_path / "receipts").stat().st_size
        assert reserved % BLOCK == 0
        with file_limit(reserved):
            for attempt in attempts:
                receipts.accepted(attempt, "t" * 1500)
            with pytest.raises(StateError) as error:
                for attempt in attempts:
                    receipts.intent(attempt)
    assert error.value.code == "disk-full"
    assert sum(event == "accepted" for _, event, _ in _lines(tmp_path)) == 100


def test_a_torn_last_line_is_passed_over_and_the_next_is_whole(tmp_path: Path, maker: Maker) -> None:
    attempt = maker.attempt(marker="whole")
    with Receipts.open(tmp_path, "s", Clock()) as receipts:
        receipts.intent(attempt)
        start = len((tmp_path / "receipts").read_bytes().rstrip(b"\0"))
        receipts.accepted(attempt, "torn")
    data = (tmp_path / "receipts").read_bytes()
    for size in range(start, len(data.rstrip(b"\0")) + 1):
        for rest in (b"", bytes(BLOCK)):
            (tmp_path / "receipts").write_bytes(data[:size] + rest)
            with Receipts.open(tmp_path, "s", Clock()) as receipts:
                receipts.void(attempt)
            events = [event for _, event, _ in _lines(tmp_path)]
            assert events in (["intent", "void"], ["intent", "accepted", "void"])


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(data: bytes) -> None:
    whole = b'{"seq":1,"store":"s","event":"void","time":1.0,"marker":"m","attempt":1}\n'
    assert parse(whole + data.replace(b"\n", b""))[:1] == (
        Receipt(seq=1, store="s", event="void", time=1.0, marker="m", attempt=1),
    )


@pytest.mark.parametrize("line", [b"[" * 100_000, b"9" * 5000, b'{"seq":1}', b"null", b'{"seq":"1","store":1}'])
def test_a_line_that_is_not_ours_is_passed_over(line: bytes) -> None:
    assert parse(line + b"\n") == ()


def test_what_stands_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "receipts").mkdir()
    with pytest.raises(StateError), Receipts.open(tmp_path, "s", Clock()):
        pass
    (tmp_path / "receipts").rmdir()
    os.mkfifo(tmp_path / "receipts")
    with pytest.raises(StateError), Receipts.open(tmp_path, "s", Clock()):
        pass


def test_without_fallocate_the_space_is_written(tmp_path: Path, maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(module.os, "posix_fallocate")
    with Receipts.open(tmp_path, "s", Clock()) as receipts:
        receipts.intent(maker.attempt(marker="m"))
    assert _lines(tmp_path) == [(1, "intent", "m")]
    assert (tmp_path / "receipts").stat().st_size == BLOCK


# Merging: what the database knows of marker "m", what the receipts say of it, and what becomes of it.
MERGES: list[tuple[State | None, list[str], State | None]] = [
    (None, ["intent"], State.UNCERTAIN),
    (None, ["intent", "accepted"], State.ACCEPTED),
    (None, ["intent", "void"], None),
    (None, ["void"], None),
    (State.SUBMITTING, ["intent"], State.SUBMITTING),
    (State.SUBMITTING, ["intent", "accepted"], State.ACCEPTED),
    (State.SUBMITTING, ["accepted"], State.ACCEPTED),
    (State.SUBMITTING, ["intent", "void"], State.NOT_SENT),
    (State.UNCERTAIN, ["intent", "accepted"], State.ACCEPTED),
    (State.UNCERTAIN, ["intent", "void"], State.NOT_SENT),
    (None, ["intent", "abandon"], State.ABANDONED),
    (None, ["intent", "accepted", "abandon"], State.ABANDONED),
    (None, ["intent", "abandon", "accepted"], State.ACCEPTED),  # the user ended it, and took that back
    (None, ["intent", "accepted", "resubmit", "accepted"], State.ACCEPTED),
    (State.UNCERTAIN, ["intent", "resubmit"], State.ABANDONED),
    (State.UNCERTAIN, ["intent", "resubmit", "accepted"], State.ACCEPTED),
    *((state, ["intent", "accepted"], state) for state in State if state not in (State.SUBMITTING, State.UNCERTAIN)),
]


def _receipts(attempt: Attempt, events: list[str]) -> list[Receipt]:
    of = attempt.take_provenance(task=None, seed=3, cost_micros=500, currency="USD")
    head: dict[str, Any] = {"store": "old", "marker": "m", "attempt": 77}
    base = Receipt(seq=1, event="intent", time=5.0, **head, **of)
    short = {
        "accepted": Receipt(seq=2, event="accepted", time=6.0, **head, task="t1"),
        **{event: Receipt(seq=3, event=event, time=6.0, **head) for event in ("void", "abandon", "resubmit")},
    }
    return [base if event == "intent" else short[event] for event in events]


@pytest.mark.parametrize(("known", "events", "then"), MERGES)
def test_the_database_learns_from_the_receipts(
    memory: Store, known: State | None, events: list[str], then: State | None
) -> None:
    with memory_store() as elsewhere:
        maker = Maker(elsewhere if known is None else memory)
        attempt = maker.attempt(known or State.SUBMITTING, marker="m")
    merged = memory.merge(_receipts(attempt, events))
    found = memory.snapshot().attempts.get("v1:aa")
    assert (found.state if found else None) is then
    assert bool(merged.restored) is (known is None and then is not None)
    if found and found.state is State.ACCEPTED and known is not State.ACCEPTED:
        assert found.task == "t1"
    assert memory.merge(_receipts(attempt, events)).moved == ()
    rebuild(memory)


def test_a_restored_attempt_keeps_its_key_from_being_bought_again_and_its_money_reserved(memory: Store) -> None:
    with memory_store() as elsewhere:
        merged = memory.merge(_receipts(Maker(elsewhere).attempt(marker="m"), ["intent"]))
    assert (merged.restored[0].created, merged.restored[0].seed, merged.restored[0].clip) == (5.0, 3, "hero")
    assert memory.spent()["USD"].reserved == 500
    with pytest.raises(StateError) as error:
        memory.begin(order())
    assert error.value.code == "key-open"


def test_an_accepted_task_that_has_no_place_is_reported_as_lost(memory: Store) -> None:
    lines = _receipts(Maker(memory).attempt(marker="other"), ["intent", "accepted"])
    assert memory.merge(lines).lost == (lines[1],)  # the key has another open attempt
    with memory_store() as fresh:
        assert fresh.merge(lines[1:]).lost == (lines[1],)  # the intent's line is torn
    with memory_store() as refused:
        Maker(refused).attempt(State.REFUSED, marker="m")
        assert refused.merge(lines).lost == (lines[1],)


def test_of_two_tasks_of_one_key_the_second_is_reported_as_lost(memory: Store) -> None:
    with memory_store() as elsewhere:
        lines = _receipts(Maker(elsewhere).attempt(marker="m"), ["intent", "accepted"])
    again = [replace(line, marker="n", task=line.task and "t2") for line in lines]
    merged = memory.merge([*lines, *again])
    assert ([attempt.task for attempt in merged.restored], merged.lost) == (["t1"], (again[1],))


def test_a_task_that_another_attempt_has_is_known(memory: Store) -> None:
    attempt = Maker(memory).attempt(marker="other")
    memory.move(attempt, State.ACCEPTED, Facts(task="t1"))
    assert memory.merge(_receipts(attempt, ["intent", "accepted"])) == Merged()


def test_a_lost_database_is_made_good_from_the_receipts(tmp_path: Path) -> None:
    with Store.open(tmp_path, Clock()) as store, Receipts.open(tmp_path, store.id, Clock()) as receipts:
        first, second = (store.begin(order(f"v1:{name}", marker=name)) for name in "ab")
        for attempt in (first, second):
            receipts.intent(attempt)
        receipts.accepted(first, "t1")
    (tmp_path / "clipform.db").unlink()
    with Store.open(tmp_path, Clock()) as store, Receipts.open(tmp_path, store.id, Clock()) as receipts:
        assert {line.store for line in receipts.lines} != {store.id}
        merged = store.merge(receipts.lines)
        assert [(found.key, found.state, found.task) for found in merged.restored] == [
            ("v1:a", State.ACCEPTED, "t1"),
            ("v1:b", State.UNCERTAIN, None),
        ]
        assert store.merge(receipts.lines) == Merged()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte; needs the right to mount."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def test_a_disk_that_fills_up_between_accepted_and_recorded_forgets_no_task(small_disk: Path) -> None:
    with Store.open(small_disk, Clock()) as store, Receipts.open(small_disk, store.id, Clock()) as receipts:
        attempt = store.begin(order(marker="m"))
        receipts.intent(attempt)
        with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(bytes(4096))
        receipts.accepted(attempt, "t1")
        with pytest.raises(StateError) as error:
            for number in range(100):
                store.begin(order(f"v1:{number}", document="x" * 4000))
        assert error.value.code == "disk-full"
    (small_disk / "filler").unlink()
    with Store.open(small_disk, Clock()) as store, Receipts.open(small_disk, store.id, Clock()) as receipts:
        store.merge(receipts.lines)
        assert (store.attempt(attempt.id).state, store.attempt(attempt.id).task) == (State.ACCEPTED, "t1")
