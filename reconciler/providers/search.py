"""Which lines can do a shot: the catalogues of all kinds, filtered by what is needed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.providers.base import Dialect, Mode, Model


@dataclass(frozen=True, slots=True)
class Needs:
    """What a shot needs; None and empty mean that it does not matter. `mode` also takes `frames` for a first frame."""

    kind: str | None = None
    model: str | None = None
    duration: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    mode: Mode | None = None
    audio: bool = False
    seed: bool = False
    images: int = 0
    videos: int = 0
    audios: int = 0
    last_frame: bool = False


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
        for model in dialect.models:
            if fits(model, needs):
                yield Line(dialect.kind, model, model.name == dialect.default_model)


def fits(model: Model, needs: Needs) -> bool:
    """Whether a line offers everything that is needed."""
    return all(
        (
            needs.model is None or needs.model in (model.name, model.line),
            needs.duration is None or needs.duration in model.durations,
            needs.resolution is None or needs.resolution in model.resolutions,
            needs.ratio is None or needs.ratio in model.ratios,
            needs.mode is None or needs.mode in model.modes,
            not needs.audio or model.has_audio,
            needs.seed is False or model.seed_max is not None,
            not needs.last_frame or model.has_last_frame,
            model.max_images >= needs.images,
            model.max_videos >= needs.videos,
            model.max_audios >= needs.audios,
        )
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
