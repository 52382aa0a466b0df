"""Show the posters of finished takes below a result, in a terminal that can draw them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.diagnostics import ClipformError

if TYPE_CHECKING:
    from reconciler import Planned
    from reconciler.cli.context import Context

_MOST = 24


def show_pictures(app: Context, planned: Planned, *, draft: bool, picked: bool) -> None:
    """Draw a poster of each take that has its video; only of the picked ones if `picked`.

    The command goes on without a poster that cannot be made.
    """
    if not app.view.can_draw:
        return
    steps = [step for step in planned.plan.steps if step.output or not picked]
    posters = app.project.posters(planned, [step.key for step in steps], draft=draft, most=_MOST)
    with suppress(ClipformError), posters as files:
        app.view.pictures([(step.name, files[step.key]) for step in steps if step.key in files])
