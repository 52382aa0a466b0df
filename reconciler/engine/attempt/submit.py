"""Buying: one durable intent, one request, one record of the answer.

The order is the promise that one key is paid for once: intent committed, receipt written, one request, receipt, commit.
Nothing between the reply and its commit may fail, print or be cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

from reconciler.diagnostics import ProviderError, StateError
from reconciler.engine.attempt import job as jobs
from reconciler.engine.attempt.context import AttemptContext
from reconciler.engine.control import StepEnded
from reconciler.engine.ports import Send
from reconciler.events import EventKind
from reconciler.project.orders import Order
from reconciler.providers.base import Accepted, Job, NotSent, Refusal, Rejected, Request, SubmitAnswer, Unknown
from reconciler.records import Attempt, State, to_micros
from reconciler.state.budget import NewAttempt
from reconciler.state.store import Facts

TRIES = 6
"""How often a request that surely was not accepted is made anew in one run."""


async def submit(work: AttemptContext) -> None:
    """Send the one request, and record what came of it. Raises Stopped when this run ends here for the generation."""
    if work.order is None:
        raise StepEnded(EventKind.FAILED, "nothing declares it any more")
    order, marker, seed = work.order, work.ports.marker(), _seed(work, work.order)
    work.require_open()
    inputs = await work.ports.inputs.ready(order)
    work.job = jobs.build(order, inputs, seed=seed, marker=marker)
    request = work.vendor.dialect.submit(work.job)
    async with _slot(work) as send:
        work.require_open()
        attempt = _begin(work, _intent(work, order, work.job))
        work.sent = True
        answer = await _finish(_send(work, send, request, attempt))
    if work.vendor.durable:
        work.job = None  # it may hold megabytes of pictures, and only the local vendor is told again
    await _after_submit(work, answer)


def _begin(work: AttemptContext, intent: NewAttempt) -> Attempt:
    """The intent, in the database and in the receipts. Where either fails nothing was sent, and the record says so:
    nobody is asked about it."""
    if not work.vendor.durable:  # a draft buys nothing that could be forgotten
        return work.ports.store.begin(intent, work.terms.caps)
    work.ports.receipts.make_room()
    try:
        attempt = work.ports.store.begin(intent, work.terms.caps)
        work.ports.receipts.intent(attempt, intent.account)
    except StateError as error:
        _take_back(work, intent, error.message)
        raise
    return attempt


def _take_back(work: AttemptContext, intent: NewAttempt, why: str) -> None:
    """An intent that is there although its commit failed (SQLite cannot always tell) was not followed by a request."""
    for attempt in work.ports.store.attempts(intent.key):
        if attempt.marker == intent.marker and attempt.state is State.SUBMITTING:
            work.ports.store.move(attempt, State.NOT_SENT, Facts(message=why))
            with suppress(StateError):  # for a database that is lost later; its line may be there or not
                work.ports.receipts.void(attempt)


@asynccontextmanager
async def _slot(work: AttemptContext) -> AsyncIterator[Send]:
    """The provider's place for one submit. Waiting for it may take minutes, so an interrupt ends it."""
    async with AsyncExitStack() as stack:
        entering = asyncio.ensure_future(stack.enter_async_context(work.vendor.transport.slot()))
        try:
            await work.unless_halted(entering)
            work.require_open()
            send = entering.result()
        except ProviderError as error:
            raise _no_slot(work, error) from error
        finally:
            entering.cancel()
        yield send


def _no_slot(work: AttemptContext, error: ProviderError) -> StepEnded:
    if error.code == "credentials":
        work.halt.vendors[work.vendor.alias] = f"{work.vendor.alias}: {error.message}"
        return StepEnded(EventKind.FAILED, error.message, error.help or "mend the credentials, then clipform apply")
    return StepEnded(EventKind.SKIPPED, error.message, error.help or "clipform apply carries on later")


def _intent(work: AttemptContext, order: Order, job: Job) -> NewAttempt:
    price = order.wanted.cost
    return NewAttempt(
        key=work.step.key,
        clip=work.step.clip,
        take=work.step.take,
        provider=work.vendor.alias,
        kind=work.vendor.kind,
        model=order.wanted.model,
        marker=job.marker,
        document=order.wanted.document,
        seed=job.seed,
        cost_micros=to_micros(price.amount),
        currency=price.currency,
        run=work.terms.run,
        account=work.vendor.transport.account if work.vendor.durable else "",
        endpoint=work.vendor.endpoint,
    )


async def _send(work: AttemptContext, send: Send, request: Request, attempt: Attempt) -> SubmitAnswer:
    work.halt.open += work.vendor.durable
    try:
        reply = await send(request)
        answer = reply if isinstance(reply, NotSent | Unknown) else work.vendor.dialect.read_submit(reply)
        answer = _without_secrets(answer, work.vendor.transport.redact)
        _record(work, attempt, answer)
    finally:
        work.halt.open -= work.vendor.durable
    return answer


def _without_secrets(answer: SubmitAnswer, redact: Callable[[str], str]) -> SubmitAnswer:
    """The words of an answer, fit for records. Those of an acceptance wait until its task is on record."""
    match answer:
        case Rejected(code=code, message=message):
            return replace(answer, code=redact(code), message=redact(message))
        case NotSent(message) | Unknown(message):
            return replace(answer, message=redact(message))
    return answer


def _seed(work: AttemptContext, order: Order) -> int | None:
    """A drawn seed makes a clip reproducible and a lost task recognisable; drafts need neither."""
    takes_seed = order.resolved.model.seed_max is not None and work.vendor.durable
    return work.ports.seed() if takes_seed and order.clip.spec.seed is None else None


def _record(work: AttemptContext, attempt: Attempt, answer: SubmitAnswer) -> None:
    """The window in which nothing may stop us: id to the receipts and to the database, each even if the other fails."""
    try:
        if work.vendor.durable:
            _receipt(work, attempt, answer)
    finally:
        _commit(work, attempt, answer)


def _commit(work: AttemptContext, attempt: Attempt, answer: SubmitAnswer) -> None:
    match answer:
        case Accepted(task):
            _accept(work, attempt, task)
        case Rejected(refusal, code, message):
            facts = Facts(reason=refusal.value, message=message, evidence={"code": code})
            work.ports.store.move(attempt, State.REFUSED, facts)
        case NotSent(message):
            work.ports.store.move(attempt, State.NOT_SENT, Facts(message=message))
        case Unknown(message):
            work.ports.store.move(attempt, State.UNCERTAIN, Facts(message=message))


def _accept(work: AttemptContext, attempt: Attempt, task: str) -> None:
    """A paid id that finds no home in the database is said aloud, and nothing more is bought here."""
    try:
        work.ports.store.move(attempt, State.ACCEPTED, Facts(task=task))
    except StateError as error:
        if error.code == "task-taken":
            words = f"the provider answered with task {task}, which is another clip's"
            work.ports.store.move(attempt, State.UNCERTAIN, Facts(message=words))
            return
        work.halt.vendors[work.vendor.alias] = f"{work.vendor.alias}: {error.message}"
        words = f"task {task} was accepted and is paid for, but could not be recorded: {error.message}"
        raise StateError(words, help="mend that, then clipform apply: the receipts know it", code=error.code) from error


def _receipt(work: AttemptContext, attempt: Attempt, answer: SubmitAnswer) -> None:
    match answer:
        case Accepted(task):
            work.ports.receipts.accepted(attempt, task)
        case Rejected() | NotSent():
            work.ports.receipts.void(attempt)
        case Unknown():
            pass  # the intent stays open


async def _after_submit(work: AttemptContext, answer: SubmitAnswer) -> None:
    """What an answer means for the rest of the run, once it is on record."""
    match answer:
        case Accepted(task, warning):
            said = work.vendor.transport.redact(warning)
            work.say(EventKind.SUBMITTED, task=task if work.vendor.durable else None, message=said)
        case Rejected(Refusal.CREDENTIALS | Refusal.ACCOUNT | Refusal.TOKEN as refusal, _, message):
            work.halt.vendors[work.vendor.alias] = f"{work.vendor.alias} refused: {refusal.value}"
            raise StepEnded(EventKind.FAILED, f"{refusal.value}: {message}", "mend the account, then clipform apply")
        case Rejected(Refusal.BUSY, _, message):
            await _once_more(work, f"busy: {message}")
        case Rejected(refusal, _, message):
            raise StepEnded(EventKind.FAILED, f"refused ({refusal.value}): {message}")
        case NotSent(message):
            await _once_more(work, f"not sent: {message}")
        case Unknown():
            pass  # the record says UNCERTAIN: the next look ends it


async def _once_more(work: AttemptContext, why: str) -> None:
    """It is certain that nothing was bought, so it may be asked again: a few times, ever later."""
    work.tries += 1
    if work.tries >= TRIES:
        raise StepEnded(EventKind.FAILED, why, "nothing was bought; clipform apply tries again")
    await work.pause(2.0**work.tries, nothing_sent=True)
    work.sent = False


async def _finish(work: Awaitable[SubmitAnswer]) -> SubmitAnswer:
    """Run to the end whatever happens to the caller: a cancelled submit that was accepted would lose its id."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:  # once or often: the answer is waited for
            cancelled = True
    answer = task.result()
    if cancelled:
        raise asyncio.CancelledError
    return answer
