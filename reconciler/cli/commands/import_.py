"""`clipform import`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.next_command import command


def run(
    context: typer.Context,
    clip: arguments.ClipOrTake,
    file: Annotated[Path | None, typer.Option(metavar="MP4", help="Video to import.")] = None,
    task: Annotated[str | None, typer.Option(metavar="ID", help="Provider task to import.")] = None,
    take: Annotated[int | None, typer.Option(min=1, help="Take number; by default the picked one.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Import the task of another model, length or size.")] = False,
    trust: arguments.Trust = False,
) -> None:
    """Use an existing video or task as this clip's result, for free.

    A later apply places the video, or downloads it from the task.

    Exit codes: 0 done, 1 invalid spec or the clip already has a result, 3 the file is not a valid video or the
    provider does not know the task, 4 not confirmed or the task of another request, 64 wrong command line.
    """
    from reconciler.cli.parsing import clip_and_take, only_one, require_one

    app: Context = context.obj
    require_one(file=file, task=task)
    clip, take = clip_and_take(clip, take)
    clip = only_one(clip, app.project.names(clip))
    if task is not None:
        app.project.import_task(clip, task, take, force=force, trust=trust)
        app.view.note(f"{clip} now has task {task}. {command('apply')} downloads it.", {"clip": clip, "task": task})
    elif file is not None:
        generation = app.project.import_file(clip, app.directory / file, take)
        if generation.mismatch:
            app.view.note(f"note: {generation.mismatch}; it is imported unchanged")
        text = f"{clip} now has {generation.sha256[:12]}. {command('apply')} places it for free."
        app.view.note(text, {"clip": clip, "key": generation.key, "sha256": generation.sha256})
