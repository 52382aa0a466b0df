"""The rows of the report that come from elsewhere, and the bars that they are held against."""

from __future__ import annotations

import os
import signal
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from tests.reliability import __main__ as program
from tests.reliability.figures import Tally, mutants
from tests.reliability.jobs import Job


def _row(tally: Tally, name: str) -> tuple[str, bool]:
    return next((value, met) for title, value, _, met in tally.rows() if title.startswith(name))


FIGURES = [([1.0, 1.0, 2.5], True), ([0.999, 1.0, 1.0], False), ([1.0, 1.02], True), ([1.02, 1.02], False)]


@pytest.mark.parametrize(("quotients", "met"), FIGURES)
def test_an_estimate_below_the_bill_or_far_above_it_misses_the_bar(quotients: list[float], met: bool) -> None:
    assert _row(Tally(quotients=quotients), "estimate ÷ bill")[1] == met


def test_a_secret_of_a_hostile_project_misses_the_bar() -> None:
    tally = Tally()
    tally.inputs["projects"] = 7
    assert _row(tally, "hostile projects") == ("7 / 0 / 0", True)
    tally.broken = ["I7: the value of A is in out [project 3]", "I7: elsewhere [i · SIGKILL: seed 1]"]
    assert _row(tally, "hostile projects") == ("7 / 1 / 0", False)


def test_the_report_of_mutants_gives_a_row_where_there_is_one(tmp_path: Path) -> None:
    report = tmp_path / "MUTANTS.md"
    assert mutants(report) == []
    report.write_text("| part | modules | mistakes | killed | |\n| --- | --- | --: | --: | --: |\n"
                      "| budget | `state/budget.py`, `money.py` | 30 | 29 | 97% |\n", encoding="utf-8")  # fmt: skip
    assert mutants(report) == ["budget 29 / 30"]


def _one(tally: Tally) -> None:
    tally.scenarios["a · one"] += 1


def _stopped(tally: Tally, flag: Path) -> None:
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    tally.scenarios["b · stopped"] += 1


def test_a_run_that_was_stopped_goes_on_with_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs: list[Job] = [(_one, ()), (_stopped, (tmp_path / "flag",))]
    monkeypatch.setattr(program, "ROOT", tmp_path)
    monkeypatch.setattr(program, "jobs", lambda size: iter(jobs))
    with pytest.raises(BrokenProcessPool):
        program.main(["--workers", "1"])
    assert "1 of 2  _one" in capsys.readouterr().err
    program.main(["--workers", "1", "--resume"])
    printed = capsys.readouterr()
    assert "2 of 2  _stopped" in printed.err and "_one" not in printed.err
    assert "| a · one | 1 |" in printed.out and "| b · stopped | 1 |" in printed.out and "in 2 parts" in printed.out
    program.main(["--workers", "1"])
    printed = capsys.readouterr()
    assert "1 of 2  _one" in printed.err and "parts" not in printed.out
