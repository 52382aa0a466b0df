"""`clipform import`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clip: Annotated[str, typer.Argument(metavar="CLIP")],
    file: Annotated[Path, typer.Option(metavar="MP4", help="The video to adopt.")],
    take: Annotated[int | None, typer.Option(min=1, help="Which take; the picked one if not said.")] = None,
) -> None:
    """Adopt an existing video as what the clip says now, without paying; apply then places it for free.

    Exit codes: 0 done, 1 the spec is wrong or the clip has a result, 3 the file is not a sound video, 64 no such clip.
    """
    from reconciler.cli.parsing import one_order
    from reconciler.engine.care import adopt_file
    from reconciler.engine.session import open_session

    own: Context = context.obj
    with open_session(own.workspace, "import") as session:
        order = one_order(own.workspace.load(), clip, take)
        made = adopt_file(session, order, own.directory / file)
    if made.mismatch:
        own.view.note(f"note: {made.mismatch}; it is adopted as it is")
    text = f"{clip} now has {made.sha256[:12]}. clipform apply places it for free."
    own.view.note(text, {"clip": clip, "key": made.key, "sha256": made.sha256})
