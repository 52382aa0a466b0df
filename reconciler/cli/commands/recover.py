"""`clipform recover`"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a key goes to a new address.")] = False,
) -> None:
    """Rebuild a lost or damaged state from the receipts, clipform.lock, the artifacts and the providers' lists.

    It buys nothing and deletes nothing, so it does not ask, unless a key would go to an address that is neither the
    kind's own nor on record. What it found stands behind each clip. It may be run again.

    Exit codes: 0 everything is known, 1 the spec or the lock file is wrong, 3 some clips wait for your word, 4 not
    confirmed, 5 another process holds the state.
    """
    from reconciler.engine.operations.recover import recover

    own: Context = context.obj
    found = recover(own.workspace, own.marker, own.view, own.connect, partial(own.agree, yes=yes))
    own.view.checks(found)
    if not all(item.ok for item in found):
        raise typer.Exit(3)
