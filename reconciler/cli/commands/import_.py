"""`clipform import`"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clip: Annotated[str, typer.Argument(metavar="CLIP")],
    file: Annotated[Path | None, typer.Option(metavar="MP4", help="The video to adopt.")] = None,
    task: Annotated[str | None, typer.Option(metavar="ID", help="The provider's task to adopt.")] = None,
    take: Annotated[int | None, typer.Option(min=1, help="Which take; the picked one if not said.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a key goes to a new address.")] = False,
) -> None:
    """Adopt an existing video or task as what the clip says now, without paying; apply then places or collects it.

    Exit codes: 0 done, 1 the spec is wrong or the clip has a result, 3 the file is not a sound video or the provider
    does not know the task, 4 not confirmed, 64 wrong command line.
    """
    from reconciler.cli.parsing import one_order, one_way
    from reconciler.engine.connections.one_off import ProviderAccess
    from reconciler.engine.operations.import_file import import_file
    from reconciler.engine.operations.import_task import import_task
    from reconciler.engine.run.session import open_session

    own: Context = context.obj
    one_way(file=file, task=task)
    with open_session(own.workspace, "import") as session:
        loaded = own.workspace.load()
        order = one_order(loaded, clip, take)
        if task is not None:
            remote = ProviderAccess(loaded, own.connect, session.store.snapshot(), partial(own.agree, yes=yes))
            import_task(session, order, task, own.marker(), remote)
            own.view.note(f"{clip} now has task {task}. clipform apply collects it.", {"clip": clip, "task": task})
        elif file is not None:
            made = import_file(session, order, own.directory / file)
            if made.mismatch:
                own.view.note(f"note: {made.mismatch}; it is adopted as it is")
            text = f"{clip} now has {made.sha256[:12]}. clipform apply places it for free."
            own.view.note(text, {"clip": clip, "key": made.key, "sha256": made.sha256})
