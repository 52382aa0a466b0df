"""Compose the commands that clipform prints as a next step. Every such command is made here.

A printed command is pasted into a shell, perhaps without a second look. So each word is quoted for `sh`, and the
command acts on the project and on the mode (drafts or not) of the command that printed it: it repeats `-C DIR`,
`--draft`, `--env` and `--var`. The command line sets these once (`place`); they belong to the process, like its working
directory.
Rejected: passing them through every layer that can fail, and adding them to finished texts, where a vendor's words look
like ours.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

DRAFTABLE = frozenset(
    {
        "apply",
        "destroy",
        "export",
        "gc",
        "history",
        "plan",
        "report",
        "serve",
        "show",
        "status",
        "ui",
        "undo",
        "verify",
        "watch",
    }
)
"""The commands that take `--draft`."""


@dataclass(slots=True)
class _Place:
    directory: str | None = None
    draft: bool = False
    overlay: tuple[str, ...] = ()


_place = _Place()


def place(directory: str | None, *, draft: bool, overlay: tuple[str, ...] = ()) -> None:
    """Set what every printed command repeats: the folder of `-C` as the user wrote it, `--draft`, and the words of
    `--env` and `--var`."""
    _place.directory, _place.draft, _place.overlay = directory, draft, overlay


def command(verb: str, *words: str) -> str:
    """Return a clipform command as a line for a shell. Each word is one argument."""
    line = ["clipform"]
    if _place.directory is not None:
        line += ["-C", _place.directory]
    line += [*_place.overlay, verb]
    if _place.draft and verb in DRAFTABLE:
        line.append("--draft")
    return shlex.join([*line, *words])


def quote(word: str) -> str:
    """Return a text as one word of a shell."""
    return shlex.quote(word)
