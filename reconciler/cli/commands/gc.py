"""`clipform gc`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Of the drafts.")] = False,
) -> None:
    """Delete the artifacts that no clip and no line of clipform.lock holds: earlier versions, frames.

    Earlier versions cost money to make again, so it shows what would go and asks.

    Exit codes: 0 done, 1 the state cannot be used, 4 not confirmed, 5 another process holds the state.
    """
    from reconciler.engine.operations.gc import delete_objects, unreferenced_objects
    from reconciler.engine.run.session import open_session

    own: Context = context.obj
    with open_session(own.workspace, "gc", draft) as session:
        items = unreferenced_objects(session, session.store.snapshot())
        size = sum(item.size for item in items)
        if items:
            lines = [f"- {item.sha256[:12]}{item.suffix}  {item.size / 1_000_000:.2f} MB" for item in items]
            own.ask(lines, yes=yes, question=f"Delete {len(items)} artifacts?")
            delete_objects(session, items)
    text = f"Deleted {len(items)} artifacts, {size / 1_000_000:.2f} MB." if items else "Nothing to delete."
    own.view.note(text, {"deleted": len(items), "bytes": size})
