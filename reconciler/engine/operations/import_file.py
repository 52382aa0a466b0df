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
from reconciler.project.orders import Order
from reconciler.records import BLOCKED, OPEN, Artifact, Generation


def import_file(session: Session, order: Order, path: Path) -> Generation:
    """Use a video file as the result of a clip's current key, at no cost. Raises ClipformError, MediaError."""
    wanted, key = order.wanted, order.wanted.key
    snapshot = session.store.snapshot()
    attempt = snapshot.attempts.get(key)
    if attempt is not None and attempt.state in OPEN | BLOCKED:
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
        provider=wanted.provider,
        kind=wanted.kind,
        model=wanted.model,
        created=session.clock.now(),
        mismatch=mismatch(order, artifact),
        origin="imported",
    )
    session.store.adopt(generation, artifact, order.clip.name, note=f"imported from {path.name}")
    return generation
