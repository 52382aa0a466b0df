"""`clipform gc`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(context: typer.Context, yes: arguments.Yes = False, draft: arguments.Draft = False) -> None:
    """Delete stored videos and frames that nothing uses.

    It keeps everything that a clip or an entry of clipform.lock uses. Earlier versions cost money to generate again, so
    it lists what it would delete and asks.

    Exit codes: 0 done, 1 unusable state, 4 not confirmed, 5 another process holds the state.
    """
    from reconciler.engine.operations.gc import delete_objects, unreferenced_objects
    from reconciler.engine.run.session import open_session

    app: Context = context.obj
    with open_session(app.workspace, "gc", draft) as session:
        items = unreferenced_objects(session, session.store.snapshot())
        size = sum(item.size for item in items)
        if items:
            lines = [f"- {item.sha256[:12]}{item.suffix}  {item.size / 1_000_000:.2f} MB" for item in items]
            app.ask(lines, yes=yes, question=f"Delete {len(items)} artifacts?")
            delete_objects(session, items)
    text = f"Deleted {len(items)} artifacts, {size / 1_000_000:.2f} MB." if items else "Nothing to delete."
    app.view.note(text, {"deleted": len(items), "bytes": size})
