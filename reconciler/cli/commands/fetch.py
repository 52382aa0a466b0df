"""`clipform fetch`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clips: arguments.Clips = None,
    exclude: arguments.Exclude = None,
    trust: arguments.Trust = False,
) -> None:
    """Bring back videos that were made and are not on this machine. It buys nothing.

    A video that clipform.lock or the state records is taken from the shared cache, if there is one, else collected from
    its task, as long as the provider has it, and placed if it is the very file that clipform.lock names. The others are
    listed, each with the reason.

    Exit codes: 0 nothing is missing any more, 1 invalid spec, 3 some videos cannot be fetched, 4 not confirmed,
    5 another process holds the state, 130 interrupted.
    """
    from reconciler import Choice

    app: Context = context.obj
    summary, findings = app.project.fetch(Choice(tuple(clips or ()), tuple(exclude or ())), trust=trust)
    if findings:
        app.view.checks(findings)
    else:
        app.view.note("Nothing is missing.", {"checks": []})
    if summary.interrupted or not all(finding.ok for finding in findings):
        raise typer.Exit(130 if summary.interrupted else 3)
