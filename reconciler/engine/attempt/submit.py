"""Submits one request: one durable intent, one request, one record of the answer (never-pay-twice#s3-4).

The order guarantees that one key is paid for once: intent committed, receipt written, one request, receipt, commit.
Nothing between the reply and its commit may fail, print or be cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace

from reconciler.clock import Clock
from reconciler.diagnostics import ProviderError, StateError
from reconciler.engine.attempt import frames, vendor_drafts
from reconciler.engine.attempt import job as jobs
from reconciler.engine.attempt.approval import require_approval
from reconciler.engine.attempt.context import AttemptContext
from reconciler.engine.control import Pause, StepEnded
from reconciler.engine.ports import Send
from reconciler.events import EventKind
from reconciler.money import to_micros
from reconciler.next_command import command
from reconciler.project.orders import Order
from reconciler.providers.base import Accepted, Job, NotSent, Refusal, Rejected, Reply, Request, SubmitAnswer, Unknown
from reconciler.providers.capabilities import Marks
from reconciler.providers.error_codes import proved
from reconciler.records import Attempt, State
from reconciler.state.accounts import NotYet
from reconciler.state.budget import NewAttempt
from reconciler.state.ledger import Facts
from reconciler.state.store import DEADLINE

TRIES = 6
"""How often a request that certainly was not accepted is sent in one run."""
CLOSED_TRIES = 3
"""The same, where nothing listens at the address and nothing has in this run: it is wrong, or the server is down."""


async def submit(context: AttemptContext) -> Pause | None:
    """Send the one request and record the answer; return how long to wait before another, if nothing was bought.

    Raises StepEnded when this run ends for the generation.
    """
    if context.order is None:
        raise StepEnded(EventKind.FAILED, "the clip is no longer declared")
    order, seed = context.order, _seed(context, context.order)
    newest = context.newest_seen  # what follows may wait for minutes, and others go on
    context.require_open()
    if context.provider.durable and order.clip.media():
        context.say_waiting("preparing its inputs")
    inputs = await context.ports.inputs.ready(order)
    if order.clip.draft:
        inputs["draft"] = vendor_drafts.task_of(context, order)
    job = jobs.build(order, inputs, seed=seed, marker=context.ports.marker())
    async with frames.checked(context), _slot(context) as send:
        attempt, request = await _begun(context, order, job, newest)
        context.counters.sent = True
        answer = await _finish(_send(context, send, request, attempt))
        context.share_pause()
        _stop_after_complaint(context, answer)
    if context.provider.durable:
        context.job = None  # it may hold megabytes of images, and only the draft renderer needs it again
    return _after_submit(context, answer)


async def _begun(context: AttemptContext, order: Order, job: Job, newest: int) -> tuple[Attempt, Request]:
    """Write the intent, once it is the account's turn, and return its request.

    Over all machines an account has turns of its own. The turn and the slot of this process are kept meanwhile: without
    them a submit would wait for both again, and find that others had taken the account's.
    """
    store, clock = context.ports.store, context.ports.clock
    while True:
        context.require_open()
        is_late = _deadline(clock) if store.is_shared else None
        marked = replace(job, expires_after=_mark(context, job))  # no other intent is written before this one's
        request = context.ports.addressed(context.provider, context.provider.dialect.submit(marked), job.marker)
        try:
            attempt = _begin(context, order, replace(_intent(context, order, marked), after=newest))
        except NotYet as error:
            if error.code != "no-turn":
                raise
            context.say_waiting(error.message, error.wait)
            await context.control.sleep(clock, error.wait)
        else:
            context.job = marked
            return attempt, replace(request, is_late=is_late)


def _deadline(clock: Clock) -> Callable[[], bool]:
    """Return what says that a request must not leave any more: its attempt may be somebody else's soon. By two clocks:
    one can be set, and the other does not go on while a laptop sleeps."""
    wall, steady = clock.now(), clock.monotonic()
    return lambda: max(clock.now() - wall, clock.monotonic() - steady) > DEADLINE


def _begin(context: AttemptContext, order: Order, intent: NewAttempt) -> Attempt:
    """Write the intent to the database and to the receipts. If either fails, nothing was sent, and the record says so:
    the user is not asked about it."""
    if not context.provider.durable:  # a draft buys nothing that could be forgotten
        return context.ports.store.begin(intent, context.terms.caps)

    def allow() -> None:
        require_approval(context.ports.approvals(), order.wanted, context.ports.store.generation)

    context.ports.receipts.make_room()
    try:
        attempt = context.ports.store.begin(intent, context.terms.caps, allow)
        context.ports.receipts.intent(attempt, intent.account)
    except StateError as error:
        _take_back(context, intent, error.message)
        raise
    return attempt


def _take_back(context: AttemptContext, intent: NewAttempt, why: str) -> None:
    """Close an intent that exists although its commit failed (SQLite cannot always tell): no request followed it."""
    for attempt in context.ports.store.attempts(intent.key):
        if attempt.marker == intent.marker and attempt.state is State.SUBMITTING:
            context.ports.store.move(attempt, State.NOT_SENT, Facts(message=why))
            with suppress(StateError):  # only needed if the database is lost later; the intent may have no line
                context.ports.receipts.void(attempt)


@asynccontextmanager
async def _slot(context: AttemptContext) -> AsyncIterator[Send]:
    """Wait for the provider's slot for one submit. It may take minutes, so an interrupt ends the wait."""
    async with AsyncExitStack() as stack:
        entering = asyncio.ensure_future(stack.enter_async_context(context.provider.transport.slot()))
        try:
            if context.provider.durable:
                context.say_waiting(f"waits for its turn at {context.provider.alias}")
            await context.control.unless_halted(entering)
            context.require_open()
            send = entering.result()
            if context.provider.durable:
                context.say_waiting(f"sending to {context.provider.alias}")
        except ProviderError as error:
            raise _no_slot(context, error) from error
        yield send


def _no_slot(context: AttemptContext, error: ProviderError) -> StepEnded:
    if error.code == "credentials":
        context.control.refused = True
        context.control.stopped[context.provider.alias] = f"{context.provider.alias}: {error.message}"
        return StepEnded(
            EventKind.FAILED, error.message, error.help or f"fix the credentials, then run: {command('apply')}"
        )
    return StepEnded(EventKind.SKIPPED, error.message, error.help or f"{command('apply')} carries on later")


def _intent(context: AttemptContext, order: Order, job: Job) -> NewAttempt:
    price = order.wanted.cost
    return NewAttempt(
        key=context.step.key,
        clip=context.step.clip,
        take=context.step.take,
        provider=context.provider.alias,
        kind=context.provider.kind,
        model=order.wanted.model,
        marker=job.marker,
        document=order.wanted.document,
        seed=job.seed,
        cost_micros=to_micros(price.amount),
        currency=price.currency,
        run=context.terms.run,
        account=context.provider.transport.account if context.provider.durable else "",
        endpoint=context.provider.endpoint,
        expires_after=job.expires_after,
        slots=context.provider.pace.concurrency if context.provider.durable else 0,
        patience=2 * context.provider.transport.submit_silence,
        spacing=1 / rate if (rate := context.provider.pace.requests_per_second) > 0 else 0.0,
        permit=context.ports.receipts.place,
    )


async def _send(context: AttemptContext, send: Send, request: Request, attempt: Attempt) -> SubmitAnswer:
    context.control.open += context.provider.durable
    try:
        reply = await _refusal(context, attempt) or await send(request)
        answer = reply if isinstance(reply, NotSent | Unknown) else _answer(context, reply)
        answer = _without_secrets(answer, context.provider.transport.redact)
        _record(context, attempt, answer)
    finally:
        context.control.open -= context.provider.durable
    return answer


def _answer(context: AttemptContext, reply: Reply) -> SubmitAnswer:
    """Return the meaning of a reply; the draft renderer, a part of this program, may say more than a vendor can."""
    answer = context.provider.dialect.read_submit(reply)
    return proved(reply, answer) if context.provider.durable else answer


async def _refusal(context: AttemptContext, attempt: Attempt) -> NotSent | None:
    """Return why the request must not be sent, None if it may: of a team, the first to create its receipt decides."""
    shared = context.ports.receipts.shared
    if shared is None or not context.provider.durable:
        return None
    reason = await asyncio.wrap_future(shared.permission(attempt.marker))
    return NotSent(reason) if reason else None


def _without_secrets(answer: SubmitAnswer, redact: Callable[[str], str]) -> SubmitAnswer:
    """Redact the texts of an answer. Those of an acceptance wait until its task is on record."""
    match answer:
        case Rejected(code=code, message=message):
            return replace(answer, code=redact(code), message=redact(message))
        case NotSent(message) | Unknown(message):
            return replace(answer, message=redact(message))
    return answer


def _stop_after_complaint(context: AttemptContext, answer: SubmitAnswer) -> None:
    """Stop submitting to a provider that refuses in words that prove nothing, such as an empty account under a new
    code: it would leave every clip of the run in doubt. The slot is still held, so no other request has gone out."""
    if isinstance(answer, Unknown) and answer.complaint:
        alias, clip = context.provider.alias, context.step.name
        text = f"{alias} answered {clip} with an unlisted refusal; nothing more is submitted to it in this run"
        context.control.stopped.setdefault(alias, text)


def _seed(context: AttemptContext, order: Order) -> int | None:
    """Draw a seed: it makes a clip reproducible and a lost task recognisable. Drafts need neither."""
    takes_seed = order.resolved.model.seed_max is not None and context.provider.durable and not order.clip.draft
    return context.ports.seed() if takes_seed and order.clip.spec.seed is None else None


def _mark(context: AttemptContext, job: Job) -> int | None:
    """Draw the number that the task will show, unlike that of any other attempt without a task."""
    dialect = context.provider.dialect
    values = dialect.marks(job) if isinstance(dialect, Marks) else range(0)
    if not values:
        return None
    first, taken = context.ports.seed(), context.ports.store.marks()
    return next(value for n in range(len(values)) if (value := values[(first + n) % len(values)]) not in taken)


def _record(context: AttemptContext, attempt: Attempt, answer: SubmitAnswer) -> None:
    """Write the answer to receipts and database, each even if the other fails. Nothing may interrupt this."""
    try:
        if context.provider.durable:
            _receipt(context, attempt, answer)
    finally:
        _commit(context, attempt, answer)


def _commit(context: AttemptContext, attempt: Attempt, answer: SubmitAnswer) -> None:
    match answer:
        case Accepted(task):
            _accept(context, attempt, task)
        case Rejected(refusal, code, message):
            facts = Facts(reason=refusal.value, message=message, evidence={"code": code})
            context.ports.store.move(attempt, State.REFUSED, facts)
        case NotSent(message):
            context.ports.store.move(attempt, State.NOT_SENT, Facts(message=message))
        case Unknown(message):
            context.ports.store.move(attempt, State.UNCERTAIN, Facts(message=message))


def _accept(context: AttemptContext, attempt: Attempt, task: str) -> None:
    """Record an accepted task. If the database cannot, report the task and stop submitting to this provider."""
    try:
        context.ports.store.move(attempt, State.ACCEPTED, Facts(task=task))
    except StateError as error:
        if error.code == "task-taken":
            text = f"the provider answered with task {task}, which belongs to another clip"
            context.ports.store.move(attempt, State.UNCERTAIN, Facts(message=text))
            return
        context.control.stopped[context.provider.alias] = f"{context.provider.alias}: {error.message}"
        text = f"task {task} was accepted and is paid for, but could not be recorded: {error.message}"
        help = f"fix that, then run: {command('apply')} (the receipts have the task)"
        code = "task-unrecorded" if error.code == "elsewhere" else error.code  # not to be followed: this was paid, too
        raise StateError(text, help=help, code=code) from error


def _receipt(context: AttemptContext, attempt: Attempt, answer: SubmitAnswer) -> None:
    match answer:
        case Accepted(task):
            context.ports.receipts.accepted(attempt, task)
        case Rejected() | NotSent():
            context.ports.receipts.void(attempt)
        case Unknown():
            pass  # the intent stays open


def _after_submit(context: AttemptContext, answer: SubmitAnswer) -> Pause | None:
    """Act on an answer that is on record: report it, try again, or end the generation."""
    alias = context.provider.alias
    if not isinstance(answer, NotSent):
        context.control.answered.add(alias)
    match answer:
        case Accepted(task, warning):
            message = context.provider.transport.redact(warning)
            context.say(EventKind.SUBMITTED, task=task if context.provider.durable else None, message=message)
        case Rejected(Refusal.CREDENTIALS | Refusal.ACCOUNT | Refusal.TOKEN as refusal, _, message):
            context.control.stopped[alias] = f"{alias} refused: {refusal.value}"
            context.control.refused = context.control.refused or refusal is not Refusal.ACCOUNT
            help = f"fix the account, then run: {command('apply')}"
            raise StepEnded(EventKind.FAILED, f"{refusal.value}: {message}", help)
        case Rejected(Refusal.BUSY, _, message):
            return _try_again(context, f"{alias} is busy", f"busy: {message}")
        case Rejected(refusal, _, message):
            raise StepEnded(EventKind.FAILED, f"refused ({refusal.value}): {message}")
        case NotSent(message, closed):
            is_closed = closed and alias not in context.control.answered
            return _try_again(context, message, f"not sent: {message}", CLOSED_TRIES if is_closed else TRIES)
        case Unknown():
            pass  # the record says UNCERTAIN: the next step handles that
    return None


def _try_again(context: AttemptContext, reason: str, failure: str, most: int = TRIES) -> Pause:
    """Return the wait before another try: nothing was bought. Raises StepEnded after the `most` tries."""
    context.counters.tries += 1
    if context.counters.tries >= most:
        help = f"nothing was bought; {command('apply')} tries again"
        if most == CLOSED_TRIES:  # every other clip would wait for the same answer
            alias = context.provider.alias
            context.control.stopped.setdefault(alias, f"{alias}: {reason}")
            help = f"nothing was bought; check base_url of {alias} and its server, then run: {command('apply')}"
        raise StepEnded(EventKind.FAILED, failure, help)
    context.counters.sent = False
    return Pause(2.0**context.counters.tries, reason, nothing_sent=True)


async def _finish(sending: Awaitable[SubmitAnswer]) -> SubmitAnswer:
    """Wait for the answer even if the caller is cancelled: an accepted submit would lose its task id."""
    task = asyncio.ensure_future(sending)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:  # it may come more than once
            cancelled = True
    answer = task.result()
    if cancelled:
        raise asyncio.CancelledError
    return answer
