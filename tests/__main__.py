"""`python -m tests`: everything that must hold before a commit.

Format, lint, layers, then the tests, and types beside them. Every check runs even if one before it failed; the exit
code is 0 only if all passed. Arguments go to pytest: `python -m tests -k plan`. A tier as the first says which tests
run: `test` (the default), `check`, all of them, as CI does, or `quick`, for after each edit, without types.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.tiers import TIERS

ROOT = Path(__file__).parent.parent

CHECKS = {
    "format": ("ruff", "format", "--check", "."),
    "lint": ("ruff", "check", "."),
    "layers": ("importlinter.cli",),
}
PARALLEL = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "worksteal"]
"""One worker more than cores: some tests wait for a process, a browser or a clock. Each begins with its stretch of the
tests, so that those of a file share what they set up, and takes over from another when it is done."""


def main(arguments: list[str]) -> int:
    """Run a tier's checks and tests; how many of them failed, 1 at the most."""
    tier, *more = arguments if arguments[:1] and arguments[0] in TIERS else ["test", *arguments]
    if tier == "quick":
        few = ("-n", str(os.cpu_count() or 1), "--dist", "worksteal")  # nothing waits, and each worker reads all tests
        failed = _tests(["--tier", tier, *few, *more])
    else:
        with subprocess.Popen(_module("mypy"), cwd=ROOT, text=True, stdout=subprocess.PIPE) as types:
            failed = _tests(["--tier", tier, *more])
            sys.stdout.write(f"--- types\n{types.communicate()[0]}")
        failed += ["types"] if types.returncode else []
    sys.stdout.write(f"\n{'failed: ' + ', '.join(failed) if failed else 'all checks passed'}\n")
    return 1 if failed else 0


def _tests(arguments: list[str]) -> list[str]:
    """Run the checks and the tests; the names of those that failed."""
    workers = [] if any(argument.startswith("-n") for argument in arguments) else PARALLEL
    commands = {**CHECKS, "tests": ("pytest", *workers, *arguments)}
    return [name for name, command in commands.items() if _run(name, _module(*command))]


def _module(name: str, *arguments: str) -> list[str]:
    if name == "importlinter.cli":
        return [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", *arguments]
    return [sys.executable, "-m", name, *arguments]


def _run(name: str, command: list[str]) -> bool:
    """Whether it failed."""
    sys.stdout.write(f"--- {name}\n")
    sys.stdout.flush()
    return subprocess.run(command, cwd=ROOT, check=False).returncode != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
