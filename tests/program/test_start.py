"""A forked start is a start: streams, signals, folder, environment, exit code; and it does not outlive its client."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program.start import ROOT, run, start

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="no handles of processes: every start is fresh")

SPEC = "version: 1\nclips: {lamp: {prompt: a lamp, duration: 1, provider: dr${env.REST}}}\n"


@pytest.mark.parametrize("words", [["plan"], ["plan", "--nonsense"], ["--json", "validate"], ["graph", "nothing"]])
def test_a_forked_start_does_what_a_fresh_one_does(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    env = {**os.environ, "REST": "aft", "PYTHONPATH": str(ROOT)}
    forked, fresh = (run(words, real=real, cwd=tmp_path, env=env, check=False) for real in (False, True))
    assert (forked.returncode, forked.stdout, forked.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)
    assert forked.stdout or forked.stderr


def test_a_signal_is_its_end(tmp_path: Path) -> None:
    (tmp_path / "clipform.yaml").write_text("version: 1\nclips: {}\n", encoding="utf-8")
    with start(["--json", "watch"], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline()
        assert child.poll() is None
        child.send_signal(signal.SIGKILL)
        assert child.wait(30) == -signal.SIGKILL


def test_what_was_started_ends_with_the_client(tmp_path: Path) -> None:
    (tmp_path / "clipform.yaml").write_text("version: 1\nclips: {}\n", encoding="utf-8")
    words = ["-C", str(tmp_path), "--json", "watch"]
    client = f"import os; from tests.program.start import start; print(start({words}).pid, flush=True); os._exit(0)"
    ended = subprocess.run([sys.executable, "-c", client], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    pid = int(ended.stdout.split()[0])
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], 30)[0]
    finally:
        os.close(handle)
