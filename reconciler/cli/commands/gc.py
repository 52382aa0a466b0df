"""`clipform gc`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.next_command import command

if TYPE_CHECKING:
    from reconciler.views import garbage


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

    It keeps everything that a clip or an entry of clipform.lock uses, and each vendor's draft that a final can still be
    made from. Earlier versions cost money to generate again, so it lists what it would delete, with clip, take,
    version, price and date, and asks. Pieces that no film shows now go too, unasked: they are made again for free.

    With --remote it deletes from the shared cache what is older than --older-than: videos that no clipform.lock names,
    here or at the git references that match --refs, drafts, and inputs that no open order of workers needs.

    Exit codes: 0 done, 1 unusable state, 4 not confirmed, 5 another process holds the state, 64 wrong command line.
    """
    from reconciler.cli.parsing import age
    from reconciler.views import garbage as view

    app: Context = context.obj
    seconds = age(older_than)
    if remote:
        _clean_shared(app, seconds, refs, yes=yes)
        return

    def confirm(found: Sequence[view.Item]) -> None:
        app.ask(view.lines(found), yes=yes, question=f"Delete {view.files(found)}?")

    items, pieces = app.project.gc(confirm, keep=keep, older_than=seconds, draft=draft)
    size, objects = sum(stored.size for stored, _ in items), view.document(items)
    data = {"deleted": len(items), "bytes": size, "objects": objects, "pieces": len(pieces), "piece_bytes": sum(pieces)}
    app.view.note(view.deleted(items, pieces), data)


def _clean_shared(app: Context, seconds: float | None, refs: str, *, yes: bool) -> None:
    """List what is old in the shared cache, ask, and delete it."""
    from reconciler.diagnostics import UsageError
    from reconciler.views import garbage as view

    if seconds is None:
        raise UsageError(
            "gc --remote needs --older-than, such as 400d", help=command("gc", "--remote", "--older-than", "400d")
        )

    def confirm(files: Sequence[garbage.Shared]) -> None:
        app.ask(view.shared_lines(files), yes=yes, question=f"Delete {view.files(files)} from the shared cache?")

    files = app.project.gc_remote(confirm, older_than=seconds, refs=refs)
    size = sum(file.size for file in files)
    text = f"Deleted {view.files(files)}, {view.megabytes(size)}." if files else "Nothing to delete."
    app.view.note(text, {"deleted": len(files), "bytes": size})
