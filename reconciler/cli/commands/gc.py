"""`clipform gc`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    keep: Annotated[int, typer.Option(metavar="N", min=0, help="Keep the newest N earlier versions of each take.")] = 0,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Delete only what is older, such as 30d, 12h or 2w.")
    ] = None,
    yes: arguments.Yes = False,
    draft: arguments.Draft = False,
) -> None:
    """Delete stored videos and frames that nothing uses.

    It keeps everything that a clip or an entry of clipform.lock uses. Earlier versions cost money to generate again, so
    it lists what it would delete, with clip, take, version, price and date, and asks.

    Exit codes: 0 done, 1 unusable state, 4 not confirmed, 5 another process holds the state, 64 wrong command line.
    """
    from reconciler.cli.parsing import age
    from reconciler.engine.operations.gc import delete_objects, garbage
    from reconciler.engine.run.session import open_session
    from reconciler.views import garbage as view

    app: Context = context.obj
    seconds = age(older_than)
    with open_session(app.workspace, "gc", draft) as session:
        before = None if seconds is None else session.clock.now() - seconds
        items = [(each.item, each.version) for each in garbage(session, keep, before)]
        if items:
            app.ask(view.lines(items), yes=yes, question=f"Delete {view.files(items)}?")
            delete_objects(session, [stored for stored, _ in items])
    size = sum(stored.size for stored, _ in items)
    text = f"Deleted {view.files(items)}, {view.total_size(items)}." if items else "Nothing to delete."
    app.view.note(text, {"deleted": len(items), "bytes": size, "objects": view.document(items)})
