"""List the pieces of a film with their times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction

from reconciler.diagnostics import UsageError
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.plan.model import Step
from reconciler.project.model import Planned


@dataclass(frozen=True, slots=True)
class PieceTime:
    """One piece: what it shows, from where to where of it, and when that is in the film, all in seconds. `end` is None
    behind a piece whose length is not known yet."""

    name: str
    start: Fraction | None
    end: Fraction | None
    first: Fraction
    last: Fraction | None

    def document(self) -> dict[str, object]:
        """Return it as JSON values."""
        times = {"from": self.start, "to": self.end, "in": self.first, "out": self.last}
        return {"clip": self.name, **{name: None if t is None else round(float(t), 3) for name, t in times.items()}}

    def line(self) -> tuple[str, str]:
        """Return its time in the film, and what it shows."""
        last = "its end" if self.last is None else f"{float(self.last):g} s"
        return f"{_clock(self.start)}–{_clock(self.end)}", f"{self.name}, {float(self.first):g} s to {last}"


def _clock(time: Fraction | None) -> str:
    if time is None:
        return "?"
    tenths = int(time * 10)
    return f"{tenths // 600:02}:{tenths % 600 // 10:02}.{tenths % 10}"


def playing(step: Step, planned: Planned, time: Fraction) -> tuple[str, dict[str, object]]:
    """Return what a film shows at a time, in words and as JSON values. Raises UsageError if it shows nothing then."""
    listed = list(pieces(step, planned))
    shows = [piece for piece in listed if piece.start is not None and piece.end and piece.start <= time < piece.end]
    if not shows:
        unmade = next((piece.name for piece in listed if piece.end is None), "")
        text = f"{unmade} is not made yet, so what follows it has no time" if unmade else ""
        raise UsageError(text or f"{step.clip} ends at {_clock(listed[-1].end)}", help=command("show", step.clip))
    lines = (f"{piece.name}, {float(time - (piece.start or 0) + piece.first):g} s of it" for piece in shows)
    data = {"film": step.clip, "at": round(float(time), 3), "pieces": [piece.document() for piece in shows]}
    return f"{_clock(time)} of {step.clip} is {', turning into '.join(lines)}.", data


def pieces(step: Step, planned: Planned) -> Iterator[PieceTime]:
    """Yield the pieces of a film that is planned or made."""
    values, records = json.loads(step.document), planned.snapshot
    names: dict[str, str] = {}
    for w in planned.loaded.wanted:
        generation = records.generations.get(w.key)
        names |= {w.key: w.name} | ({generation.sha256: w.name} if generation else {})
    for bound in records.bindings.values():
        if bound.key in records.generations:
            names.setdefault(records.generations[bound.key].sha256, bound.clip)
    fps, stills = values["fps"], planned.loaded.cut_files
    position: Fraction | None = Fraction(0)
    for piece in values["pieces"]:
        dissolve = Fraction(piece.get("dissolve", 0), fps)
        position = None if position is None else position - dissolve
        if "for" in piece:
            length = Fraction(piece["for"], fps)
            after = None if position is None else position + length
            name = f"title {piece['title']!r}" if "title" in piece else f"still {stills.get(piece['still'], '')}"
            yield PieceTime(name, position, after, Fraction(0), length)
            position = after
            continue
        content = piece.get("sha256") or piece["clip"]
        artifact = records.artifacts.get(content)
        first = Fraction(piece.get("in", 0), fps)
        end = Fraction(piece["out"], fps) if "out" in piece else None
        last = end if end is not None else Fraction(artifact.duration_ms, 1000) if artifact else None
        after = None if position is None or last is None else position + last - first
        yield PieceTime(names.get(content, content[:12]), position, after, first, end)
        position = after
