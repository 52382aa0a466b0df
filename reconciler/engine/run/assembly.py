"""Assembles a cut: what each piece is made from, the pieces that are new, the film, its record.

It asks nobody. Until its film is in the store nothing refers to it, and pieces are whole or absent: after a kill the
next run makes the same bytes. Pieces are kept beside the store, by key, until `gc`: it
removes them all, since they cost nothing but time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.diagnostics import MediaError
from reconciler.engine.attempt.context import Ports
from reconciler.engine.control import RunControl, StepEnded
from reconciler.engine.run.records import RunRecords
from reconciler.events import EventKind
from reconciler.identity import canonical
from reconciler.media.cut.join import join
from reconciler.media.cut.pieces import make_piece
from reconciler.media.cut.survey import Survey, survey
from reconciler.plan import cuts
from reconciler.plan.model import Step
from reconciler.records import Artifact, Generation
from reconciler.state import disk
from reconciler.state.paths import PIECES


@dataclass(slots=True)
class Assembler:
    """Makes the films of one run."""

    ports: Ports
    records: RunRecords
    control: RunControl

    async def assemble(self, step: Step) -> Step:
        """Return the step with the key that the film has, after it is in the store and on record. Raises StepEnded when
        the user interrupts."""
        work = asyncio.ensure_future(self._assemble(step))
        await self.control.unless_halted(work)
        if work.cancelled():
            raise StepEnded(EventKind.SKIPPED, f"{self.control.end}; the next apply assembles it")
        return work.result()

    async def _assemble(self, step: Step) -> Step:
        document = cuts.settled(step.document, lambda key: (key, self.records.sha256s.get(key)))
        if not cuts.is_settled(document):
            raise StepEnded(EventKind.FAILED, "a clip that it shows is not stored")
        final = replace(step, key=cuts.key_of(document), document=document)
        sha256 = self.records.sha256s.get(final.key)
        if sha256 is None or not self.ports.objects.has(sha256, ".mp4"):
            sha256 = await self._made(final)
        self.records.sha256s[final.key] = self.records.sha256s[step.key] = sha256
        return final

    async def _made(self, step: Step) -> str:
        began = self.ports.clock.now()
        values = json.loads(step.document)
        parts = [self._part(piece) for piece in values["pieces"]]
        for number, part in enumerate(parts, 1):
            seen: Survey = await self.ports.workers.run(survey, part["path"], part["start"], part["end"], values["fps"])
            values.setdefault("size", [seen.width - seen.width % 2, seen.height - seen.height % 2])
            part |= _measured(part, seen, values, number)
        forms = {part["form"] for part in parts}
        is_copied = len(forms) == 1 and forms != {""}
        pieces = parts if is_copied else [await self._piece(part, values) for part in parts]
        order = {"fps": values["fps"], "parts": pieces, "sounds": parts}
        with self.ports.objects.part(step.clip) as file:
            film = await self.ports.workers.run(join, canonical(order), file.path)
            stored = file.commit(".mp4")
        length = round(1000 * film.frames / values["fps"])
        artifact = Artifact(stored.sha256, stored.size, ".mp4", length, film.width, film.height, film.audio)
        now = self.ports.clock.now()
        generation = Generation(
            key=step.key,
            sha256=stored.sha256,
            document=step.document,
            provider=step.provider,
            kind=step.kind,
            model=step.model,
            cost_micros=0,
            created=now,
            elapsed=now - began,
            origin="assembled",
        )
        self.ports.store.adopt(generation, artifact, step.clip, note="assembled")
        self.records.artifacts[stored.sha256] = artifact
        return stored.sha256

    def _part(self, piece: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of a stored video that a piece shows."""
        path = self.ports.objects.path(piece["sha256"], ".mp4")
        return {"sha256": piece["sha256"], "path": str(path), "start": piece.get("in", 0), "end": piece.get("out", -1)}

    async def _piece(self, part: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a piece in the form of all pieces; it is made if it is not there."""
        alike = {name: values[name] for name in ("size", "fps", "fit")}
        identity = {"recipe": "piece/v1", **alike, **{name: part[name] for name in ("sha256", "start", "end")}}
        key = hashlib.sha256(canonical(identity).encode()).hexdigest()
        path = self.ports.objects.root.parent / PIECES / f"{key}.mp4"
        if not path.exists():
            disk.make_directories(path.parent)
            order = {**alike, **{name: part[name] for name in ("name", "path", "start", "end")}}
            with self.ports.objects.part("piece") as file:
                await self.ports.workers.run(make_piece, canonical(order), file.path)
                file.path.replace(path)
        return {"path": str(path), "start": 0, "end": part["end"] - part["start"]}


def _measured(part: Mapping[str, Any], seen: Survey, values: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return what the look at a video adds to a part. Raises MediaError for one that ends too early."""
    end = seen.frames if part["end"] < 0 else part["end"]
    if not part["start"] < end <= seen.frames:
        first, ends, length = (frame / values["fps"] for frame in (part["start"], end, seen.frames))
        text = f"piece {number} is {first:g} s to {ends:g} s of a video that ends at {length:g} s"
        raise MediaError(text, help="change its in or out", code="input")
    is_alike = [seen.width, seen.height] == values["size"]
    return {"end": end, "audio": seen.audio, "form": seen.form if is_alike else "", "name": f"piece {number}"}
