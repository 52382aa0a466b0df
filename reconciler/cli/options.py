"""The global options, accepted before and after the command."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.diagnostics import UsageError
from reconciler.frozen import dataclass
from reconciler.spec.project import ProjectOverlay

_VERBOSE = frozenset({"-v", "--verbose"})
_QUIET = frozenset({"-q", "--quiet"})
_FLAGS = _VERBOSE | _QUIET | {"--json", "--no-color"}
DIRECTORY = ("-C", "--directory")
"""The names of the option for the project folder."""
_ENVIRONMENT = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class Options:
    """Options of every command. `directory` None means the working directory."""

    directory: str | None = None
    json: bool = False
    no_color: bool = False
    volume: int = 0  # 1 with -v, -1 with -q
    overlay: ProjectOverlay = ProjectOverlay()


def split(arguments: Sequence[str]) -> tuple[Options, list[str]]:
    """Split off the global options, wherever they are before `--`. Raises UsageError for one without its value."""
    directory: str | None = None
    environment, variables = "", dict[str, str]()
    flags, others = set[str](), list[str]()
    items = iter(arguments)
    for item in items:
        if item == "--":
            others += [item, *items]
            break
        if item in _FLAGS:
            flags.add(item)
        elif item in DIRECTORY:
            directory = _folder(next(items, None))
        elif item.startswith("-C") and not item.startswith("--"):
            directory = item[2:]
        elif item.startswith("--directory="):
            directory = _folder(item.partition("=")[2])
        elif item == "--env" or item.startswith("--env="):
            environment = _environment(item.partition("=")[2] or next(items, ""))
        elif item == "--var" or item.startswith("--var="):
            variables |= [_variable(item.partition("=")[2] or next(items, ""))]
        else:
            others.append(item)
    volume = bool(flags & _VERBOSE) - bool(flags & _QUIET)
    overlay = ProjectOverlay(tuple(variables.items()), environment)
    return Options(directory, "--json" in flags, "--no-color" in flags, volume, overlay), others


def only_reads(arguments: Sequence[str]) -> bool:
    """Tell if a command line is of a command that reads, writes to the terminal and ends."""
    try:
        command = split(arguments)[1]
    except UsageError:
        return False
    writes = any(word.startswith(("--out", "--watch")) for word in command)
    return command[:1] in (["plan"], ["validate"], ["status"], ["graph"], ["history"]) and not writes


def _environment(name: str) -> str:
    if not _ENVIRONMENT.fullmatch(name):
        raise UsageError(f"--env needs the NAME of a file clipform.NAME.yaml, not '{name}'")
    return name


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--var needs NAME=VALUE, not '{text}'")
    return name, value


def _folder(value: str | None) -> str:
    if not value:
        raise UsageError("-C needs a folder")
    return value
