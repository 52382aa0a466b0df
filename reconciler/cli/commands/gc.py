"""`clipform gc`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.next_command import command


def run(
    context: typer.Context,
    keep: Annotated[int, typer.Option(metavar="N", min=0, help="Keep the newest N earlier versions of each take.")] = 0,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Delete only what is older, such as 30d, 12h or 2w.")
    ] = None,
    remote: Annotated[
        bool, typer.Option("--remote", help="Delete from the shared cache instead; needs --older-than.")
    ] = False,
    refs: Annotated[
        str,
        typer.Option(metavar="PATTERN", help="With --remote: spare what clipform.lock of these git branches names."),
    ] = "origin/*",
    yes: arguments.Yes = False,
    draft: arguments.Draft = False,
) -> None:
    """Delete stored videos and frames that nothing uses.

    It keeps everything that a clip or an entry of clipform.lock uses. Earlier versions cost money to generate again, so
    it lists what it would delete, with clip, take, version, price and date, and asks.

    With --remote it deletes from the shared cache what is older than --older-than and is named by no clipform.lock,
    here or at the git references that match --refs.

    Exit codes: 0 done, 1 unusable state, 4 not confirmed, 5 another process holds the state, 64 wrong command line.
    """
    from reconciler.cli.parsing import age
    from reconciler.engine.operations.gc import delete_objects, garbage
    from reconciler.engine.run.session import open_session
    from reconciler.views import garbage as view

    app: Context = context.obj
    seconds = age(older_than)
    if remote:
        _clean_shared(app, seconds, refs, yes=yes)
        return
    with open_session(app.workspace, "gc", draft) as session:
        before = None if seconds is None else session.clock.now() - seconds
        items = [(each.item, each.version) for each in garbage(session, keep, before)]
        if items:
            app.ask(view.lines(items), yes=yes, question=f"Delete {view.files(items)}?")
            delete_objects(session, [stored for stored, _ in items])
    size = sum(stored.size for stored, _ in items)
    text = f"Deleted {view.files(items)}, {view.total_size(items)}." if items else "Nothing to delete."
    app.view.note(text, {"deleted": len(items), "bytes": size, "objects": view.document(items)})


def _clean_shared(app: Context, seconds: float | None, refs: str, *, yes: bool) -> None:
    """List what is old in the shared cache, ask, and delete it."""
    from reconciler.diagnostics import UsageError
    from reconciler.engine.operations.gc_shared import delete_objects, old_objects
    from reconciler.engine.run.session import open_session
    from reconciler.views import garbage as view

    if seconds is None:
        raise UsageError(
            "gc --remote needs --older-than, such as 400d", help=command("gc", "--remote", "--older-than", "400d")
        )
    app.require_trust()
    with open_session(app.workspace, "gc") as session:
        objects = old_objects(session, session.clock.now() - seconds, refs)
        items = [(item, None) for item in objects]
        if objects:
            question = f"Delete {view.files(items)} from the shared cache?"
            app.ask(
                (f"- objects/{item.sha256}: {item.size / 1_000_000:.2f} MB" for item in objects),
                yes=yes,
                question=question,
            )
            delete_objects(session, objects)
    text = f"Deleted {view.files(items)}, {view.total_size(items)}." if items else "Nothing to delete."
    app.view.note(text, {"deleted": len(items), "bytes": sum(item.size for item in objects)})
