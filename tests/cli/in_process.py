"""Runs a command line in this process and a folder, with the result of `subprocess.run`; a start costs a second."""

from __future__ import annotations

import io
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

from reconciler.cli.app import main


def clipform(folder: Path, *words: str) -> CompletedProcess[str]:
    """Run `clipform WORDS` in `folder`."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        code = main(words)
    return CompletedProcess(words, code, out.getvalue(), err.getvalue())
