"""Ctrl-C while the program still loads ends it quietly; one that a parent ignores stays ignored."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

PRESSED = """\
import os, signal, sys

class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == "reconciler.cli.context":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Pressed())
sys.argv = ["clipform", "--no-color", "--version"]
from reconciler.__main__ import main
sys.exit(main())
"""


def _default() -> None:
    """As for a command of an interactive shell: what it starts in the background has the signal ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _ignore() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize(("before", "code", "says"), [(_default, -signal.SIGINT, b""), (_ignore, 0, b"clipform ")])
def test_an_interrupt_while_loading(before: Callable[[], None], code: int, says: bytes) -> None:
    ended = subprocess.run([sys.executable, "-c", PRESSED], capture_output=True, preexec_fn=before, timeout=100)
    assert (ended.returncode, ended.stderr) == (code, b"")
    assert ended.stdout.startswith(says)


def test_an_interrupt_in_a_command_is_handled_by_it() -> None:
    """The handler of Python is back once the program is loaded."""
    script = PRESSED.replace('"reconciler.cli.context"', '"reconciler.cli.commands.schema"').replace(
        "--version", "schema"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, preexec_fn=_default, timeout=100)
    assert (ended.returncode, ended.stderr) == (130, b"")
