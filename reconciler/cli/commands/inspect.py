"""`clipform inspect`"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError


def run(
    context: typer.Context,
    paths: Annotated[
        list[str], typer.Argument(metavar="FILE|DIR|-", help="Videos, folders with videos, or - for one that is piped.")
    ],
) -> None:
    """Say which clip a video file is, whatever its name.

    A file with the bytes of a result is named with its take, key, task and cost, and so is a marked copy of one by its
    tag, also after it was encoded again. Any other file is compared by its pictures with the results that are
    stored here: that finds a result that was encoded again, or a part of one, and is a hint, not a proof.

    Exit codes: 0 every file is from this project, 3 some are not or cannot be read, 64 wrong command line.
    """
    from reconciler.views import inspected

    app: Context = context.obj
    if paths.count("-") > 1:
        raise UsageError("- can be named once", help="name files for more than one video")
    looked = app.project.inspect(*paths, pipe=sys.stdin.buffer if "-" in paths else None)
    app.view.note("\n".join(inspected.lines(looked)), {"files": [inspected.data(each) for each in looked]})
    if not all(each.how for each in looked):
        raise typer.Exit(3)
