"""The remedies of a block, the same lines in `plan`, `status` and `apply`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.plan.remedies import COMMENT
from reconciler.views.terminal.sanitize import safe
from reconciler.views.terminal.style import Style
from reconciler.views.terminal.wrap import TextLine


def next_lines(remedies: Iterable[str], style: Style) -> Iterator[str]:
    """Yield a line for each remedy: its command can be copied, its meaning is folded as a whole."""
    for remedy in remedies:
        yield TextLine(f"    {style.cyan('next:')} {safe(remedy)}", at=COMMENT)
