"""The commands that lead out of a block, under whatever says why: the same lines in `plan`, `status` and `apply`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.views.terminal.sanitize import safe
from reconciler.views.terminal.style import Style
from reconciler.views.terminal.wrap import Kept


def ways(commands: Iterable[str], style: Style) -> Iterator[str]:
    """One line a command; what stands behind "way out:" can be copied as it is."""
    for command in commands:
        yield Kept(f"    {style.cyan('way out:')} {safe(command)}")
