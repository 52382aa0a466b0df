"""Remembers which demands of which project the user trusts: in the user's configuration folder, never in the project.

The file holds a list of demands for each project folder. A project is trusted while all that it asks for is listed, so
that any new or changed demand is asked about, and one that is gone is not.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from reconciler.diagnostics import Refused
from reconciler.next_command import command
from reconciler.plan.model import Demand
from reconciler.project.policy import configuration
from reconciler.state import disk

_LIMIT = 16 << 20


def untrusted(demands: Iterable[Demand]) -> NoReturn:
    """Refuse a project that asks for what nobody can be asked about now."""
    text = "\n".join(["this project asks for what is not trusted on this machine:", *(f"- {d}" for d in demands)])
    help = f"read it, and decide in a terminal, or in CI add --trust to apply:\n{command('trust')}"
    raise Refused(text, help=help, code="untrusted")


class TrustMemory:
    """The file of one user. Without a home folder nothing is remembered."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        folder = configuration(environment)
        self._path = None if folder is None else folder / "trust.json"

    def projects(self) -> dict[str, list[str]]:
        """Return the trusted demands of each project; empty if the file is missing or is not ours."""
        if self._path is None:
            return {}
        try:
            with open(os.open(self._path, disk.READ | os.O_NOFOLLOW), "rb") as file:
                if os.fstat(file.fileno()).st_uid != os.getuid():
                    return {}
                content = json.loads(file.read(_LIMIT))
            listed = {str(name): [str(line) for line in lines] for name, lines in content["projects"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}
        return listed

    def missing(self, root: Path, demands: Iterable[Demand]) -> list[Demand]:
        """Return the demands that are to be asked about and are not trusted yet."""
        asked = [demand for demand in demands if demand.is_asked]
        trusted = set(self.projects().get(str(root), ())) if asked else set()
        return [demand for demand in asked if str(demand) not in trusted]

    def add(self, root: Path, demands: Iterable[Demand]) -> bool:
        """Trust demands of a project. Returns False if that cannot be remembered."""
        with self._turn():
            projects = self.projects()
            lines = {*projects.get(str(root), ()), *map(str, demands)}
            return self._write(projects | {str(root): sorted(lines)})

    def forget(self, root: Path) -> bool:
        """Forget a project. Returns False if it was not known."""
        with self._turn():
            projects = self.projects()
            return projects.pop(str(root), None) is not None and self._write(projects)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for other processes that change the file: each writes what it has read. Without locks it goes on."""
        with ExitStack() as held:
            if self._path is not None:
                with suppress(OSError):
                    self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                    held.callback(os.close, folder)
                    fcntl.flock(folder, fcntl.LOCK_EX)
            yield

    def _write(self, projects: Mapping[str, list[str]]) -> bool:
        """Replace the file atomically; only its owner can read it."""
        if self._path is None:
            return False
        text = json.dumps({"version": 1, "projects": projects}, indent=1, sort_keys=True) + "\n"
        try:
            disk.replace(self._path, text.encode(), 0o600)
        except OSError:
            return False
        return True
