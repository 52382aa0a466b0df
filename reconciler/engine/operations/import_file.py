"""`import --file`: use an existing video as the result of a clip's current spec."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from reconciler.diagnostics import ClipformError
from reconciler.engine.attempt.check_video import facts_of, mismatch
from reconciler.engine.run.session import Session
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.next_command import command
from reconciler.plan.rehearsals import set_aside
from reconciler.project.orders import Order
from reconciler.records import BLOCKED, LOOKED_AT_AGAIN, OPEN, Artifact, Attempt, Generation, State
from reconciler.state.ledger import Facts


def import_file(session: Session, order: Order, path: Path) -> Generation:
    """Use a video file as the result of a clip's current key, at no cost; also as that of a paid task whose video
    cannot be fetched. Raises ClipformError, MediaError."""
    wanted, key = order.wanted, order.wanted.key
    snapshot, _ = set_aside(session.store.snapshot(), {}, [wanted])
    attempt = snapshot.attempts.get(key)
    paid = attempt if attempt is not None and attempt.state in LOOKED_AT_AGAIN | {State.READY} else None
    if paid is None and attempt is not None and attempt.state in OPEN | BLOCKED:
        raise ClipformError(f"{order.clip.name} has an unresolved task", help=command("show", order.clip.name))
    if key in snapshot.generations:
        help = f"to make another version, run:\n{command('retake', order.clip.name)}"
        raise ClipformError(f"{order.clip.name} already has a result for its current spec", help=help)

    async def facts() -> Artifact:
        async with aclosing(DraftRenderer(session.workspace.state_dir(session.draft) / "scratch", 1)) as renderer:
            return await facts_of(path, renderer)

    video = asyncio.run(facts())
    stored = session.objects.add(path, ".mp4")
    artifact = replace(video, sha256=stored.sha256, size=stored.size)
    generation = Generation(
        key=key,
        sha256=stored.sha256,
        document=wanted.document,
        **(paid.provenance() if paid else {name: getattr(wanted, name) for name in ("provider", "kind", "model")}),
        created=session.clock.now(),
        mismatch=mismatch(order, artifact),
        origin="imported",
    )
    if paid is None:
        session.store.adopt(generation, artifact, order.clip.name, note=f"imported from {path.name}")
    else:
        _collect(session, paid, artifact, generation)
    return generation


def _collect(session: Session, attempt: Attempt, artifact: Artifact, generation: Generation) -> None:
    """Record the video of a paid task that the user fetched by other means."""
    with session.store.transaction():
        session.store.note("import --file", attempt.clip, {"attempt": attempt.id, "sha256": artifact.sha256})
        if attempt.state is not State.READY:
            attempt = session.store.move(attempt, State.ACCEPTED, Facts(task=attempt.task))
            attempt = session.store.move(attempt, State.READY)
        session.store.fetched(attempt, artifact, generation)
