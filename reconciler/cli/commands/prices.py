"""`clipform prices`"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.context import Context
from reconciler.diagnostics import ClipformError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.plan.prices import DatedPrice


def run(
    context: typer.Context,
    model: Annotated[str | None, typer.Option(help="Only the rows for this model.")] = None,
) -> None:
    """List the project's prices and the shipped ones, with source and age.

    A project names a table by `prices: [{use: ark-usd}]`. Outside a project only the tables are listed.

    Exit codes: 0 done, 1 invalid spec, 64 wrong command line.
    """
    from fnmatch import fnmatchcase

    from reconciler.plan.prices import tables

    app: Context = context.obj
    rows = [price for price in (*_own(app), *tables()) if model is None or fnmatchcase(model, price.row.model)]
    app.view.prices(rows, datetime.fromtimestamp(app.clock.now(), UTC).date())


def _own(app: Context) -> Sequence[DatedPrice]:
    """Return the prices of the project; none outside a project."""
    from reconciler.plan.prices import own
    from reconciler.spec.load import read_project

    try:
        project = read_project(app.workspace.files, app.workspace.overlay)
    except ClipformError as error:
        if error.code == "no-project":
            return ()
        raise
    return own(project.providers.values(), project.budget)
