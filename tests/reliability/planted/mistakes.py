"""Patches for `story_bugs`: each puts one known mistake into the program; its docstring says which."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest

from reconciler.artifacts import files
from reconciler.diagnostics import ClipformError, StateLocked
from reconciler.engine.attempt import download, submit
from reconciler.engine.attempt.context import AttemptContext
from reconciler.engine.run import session
from reconciler.engine.uncertain import absence, match, task_list
from reconciler.engine.uncertain.absence import ListReading
from reconciler.money import to_micros
from reconciler.plan import cost
from reconciler.providers.base import Reply, Request
from reconciler.providers.capabilities import Coverage
from reconciler.records import Attempt, Money, State
from reconciler.state import disk, new_database, open, schema
from reconciler.state import ledger as ledgers
from reconciler.state.budget import Caps, NewAttempt
from reconciler.state.store import Store
from reconciler.transport import addresses, channel, fetch
from reconciler.transport.client import HttpTransport
from reconciler.transport.pacing import RateLimiter, RetryBudget
from reconciler.transport.redact import Redactor
from tests.engine.uncertain.listing import Listing
from tests.reliability.simulator.wired import SECRET


def follow(patch: pytest.MonkeyPatch) -> None:
    """The API client follows a 307, body, credentials and all."""
    real = channel.Channel._send

    async def send(self: Any, request: Request, auth: Any) -> Any:
        answer = await real(self, request, auth)
        if isinstance(answer, Reply) and answer.status in (307, 308):
            call = replace(self._outgoing(request, auth, fresh=True), url=answer.headers["location"])
            async with channel.Connections(None).open(call, self._waits.submit) as incoming:
                return Reply(incoming.status, None)
        return answer

    patch.setattr(channel.Channel, "_send", send)


def resend(patch: pytest.MonkeyPatch) -> None:
    """A submit whose connection broke is sent again by the client itself, as HTTP libraries do."""
    real = channel.Channel._send

    async def send(self: Any, request: Request, auth: Any) -> Any:
        answer = await real(self, request, auth)
        return answer if isinstance(answer, Reply) else await real(self, request, auth)

    patch.setattr(channel.Channel, "_send", send)


def credentials_to_storage(patch: pytest.MonkeyPatch) -> None:
    """The media client sends the API's headers along."""
    patch.setattr(fetch, "PLAIN", (*fetch.PLAIN, ("Authorization", f"Bearer {SECRET}")))


def any_address(patch: pytest.MonkeyPatch) -> None:
    """A link is followed wherever it leads."""
    patch.setattr(addresses, "_require_public", lambda host, found: None)
    patch.setattr(addresses, "_require_scheme", lambda parts, *, local: None)


def by_name(patch: pytest.MonkeyPatch) -> None:
    """A name is checked, and then connected to by name: the second look may tell another address."""
    real = fetch.MediaClient._checked_request

    async def call(self: Any, method: str, url: str, attempt: int = 0) -> Any:
        connections, outgoing = await real(self, method, url, attempt)
        return connections, replace(outgoing, address="")

    patch.setattr(fetch.MediaClient, "_checked_request", call)


def impatient(patch: pytest.MonkeyPatch) -> None:
    """Nobody heeds a provider that wants to be left alone."""
    patch.setattr(RateLimiter, "pause", lambda self, hint: None)


def no_retry_budget(patch: pytest.MonkeyPatch) -> None:
    """Every fault is worth a retry."""
    patch.setattr(RetryBudget, "spend", lambda self, slow=False: True)


def unredacted(patch: pytest.MonkeyPatch) -> None:
    """What a server echoes is kept as it is."""
    patch.setattr(Redactor, "text", lambda self, text: text)
    patch.setattr(Redactor, "values", lambda self, text: text)


def delete_unasked(patch: pytest.MonkeyPatch) -> None:
    """A cancel is sent on the word of the records, without asking how the task stands."""

    async def cancel(self: HttpTransport, task: str) -> Any:
        reply = await self._channel.send_once(self.dialect.cancel(task))  # type: ignore[attr-defined]
        return self.dialect.read_cancel(reply)  # type: ignore[attr-defined]

    patch.setattr(HttpTransport, "cancel", cancel)


def stale_absence(patch: pytest.MonkeyPatch) -> None:
    """What a list does not show at once does not exist (M5)."""
    patch.setattr(absence, "SETTLE", 0.0)
    patch.setattr(absence, "APART", 0.0)
    patch.setattr(Listing, "vouched", Coverage(0.0, 86_400.0))
    patch.setattr("tests.engine.uncertain.listing.ListingTransport.submit_silence", 0.0)


def any_account(patch: pytest.MonkeyPatch) -> None:
    """A list is believed whosever it is."""
    patch.setattr(Store, "account", lambda self, attempt: "two")


def local_time(patch: pytest.MonkeyPatch) -> None:
    """How long a list was read without the request is measured by the clock of this computer (F93)."""
    real = task_list.ListReading

    def reading(at: float, steady: float, tasks: Any, complete: bool, date: float | None, after: Any) -> ListReading:
        return real(at, steady, tasks, complete, at, after)

    patch.setattr(task_list, "ListReading", reading)


def first_that_fits(patch: pytest.MonkeyPatch) -> None:
    """A listed task that shows the request is ours, though another client may have sent the same one."""

    def group(requests: Any, others: Any, fits: Any, listed: Any, proof: Any) -> Any:
        tasks = sorted(task for task in fits[requests[0].attempt])
        return {requests[0].attempt: match.Matched(tasks[0], "the first") if tasks else proof.verdict(requests[0])}

    patch.setattr(match, "_group", group)


def lease(patch: pytest.MonkeyPatch) -> None:
    """The lock is a note of the time: after ten minutes its holder is taken for dead (F98)."""

    class Lease:
        def __init__(self, directory: Path, command: str, clock: Callable[[], float]) -> None:
            self._file, self._clock = directory / "lease", clock

        def __enter__(self) -> Self:
            self._file.parent.mkdir(exist_ok=True)
            if self._file.exists() and self._clock() - float(self._file.read_text()) < 600:
                raise StateLocked("somebody else is at work")
            self._file.write_text(str(self._clock()))
            return self

        def __exit__(self, *_: object) -> None:
            self._file.unlink(missing_ok=True)

    patch.setattr(session, "Lock", Lease)


def step_again(patch: pytest.MonkeyPatch) -> None:
    """A workflow engine's habit: a step whose result was not recorded is run again."""

    class Workflow(session.Store):  # type: ignore[misc,name-defined]  # the class with points
        def recover_orphans(self, except_kinds: object = ()) -> tuple[Attempt, ...]:
            found = super().recover_orphans(except_kinds)
            return tuple(self.move(attempt, State.NOT_SENT) for attempt in found)

        def merge(self, lines: object) -> Any:
            return ledgers.Merged()

    patch.setattr(session, "Store", Workflow)


def released(patch: pytest.MonkeyPatch) -> None:
    """Giving up on a task gives its reservation back, while the vendor goes on billing."""
    patch.setattr(ledgers, "COUNTS", {**ledgers.COUNTS, State.STALLED: Money.RELEASED})


def checked_outside(patch: pytest.MonkeyPatch) -> None:
    """The cap is looked at when a clip comes up, and the intent is written later."""
    real, slot = Store.begin, submit._slot

    def early(work: AttemptContext) -> Any:
        caps: Caps | None = work.terms.caps
        if caps is not None and work.order is not None:
            sums = work.ports.store.spent().get(caps.currency, ledgers.Spent())
            price = to_micros(work.order.wanted.cost.amount) or 0
            if caps.total_micros is not None and sums.micros + price > caps.total_micros:
                raise ClipformError("over the budget")
        return slot(work)

    def begin(self: Store, new: NewAttempt, caps: Caps | None = None, *_: object) -> Attempt:
        return real(self, new, None)

    patch.setattr(submit, "_slot", early)
    patch.setattr(session.Store, "begin", begin)
    patch.setattr(cost, "objections", lambda *_: ())


def same_marker(patch: pytest.MonkeyPatch) -> None:
    """Two clips side by side draw one marker, and nothing forbids it."""
    patch.setattr("secrets.token_hex", lambda size=16: "0" * 16)
    patch.setattr(session.secrets, "token_hex", lambda size=16: "0" * 16)
    real = new_database.create

    def create(database: Any) -> None:
        real(database)
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE sql LIKE '%(%marker%)%'")]
        for name in names:
            if name.startswith("idx"):
                database.execute(f'DROP INDEX "{name}"')

    patch.setattr(new_database, "create", create)


def shared_task(patch: pytest.MonkeyPatch) -> None:
    """A task id that another clip has is taken all the same: two clips, one video."""
    text = schema._task_once()
    real = new_database.statements
    patch.setattr(
        new_database,
        "statements",
        lambda: (each.replace("UNIQUE ", "") if each == f"{text};" else each for each in real()),
    )


def sync_again(patch: pytest.MonkeyPatch) -> None:
    """A sync that fails is tried once more, and believed."""
    real = disk._sync

    def sync(descriptor: int) -> None:
        try:
            real(descriptor)
        except OSError:
            real(descriptor)

    patch.setattr(disk, "_sync", sync)


def unflagged(patch: pytest.MonkeyPatch) -> None:
    """Whatever comes is what was asked for."""
    patch.setattr(download, "mismatch", lambda order, made: "")


def unlogged(patch: pytest.MonkeyPatch) -> None:
    """A table is changed beside the log."""
    real = Store.fetched

    def fetched(self: Store, attempt: Attempt, *more: Any) -> Attempt:
        found = real(self, attempt, *more)
        self.sql.connection.execute("UPDATE attempt SET cost_micros = 1 WHERE id = ?", (attempt.id,))
        return found

    patch.setattr(session.Store, "fetched", fetched)


def any_version(patch: pytest.MonkeyPatch) -> None:
    """A state of a newer version is opened as if it were ours."""
    patch.setattr(open, "_version", lambda connection: schema.VERSION)


def no_lock(patch: pytest.MonkeyPatch) -> None:
    """Nobody asks whether somebody else is at work."""

    class Unlocked:
        def __init__(self, *_: object) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    patch.setattr(session, "Lock", Unlocked)


def through_links(patch: pytest.MonkeyPatch) -> None:
    """Folders are opened through whatever link is in the way."""

    @contextmanager
    def folder(name: Any, within: int | None = None, **_: Any) -> Iterator[int]:
        descriptor = os.open(name, disk.DIRECTORY, dir_fd=within)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    patch.setattr(files, "folder", folder)
