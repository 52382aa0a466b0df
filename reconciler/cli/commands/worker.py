"""`clipform worker`"""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.diagnostics import ClipformError, UsageError
from reconciler.events import Event, EventKind

if TYPE_CHECKING:
    from reconciler.cluster.place import WorkPlace
    from reconciler.engine.ports import ConnectedProvider
    from reconciler.spec.files import Files


def run(
    context: typer.Context,
    accounts: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A file with the sections state, cache, providers and publish of a project."),
    ] = None,
    drafts: Annotated[bool, typer.Option("--draft", help="Render drafts only: no vendor is asked.")] = False,
    once: Annotated[bool, typer.Option("--once", help="End when each order that could begin was tried.")] = False,
    trust: arguments.Trust = False,
) -> None:
    """Carry out what applies have handed over to workers.

    A project hands over with workers: prefer (or only) in its section state. A worker takes the orders of those
    accounts whose credentials its environment has, sends them to the address that its own file names, and shares the
    videos through the cache. Any number of workers may run, on any machines; they need no clips and no storage.

    With --draft it renders what apply --draft has handed over, and needs no credentials of vendors.

    SIGTERM ends it: open requests are recorded first, which takes up to five minutes; all else goes to the others.

    Exit codes: 0 ended, 1 no shared state, no credentials or no rights, 4 not trusted, 5 the database cannot be
    reached, 64 wrong command line.
    """
    import asyncio

    from reconciler.cluster.accounts import open_accounts, read_sections
    from reconciler.cluster.place import open_place
    from reconciler.project.scan import DiskFiles
    from reconciler.spec.files import PROJECT_FILE, EditedFiles
    from reconciler.transport.client import connect

    app: Context = context.obj
    files: Files
    if accounts is None:
        root, files = app.workspace.root, app.workspace.files
        app.require_trust(trust=trust, aliases=app.workspace.load().project.providers)
    else:
        root = app.directory
        files = EditedFiles(DiskFiles(root), PROJECT_FILE, _text(root / accounts, accounts))
    sections = read_sections(files, app.options.overlay)

    def say(text: str) -> None:
        app.view.emit(Event(EventKind.NOTE, message=text))

    connected = None if drafts else open_accounts(sections, partial(connect, clock=app.clock, env=app.env), say)
    if connected == {}:
        raise ClipformError("no account has its credentials in the environment", code="no-credentials")
    with open_place(root, sections, app.clock, app.env) as place:
        asyncio.run(_work(app, place, connected, once))


async def _work(app: Context, place: WorkPlace, accounts: Mapping[str, ConnectedProvider] | None, once: bool) -> None:
    """Run one worker; without accounts it renders drafts."""
    from reconciler.cluster.carry import Carrier
    from reconciler.cluster.dispatch import pgqueuer
    from reconciler.cluster.drafts import DraftCarrier, at_once
    from reconciler.cluster.worker import Worker, ended_by_signals
    from reconciler.project.handed_drafts import renderer

    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(pgqueuer(str(place.sections.state["url"]), place.sql.schema))
        if accounts is None:
            drafts = DraftCarrier(place, app.view)
            worker = Worker(place, drafts, {renderer(): 0}, queue, app.view, random.random, at_once())
        else:
            for account in accounts.values():
                stack.push_async_callback(account.transport.aclose)
            slots = {name: account.pace.concurrency for name, account in accounts.items()}
            worker = Worker(place, Carrier(place, accounts, app.view), slots, queue, app.view, random.random)
        stack.enter_context(ended_by_signals(worker.stop))
        text = f"{place.member.name} works for {', '.join(sorted(worker.slots))}"
        app.view.emit(Event(EventKind.NOTE, message=text))
        await worker.run(once=once)


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--accounts: {name} cannot be read") from error
