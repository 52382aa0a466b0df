"""Keeps the marked copies of outputs, after everything else of a run. They cost nothing and are made again at will."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from reconciler.artifacts import files
from reconciler.artifacts.place import Placer
from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ArtifactError, ClipformError
from reconciler.engine.ports import Sink, Workers
from reconciler.engine.run.session import Session
from reconciler.events import Event, EventKind
from reconciler.media.marks.read import AIGC, C2PA, marks
from reconciler.media.marks.sign import sign
from reconciler.media.marks.write import write
from reconciler.plan.marks import FOLDER, Marking
from reconciler.project.marked import Copy, copies, markings
from reconciler.project.model import Loaded
from reconciler.records import Artifact, Placed
from reconciler.state.paths import MARKS


async def keep(session: Session, loaded: Loaded, workers: Workers, sink: Sink) -> None:
    """Write each marked copy that is missing or differs from what the project asks for. A copy that cannot be written
    is noted and stops nothing: the video itself is in place."""
    file = session.workspace.state_dir(False) / MARKS
    current, signs = copies(file), loaded.project.provenance is not None and loaded.project.provenance.c2pa is not None
    before = dict(current)
    try:
        for marking in markings(loaded, session.store.snapshot([w.key for w in loaded.wanted])):
            copy = current.get(marking.output)
            placed = None if copy is None else Placed(marking.output, copy.sha256, 0, 0, 0)
            if copy is not None and copy.key == marking.key and session.placer.record(marking.output, copy.sha256):
                continue
            try:
                current[marking.output] = await _written(session, loaded, marking, placed, workers)
            except ClipformError as error:
                text = f"{marking.output} was not written: {error.message}"
                sink.emit(Event(EventKind.NOTE, marking.clip, message=text))
            else:
                if signs:  # no two signatures are alike, so a copy that is not on record would be taken for the user's
                    _save(file, current)
        outputs = {f"{FOLDER}/{w.output}" for w in loaded.wanted}
        for path in current.keys() - outputs:
            session.placer.remove(path, Placed(path, current.pop(path).sha256, 0, 0, 0))
    finally:
        if current != before:
            _save(file, current)


def _save(file: Path, current: Mapping[str, Copy]) -> None:
    with suppress(OSError):
        files.write_cache(file, current, lambda copy: [*asdict(copy).values()])


def _identity(session: Session, loaded: Loaded) -> tuple[str, str] | None:
    """Return the chain of certificates and the private key of signatures, None without any. Raises ArtifactError for
    one that cannot be read; the key is from the environment and is stored nowhere."""
    settings = loaded.project.provenance.c2pa if loaded.project.provenance else None
    if settings is None:
        return None
    key = session.workspace.env.get(settings.key.env)
    if not key:
        raise ArtifactError(f"{settings.key.env} is not set in the environment", help="set it to the key, as PEM")
    try:
        return (session.workspace.root / settings.certificate).read_text(encoding="utf-8"), key
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{settings.certificate} cannot be read", code="c2pa") from error


async def _written(session: Session, loaded: Loaded, marking: Marking, placed: Placed | None, workers: Workers) -> Copy:
    """Write and place one copy. Raises MediaError, and ArtifactError where a mark of the vendor would be lost."""
    identity, source = _identity(session, loaded), session.objects.path(marking.source, ".mp4")
    before = await workers.run(marks, source)
    if C2PA in before and identity is None:
        text = "mark lost: the vendor signed this video, and a copy with our marks would not have its signature"
        raise ArtifactError(text, help="sign copies, too: provenance: {c2pa: …}", code="mark-lost")
    folder = Objects(session.workspace.state_dir(False) / "copies")
    with folder.part("mark") as plain, folder.part("signed") as final:
        await workers.run(write, marking.order, source, plain.path)
        target = plain if identity is None else final
        if identity is not None:
            shown = [session.objects.path(sha256, ".mp4") for sha256 in marking.shows]
            await asyncio.to_thread(sign, plain.path, final.path, marking.assertion, shown, identity)
        after = await workers.run(marks, target.path)
        if AIGC in before and after.get(AIGC) != before[AIGC]:
            raise ArtifactError("mark lost: the vendor's label AIGC is not in the copy", code="mark-lost")
        stored = target.commit(".mp4")
    artifact = Artifact(stored.sha256, stored.size, ".mp4")
    Placer(session.workspace.root, folder).place(marking.output, artifact, placed)
    folder.delete(stored.sha256, ".mp4")
    return Copy(marking.key, marking.source, stored.sha256)
