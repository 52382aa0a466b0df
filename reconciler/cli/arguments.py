"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

ClipName = Annotated[str, typer.Argument(metavar="CLIP", help="Name of the clip.")]
ClipOrTake = Annotated[str, typer.Argument(metavar="CLIP[#TAKE]", help="Name of the clip, or CLIP#TAKE for one take.")]
ClipPattern = Annotated[
    str, typer.Argument(metavar="CLIP|PATTERN", help="Name of the clip, or a pattern such as is:blocked.")
]
Clips = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CLIP]...", help="Names, globs, tag:, look:, is:, path:, model:, provider:, changed:REV, +NAME, NAME+."
    ),
]
Draft = Annotated[bool, typer.Option("--draft", help="Use draft renders instead of paid ones.")]
Exclude = Annotated[list[str] | None, typer.Option(metavar="CLIP", help="Leave out these clips.")]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Gallery port; 0 picks a free one.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Trust = Annotated[bool, typer.Option("--trust", help="Trust what this project asks for, and remember it.")]
