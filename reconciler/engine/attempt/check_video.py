"""Checks that a file is a sound video, and compares it with what was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from reconciler.engine.ports import Workers
from reconciler.media.probe import probe
from reconciler.project.orders import Order
from reconciler.providers.base import Scalar
from reconciler.providers.check import costly_defaults
from reconciler.records import Artifact

_SHORT_SIDES = {"480p": 480, "720p": 720, "1080p": 1080, "2k": 1440, "4k": 2160}
_TOLERANCE_MS = 500
_RATIO_TOLERANCE = 0.04


async def facts_of(path: Path, workers: Workers) -> Artifact:
    """Return the facts of a sound video, without hash and size. Raises MediaError for a file that is not one."""
    facts = await workers.run(probe, path)
    return Artifact("", 0, ".mp4", facts.duration_ms, facts.width, facts.height, facts.audio)


def mismatch(order: Order, artifact: Artifact) -> str:
    """Describe how a video differs from what was asked for; empty when it fits. Never a reason to buy again."""
    asked = _asked(order)
    differences: list[str] = []
    duration, resolution, ratio = asked.get("duration"), asked.get("resolution"), asked.get("ratio")
    if isinstance(duration, int) and duration > 0 and abs(artifact.duration_ms - duration * 1000) > _TOLERANCE_MS:
        differences.append(f"asked for {duration} s, got {artifact.duration_ms / 1000:.2f} s")
    lines = _SHORT_SIDES.get(str(resolution))
    if lines is not None and min(artifact.width, artifact.height) < lines * 0.85:
        differences.append(f"asked for {resolution}, got {artifact.width}x{artifact.height}")
    if isinstance(ratio, str) and _off(ratio, artifact):
        differences.append(f"asked for {ratio}, got {artifact.width}x{artifact.height}")
    if asked.get("audio") is True and not artifact.audio:
        differences.append("asked for audio, got none")
    return "; ".join(differences)


def _asked(order: Order) -> dict[str, Scalar]:
    return {**costly_defaults(order.resolved.model), **order.resolved.params}


def other_request(order: Order, actual: Mapping[str, str | int]) -> str:
    """Describe how a task of which the provider reports this is another request than the clip's; empty if it fits."""
    asked = {**_asked(order), "model": order.wanted.model}
    return "; ".join(
        f"its {name} is {value}, not {asked[name]}"
        for name, value in actual.items()
        if asked.get(name) not in (None, -1, "adaptive", value)
        and not (name == "model" and _may_be(asked[name], value))
    )


def _may_be(asked: Scalar, reported: Scalar) -> bool:
    """True if a model may have both names: an endpoint of the account's, or a name without its date."""
    longer, shorter = sorted((str(asked), str(reported)), key=len, reverse=True)
    return str(asked).startswith("ep-") or re.fullmatch(r"-\d+", longer.removeprefix(shorter)) is not None


def _off(ratio: str, artifact: Artifact) -> bool:
    wide, _, high = ratio.partition(":")
    if not (wide.isdigit() and high.isdigit() and artifact.height):
        return False
    wanted = int(wide) / int(high)
    return abs(artifact.width / artifact.height - wanted) / wanted > _RATIO_TOLERANCE
