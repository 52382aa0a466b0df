"""`clipform conform`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.diagnostics import Finding, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from reconciler import Plan


def run(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="A kind that a plug-in adds.")],
    data: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Other data than the plug-in's.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Then buy the one clip of this project, after asking.")] = False,
    max_cost: Annotated[str | None, typer.Option(metavar="N", help="The most that --live may spend.")] = None,
    yes: arguments.Yes = False,
    trust: arguments.Trust = False,
) -> None:
    """Check that a plug-in's kind pays for a clip once and loses nothing.

    It runs the contract that our own kinds keep, against the plug-in's emulator or its recorded exchanges on this
    machine, free of charge, and prints a line for each rule. --live needs --max-cost.

    Exit codes: 0 every rule is kept, 1 the kind or its data cannot be loaded, 3 a rule is broken, 4 refused to
    spend, 5 another process holds the state, 64 wrong command line.
    """
    from reconciler.cli.parsing import amount
    from reconciler.conform.suite import find, findings

    app: Context = context.obj
    most = amount(max_cost)
    if live and most is None:
        raise UsageError("--live needs --max-cost", help="the most that the one clip may cost, such as --max-cost 1")
    contract = find(kind, data)
    is_kept = _show(app, findings(contract))
    if live and is_kept:
        is_kept = _show(app, _bought(app, kind, most, yes=yes, trust=trust))
    if not is_kept:
        raise typer.Exit(3)


def _show(app: Context, items: Iterable[Finding]) -> bool:
    """Print each finding when it is known, in JSON all at once; return True if all are good."""
    if app.options.json:
        items = list(items)
        app.view.checks(items)
        return all(item.ok for item in items)
    is_good = True
    for item in items:
        app.view.checks([Finding(f"{item.name:<16}", item.ok, item.detail, item.help)])
        is_good = is_good and item.ok
    return is_good


def _bought(app: Context, kind: str, most: Decimal | None, *, yes: bool, trust: bool) -> Iterable[Finding]:
    from reconciler import Choice
    from reconciler.conform.live import live_findings, require_one_purchase

    project = app.workspace.load().project

    def confirm(plan: Plan) -> None:
        require_one_purchase(plan, project, kind)
        app.confirm(plan, yes=yes, question="Buy this clip?")

    summary = app.project.apply_confirmed(Choice(shows=True), confirm, max_cost=most, trust=trust)
    app.view.summary(summary)
    return live_findings(app.workspace, summary, app.env)
