"""`clipform state cap`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    per: Annotated[
        str | None, typer.Option(metavar="day|run|total", help="Set a cap: for a day in UTC, for an apply, or in all.")
    ] = None,
    max: Annotated[
        str | None, typer.Option("--max", metavar="N|none", help="The most that may be spent; none removes the cap.")
    ] = None,
    currency: Annotated[str, typer.Option(metavar="CURRENCY", help="Currency of the cap.")] = "USD",
    project: Annotated[str | None, typer.Option(metavar="P", help="Of this project, not of the own one.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Of all projects together, not of this one.")] = False,
    trust: arguments.Trust = False,
) -> None:
    """List the caps in the shared state, or set one. A project file cannot raise them.

    What has no known price in the currency of a cap is not bought under it.

    Exit codes: 0 done, 1 invalid spec, no shared state or no rights, 4 not trusted, 5 the database does not answer,
    64 wrong command line.
    """
    from reconciler import money
    from reconciler.diagnostics import UsageError
    from reconciler.engine.operations.shared_state import caps, set_cap
    from reconciler.state.budget import SPANS

    app: Context = context.obj
    micros = money.to_micros(money.parse(max)) if max is not None else None
    is_amount = micros is not None or max == "none"
    if (
        (per is None) != (max is None)
        or per not in (None, "day", "run", "total")
        or (max is not None and not is_amount)
    ):
        raise UsageError("a cap needs --per day, run or total, and --max with an amount such as 20, or none")
    if all and project is not None:
        raise UsageError("a cap is of one project, or of --all")
    app.require_trust(trust=trust)
    if per is not None:
        set_cap(app.workspace, per, currency, micros, "" if all else project)
    rows = caps(app.workspace)
    lines = [
        f"{owner or 'all projects'}: {money.text(money.from_micros(most), code)} {SPANS[span]}"
        for owner, span, code, most in rows
    ]
    names = ("project", "per", "currency", "micros")
    app.view.note(
        "\n".join(lines) or "There is no cap.", {"caps": [dict(zip(names, row, strict=True)) for row in rows]}
    )
