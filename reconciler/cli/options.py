"""The global options, accepted before and after the command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.diagnostics import UsageError

_VERBOSE = frozenset({"-v", "--verbose"})
_QUIET = frozenset({"-q", "--quiet"})
_FLAGS = _VERBOSE | _QUIET | {"--json", "--no-color"}
DIRECTORY = ("-C", "--directory")
"""The names of the option with a value."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of every command. `directory` None means the working directory."""

    directory: str | None = None
    json: bool = False
    no_color: bool = False
    volume: int = 0  # 1 with -v, -1 with -q


def split(arguments: Sequence[str]) -> tuple[Options, list[str]]:
    """Split off the global options, wherever they are before `--`. Raises UsageError for a bare `-C`."""
    directory: str | None = None
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
        else:
            others.append(item)
    volume = bool(flags & _VERBOSE) - bool(flags & _QUIET)
    return Options(directory, "--json" in flags, "--no-color" in flags, volume), others


def _folder(value: str | None) -> str:
    if not value:
        raise UsageError("-C needs a folder")
    return value
