"""The command line as typer describes it: a command or group for each module in `commands`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

import typer

from reconciler import __version__
from reconciler.cli import commands
from reconciler.cli.context import Context
from reconciler.cli.help import GroupedHelp, WholeHelp
from reconciler.diagnostics import UsageError
from reconciler.next_command import command as next_command

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


def run(context: Context, command: list[str]) -> int:
    """Run a command with its arguments; return the exit code."""
    try:
        code = build(*command[:1])(args=command or ["--help"], obj=context, standalone_mode=False, prog_name="clipform")
        return code if isinstance(code, int) else 0
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return 130
    except typer.TyperException as error:
        context.view.error(UsageError(error.format_message(), help=next_command("--help")))
        return UsageError.exit_code


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
