"""The global options, accepted before and after the command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.diagnostics import UsageError

_FLAGS = {"--json": "json", "--no-color": "no_color", "-v": "verbose", "--verbose": "verbose"}
_DIRECTORY = ("-C", "--directory")


@dataclass(frozen=True, slots=True)
class Options:
    """Options of every command. `directory` None means the working directory."""

    directory: str | None = None
    json: bool = False
    no_color: bool = False
    verbose: bool = False


def split(arguments: Sequence[str]) -> tuple[Options, list[str]]:
    """Split off the global options, wherever they are before `--`. Raises UsageError for a bare `-C`."""
    options, others = Options(), list[str]()
    items = iter(arguments)
    for item in items:
        if item == "--":
            others += [item, *items]
            break
        if item in _FLAGS:
            options = _with_flag(options, _FLAGS[item])
        elif item in _DIRECTORY:
            options = replace(options, directory=_folder(next(items, None)))
        elif item.startswith("-C") and not item.startswith("--"):
            options = replace(options, directory=item[2:])
        elif item.startswith("--directory="):
            options = replace(options, directory=_folder(item.partition("=")[2]))
        else:
            others.append(item)
    return options, others


def _with_flag(options: Options, name: str) -> Options:
    return Options(
        options.directory,
        json=options.json or name == "json",
        no_color=options.no_color or name == "no_color",
        verbose=options.verbose or name == "verbose",
    )


def _folder(value: str | None) -> str:
    if not value:
        raise UsageError("-C needs a folder")
    return value
