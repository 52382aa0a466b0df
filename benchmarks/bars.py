"""The bars of `nothing_to_do`: what a figure is divided by, and what the ratio may be at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10

from benchmarks.kit import table

BARE = "`python -c pass`"
VERSION = "`clipform --version`"
HELP = "`clipform --help`"
TAB = "`clipform pl`, Tab"
VALIDATE = "`clipform validate`"
PLAN = "`clipform plan`"
APPLY = "`clipform apply --yes`"
UNSEALED = "`clipform plan`, no seal"
EDITED = "`clipform plan`, one prompt edited"
STATUS = "`clipform status`"
JSON = "`clipform plan --json`"
COLD = "`clipform plan`, no seal, no cache"
NINJA, MAKE, DOIT, SNAKEMAKE, DVC = "`ninja`", "`make -s`", "`doit`", "`snakemake -n --quiet`", "`dvc status`"

SEALED = (PLAN, VALIDATE, APPLY)
LARGE, SMALL = 10_000, 9

Medians = Mapping[tuple[int, str], float]
"""By size and name of the case."""


def before(name: str) -> str:
    """Return the name of the same case in the other checkout."""
    return f"{name}, before"


RATIOS: tuple[tuple[int, Sequence[str], str, float], ...] = (
    (LARGE, SEALED, NINJA, 2),
    (LARGE, SEALED, BARE, 8),
    (LARGE, SEALED, DOIT, 1 / 10),
    (LARGE, SEALED, MAKE, 1 / 25),
    (LARGE, SEALED, SNAKEMAKE, 1 / 60),
    (LARGE, SEALED, DVC, 1 / 500),
    (SMALL, SEALED, BARE, 4),
    (LARGE, (VERSION, HELP, TAB), BARE, 2.5),
    (LARGE, (EDITED, UNSEALED), DOIT, 1),
    (LARGE, (EDITED,), before(EDITED), 0.25),
    (LARGE, (UNSEALED,), before(PLAN), 0.25),
    (LARGE, (COLD,), before(PLAN), 0.65),
    (LARGE, (STATUS,), before(STATUS), 0.4),
    (LARGE, (JSON,), before(JSON), 0.4),
)
"""Size, cases, what they are divided by, and the bar."""

EXPONENTS = {**dict.fromkeys(SEALED, 0.6), **dict.fromkeys((UNSEALED, EDITED, STATUS, JSON, COLD), 1.0)}
MEMORY = {**dict.fromkeys(SEALED, 32.0), **dict.fromkeys((UNSEALED, EDITED, STATUS, JSON, COLD), 100.0)}
"""MiB at the largest size."""


def table_of(wall: Medians, peak: Medians) -> str:
    """Return the table of all bars that these figures can be held against; the worst of several cases counts."""
    rows = []
    for size, names, divisor, bar in RATIOS:
        ratios = [
            wall[size, name] / wall[size, divisor] for name in names if {(size, name), (size, divisor)} <= set(wall)
        ]
        if ratios:
            rows.append(_row(f"{', '.join(names)} at {size:,} ÷ {divisor}", max(ratios), bar))
    for name, bar in EXPONENTS.items():
        growth = exponent(wall, name, (1_000, LARGE))
        if growth is not None:
            rows.append(_row(f"{name}: exponent of growth from 1,000 to {LARGE:,}", growth, bar))
    for name, bar in MEMORY.items():
        if (LARGE, name) in peak:
            rows.append(_row(f"{name} at {LARGE:,}: MiB", peak[LARGE, name], bar))
    return table(["", "measured", "bar", ""], rows)


def exponent(wall: Medians, name: str, sizes: Sequence[int]) -> float | None:
    """Return how time grows between the last two sizes: 1 is in proportion; None if one was not measured."""
    if len(sizes) < 2 or any((size, name) not in wall for size in sizes[-2:]):
        return None
    small, large = sizes[-2:]
    return log10(wall[large, name] / wall[small, name]) / log10(large / small)


def _row(text: str, value: float, bar: float) -> tuple[str, str, str, str]:
    return text, f"{value:.3g}", f"≤ {bar:.3g}", "met" if value <= bar else "**missed**"
