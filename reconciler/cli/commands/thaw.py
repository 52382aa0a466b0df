"""`clipform thaw`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clip: arguments.ClipPattern,
    yes: arguments.Yes = False,
) -> None:
    """Let a frozen seam follow the clip before it again. Shows what that costs, and asks, before it writes the YAML.

    Exit codes: 0 done, 1 the spec is invalid or cannot be edited, 4 not confirmed, 64 no such clip or seam.
    """
    from reconciler.cli.parsing import named_clips
    from reconciler.engine.operations.seams import thaw
    from reconciler.spec.problems import listed
    from reconciler.views.format import plan_total

    app: Context = context.obj
    for name in named_clips(app.workspace, clip, whole=True):
        edit, plan = thaw(app.workspace, name)
        if plan.generating():
            app.confirm(plan, yes=yes, question=f"Let {name} follow again?")
        edit.write(app.workspace)
        cost = (
            f"the next apply buys it again for {plan_total(plan)}" if plan.generating() else "that changes nothing now"
        )
        text = f"{edit.file}: {name} follows {listed(edit.sources, 'and')} again; {cost}."
        app.view.note(text, {"file": edit.file, "clip": name, "frozen": False, "from": list(edit.sources)})
