"""`clipform serve`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError

TOKEN = "CLIPFORM_SERVE_TOKEN"
_SHORTEST = 16


def run(
    context: typer.Context,
    clips: arguments.Clips = None,
    draft: Annotated[bool, typer.Option("--draft", help="Show the free drafts under drafts/.")] = False,
    host: Annotated[
        str, typer.Option(help=f"Address to listen on; one beyond this machine needs {TOKEN}.")
    ] = "127.0.0.1",
    hooks: Annotated[
        str | None, typer.Option(metavar="URL", help="Receive the calls of vendors at this address of the server.")
    ] = None,
    port: arguments.Port = None,
) -> None:
    """Show every clip to others, without a way to change anything.

    The page follows the project and its state, as `ui` does, but has no actions: nobody who opens it can spend money.
    /healthz answers 200 while there is a plan, and /metrics has the figures for Prometheus (the extra
    clipform[cluster]).

    It listens on this machine only. To listen beyond it, set CLIPFORM_SERVE_TOKEN to a secret of 16 characters or more:
    browsers send it once as ?token=SECRET, programs as a bearer token. Put a proxy with TLS in front of it.

    With --hooks https://films.example.com vendors that can (ark, chanjing) call that address when a task has ended.
    The task is then looked at once, and polled more slowly otherwise. It needs a shared state, and
    CLIPFORM_HOOKS_SECRET, the same here and where clips are applied.

    Exit codes: 0 ended, 1 no project or the port cannot be used, 64 wrong command line, 130 interrupted.
    """
    from ipaddress import ip_address

    from reconciler import Choice
    from reconciler.cli.gallery import hook_receiver, run_read_only
    from reconciler.gallery.server.guard import ReadOnly

    app: Context = context.obj
    token = app.workspace.env.get(TOKEN, "")
    if token and len(token) < _SHORTEST:
        raise UsageError(f"{TOKEN} is shorter than {_SHORTEST} characters", help="choose a long random one")
    try:
        is_here = ip_address("127.0.0.1" if host == "localhost" else host).is_loopback
    except ValueError:
        raise UsageError(f"--host: {host} is not an address of this machine, such as 0.0.0.0") from None
    if not is_here and not token:
        raise UsageError(f"{host} is open to other machines, and {TOKEN} is not set", help=f"set {TOKEN} to a secret")
    receiver = hook_receiver(app, hooks) if hooks is not None else None
    raise typer.Exit(run_read_only(app, Choice(tuple(clips or ()), draft=draft), ReadOnly(host, token, receiver), port))
