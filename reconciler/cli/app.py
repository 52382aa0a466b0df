"""The program: runs a command and maps every outcome to an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Literal, TextIO

import reconciler
from reconciler.cli.context import Context
from reconciler.cli.options import Options, split
from reconciler.cli.shells import VARIABLE
from reconciler.diagnostics import ClipformError, Unwritten
from reconciler.next_command import place

_PLAIN = frozenset({"plan", "status", "validate"})
"""The commands that run without typer when they get nothing but options of every command: they are run most, and to
import and describe the rest takes an eighth of a plan of nine clips."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    if arguments is None:
        _reopen_closed_streams()
    line = list(sys.argv[1:] if arguments is None else arguments)
    if VARIABLE in os.environ:
        from reconciler.cli.completion import respond

        return respond(line)
    if arguments is None:
        _restart_in_utf8()
    context = Context(Options(json="--json" in line, no_color="--no-color" in line))
    try:
        _require_own_package()
        options, command = split(line)
        context = Context(options, line if arguments is None else None)
        place(options.directory, draft="--draft" in command, overlay=options.overlay.options())
        return _run(context, command)
    except Unwritten as error:
        return _unwritten(error.message)
    except ClipformError as error:
        context.view.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  # last resort: a message, and the traceback only with -v
        return _unexpected(context, error)
    finally:
        place(None, draft=False)
        context.close()
        _flush(sys.stdout)


def _run(context: Context, command: list[str]) -> int:
    if len(command) == 1 and command[0] in _PLAIN:
        import_module(f"reconciler.cli.commands.{command[0]}").run(SimpleNamespace(obj=context))
        return 0
    from reconciler.cli.command_line import run

    return run(context, command)


def _require_own_package() -> None:
    """Raise ClipformError if another distribution's package `reconciler` was installed over this one."""
    if getattr(reconciler, "DISTRIBUTION", None) != "clipform":
        message = f"another package named reconciler replaced files of clipform in {Path(__file__).parents[1]}"
        help = "install clipform in an environment of its own, with `uv tool install` or `pipx install`"
        raise ClipformError(message, help=help, code="package")


def _restart_in_utf8() -> None:
    """Restart in Python's UTF-8 mode if the locale has another encoding: file names are UTF-8 on every terminal.

    Characters that the terminal cannot show are escaped. Rejected: encoding paths by hand, which is easily forgotten.
    """
    if sys.getfilesystemencoding().lower().replace("-", "") == "utf8":
        return
    encoding = f"{getattr(sys.stdout, 'encoding', None) or 'ascii'}:backslashreplace"
    command = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
    os.execve(sys.executable, command, {**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": encoding})


def _reopen_closed_streams() -> None:
    """Open the null device for each closed standard stream.

    Otherwise a file that is opened later could get its descriptor, and output would be written into that file.
    """
    sys.stdin = sys.stdin or _null_stream(0, "r")
    sys.stdout = sys.stdout or _null_stream(1, "w")
    sys.stderr = sys.stderr or _null_stream(2, "w")


def _null_stream(number: int, mode: Literal["r", "w"]) -> TextIO:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, number)  # the same descriptor if `number` was the first free one
    if null != number:
        os.close(null)
    return os.fdopen(number, mode, encoding="utf-8", closefd=False)


def _unexpected(context: Context, error: Exception) -> int:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # --help and --version write without a view
        return _unwritten(f"cannot write the output: {error.strerror}")
    if context.options.volume > 0:
        traceback.print_exc()
    name = f"{type(error).__name__}: {error}"
    context.view.error(
        ClipformError(f"{name}. This is a bug in clipform.", help="add -v to see the traceback", code="bug")
    )
    return 1


def _unwritten(message: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"error: {message}\n")
    return 1


def _flush(stream: TextIO) -> None:
    """Flush while errors can be handled: the interpreter would report a closed pipe when it exits."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
