"""Assembles a cut: what each piece is made from, the pieces that are new, the film, its record.

It asks nobody. Until its film is in the store nothing refers to it, and pieces are whole or absent: after a kill the
next run makes the same bytes. Pieces are kept beside the store, by key, until `gc`: it
removes them all, since they cost nothing but time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
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
        parts = [await self._part(number, piece, values["fps"]) for number, piece in enumerate(values["pieces"], 1)]
        size = next(([s.width - s.width % 2, s.height - s.height % 2] for _, s in parts if s is not None), None)
        values.setdefault("size", size)
        if values["size"] is None:
            raise MediaError("a film of titles has no size of its own", help="write size: 1280x720", code="input")
        sounds = [part | {"audio": seen is not None and seen.audio} for part, seen in parts]
        forms = {_form(part, seen, values["size"]) for part, seen in parts}
        shots = _shots(sounds)
        is_copied = len(forms) == 1 and forms != {""}
        pieces = sounds if is_copied else [await self._piece(shot, values) for shot in shots]
        order = {"fps": values["fps"], "parts": pieces, "sounds": sounds}
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

    async def _part(self, number: int, piece: Mapping[str, Any], fps: int) -> tuple[dict[str, Any], Survey | None]:
        """Return what a piece shows, and how the video of one is made. Raises MediaError if that ends too early."""
        part = {"name": f"piece {number}", "dissolve": piece.get("dissolve", 0), "start": piece.get("in", 0)}
        if "title" in piece:
            return part | {"title": piece["title"], "end": piece["for"]}, None
        path = self.ports.objects.path(piece["sha256"], ".mp4")
        seen: Survey = await self.ports.workers.run(survey, path, part["start"], piece.get("out", -1), fps)
        end = piece.get("out", seen.frames)
        if not part["start"] < end <= seen.frames:
            first, ends, length = (frame / fps for frame in (part["start"], end, seen.frames))
            text = f"piece {number} is {first:g} s to {ends:g} s of a video that ends at {length:g} s"
            raise MediaError(text, help="change its in or out", code="input")
        return part | {"sha256": piece["sha256"], "path": str(path), "end": end}, seen

    async def _piece(self, shot: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a piece in the form of all pieces; it is made if it is not there."""
        alike = {name: values[name] for name in ("size", "fps", "fit")}
        content = [{name: part[name] for name in ("sha256", "title", "start", "end") if name in part} for part in shot]
        key = hashlib.sha256(canonical({"recipe": "piece/v1", **alike, "parts": content}).encode()).hexdigest()
        path = self.ports.objects.root.parent / PIECES / f"{key}.mp4"
        if not path.exists():
            disk.make_directories(path.parent)
            order = canonical({**alike, "name": shot[-1]["name"], "parts": shot})
            with self.ports.objects.part("piece") as file:
                await self.ports.workers.run(make_piece, order, file.path)
                file.sync()  # after a power cut an empty piece must not have its name
                file.path.replace(path)
        return {"path": str(path), "start": 0, "end": shot[0]["end"] - shot[0]["start"]}


def _form(part: Mapping[str, Any], seen: Survey | None, size: Sequence[int]) -> str:
    """Return the form of a video's packets, empty if they cannot be copied."""
    is_alike = seen is not None and [seen.width, seen.height] == size and not part["dissolve"]
    return seen.form if seen is not None and is_alike else ""


def _shots(parts: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return what is encoded apart: the frames of a piece alone, and those in which one turns into the next. Raises
    MediaError for a dissolve that is too long."""
    shots: list[list[Mapping[str, Any]]] = []
    before: Mapping[str, Any] | None = None
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        lead, tail = part["dissolve"], after["dissolve"] if after else 0
        length = part["end"] - part["start"]
        if 2 * max(lead, tail) > length:
            text = f"{part['name']} has {length} frames, and dissolves for {max(lead, tail)} of them"
            raise MediaError(text, help="a dissolve can take up to half of each piece", code="input")
        if lead and before is not None:
            shots.append([{**before, "start": before["end"] - lead}, {**part, "end": part["start"] + lead}])
        if lead + tail < length:
            shots.append([{**part, "start": part["start"] + lead, "end": part["end"] - tail}])
        before = part
    return shots
