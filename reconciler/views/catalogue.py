"""Render the catalogue of models for `clipform models`, and the table of kinds for the documentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.providers.base import Dialect, Mode, Model
from reconciler.providers.capabilities import Balances, Cancels, Lists, Uploads
from reconciler.providers.rules import switches
from reconciler.providers.search import Line, span
from reconciler.views.format import SEPARATOR
from reconciler.views.terminal.style import Style
from reconciler.views.terminal.tables import Column, grid, row
from reconciler.views.terminal.wrap import TextLine

_MODES = {
    Mode.TEXT: "text",
    Mode.FIRST_FRAME: "first",
    Mode.FRAMES: "first+last",
    Mode.REFERENCES: "references",
    Mode.EDIT: "edit",
    Mode.EXTEND: "extend",
}
_COLUMNS = tuple(map(Column, ("KIND", "MODEL", "SECONDS", "RESOLUTION", "IMG/VID/AUD", "MODES", "ALSO")))
_SPLITS = (7, 5, 4)  # numbers of columns in the first line; the largest that fits is used


def table(lines: Sequence[Line], style: Style, room: int) -> Iterator[str]:
    """Yield a line for each model, two where the terminal is too narrow: a name is never cut. A star marks a kind's
    default."""
    if not lines:
        yield "No model matches all of these filters."
        return
    body = [_row(line) for line in lines]
    first = next((count for count in _SPLITS if _total(body, count) <= room), _SPLITS[-1])
    head, *rendered = grid(_COLUMNS[:first], [cells[:first] for cells in body], room)
    yield TextLine(style.dim(row(head)), wrap=False)
    if first < len(_COLUMNS):
        yield style.dim(f"    {SEPARATOR.join(column.title for column in _COLUMNS[first:])}")
    for cells, padded in zip(body, rendered, strict=True):
        yield row(padded)
        if second := SEPARATOR.join(filter(None, cells[first:])):
            yield TextLine(f"    {style.dim(second)}", at=SEPARATOR)
    yield style.dim(f"{len(lines)} model{'' if len(lines) == 1 else 's'}; * is its kind's default")


def _total(body: Sequence[Sequence[str]], count: int) -> int:
    titles = [column.title for column in _COLUMNS]
    return sum(max(len(cells[i]) for cells in (titles, *body)) + 2 for i in range(count)) - 2


def _row(line: Line) -> list[str]:
    model = line.model
    counts = f"{model.max_images}/{model.max_videos}/{model.max_audios}"
    return [
        line.kind,
        f"{model.name}{' *' if line.default else ''}",
        span(model.durations),
        " ".join(model.resolutions),
        counts,
        " ".join(word for mode, word in _MODES.items() if mode in model.modes),
        " ".join(extras(model)),
    ]


def extras(model: Model) -> Iterator[str]:
    """Yield the names of a model's optional fields."""
    if model.seed_max is not None:
        yield "seed"
    yield from switches(model)


def data(line: Line) -> dict[str, object]:
    """Return one model as JSON values."""
    model = line.model
    return {
        "kind": line.kind,
        "model": model.name,
        "line": model.line,
        "default": line.default,
        "durations": list(model.durations),
        "resolutions": list(model.resolutions),
        "resolution_in": model.resolution_in.value,
        "ratios": list(model.ratios),
        "modes": [mode.value for mode in Mode if mode in model.modes],
        "images": model.max_images,
        "videos": model.max_videos,
        "audios": model.max_audios,
        "extras": list(extras(model)),
        "billing": model.billing.value,
        "note": model.note,
    }


def kinds(dialects: Sequence[Dialect]) -> str:
    """Return a Markdown table of the kinds and their capabilities."""
    head = ["kind", "models", "seconds", "modes", "seed", "audio", "uploads", "lists tasks", "cancels", "balance"]
    rows = [head, ["---"] * len(head), *(_kind(dialect) for dialect in dialects)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _kind(dialect: Dialect) -> list[str]:
    models = dialect.models
    modes = [word for mode, word in _MODES.items() if any(mode in model.modes for model in models)]
    seconds = {second for model in models for second in model.durations}
    flags = (
        any(model.seed_max is not None for model in models),
        any(model.has_audio for model in models),
        isinstance(dialect, Uploads),
        isinstance(dialect, Lists),
        isinstance(dialect, Cancels),
        isinstance(dialect, Balances),
    )
    return [
        f"`{dialect.kind}`",
        str(len(models)),
        span(seconds),
        ", ".join(modes),
        *("yes" if flag else "–" for flag in flags),
    ]
