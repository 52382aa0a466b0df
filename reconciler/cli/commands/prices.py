"""`clipform prices`"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    model: Annotated[str | None, typer.Option(help="Only the rows for this model.")] = None,
) -> None:
    """List the shipped price tables, with source and age. A project names one by `prices: [{use: ark-usd}]`.

    Exit codes: 0 done, 64 wrong command line.
    """
    from fnmatch import fnmatchcase

    from reconciler.plan.prices import tables

    app: Context = context.obj
    rows = [price for price in tables() if model is None or fnmatchcase(model, price.row.model)]
    app.view.prices(rows, datetime.fromtimestamp(app.clock.now(), UTC).date())
