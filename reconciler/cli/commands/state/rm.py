"""`clipform state rm`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="A key, or how it begins.")],
    yes: arguments.Yes = False,
    trust: arguments.Trust = False,
) -> None:
    """Forget the result of one key, so that it may be bought again. It asks first, because that costs money.

    Its line in clipform.lock goes, too. Its video stays in the store until `gc`, and what was paid stays on record. A
    request that is under way or waits for a decision is never forgotten. With a shared state it is forgotten for all.

    Exit codes: 0 done, 1 a request of the key is not settled, 4 not confirmed or not trusted, 5 another process holds
    the state or the shared one does not answer, 64 no such key.
    """
    from reconciler.next_command import command
    from reconciler.plan.changes import short
    from reconciler.records import Snapshot
    from reconciler.views.purchases import shown_result

    app: Context = context.obj

    def confirm(chosen: str, records: Snapshot) -> None:
        app.ask(shown_result(chosen, records), yes=yes, question="It was paid for, and may be paid for again.")

    chosen = app.project.forget(key, confirm, trust=trust)
    app.view.note(f"{short(chosen)} is forgotten. {command('plan')} shows what follows and its cost.", {"key": chosen})
