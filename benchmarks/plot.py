"""Draws the picture of `nothing_to_do`: seconds against the number of targets, both axes logarithmic."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.bars import BARE, COLD, DOIT, DVC, EDITED, MAKE, NINJA, PLAN, SNAKEMAKE, before

LINES = {
    PLAN: ("#1357a6", "-", 2.4),
    EDITED: ("#1357a6", "--", 1.6),
    COLD: ("#1357a6", ":", 1.6),
    before(PLAN): ("#9aa7b5", "-", 1.6),
    BARE: ("#9aa7b5", ":", 1.2),
    NINJA: ("#2b8a3e", "-", 1.4),
    DOIT: ("#b26a00", "-", 1.4),
    MAKE: ("#a61e4d", "-", 1.4),
    SNAKEMAKE: ("#6741d9", "-", 1.4),
    DVC: ("#0b7285", "-", 1.4),
}
"""Colour, style and width of each case that is drawn."""


def write(file: Path, wall: Mapping[tuple[int, str], float]) -> None:
    """Write the picture as SVG, the same bytes for the same figures."""
    with mpl.rc_context({"svg.hashsalt": "clipform", "svg.fonttype": "path", "font.size": 10}):
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.subplots()
        for name, (colour, style, width) in LINES.items():
            points = sorted((size, seconds) for (size, measured), seconds in wall.items() if measured == name)
            if points:
                label = name.replace("`", "")
                axes.plot(
                    *zip(*points, strict=True), style, color=colour, linewidth=width, marker="o", ms=4, label=label
                )
        axes.set(xscale="log", yscale="log", xlabel="clips or targets, all up to date", ylabel="seconds (wall)")
        axes.grid(visible=True, which="major", alpha=0.25)
        axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.savefig(file, format="svg", metadata={"Date": None})
