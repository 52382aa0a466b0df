"""Find the models that can do a shot, in the catalogues of all kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.frozen import dataclass
from reconciler.providers.base import Dialect, Mode, Model
from reconciler.providers.rules import switches


@dataclass(frozen=True, slots=True)
class Needs:
    """The requirements of a shot; None, zero and empty mean any. `switches` are clip fields.

    These are the filters of `clipform models`, which the help of our diagnostics names.
    """

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
    """One model of one kind; `default` if clips that name no model get it."""

    kind: str
    model: Model
    default: bool


def lines(dialects: Iterable[Dialect], needs: Needs) -> Iterator[Line]:
    """Yield the models that meet the needs, in the order of the catalogues."""
    for dialect in dialects:
        if needs.kind in (None, dialect.kind):
            for model in dialect.models:
                if meets(model, needs):
                    yield Line(dialect.kind, model, model.name == dialect.default_model)


def meets(model: Model, needs: Needs) -> bool:
    """True if a model meets the needs; their `kind` is not looked at."""
    return (
        needs.model in (None, model.name, model.line)
        and needs.mode in (None, *model.modes)
        and needs.duration in (None, *model.durations)
        and needs.resolution in (None, *model.resolutions)
        and needs.ratio in (None, *model.ratios)
        and set(needs.switches) <= set(switches(model))
        and (model.seed_max is not None or not needs.seed)
        and model.max_images >= needs.images
        and model.max_videos >= needs.videos
        and model.max_audios >= needs.audios
    )


def span(values: Iterable[int]) -> str:
    """Return whole numbers in short form: `4-15`, `5 10`, `-1 4-15`."""
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and value == runs[-1][-1] + 1 and value > 0:
            runs[-1].append(value)
        else:
            runs.append([value])
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else " ".join(map(str, run)) for run in runs)
