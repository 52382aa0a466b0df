"""Find the frozen seams that no longer fit: the other clip has another version now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.artifacts.files import cache_entries
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.project.orders import Order
from reconciler.records import Seam
from reconciler.spec.project import Clip
from reconciler.spec.values import ClipMedia, Frame

FITS = 0.9
"""The structural similarity of frames from which on a seam is not worth a word."""


@dataclass(frozen=True, slots=True)
class OpenSeam:
    """A frozen seam whose other clip has another version now: `present` is its key."""

    clip: Clip
    held: Seam
    part: Frame
    present: str

    @property
    def pair(self) -> str:
        """What a measurement of it is kept under."""
        return f"{self.held.key} {self.present} {self.part}"


def moved_on(orders: Iterable[Order]) -> tuple[OpenSeam, ...]:
    """Return the frozen seams of orders, each once, whose other clip has another version now."""
    orders = tuple(orders)
    if not any(order.seams for order in orders):
        return ()
    picked = {order.clip.name: order.wanted.key for order in orders if order.wanted.output is not None}
    seams: dict[tuple[str, str], OpenSeam] = {}
    for order in orders:
        for name, item in order.clip.media() if order.seams else ():
            held = order.seams.get(name)
            present = picked.get(item.clip) if isinstance(item, ClipMedia) else None
            if held is not None and isinstance(item, ClipMedia) and present not in (None, held.key):
                seams[order.clip.name, name] = OpenSeam(order.clip, held, item.part, present or "")
    return tuple(seams.values())


def measured(file: Path) -> dict[str, float]:
    """Return the structural similarities that were measured, by `OpenSeam.pair`."""
    return {pair: value for pair, value in cache_entries(file) if isinstance(value, float)}


def warnings(orders: Iterable[Order], file: Path) -> Iterator[Diagnostic]:
    """Yield a warning about each frozen seam that no longer fits, with what was measured about it in `file`."""
    seams = moved_on(orders)
    values = measured(file) if seams else {}
    for seam in seams:
        value, other = values.get(seam.pair), seam.held.clip
        if value is not None and value >= FITS:
            continue
        fit = (
            f"no longer fits: ssim {value:.2f}" if value is not None else f"is frozen to an earlier version of {other}"
        )
        text = f"{seam.clip.name}: the seam to {other} {fit}"
        help = f"{command('thaw', seam.clip.name)} shows what it costs to follow"
        yield Diagnostic("seam", text, seam.clip.source(seam.held.field), help, Severity.WARNING)
