"""`python -m tests`: everything that must hold before a commit, the same here and in CI.

Format, lint, layers, then the tests, and types beside them. Every check runs even if one before it failed; the exit
code is 0 only if all passed. Arguments go to pytest: `python -m tests -k plan`. `--fast` as the first makes it quick
enough to run after each edit: no types, and none of the tests in `SLOW`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

CHECKS = {
    "format": ("ruff", "format", "--check", "."),
    "lint": ("ruff", "check", "."),
    "layers": ("importlinter.cli",),
}
PARALLEL = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "worksteal"]
"""One worker more than cores: some tests wait for a process, a browser or a clock. Each begins with its stretch of the
tests, so that those of a file share what they set up, and takes over from another when it is done."""

SLOW = (
    *("cli/completion/test_shells.py", "cli/test_end.py", "cli/test_imports.py", "cli/test_next_commands.py"),
    *("cli/test_own_state.py", "cli/test_plan_since.py", "cli/test_scripts.py", "cli/test_start.py"),
    *("cli/test_trust_commands.py", "engine/run/test_many_in_flight.py", "engine/run/test_renamed_in_clone.py"),
    *("engine/uncertain/test_vendor_time.py", "project/test_spec_cache.py", "seal", "state/test_amounts.py"),
    *("state/test_damage.py", "state/test_migrations.py", "state/test_rebuild.py", "style/test_import_graph.py"),
    *("agents", "artifacts/test_bucket_receipts.py", "artifacts/test_shelf.py", "cluster", "test_packages.py"),
    *("state/test_accounts.py", "state/test_lineage.py", "state/test_partitions.py", "state/test_pooler.py"),
    *("docs/test_shown.py", "docs/test_site.py", "e2e", "emulator/test_ark_sdk.py", "emulator/test_process.py"),
    *("engine/run/test_real_processes.py", "engine/uncertain/test_lost_answers.py", "gallery", "media"),
    *("program", "reliability", "terminal", "test_benchmarks.py", "test_examples.py", "watch"),
)
"""Tests that start the program, a shell or a browser, draw, count calls, or sweep."""


def main(arguments: list[str]) -> int:
    """Run all checks and the tests; how many of them failed, 1 at the most."""
    if arguments[:1] == ["--fast"]:
        few = ("-n", str(os.cpu_count() or 1), "--dist", "worksteal")  # nothing waits, and each worker reads all tests
        failed = _tests([*few, *(f"--ignore=tests/{path}" for path in SLOW), *arguments[1:]])
    else:
        with subprocess.Popen(_module("mypy"), cwd=ROOT, text=True, stdout=subprocess.PIPE) as types:
            failed = _tests(arguments)
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
