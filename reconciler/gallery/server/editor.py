"""The user's editor at a line of a YAML file. A list of arguments, never a shell; nothing that a project says is run.

`$CLIPFORM_EDITOR` is run whatever it is. `$VISUAL` and `$EDITOR` are run when they are known to open a window of their
own: one that wants a terminal would fight with ours for it.
"""

from __future__ import annotations

import shlex
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from urllib.parse import quote

from reconciler.diagnostics import ClipformError

_Syntax = Callable[[str, int], list[str]]

_SYNTAX: tuple[tuple[str, _Syntax], ...] = (
    (
        "code code-insiders codium vscodium cursor windsurf positron",
        lambda path, line: ["--goto", f"{path}:{line}"],
    ),
    ("subl sublime_text zed zeditor lapce", lambda path, line: [f"{path}:{line}"]),
    (
        "idea pycharm webstorm clion goland phpstorm rubymine rustrover kate mate xed",
        lambda path, line: ["--line", str(line), path],
    ),
    ("gvim mvim gedit gnome-text-editor bbedit", lambda path, line: [f"+{line}", path]),
    ("emacsclient", lambda path, line: ["-n", f"+{line}", path]),
)
_KNOWN = {name: syntax for names, syntax in _SYNTAX for name in names.split()}
_IN_A_TERMINAL = ("-nw", "-t", "--tty", "--no-window-system")


def command(path: Path, line: int, env: Mapping[str, str]) -> list[str] | None:
    """The arguments that open a file at a line; None where no editor is known to open a window."""
    for name in ("CLIPFORM_EDITOR", "VISUAL", "EDITOR"):
        try:
            words = shlex.split(env.get(name, ""))
        except ValueError:  # a quote that is not closed
            continue
        if not words:
            continue
        syntax = _KNOWN.get(PurePath(words[0]).stem.lower())
        if syntax is not None and not set(words) & set(_IN_A_TERMINAL):
            return [*words, *syntax(str(path), line)]
        if name == "CLIPFORM_EDITOR":
            return [*words, str(path)]
    return None


def address(path: Path, line: int) -> str:
    """What a browser may hand to an editor that registered for it."""
    return f"vscode://file{quote(str(path))}:{line}"


def start(arguments: list[str]) -> None:
    """Start it, and let it be. ClipformError when there is no such program."""
    try:
        child = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # our Ctrl-C is not for it
        )
    except OSError as error:
        help = "set CLIPFORM_EDITOR to a program that opens a window"
        raise ClipformError(f"{arguments[0]} cannot be started: {error.strerror}", help=help, code="editor") from error
    threading.Thread(target=child.wait, name="editor", daemon=True).start()
