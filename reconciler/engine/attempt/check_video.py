"""Is it a sound video, and is it what was asked for?"""

from __future__ import annotations

from pathlib import Path

from reconciler.engine.ports import Workers
from reconciler.media.probe import probe
from reconciler.plan.cost import SHORT_SIDES
from reconciler.project.orders import Order
from reconciler.providers.check import costly_defaults
from reconciler.records import Artifact

_TOLERANCE_MS = 500
_RATIO_TOLERANCE = 0.04


async def facts_of(path: Path, workers: Workers) -> Artifact:
    """An artifact's facts, without hash and size, from a file that proved sound. Raises MediaError."""
    facts = await workers.run(probe, path)
    return Artifact(
        sha256="",
        size=0,
        suffix=".mp4",
        duration_ms=facts.duration_ms,
        width=facts.width,
        height=facts.height,
        audio=facts.audio,
    )


def mismatch(order: Order, made: Artifact) -> str:
    """What came back that was not asked for, in words; empty when it fits. Never a reason to buy again by itself."""
    asked = {**costly_defaults(order.resolved.model), **order.resolved.params}
    found: list[str] = []
    duration, resolution, ratio = asked.get("duration"), asked.get("resolution"), asked.get("ratio")
    if isinstance(duration, int) and duration > 0 and abs(made.duration_ms - duration * 1000) > _TOLERANCE_MS:
        found.append(f"asked for {duration} s, got {made.duration_ms / 1000:.2f} s")
    lines = SHORT_SIDES.get(str(resolution))
    if lines is not None and min(made.width, made.height) < lines * 0.85:
        found.append(f"asked for {resolution}, got {made.width}x{made.height}")
    if isinstance(ratio, str) and _off(ratio, made):
        found.append(f"asked for {ratio}, got {made.width}x{made.height}")
    if asked.get("audio") is True and not made.audio:
        found.append("asked for audio, got none")
    return "; ".join(found)


def _off(ratio: str, made: Artifact) -> bool:
    wide, _, high = ratio.partition(":")
    if not (wide.isdigit() and high.isdigit() and made.height):
        return False
    wanted = int(wide) / int(high)
    return abs(made.width / made.height - wanted) / wanted > _RATIO_TOLERANCE
