"""The program: finds the commands, maps every end to the exit codes of the interface."""

from __future__ import annotations

import contextlib
import errno
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Literal, TextIO

import typer

from reconciler import __version__
from reconciler.cli import commands
from reconciler.cli.completion import respond
from reconciler.cli.context import Context
from reconciler.cli.options import Options, split
from reconciler.cli.shells import VARIABLE
from reconciler.diagnostics import ClipformError, Unwritten, UsageError

_USAGE = 64

HELP = """Declare AI video clips in YAML, see what would change, pay for each clip once.

Options before or after the command: -C DIR (the project's folder), --json, --no-color, -v.

Exit codes: 0 done; 1 the spec or the project is wrong, nothing was done; 2 changes (plan --detailed-exitcode);
3 some clips failed or are blocked; 4 refused to spend; 5 the state is held by another process; 64 wrong command
line; 130 interrupted, resumable."""


def build() -> typer.Typer:
    """The command line with one command for each module in `commands`."""
    app = typer.Typer(
        name="clipform",
        help=HELP,
        rich_markup_mode=None,
        add_completion=False,  # `clipform completion` prints scripts that know clips and options before the command
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(help=HELP)(_root)
    for module in pkgutil.iter_modules(commands.__path__):
        found = import_module(f"{commands.__name__}.{module.name}")
        app.command(name=module.name.rstrip("_"))(found.run)
    return app


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"clipform {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Options of the program itself; `main` has taken those that every command shares."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    if arguments is None:
        _in_place_of_closed()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if VARIABLE in os.environ:
        return respond(given)
    if arguments is None:
        _in_utf8()
    context = Context(Options(json="--json" in given, no_color="--no-color" in given))
    try:
        options, rest = split(given)
        context = Context(options)
        found = build()(args=rest or ["--help"], obj=context, standalone_mode=False, prog_name="clipform")
        return found if isinstance(found, int) else 0
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return 130
    except typer.TyperException as error:
        context.view.error(UsageError(error.format_message(), help="clipform --help"))
        return _USAGE
    except Unwritten as error:
        return _unwritten(error.message)
    except ClipformError as error:
        context.view.error(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  # the last line of defence: words first, the traceback on request
        return _unexpected(context, error)
    finally:
        context.close()
        _let_go(sys.stdout)


def _in_utf8() -> None:
    """Begin again in Python's UTF-8 mode where the locale has another encoding: names of files are UTF-8, whatever the
    terminal shows. What it cannot show is told by its code. Refused: encoding paths by hand, which one call forgets.
    """
    if sys.getfilesystemencoding().lower().replace("-", "") == "utf8":
        return
    shown = f"{getattr(sys.stdout, 'encoding', None) or 'ascii'}:backslashreplace"
    command = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
    os.execve(sys.executable, command, {**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": shown})


def _in_place_of_closed() -> None:
    """A closed stream is like a pipe that nobody reads: nothing goes there, and no file that is opened takes its place,
    where whatever writes to the stream's number would write into it."""
    sys.stdin = sys.stdin or _nowhere(0, "r")
    sys.stdout = sys.stdout or _nowhere(1, "w")
    sys.stderr = sys.stderr or _nowhere(2, "w")


def _nowhere(number: int, mode: Literal["r", "w"]) -> TextIO:
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, number)  # they are the same where it was the first that is free
    if nowhere != number:
        os.close(nowhere)
    return os.fdopen(number, mode, encoding="utf-8", closefd=False)


def _unexpected(context: Context, error: Exception) -> int:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # of help and version, which no view writes
        return _unwritten(f"the output cannot be written: {error.strerror}")
    if context.options.verbose:
        traceback.print_exc()
    name = f"{type(error).__name__}: {error}"
    context.view.error(ClipformError(f"{name}. This is a bug in clipform.", help="add -v to see where", code="bug"))
    return 1


def _unwritten(message: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"error: {message}\n")
    return 1


def _let_go(stream: TextIO) -> None:
    """Flush while errors can be met: where nobody reads any more, the interpreter would complain at its end."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
