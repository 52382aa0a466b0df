"""Real shells: what is typed, a press of Tab, and what the program is then called with."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.program.start import ROOT, Real, run
from tests.terminal.pane import Pane, terminal

SPEC = """\
version: 1
clips:
  hero: {prompt: a lamp, tags: [night]}
  intro: {prompt: mist, takes: 3, provider: draft, model: animatic, output: out/intro.mp4}
  social:
    matrix: {ratio: ["16:9", "9:16"], lang: [en, zh]}
    prompt: a storefront
    output: renders/${matrix.lang}-${matrix.ratio}.mp4
  夜景: {prompt: not a name}
"""

SHIM = """\
#!/bin/sh
if [ -n "$_CLIPFORM_COMPLETE" ]; then exec PYTHON -m reconciler "$@"; fi
printf '<%s>' "$@"
echo " called"
"""
"""The program: completes as it does, and else shows what it was called with."""

START = {
    "bash": (("bash", "--norc", "--noprofile", "-i"), 'eval "$(SOURCE)"'),
    "zsh": (("zsh", "-f", "-i"), 'autoload -Uz compinit; compinit -u -D; eval "$(SOURCE)"'),
    "fish": (("fish", "--no-config", "-i"), "SOURCE | source"),
}
SHELLS = [
    pytest.param(name, marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not on this machine"))
    for name in START
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin" / "clipform"
    shim.write_text(SHIM.replace("PYTHON", sys.executable), encoding="utf-8")
    shim.chmod(0o755)
    return folder


@contextmanager
def shell(name: str, folder: Path) -> Iterator[Pane]:
    """A shell at work in a folder, with its completion loaded."""
    command, load = START[name]
    source = f"{sys.executable} -m reconciler completion {name}"
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    env = {
        "PATH": f"{folder.parent / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "PS1": "$ ",
        "PYTHONPATH": str(ROOT),
        "INPUTRC": "/dev/null",
    }
    with terminal(partial(Real, command), folder, columns=110, rows=50, env=env) as screen:
        screen.press(load.replace("SOURCE", source) + "; echo lo''aded\r")
        screen.until("^loaded")
        yield screen


def called(screen: Pane, typed: str) -> str:
    """What the program is called with when this is typed, Tab is pressed, and then Enter."""
    screen.press("clear; echo rea''dy\r")
    screen.until(r"\Aready")
    screen.press(f"clear; {typed}\t")
    screen.until(r"\S")
    screen.press("\r")
    return screen.until(r"^(<.*>) called").group(1)


TYPED = {
    "clipform valid": "<validate>",
    "clipform plan her": "<plan><hero>",
    "clipform -C . plan her": "<-C><.><plan><hero>",
    "clipform plan --detailed-e": "<plan><--detailed-exitcode>",
    "clipform plan tag:n": "<plan><tag:night>",
    "clipform plan is:rea": "<plan><is:ready>",
    "clipform plan --exclude her": "<plan><--exclude><hero>",
    "clipform plan 'social[ratio=16:9,lang=e": "<plan><social[ratio=16:9,lang=en]>",
    "clipform plan social\\[ratio=16:9,lang=z": "<plan><social[ratio=16:9,lang=zh]>",
}


@pytest.mark.parametrize("name", SHELLS)
def test_a_word_is_completed_so_that_the_program_is_called_with_it(name: str, project: Path) -> None:
    (project / "sociala").touch()  # an unquoted [ratio=…] would name this file
    with shell(name, project) as screen:
        assert {typed: called(screen, typed) for typed in TYPED} == TYPED
        (project / "clipform.yaml").unlink()
        assert called(screen, "clipform plan her") == "<plan><her>"
        assert "rror" not in screen.text and "Traceback" not in screen.text


def test_bash_offers_what_is_left_and_takes_by_number(project: Path) -> None:
    with shell("bash", project) as screen:
        screen.press("clipform pick intro \t\t")
        screen.until(r"^1 +2 +3")
        screen.press("\x15clear; clipform plan social\t\t")
        offered = screen.until(r"plan social\n(social .*?)\n\$ ").group(1).split()
        kinds = [f"social\\[ratio={ratio},lang={lang}\\]" for ratio in ("16:9", "9:16") for lang in ("en", "zh")]
        assert sorted(offered) == sorted(["social", *kinds])


@pytest.mark.parametrize("name", SHELLS)
def test_a_script_is_sound_shell(name: str) -> None:
    script = run(["completion", name]).stdout
    checked = subprocess.run([name, "-n"], input=script, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
