"""Ctrl-C, a closing terminal, a stop by the system, two applies at once, a reader that leaves: nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.reliability.figures import Tally
from tests.reliability.processes import realkills, realsignals
from tests.reliability.processes.launch import PATIENCE
from tests.reliability.processes.real_project import Box
from tests.reliability.processes.realkills import STORIES, Stage


@pytest.fixture(scope="module")
def played() -> Iterator[Stage]:
    """A starter of processes, and vendors."""
    with realkills.stage() as found:
        yield found


@pytest.mark.parametrize("name", realsignals.STOPS)
def test_a_signal_while_a_submit_is_under_way_loses_no_id(name: str, played: Stage) -> None:
    tally = Tally()
    realsignals.during_a_submit(tally, played, name, "uniall" if len(name) % 2 else "ark")
    assert tally.broken == []
    assert tally.injected == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_point_is_survived(number: signal.Signals, played: Stage) -> None:
    tally = Tally()
    realsignals.at_points(tally, played, number, 7, 37)
    assert tally.broken == []


@pytest.mark.parametrize("by_link", [False, True])
def test_of_two_applies_one_acts_and_the_other_touches_nothing(by_link: bool, played: Stage) -> None:
    tally = Tally()
    realsignals.race(tally, played, int(by_link), by_link=by_link)
    assert tally.broken == []


@pytest.mark.parametrize("words", [("apply", "--yes"), ("--json", "apply", "--yes")])
def test_a_reader_that_leaves_costs_nothing(words: tuple[str, ...], played: Stage) -> None:
    """`clipform apply | head`: the installed command, its output gone before the first line."""
    box = played.boxes(STORIES["one"])()
    reading, writing = os.pipe()
    os.close(reading)
    with box.start(args=words, stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate(timeout=PATIENCE)
    assert b"Traceback" not in err, err.decode()
    _settled(box)


def test_a_console_that_knows_ascii_only_costs_nothing(played: Stage) -> None:
    box = played.boxes(STORIES["one"])()
    box.edit("a lamp", "一盏灯 – a lamp")
    box.prompts[0] = "一盏灯 – a lamp"
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    with box.start(args=("-v", "apply", "--yes"), env=plain) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err.decode()
    assert b"Traceback" not in err
    assert out.isascii()
    assert err.isascii()
    _settled(box)


def _settled(box: Box) -> None:
    """What was bought is on record, once, and another run has it all."""
    assert box.at_once() == []
    assert box.apply() == 0
    assert (box.outputs(), box.in_doubt(), len(box.entries())) == (["hero"], [], 1)
    assert [*box.at_once(), *box.at_rest()] == []


def test_the_streams_of_the_installed_command_are_not_needed_at_all(played: Stage) -> None:
    """Started without a terminal, with its output closed, as a scheduler may."""
    box = played.boxes(STORIES["one"])()
    closed = ["sh", "-c", 'exec "$@" >&- 2>&- <&-', "sh"]
    with box.start(*closed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        process.wait(PATIENCE)
    _settled(box)
