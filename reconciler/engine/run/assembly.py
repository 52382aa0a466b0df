"""Assembles a cut: what each piece is made from, the pieces that are new, the film, its record.

It asks nobody. Until its film is in the store nothing refers to it, and pieces are whole or absent: after a kill the
next run makes the same bytes. Pieces are kept beside the store, by key, until `gc`: it
removes those that no film has now, since they cost nothing but time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reconciler.diagnostics import MediaError
from reconciler.engine.attempt.context import Ports
from reconciler.engine.control import RunControl, StepEnded
from reconciler.engine.run import montage
from reconciler.engine.run.records import RunRecords
from reconciler.engine.run.surveys import SURVEYS, Surveys
from reconciler.events import Event, EventKind
from reconciler.identity import canonical
from reconciler.media.cut.join import join
from reconciler.media.cut.mix import samples_at
from reconciler.media.cut.pieces import make_piece
from reconciler.media.cut.sounds import length_of
from reconciler.media.cut.stretches import encode_sound
from reconciler.media.cut.subtitles import read_subtitles
from reconciler.media.cut.survey import Survey
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
        self.ports.sink.emit(Event(EventKind.RUNNING, step.clip, step.take, step.action.value))
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
        began, values = self.ports.clock.now(), json.loads(step.document)
        order = await self._order(step.clip, values)
        with self.ports.objects.part(step.clip) as file:
            film = await self.ports.workers.run(join, canonical(order), file.path)
            for sound in values.get("audio", ()):
                self._file(sound["sha256"])  # it is still what the key says
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

    async def _order(self, clip: str, values: dict[str, Any]) -> dict[str, Any]:
        """Return the order for `join`, after the pieces that are new were made."""
        fps = values["fps"]
        surveys = Surveys(self._pieces / SURVEYS, self.ports.workers)
        seen = [await self._part(number, piece, fps, surveys) for number, piece in enumerate(values["pieces"], 1)]
        surveys.save()
        self._set_size(values, [survey for _, survey in seen])
        parts = [part | {"audio": survey is not None and survey.audio} for part, survey in seen]
        shots, begins = montage.shots(parts), montage.begins(parts)
        captions, form = await self._captions(values.get("subtitles"), begins[-1], fps)
        captioned = montage.with_captions(shots, captions if form == "burned" else (), fps)
        forms = {_form(part, survey, values["size"]) for part, survey in seen}
        is_copied = len(forms) == 1 and forms != {""} and form != "burned"
        pieces = (
            [await self._piece(*shot, values) for shot in zip(shots, captioned, strict=True)]
            if not is_copied
            else parts
        )
        sounds = values.get("audio", ())
        lengths = [(sound, await self.ports.workers.run(length_of, self._file(sound["sha256"]))) for sound in sounds]
        deep = (f"{part['name']} {survey.note}" for part, survey in seen if survey is not None and survey.note)
        for text in (*deep, *montage.sound_notes(lengths, parts, begins[-1] / fps)):
            self.ports.sink.emit(Event(EventKind.NOTE, clip, message=f"{clip}: {text}"))
        self._note(clip, [] if is_copied else [Path(piece["path"]).name for piece in pieces])
        mix = {"fps": fps, "sounds": parts, "audio": [self._sound(sound, begins, fps) for sound in sounds]}
        sound = await self._encoded(clip, mix | {"loudness": values.get("loudness")})
        return {"fps": fps, "parts": pieces, "sound": sound, "captions": captions if form == "track" else ()}

    async def _encoded(self, clip: str, mix: Mapping[str, Any]) -> str:
        """Return the path of the encoded sound of a film; empty without sound. It replaces that of the last time, of
        which it takes what is the same."""
        if not mix["audio"] and not any(part["audio"] for part in mix["sounds"]):
            return ""
        path = self._pieces / f"{clip}.sound"
        disk.make_directories(path.parent)
        with self.ports.objects.part("sound") as file:
            await self.ports.workers.run(encode_sound, canonical(mix), path, file.path)
            file.sync()
            file.path.replace(path)
        return str(path)

    def _note(self, clip: str, names: Sequence[str]) -> None:
        """Write down which pieces a film has now, for `gc`."""
        disk.make_directories(self._pieces)
        disk.replace(self._pieces / f"{clip}.pieces", "\n".join(names).encode())

    @property
    def _pieces(self) -> Path:
        return self.ports.objects.root.parent / PIECES

    def _set_size(self, values: dict[str, Any], surveys: Sequence[Survey | None]) -> None:
        """Give the film the size of its first video, if it has none of its own."""
        sizes = ([survey.width - survey.width % 2, survey.height - survey.height % 2] for survey in surveys if survey)
        values.setdefault("size", next(sizes, None))
        if values["size"] is None:
            raise MediaError("a film of titles has no size of its own", help="write size: 1280x720", code="input")

    async def _part(
        self, number: int, piece: Mapping[str, Any], fps: int, surveys: Surveys
    ) -> tuple[dict[str, Any], Survey | None]:
        """Return what a piece shows, and how the video of one is made. Raises MediaError if that ends too early."""
        part = {"name": f"piece {number}", "dissolve": piece.get("dissolve", 0), "start": piece.get("in", 0)}
        if "still" in piece:
            return part | {"still": piece["still"], "path": self._file(piece["still"]), "end": piece["for"]}, None
        if "title" in piece:
            return part | {"title": piece["title"], "end": piece["for"]}, None
        path = self.ports.objects.path(piece["sha256"], ".mp4")
        seen = await surveys.of(path, (piece["sha256"], part["start"], piece.get("out", -1), fps))
        end = piece.get("out", seen.frames)
        if not part["start"] < end <= seen.frames:
            first, ends, length = (frame / fps for frame in (part["start"], end, seen.frames))
            text = f"piece {number} is {first:g} s to {ends:g} s of a video that ends at {length:g} s"
            raise MediaError(text, help="change its in or out", code="input")
        volume = piece.get("volume", "1")
        return part | {"sha256": piece["sha256"], "path": str(path), "end": end, "volume": volume}, seen

    def _sound(self, sound: Mapping[str, Any], begins: Sequence[int], fps: int) -> dict[str, Any]:
        """Return what is played over the film, with the sample at which it begins."""
        at = sound.get("at", {"piece": 0, "frame": 0})
        plain = {"gain": "0", "duck": "0", "fade": ["0", "0"], "loop": False}
        first = samples_at(begins[at["piece"]] + at["frame"], fps)
        return plain | {**sound, "path": self._file(sound["sha256"]), "first": first}

    async def _captions(
        self, subtitles: Mapping[str, str] | None, frames: int, fps: int
    ) -> tuple[Sequence[montage.Caption], str]:
        """Return the captions of a film, and how they are captioned. Raises MediaError for one beyond its end."""
        if subtitles is None:
            return (), ""
        path, name = self._file(subtitles["sha256"]), self.records.files[subtitles["sha256"]]
        captions: Sequence[montage.Caption] = await self.ports.workers.run(read_subtitles, path, name)
        montage.require_within(captions, frames, fps)
        return captions, subtitles["as"]

    def _file(self, sha256: str) -> str:
        """Return the path of a local file of the film. Raises MediaError if it changed after the plan was made."""
        path = self.records.files.get(sha256)
        if path is None or self.ports.inputs.rehash(path) != sha256:
            text = f"{path or 'a file of the film'} changed after the plan was made"
            raise MediaError(text, help="run the command again", code="input")
        return str(self.ports.inputs.root / path)

    async def _piece(
        self, shot: Sequence[montage.Part], captions: Sequence[montage.Caption], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return a piece in the form of all pieces; it is made if it is not there."""
        alike = {name: values[name] for name in ("size", "fps", "fit")}
        alike |= {"captions": captions} if captions else {}
        fields = ("sha256", "title", "still", "start", "end")
        content = [{name: part[name] for name in fields if name in part} for part in shot]
        key = hashlib.sha256(canonical({"recipe": "piece/v1", **alike, "parts": content}).encode()).hexdigest()
        path = self._pieces / f"{key}.mp4"
        if not path.exists():
            disk.make_directories(path.parent)
            order = canonical({**alike, "name": shot[-1]["name"], "parts": shot})
            with self.ports.objects.part("piece") as file:
                await self.ports.workers.run(make_piece, order, file.path)
                file.sync()  # after a power cut an empty piece must not have its name
                file.path.replace(path)
        frames = shot[0]["end"] - shot[0]["start"]
        return {"path": str(path), "start": 0, "end": frames, "delay": 0}  # no frame of ours refers to a later one


def pieces_of(folder: Path, films: Collection[str]) -> set[str]:
    """Return the names of the files in the folder of pieces that these films have now."""
    listed = {folder / f"{film}.pieces" for film in films}
    names = {name for path in listed if path.exists() for name in path.read_text(encoding="utf-8").split("\n")}
    return names | {path.name for path in listed} | {f"{film}.sound" for film in films}


def _form(part: Mapping[str, Any], seen: Survey | None, size: Sequence[int]) -> str:
    """Return the form of a video's packets, empty if they cannot be copied."""
    is_alike = seen is not None and [seen.width, seen.height] == size and not part["dissolve"]
    return seen.form if seen is not None and is_alike else ""
