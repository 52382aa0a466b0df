"""The program: finds the commands and maps every outcome to an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Literal, TextIO

import typer

import reconciler
from reconciler import __version__
from reconciler.cli import commands
from reconciler.cli.completion import respond
from reconciler.cli.context import Context
from reconciler.cli.help import GroupedHelp, WholeHelp
from reconciler.cli.options import Options, split
from reconciler.cli.shells import VARIABLE
from reconciler.diagnostics import ClipformError, Unwritten, UsageError
from reconciler.next_command import command as next_command
from reconciler.next_command import place

HELP = """\
Declare AI video clips in YAML, see what would change, pay for each clip once.

\b
Options of every command, before or after it: -C DIR (project folder),
--env NAME (lay clipform.NAME.yaml over it), --var NAME=VALUE, --json, -v,
-q (no progress and no notification), --no-color.

\b
Exit codes: 0 done; 1 invalid spec or project, nothing was done;
2 changes (plan --detailed-exitcode); 3 some clips failed or are blocked;
4 refused to spend; 5 another process holds the state; 64 wrong command line;
130 interrupted, resumable."""


def build(verb: str = "") -> typer.Typer:
    """Return the command line, with a command or group for each module in `commands`; only `verb`, if it names one.

    To import and describe all commands takes longer than many of them run.
    """
    app = typer.Typer(
        name="clipform",
        cls=GroupedHelp,
        help=HELP,
        rich_markup_mode=None,
        add_completion=False,  # `clipform completion` prints scripts that know clips and options before the command
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(help=HELP)(_root)
    names = [module.name for module in pkgutil.iter_modules(commands.__path__)]
    modules = {name.rstrip("_").replace("_", "-"): name for name in names}
    for name in [verb] if verb in modules else modules:
        _add(app, name, import_module(f"{commands.__name__}.{modules[name]}"))
    return app


def _add(app: typer.Typer, name: str, module: ModuleType) -> None:
    """Add a module's command; a package is a group of commands."""
    if not hasattr(module, "__path__"):
        app.command(name=name)(module.run)
        return
    group = typer.Typer(cls=WholeHelp, help=module.__doc__, rich_markup_mode=None)
    for inner in pkgutil.iter_modules(module.__path__):
        _add(group, inner.name.rstrip("_"), import_module(f"{module.__name__}.{inner.name}"))
    app.add_typer(group, name=name)


def _version(requested: bool) -> None:
    if requested:
        typer.echo(f"clipform {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Options of the program itself; `main` handles those that every command shares."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    if arguments is None:
        _reopen_closed_streams()
    line = list(sys.argv[1:] if arguments is None else arguments)
    if VARIABLE in os.environ:
        return respond(line)
    if arguments is None:
        _restart_in_utf8()
    context = Context(Options(json="--json" in line, no_color="--no-color" in line))
    try:
        _require_own_package()
        options, command = split(line)
        context = Context(options, line if arguments is None else None)
        place(options.directory, draft="--draft" in command, overlay=options.overlay.options())
        code = build(*command[:1])(args=command or ["--help"], obj=context, standalone_mode=False, prog_name="clipform")
        return code if isinstance(code, int) else 0
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return 130
    except typer.TyperException as error:
        context.view.error(UsageError(error.format_message(), help=next_command("--help")))
        return UsageError.exit_code
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
