"""Live displays on a screen that is too low for every row: they say how many rows are missing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from reconciler.events import Event, EventKind
from reconciler.views.base import StatusRow
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


@pytest.mark.parametrize(("rows", "missing"), [(6, None), (7, 1), (30, 24)])
def test_a_table_has_the_rows_that_fit_the_screen_and_counts_the_others(rows: int, missing: int | None) -> None:
    table = LiveTable(io.StringIO(), Style(), lambda: 0.0, keys=True)
    table.rows = [StatusRow(f"clip-{number}", 1, True, "ready") for number in range(rows)]
    lines = screen(table, 10)
    assert [line for line in lines if "more" in line] == ([f"… and {missing} more"] if missing else [])
    assert sum("clip-" in line for line in lines) == min(rows, 6)
    assert lines[-1] == f"{rows} ready. Watching. [q] quit"
