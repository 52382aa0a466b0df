"""`clipform init`"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.context import Context
from reconciler.next_command import command, place, quote


def run(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Project folder; by default the current one.")
    ] = None,
    videos: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Where videos are kept: git (the default), local or cache.")
    ] = None,
    agents: Annotated[
        bool, typer.Option("--agents", help="Write AGENTS.md too; in a project that exists, only that.")
    ] = False,
) -> None:
    """Create a small example project.

    It applies as is, without an account or network. On a terminal it asks where videos are kept: in git, as Git LFS
    files, on this machine only, or in a cache that a team shares.

    Exit codes: 0 done, 1 the folder already has a project, 64 wrong command line.
    """
    from reconciler.engine.operations.agents_file import write_agents_file
    from reconciler.engine.operations.init import VIDEOS, meaning, require_no_project, write_project
    from reconciler.spec.files import PROJECT_FILE

    app: Context = context.obj
    target = os.path.join(app.options.directory or "", folder or "")
    place(target or None, draft=False)
    project = app.directory / (folder or ".")
    if agents and (project / PROJECT_FILE).exists():
        name = write_agents_file(project)
        app.view.note(f"Wrote {name}.", {"written": [name]})
        return
    require_no_project(project)
    choice = app.choose("Where are videos kept?", VIDEOS, videos)
    written = write_project(project, choice)
    written += (write_agents_file(project),) if agents else ()
    place(None, draft=False)
    steps = [f"cd {quote(target)}"] if target else []
    text = f"Wrote {', '.join(written)}.\n{meaning(choice, project)}\nNext: {' && '.join([*steps, command('apply')])}"
    app.view.note(text, {"written": list(written), "videos": choice})
