"""Live displays on a screen that is too low for every row: they say how many rows are missing."""

from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console

from reconciler.events import Event, EventKind
from reconciler.views.base import StatusRow
from reconciler.views.terminal.heartbeat import Heartbeat
from reconciler.views.terminal.live_table import LiveTable
from reconciler.views.terminal.progress import LiveProgress
from reconciler.views.terminal.style import Style


def screen(display: LiveProgress | LiveTable, height: int) -> list[str]:
    text = io.StringIO()
    console = Console(file=text, width=80, height=height, force_terminal=False)
    console.print(display)
    display.stop()
    return text.getvalue().splitlines()


@pytest.mark.parametrize(("running", "missing"), [(12, None), (13, 1), (40, 28)])
def test_progress_has_twelve_rows_and_counts_the_others(running: int, missing: int | None) -> None:
    progress = LiveProgress(io.StringIO(), lambda: 0.0)
    for number in range(running):
        progress.emit(Event(EventKind.RUNNING, f"clip-{number}"))
    lines = screen(progress, 30)
    assert [line for line in lines if "more" in line] == ([f"  … and {missing} more"] if missing else [])
    assert sum("clip-" in line for line in lines) == min(running, 12)


class Watch:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def busy(wait: float, tries: int) -> Event:
    return Event(EventKind.WAITING, "hero", 2, message="3hei is busy", wait=wait, tries=tries)


def test_a_row_says_why_its_clip_waits_and_counts_down() -> None:
    now = Watch()
    progress = LiveProgress(io.StringIO(), now)
    progress.emit(busy(8.0, 3))
    now.time = 2.0
    assert screen(progress, 30)[0] == "  hero#2  waiting: 3hei is busy, next try in 6 s (4th)"
    now.time = 9.0
    assert screen(progress, 30)[0] == "  hero#2  waiting: 3hei is busy, next try now (4th)"
    now.time = 2.0
    progress.emit(Event(EventKind.WAITING, "hero", 2, message="sending to 3hei"))
    assert screen(progress, 30)[0] == "  hero#2  sending to 3hei  2 s"
    progress.emit(Event(EventKind.RUNNING, "hero", 2, progress=40))
    assert screen(progress, 30)[0] == "  hero#2  running   40% 2 s"


def test_clips_that_wait_for_others_come_last_and_name_those_that_are_not_ready() -> None:
    progress = LiveProgress(io.StringIO(), lambda: 0.0)
    progress.emit(Event(EventKind.STARTED, total=3))
    progress.emit(Event(EventKind.WAITING, "fall", needs=("hero", "intro")))
    progress.emit(Event(EventKind.RUNNING, "hero"))
    progress.emit(Event(EventKind.RUNNING, "intro"))
    assert progress.tracker.heartbeat() == "after 0 s: 0 of 3 done, 2 running, 1 waiting for other clips"
    progress.emit(Event(EventKind.SUCCEEDED, "intro"))
    assert screen(progress, 30)[:2] == ["  hero  running  0 s", "  fall  waits for hero"]


def test_the_bar_says_what_remains_by_the_estimate_or_by_the_pace_of_a_slower_run() -> None:
    now = Watch()
    progress = LiveProgress(io.StringIO(), now)
    progress.emit(Event(EventKind.STARTED, total=4, expected=40.0))
    assert screen(progress, 30)[-1] == "[------------------------] 0/4  0 s; about 40 s left"
    progress.emit(Event(EventKind.RUNNING, "hero", expected=20.0))
    now.time = 10.0
    assert screen(progress, 30)[-1] == "[###---------------------] 0/4  10 s; about 35 s left"
    progress.emit(Event(EventKind.SUCCEEDED, "hero"))
    now.time = 20.0
    assert screen(progress, 30)[-1] == "[######------------------] 1/4  20 s; about 1 min 0 s left"


def test_without_history_the_bar_says_what_remains_once_something_is_done() -> None:
    now = Watch()
    progress = LiveProgress(io.StringIO(), now)
    progress.emit(Event(EventKind.STARTED, total=2))
    now.time = 9.0
    assert screen(progress, 30)[-1] == "[------------------------] 0/2  9 s"
    progress.emit(Event(EventKind.SUCCEEDED, "hero"))
    assert screen(progress, 30)[-1] == "[############------------] 1/2  9 s; about 9 s left"


def test_without_a_terminal_each_reason_has_one_line_and_the_run_a_heartbeat() -> None:
    lines: list[str] = []
    now = Watch()
    heartbeat = Heartbeat(lines.append, now, every=3600.0)
    heartbeat.emit(Event(EventKind.STARTED, total=3, expected=300.0))
    for event in (busy(2.0, 1), busy(4.0, 2), Event(EventKind.RUNNING, "intro"), Event(EventKind.SUCCEEDED, "torch")):
        heartbeat.emit(event)
    heartbeat.stop()
    now.time = 125.0
    assert lines == ["waiting: 3hei is busy, next try in 2 s (2nd)"]
    assert heartbeat.tracker.heartbeat() == (
        "after 2 min 5 s: 1 of 3 done, 1 running, 1 waiting (3hei is busy); about 4 min 10 s left"
    )


def test_the_heartbeat_comes_by_itself_until_the_run_is_over() -> None:
    came = threading.Event()
    heartbeat = Heartbeat(lambda line: came.set(), lambda: 0.0, every=0.001)
    assert came.wait(30)
    heartbeat.stop()


@pytest.mark.parametrize(("rows", "missing"), [(6, None), (7, 1), (30, 24)])
def test_a_table_has_the_rows_that_fit_the_screen_and_counts_the_others(rows: int, missing: int | None) -> None:
    table = LiveTable(io.StringIO(), Style(), lambda: 0.0, keys=True)
    table.rows = [StatusRow(f"clip-{number}", 1, True, "ready") for number in range(rows)]
    lines = screen(table, 10)
    assert [line for line in lines if "more" in line] == ([f"… and {missing} more"] if missing else [])
    assert sum("clip-" in line for line in lines) == min(rows, 6)
    assert lines[-1] == f"{rows} ready. Watching. [q] quit"
