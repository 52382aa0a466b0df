"""`clipform cost`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError


def run(
    context: typer.Context,
    clips: arguments.Clips = None,
    by: Annotated[
        str, typer.Option(metavar="GROUP", help="clip, tag, day, month, provider, model or person.")
    ] = "clip",
    since: Annotated[
        str | None, typer.Option(metavar="DATE|AGE", help="Only purchases since 2026-11-01, or since 30d ago.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print each purchase as a line of CSV.")] = False,
    rehearsals: Annotated[
        bool, typer.Option("--rehearsals", help="Count what an emulator on this machine was paid instead.")
    ] = False,
) -> None:
    """Show what was paid: estimates and actual costs, failures that were billed, what was saved.

    A purchase counts with what the provider said it cost, else with its estimate. Days and months are those of UTC, by
    the time of the request. A clip with several tags counts in each of them, and once in the total. Purchases that only
    clipform.lock knows have no time and no person.

    Exit codes: 0 done, 1 invalid spec, 64 wrong command line.
    """
    from reconciler.cli.parsing import since_time
    from reconciler.views import spending as views

    app: Context = context.obj
    if by not in views.GROUPINGS:
        raise UsageError(f"--by must be one of {', '.join(views.GROUPINGS)}, not '{by}'")
    first = since_time(since, app.clock.now())
    spent = app.project.spending(*(clips or ()))
    purchases = [each for each in spent.purchases if each.rehearsal == rehearsals and each.time >= first]
    if csv:
        app.view.text(views.table(purchases))
    else:
        app.view.show(*views.report(spent, purchases, by))
