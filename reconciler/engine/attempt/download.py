"""Collecting: from a link to an artifact that is durable in the store. Data before reference, reference before use."""

from __future__ import annotations

from dataclasses import replace

from reconciler.artifacts.store import Part
from reconciler.diagnostics import MediaError, ProviderError
from reconciler.engine.attempt.check_video import facts_of, mismatch
from reconciler.engine.attempt.context import AttemptContext
from reconciler.engine.control import StepEnded
from reconciler.events import EventKind
from reconciler.plan import cost
from reconciler.providers.base import Succeeded
from reconciler.records import Artifact, Attempt, Generation, State, to_micros
from reconciler.state.store import Facts

FETCHES = 3
"""How often a result is fetched anew before the attempt is put aside."""
UNSOUND = "input"
"""The code of a MediaError that is a verdict on the bytes. Any other is trouble of whoever was to examine them."""
LINK_DEAD = "link-dead"
"""The code of a ProviderError that says: this link will never work again, ask for a fresh one."""


async def download(work: AttemptContext, attempt: Attempt) -> None:
    """Download from the link at hand, prove it a sound video, make it durable, record it."""
    result, work.result = work.result, None
    assert result is not None
    work.fetches += 1
    try:
        with work.ports.objects.part(f"attempt-{attempt.id}") as part:
            part.expect(0)  # a disk that is all but full is no place to begin; the length is told later, if at all
            await work.vendor.transport.fetch(result.video, part)
            video = await _proven(work, part, attempt)
            stored = part.commit(video.suffix)
            artifact = replace(video, sha256=stored.sha256, size=stored.size)
    except ProviderError as error:
        _not_fetched(work, attempt, error)
        return
    except MediaError as error:
        if error.code != UNSOUND:
            help = "\n".join(filter(None, (error.help, "it is paid for and kept; clipform apply fetches it again")))
            raise StepEnded(EventKind.FAILED, f"not examined: {error.message}", help) from error
        if work.fetches >= FETCHES:
            work.move(attempt, State.QUARANTINED, Facts(message=error.message))
        return
    generation = Generation(
        key=attempt.key,
        sha256=artifact.sha256,
        document=attempt.document,
        **attempt.provenance(
            task=attempt.task if work.vendor.durable else None,  # a local task's id means nothing later
            seed=result.seed if result.seed is not None else attempt.seed,
            cost_micros=_cost(work, attempt, result),
        ),
        created=work.ports.clock.now(),
        elapsed=work.ports.clock.now() - attempt.created,
        mismatch=mismatch(work.order, artifact) if work.order else "",
    )
    said = {"made": dict(result.actual)} if result.actual else {}  # what the server chose, as it says
    work.ports.store.fetched(attempt, artifact, generation, Facts(cost_micros=generation.cost_micros, evidence=said))
    work.made = artifact
    work.ports.inputs.returned.note(work.vendor.alias, artifact.sha256, result, work.vendor.pace.link_life)
    work.say(EventKind.FETCHED, task=attempt.task)
    if generation.mismatch:
        work.say(EventKind.NOTE, message=f"{work.step.name}: {generation.mismatch}; it is kept as it came")


async def _proven(work: AttemptContext, part: Part, attempt: Attempt) -> Artifact:
    """The facts of a sound video. The last try's bytes are kept when it is not: they were paid for."""
    try:
        return await facts_of(part.path, work.ports.workers)
    except MediaError as error:
        if error.code == UNSOUND and work.fetches >= FETCHES and work.vendor.durable:
            kept = work.ports.objects.quarantine(part, f"attempt-{attempt.id}")
            raise MediaError(f"{error.message}; kept as state/quarantine/{kept.name}", code=UNSOUND) from error
        raise


def _cost(work: AttemptContext, attempt: Attempt, result: Succeeded) -> int | None:
    """What it cost: by the usage that the provider reports where that is how it bills, else as estimated."""
    if work.order is None:
        return attempt.cost_micros
    used = cost.settled(work.order.prices, attempt.model, work.order.resolution, result.usage.tokens)
    return attempt.cost_micros if used is None else to_micros(used)


def _not_fetched(work: AttemptContext, attempt: Attempt, error: ProviderError) -> None:
    """A dead link is asked for anew; after a few of them the result is gone. Any other trouble may pass: the task
    is paid for and stays READY, for this run or a later one."""
    if work.fetches < FETCHES:
        return
    if error.code == LINK_DEAD:
        work.move(attempt, State.RESULT_EXPIRED, Facts(message=error.message))
        return
    raise StepEnded(
        EventKind.FAILED, f"not fetched: {error.message}", "it is paid for and kept; clipform apply fetches it"
    )
