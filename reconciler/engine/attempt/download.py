"""Downloads a result into the store: data before reference, reference before use."""

from __future__ import annotations

from dataclasses import replace

from reconciler.artifacts.store import Part
from reconciler.diagnostics import ClipformError, MediaError, ProviderError
from reconciler.engine.attempt.check_video import facts_of, mismatch
from reconciler.engine.attempt.context import AttemptContext
from reconciler.engine.attempt.same_file import same_file
from reconciler.engine.control import StepEnded
from reconciler.events import EventKind
from reconciler.money import to_micros
from reconciler.next_command import command
from reconciler.plan import estimate
from reconciler.project.priced import is_absurd
from reconciler.providers.base import Succeeded
from reconciler.records import Artifact, Attempt, Generation, State
from reconciler.state.ledger import Facts

FETCHES = 3
"""How often a result is downloaded before the attempt is set aside."""
UNSOUND = "input"
"""The code of a MediaError that is a verdict on the bytes. Any other is trouble of the process that examines them."""
LINK_DEAD = "link-dead"
"""The code of a ProviderError for a link that will never work again: a fresh one is needed."""
LINK_REFUSED = "link-refused"
"""The code of a ProviderError for a link that is never followed, such as one over http."""


async def download(context: AttemptContext, attempt: Attempt) -> None:
    """Download from the current link, check that it is a sound video, make it durable, record it."""
    result, context.result = context.result, None
    assert result is not None
    context.counters.fetches += 1
    try:
        with context.ports.objects.part(f"attempt-{attempt.id}") as part:
            part.expect(0)  # a disk that is almost full fails here; the length comes later, if at all
            await context.provider.transport.fetch(result.video, part)
            video = await _checked(context, part, attempt)
            stored = part.commit(video.suffix)
            artifact = replace(video, sha256=stored.sha256, size=stored.size)
    except ClipformError as error:
        _not_stored(context, context.ready(attempt), error)
        return
    micros, nonsense = _cost(context, attempt, result)
    shared = same_file(attempt, context.ports.store.makers(artifact.sha256)) if context.provider.durable else ""
    generation = Generation(
        key=attempt.key,
        sha256=artifact.sha256,
        document=attempt.document,
        **attempt.provenance(
            task=attempt.task if context.provider.durable else None,  # a local task's id means nothing later
            seed=result.seed if result.seed is not None else attempt.seed,
            cost_micros=micros,
        ),
        created=context.ports.clock.now(),
        elapsed=context.ports.clock.now() - attempt.created,
        mismatch="; ".join(filter(None, (mismatch(context.order, artifact) if context.order else "", shared))),
    )
    evidence: dict[str, object] = {"made": dict(result.actual)} if result.actual else {}  # as the provider reports it
    evidence |= {"usage": nonsense} if nonsense else {}
    facts = Facts(cost_micros=generation.cost_micros, evidence=evidence)
    await context.ports.keep(artifact.sha256, artifact.suffix)  # before the record that says that it can be had
    context.ports.store.fetched(attempt, artifact, generation, facts)
    context.artifact = artifact
    context.ports.inputs.returned.note(context.provider.alias, artifact.sha256, result, context.provider.pace.link_life)
    context.say(EventKind.FETCHED, task=attempt.task)
    if nonsense:
        text = f"{context.provider.alias} reports {nonsense}, which cannot be: its cost is unknown"
        context.say(EventKind.NOTE, message=f"{context.step.name}: {text} and stays booked as estimated")
    if generation.mismatch:
        context.say(EventKind.NOTE, message=f"{context.step.name}: {generation.mismatch}; it is kept as it is")


async def _checked(context: AttemptContext, part: Part, attempt: Attempt) -> Artifact:
    """Return the facts of a sound video. The last try's bytes are kept when it is not: they were paid for."""
    try:
        return await facts_of(part.path, context.ports.workers)
    except MediaError as error:
        if error.code == UNSOUND and context.counters.fetches >= FETCHES and context.provider.durable:
            quarantined = context.ports.objects.quarantine(part, f"attempt-{attempt.id}")
            raise MediaError(f"{error.message}; kept as state/quarantine/{quarantined.name}", code=UNSOUND) from error
        raise


def _cost(context: AttemptContext, attempt: Attempt, result: Succeeded) -> tuple[int | None, str]:
    """Return the cost in millionths, and the reported figure that cannot be, if there is one: then, and where usage is
    not billed, the cost is the estimate."""
    order, usage = context.order, result.usage
    if order is None or not estimate.bills_tokens(order.prices, order.priced):
        return attempt.cost_micros, ""
    if usage.tokens is None:
        return attempt.cost_micros, usage.nonsense
    tier = str(result.actual.get("tier", order.priced.tier))  # a later plan may choose another one
    priced = replace(order.priced, tier=tier)
    used = estimate.settled(order.prices, priced, usage.tokens)
    if used is None or is_absurd(order.resolved.model, priced, usage.tokens):
        return attempt.cost_micros, f"{usage.tokens} tokens"
    return to_micros(used), ""


def _not_stored(context: AttemptContext, attempt: Attempt, error: ClipformError) -> None:
    """Act on a download that failed: try again, set the attempt aside after a few tries, or end this run for it."""
    match error:
        case ProviderError():
            _not_fetched(context, attempt, error)
        case MediaError(code=code) if code == UNSOUND:
            if context.counters.fetches >= FETCHES:
                context.move(attempt, State.QUARANTINED, Facts(message=error.message))
        case MediaError():
            again = f"it is paid for and kept; {command('apply')} downloads it again"
            help = "\n".join(filter(None, (error.help, again)))
            raise StepEnded(EventKind.FAILED, f"not examined: {error.message}", help) from error
        case _:
            raise error


def _not_fetched(context: AttemptContext, attempt: Attempt, error: ProviderError) -> None:
    """Give up after a few tries: a dead link means that the result expired. Any other trouble may pass: the task is
    paid for and stays READY, for this run or a later one."""
    if context.counters.fetches < FETCHES:
        return
    if error.code == LINK_DEAD:
        context.move(attempt, State.RESULT_EXPIRED, Facts(message=error.message))
        return
    help = f"it is paid for and kept; {command('apply')} downloads it"
    if error.code == LINK_REFUSED:
        by_hand = command("import", context.step.clip, "--file", "VIDEO.mp4")
        help = f"it is paid for; download it from the provider's console, then run: {by_hand}"
    raise StepEnded(EventKind.FAILED, f"not downloaded: {error.message}", help)
