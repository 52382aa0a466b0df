"""Taking care of what is there: destroy, gc, verify, import. Everything here is free."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.artifacts import files
from reconciler.artifacts.store import Health, Stored
from reconciler.diagnostics import ArtifactError, ClipformError
from reconciler.engine import pictures
from reconciler.engine.attempt.check_video import mismatch
from reconciler.engine.connections.providers import Connect
from reconciler.engine.ports import Sink
from reconciler.engine.session import Asked, Session, carry_out
from reconciler.events import Summary
from reconciler.media.farm import Farm
from reconciler.media.probe import probe
from reconciler.plan.model import Action, Plan, Reason, Step
from reconciler.plan.ways import quote
from reconciler.project.finding import Finding
from reconciler.project.model import Choice, Confirm, Planned
from reconciler.project.orders import Order
from reconciler.project.workspace import STATE, Workspace
from reconciler.records import BLOCKED, OPEN, Artifact, Generation, Snapshot


def destroy(session: Session, choice: Choice, confirm: Confirm, sink: Sink, connect: Connect) -> Summary:
    """Remove the outputs and bindings of the chosen clips. Raises Refused when that is not confirmed."""
    workspace = session.workspace
    loaded = workspace.load(choice.draft)
    planned = workspace.plan(choice, loaded, session.store.snapshot())
    plan = destruction(planned, planned.scope.only)
    confirm(plan)
    return carry_out(session, replace(planned, plan=plan), Asked(choice), sink, connect)


def destruction(planned: Planned, chosen: frozenset[str] | None) -> Plan:
    """The plan of `destroy`: every output and binding of the chosen clips goes; what is protected or edited stays."""
    protected = {order.clip.name for order in planned.loaded.orders if order.clip.protect}
    steps: list[Step] = []
    unbind: list[tuple[str, int]] = []
    for (clip, take), bound in sorted(planned.snapshot.bindings.items()):
        if chosen is not None and clip not in chosen:
            continue
        if clip in protected:
            steps.append(Step(clip, take, Action.BLOCKED, Reason.PROTECTED, bound.key, output=bound.output))
            continue
        unbind.append((clip, take))
        fact = planned.disk.outputs.get(bound.output or "")
        if bound.output is None or fact is None or not fact.exists:
            continue
        placed = planned.snapshot.placed.get(bound.output)
        ours = placed is not None and placed.sha256 == fact.sha256
        reason = Reason.DESTROYED if ours else Reason.EDITED
        steps.append(Step(clip, take, Action.REMOVE, reason, bound.key, output=bound.output))
    return Plan(tuple(steps), unbind=tuple(unbind))


def garbage(session: Session, snapshot: Snapshot) -> list[Stored]:
    """Objects that no binding, no open or blocked attempt and no line of the lock file names, and stray frames. What
    was imported or adopted stays: its generation, which would go too, is all that is known of it. An attempt of its key
    that made something else, or nothing, knows nothing of it."""
    kept = {snapshot.generations[b.key].sha256 for b in snapshot.bindings.values() if b.key in snapshot.generations}
    kept |= {a.sha256 for a in snapshot.attempts.values() if a.sha256 and a.state in OPEN | BLOCKED}
    kept |= {entry.sha256 for entry in session.workspace.lock_entries()}
    made_here = {(key, attempt.sha256) for key, attempt in snapshot.attempts.items()}
    kept |= {made.sha256 for key, made in snapshot.generations.items() if (key, made.sha256) not in made_here}
    return [item for item in session.objects if item.sha256 not in kept]


def collect(session: Session, items: Sequence[Stored]) -> None:
    """Delete objects: the row first, so that nothing ever names what is gone. Their posters go with them."""
    known = session.store.snapshot().artifacts
    for item in items:
        if item.sha256 in known:
            session.store.drop_artifact(item.sha256)
        session.objects.delete(item.sha256, item.suffix)
        pictures.forget(session.workspace.root / STATE / "cache", item.sha256)


def verify(workspace: Workspace, draft: bool) -> Iterator[Finding]:
    """Re-hash every artifact and every output that we placed."""
    snapshot, objects = workspace.snapshot(draft), workspace.objects(draft)
    needed = {made.sha256 for made in snapshot.generations.values()}
    for artifact in sorted(snapshot.artifacts.values(), key=lambda a: a.sha256):
        health = objects.verify(artifact.sha256, artifact.suffix)
        if health is Health.MISSING and artifact.sha256 not in needed:
            continue
        name = f"{artifact.sha256[:12]}{artifact.suffix}"
        yield Finding(name, health is Health.SOUND, health.value, _mend(health))
    holders = {bound.output: quote(bound.clip) for bound in snapshot.bindings.values()}
    for path, placed in sorted(snapshot.placed.items()):
        yield _output(workspace.root / path, path, placed.sha256, holders.get(path, "CLIP"))


def _mend(health: Health) -> str:
    if health is Health.SOUND:
        return ""
    first = "put its file back into" if health is Health.MISSING else "delete it from"
    return f"{first} state/objects; clipform plan says what it takes to have it"


def _output(full: Path, path: str, sha256: str, clip: str) -> Finding:
    try:
        with files.folder(full.parent) as within, files.opened(full.name, within) as descriptor:
            same = files.digest(descriptor)[0] == sha256
    except FileNotFoundError:
        return Finding(path, False, "missing", "clipform apply restores it")
    except (OSError, ArtifactError):
        return Finding(path, False, "not a readable file")
    return Finding(path, same, "as placed" if same else "edited since it was placed", f"clipform apply --force {clip}")


def adopt_file(session: Session, order: Order, path: Path) -> Generation:
    """Take a video file as the result of a clip's current key, without paying. Raises ClipformError, MediaError."""
    key = order.wanted.key
    snapshot = session.store.snapshot()
    attempt = snapshot.attempts.get(key)
    if attempt is not None and attempt.state in OPEN | BLOCKED:
        raise ClipformError(
            f"{order.clip.name} has a task that is not settled", help=f"clipform show {order.clip.name}"
        )
    if key in snapshot.generations:
        help = f"another version is a new take:\nclipform retake {order.clip.name}"
        raise ClipformError(f"{order.clip.name} already has an artifact for what it says now", help=help)

    async def facts() -> Artifact:
        farm = Farm(session.workspace.state_dir(session.draft) / "scratch", 1)
        try:
            found = await farm.run(probe, path)
        finally:
            await farm.aclose()
        return Artifact("", 0, ".mp4", found.duration_ms, found.width, found.height, found.audio)

    video = asyncio.run(facts())
    stored = session.objects.add(path, ".mp4")
    artifact = replace(video, sha256=stored.sha256, size=stored.size)
    made = Generation(
        key=key,
        sha256=stored.sha256,
        document=order.wanted.document,
        provider=order.wanted.provider,
        kind=order.wanted.kind,
        model=order.wanted.model,
        created=session.clock.now(),
        mismatch=mismatch(order, artifact),
        origin="imported",
    )
    session.store.adopt(made, artifact, order.clip.name, note=f"imported from {path.name}")
    return made
