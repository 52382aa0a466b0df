"""`push` and `pull`: the videos of a working copy to the shared cache of its team, and back. Neither buys anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from reconciler.artifacts.shelf import Claim
from reconciler.diagnostics import ClipformError
from reconciler.engine.connections.providers import LOCAL, Connect
from reconciler.engine.ports import Sink
from reconciler.engine.run.apply import ApplyOptions, Run
from reconciler.engine.run.lockfile_sync import line_of, lines_of
from reconciler.engine.run.session import Session, look
from reconciler.engine.run.shared_cache import SharedCache
from reconciler.events import Summary
from reconciler.frozen import dataclass
from reconciler.plan.model import Action, Plan
from reconciler.project.model import Choice, Loaded
from reconciler.records import Binding, LockEntry, Snapshot


@dataclass(frozen=True, slots=True)
class Pushed:
    """How many videos were put into the shared cache, and why others were not."""

    count: int
    errors: tuple[ClipformError, ...] = ()


def push(session: Session, choice: Choice, *, again: bool) -> Pushed:
    """Put the videos of the chosen clips into the shared cache, unless they were seen there (and not `again`). Earlier
    versions too: lock files of earlier commits, and frozen seams, name them.

    Raises ClipformError for a project without `cache`, SpecError, UsageError before anything is done.
    """
    loaded = session.workspace.load()
    cache = _cache(session, loaded, "push")
    entries = [*_earlier(session), *lines_of(session, loaded).values()]
    if choice.clips or choice.exclude:
        clips = {step.clip for step in session.workspace.plan(choice, loaded, session.store.snapshot()).plan.steps}
        entries = [entry for entry in entries if entry.clip in clips]
    chosen = cache.unshared(entries, again=again)
    try:
        cache.shelf.set_up()
    except ClipformError as error:
        return Pushed(0, (error,))
    errors = asyncio.run(cache.share(chosen, again=again))
    return Pushed(sum(cache.shelf.memory.has(e.key, e.sha256) for e in chosen), tuple(errors))


def _earlier(session: Session) -> Iterator[LockEntry]:
    """Yield what was ever bought here, as lines of a lock file. With a database each is shared when it is recorded."""
    snapshot = Snapshot() if session.store.is_shared else session.store.snapshot()
    for attempt in snapshot.attempts.values():
        generation = snapshot.generations.get(attempt.key)
        if generation is not None and generation.sha256 == attempt.sha256 and generation.kind != LOCAL:
            artifact = snapshot.artifacts[generation.sha256]
            yield line_of(
                Binding(attempt.clip, attempt.take, attempt.key), generation, artifact, None, snapshot.rehearsals
            )


def pull(session: Session, choice: Choice, sink: Sink, connect: Connect) -> Summary | None:
    """Fetch what the chosen clips lack from the shared cache, and place it; None without any. Raises as `push`."""
    _cache(session, session.workspace.load(), "pull")
    planned = look(session, replace(choice, pull=True))
    placed = [s for s in planned.plan.steps if s.action is Action.RESTORE and not s.needs_a_maker]
    if not placed:
        return None
    free = replace(planned, plan=Plan(tuple(placed), currency=planned.plan.currency))
    return Run(session, free, ApplyOptions(choice), sink, connect).execute()


def _cache(session: Session, loaded: Loaded, doing: str) -> SharedCache:
    section = loaded.project.cache
    if not section or section[doing] == "off":
        text = f"the project file says `{doing}: off` under cache" if section else "the project has no shared cache"
        help = "declare it in the project file:\ncache: {remote: s3://bucket/clips}"
        raise ClipformError(text, help="" if section else help, code="no-cache")
    return SharedCache.of(session, section)


def foreign_claim(session: Session, clip: str, take: int | None) -> Claim | None:
    """Return the claim by which another working copy keeps this one from buying a clip; None without one. Raises
    ArtifactError if the shared cache cannot be asked."""
    loaded = session.workspace.load()
    cache = SharedCache.of(session, loaded.project.cache)
    wanted = [order.wanted for order in loaded.orders if order.clip.name == clip and take in (None, order.take)]
    claims = (cache.foreign(w.key, w.rehearses) for w in wanted)
    return next((claim for claim in claims if claim is not None), None)


def release(session: Session, claim: Claim) -> None:
    """Delete the claim of another working copy, as the user decided: its key may be bought here."""
    session.store.note("resolve --resubmit", "", {"claim": claim.marker, "key": claim.key, "machine": claim.machine})
    SharedCache.of(session, session.workspace.load().project.cache).shelf.release(claim)
