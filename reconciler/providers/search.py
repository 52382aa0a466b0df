"""Which lines can do a shot: the catalogues of all kinds, filtered by what is needed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.providers.base import Dialect, Mode, Model
from reconciler.providers.check import offering


@dataclass(frozen=True, slots=True)
class Needs:
    """What a shot needs; None, zero and empty mean that it does not matter. `switches` are clip fields."""

    kind: str | None = None
    model: str | None = None
    mode: Mode | None = None
    duration: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    switches: tuple[str, ...] = ()
    seed: bool = False
    images: int = 0
    videos: int = 0
    audios: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One model of one kind."""

    kind: str
    model: Model
    default: bool


def lines(dialects: Iterable[Dialect], needs: Needs) -> Iterator[Line]:
    """The models that can do it, in the order of the catalogues."""
    for dialect in dialects:
        if needs.kind not in (None, dialect.kind):
            continue
        found = offering(
            dialect.models,
            mode=needs.mode,
            duration=needs.duration,
            resolution=needs.resolution,
            ratio=needs.ratio,
            switches=needs.switches,
        )
        for model in found:
            if _suits(model, needs):
                yield Line(dialect.kind, model, model.name == dialect.default_model)


def _suits(model: Model, needs: Needs) -> bool:
    return (
        needs.model in (None, model.name, model.line)
        and (model.seed_max is not None or not needs.seed)
        and model.max_images >= needs.images
        and model.max_videos >= needs.videos
        and model.max_audios >= needs.audios
    )


def span(values: Iterable[int]) -> str:
    """Whole numbers in few words: `4-15`, `5 10`, `-1 4-15`."""
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and value == runs[-1][-1] + 1 and value > 0:
            runs[-1].append(value)
        else:
            runs.append([value])
    words = [f"{run[0]}-{run[-1]}" if len(run) > 2 else " ".join(map(str, run)) for run in runs]
    return " ".join(words)
