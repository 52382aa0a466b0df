"""Draw thumbnails in terminals that can (kitty's protocol or sixel); the extra `pictures` brings the library.

It is an extra, and loaded only in a terminal that is known to draw, because at its import the library asks the terminal
what it can do: others might print the question. Rejected: our own escape sequences, which would need that question too,
and an encoder for sixel.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, TextIO

from reconciler.views.terminal.sanitize import safe
from reconciler.views.terminal.style import can_redraw
from reconciler.views.terminal.wrap import cut, pad

_CELLS: Final = 24  # columns of a tile, with the gap on its right
_VARIABLES: Final = frozenset(
    {"GHOSTTY_BIN_DIR", "ITERM_SESSION_ID", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "WEZTERM_PANE", "WT_SESSION"}
    | {"XTERM_VERSION"}
)
_TERMS: Final = ("contour", "foot", "mlterm", "xterm-ghostty", "xterm-kitty")


def can_draw(stream: TextIO) -> bool:
    """Return True if the library is installed and the terminal says that it draws."""
    is_known = not _VARIABLES.isdisjoint(os.environ) or os.environ.get("TERM", "").startswith(_TERMS)
    if not (is_known and can_redraw(stream) and sys.stdin.isatty()):
        return False
    try:
        library = import_module("textual_image.renderable")
    except ImportError:
        return False
    return library.Image in (library.SixelImage, library.TGPImage)


def draw(pictures: Sequence[tuple[str, Path]], stream: TextIO, room: int) -> None:
    """Print rows of named pictures in a terminal that can draw them."""
    from rich.console import Console

    from reconciler.media.strip import strip

    library = import_module("textual_image.renderable")
    console = Console(file=stream, width=room, highlight=False, markup=False, emoji=False)
    many = max(1, room // _CELLS)
    for start in range(0, len(pictures), many):
        row = pictures[start : start + many]
        console.print("".join(pad(cut(safe(name), _CELLS - 2, "middle"), _CELLS) for name, _ in row).rstrip())
        console.print(library.Image(strip([path for _, path in row]), width=_CELLS * len(row), height="auto"))
