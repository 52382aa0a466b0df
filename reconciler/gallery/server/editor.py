"""Opens the user's editor at a line of a YAML file: a list of arguments, without a shell, and nothing from the project.

`$CLIPFORM_EDITOR` is always run. `$VISUAL` and `$EDITOR` are run only if they are editors with a window of their own: a
terminal editor would compete with clipform for the terminal.
"""

from __future__ import annotations

import shlex
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from urllib.parse import quote

from reconciler.diagnostics import ClipformError

_SYNTAX: tuple[tuple[str, Callable[[str, int], list[str]]], ...] = (
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
_SYNTAX_BY_NAME = {name: syntax for names, syntax in _SYNTAX for name in names.split()}
_TERMINAL_OPTIONS = ("-nw", "-t", "--tty", "--no-window-system")


def command(path: Path, line: int, env: Mapping[str, str]) -> list[str] | None:
    """Return the command that opens a file at a line; None without an editor that opens a window."""
    for name in ("CLIPFORM_EDITOR", "VISUAL", "EDITOR"):
        try:
            arguments = shlex.split(env.get(name, ""))
        except ValueError:  # an unclosed quote
            continue
        if not arguments:
            continue
        syntax = _SYNTAX_BY_NAME.get(PurePath(arguments[0]).stem.lower())
        if syntax is not None and not set(arguments) & set(_TERMINAL_OPTIONS):
            return [*arguments, *syntax(str(path), line)]
        if name == "CLIPFORM_EDITOR":
            return [*arguments, str(path)]
    return None


def address(path: Path, line: int) -> str:
    """Return a `vscode:` address, which a browser hands to the editor registered for it."""
    return f"vscode://file{quote(str(path))}:{line}"


def start(arguments: list[str]) -> None:
    """Start a program without waiting for it. Raises ClipformError if it cannot be started."""
    try:
        child = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C must not reach it
        )
    except OSError as error:
        help = "set CLIPFORM_EDITOR to a program that opens a window"
        raise ClipformError(f"{arguments[0]} cannot be started: {error.strerror}", help=help, code="editor") from error
    threading.Thread(target=child.wait, name="editor", daemon=True).start()
