"""The installed command against the emulator in its own process: killed for real, and watched by strace."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.figures import Tally
from tests.reliability.processes import blackbox, realkills, syscalls
from tests.reliability.processes.realkills import Stage


@pytest.fixture(scope="module")
def played() -> Iterator[Stage]:
    """A starter of processes, and vendors."""
    with realkills.stage() as found:
        yield found


def test_killed_at_random_it_pays_once_loses_nothing_and_leaks_nothing() -> None:
    tally = Tally()
    blackbox.kills(tally, range(1, 3))
    assert tally.broken == []
    assert tally.kills > 0
    assert tally.scanned > 0


def test_the_kernel_sees_every_promise_kept_in_order() -> None:
    if reason := syscalls.unable():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory() as folder:
        box, calls = syscalls.trace(Path(folder))
        assert list(syscalls.orders(calls)) == []
        assert list(syscalls.escapes(calls, box)) == []
        swapped = [call for call in calls if "objects/tmp/attempt" not in call[1] or "sync" not in call[0]]
        assert list(syscalls.orders(swapped)) != []
        assert list(syscalls.escapes([("openat", 'AT_FDCWD</x>, "/etc/y", O_WRONLY|O_CREAT, 0600) = 3')], box)) != []
        assert list(syscalls.escapes([("connect", 'inet_addr("10.0.0.1")}, 16) = 0')], box)) != []


@pytest.mark.parametrize(
    ("fault", "call", "first", "stride"),
    [
        ("signal=KILL", "pwrite64", 40, 317),
        ("error=EIO", "fdatasync", 1, 53),
        ("error=ENOSPC", "pwrite64", 90, 317),
    ],
)
def test_a_fault_at_any_system_call_pays_once_and_asks_nobody_who_need_not_be(
    fault: str, call: str, first: int, stride: int, played: Stage
) -> None:
    if reason := syscalls.unable():
        pytest.skip(reason)
    tally = Tally()
    syscalls.at_calls(tally, played, fault, call, first, stride)
    assert tally.broken == []
    assert tally.injected > 0
