"""Estimate ÷ bill of random clips: the program estimates, and the emulator bills by the golden tables."""

from __future__ import annotations

import random
from fractions import Fraction

from reconciler.plan.estimate import estimate, settled
from reconciler.providers.base import Mode, Model
from reconciler.providers.registry import dialect
from reconciler.spec.model import Price
from tests.emulator.kit import Rig
from tests.facts.kit import PICTURE, VIDEO, billed, clip, item, priced, submit

TABLE = (Price.model_validate({"use": "ark-usd"}),)


def _quotient(rig: Rig, dice: random.Random, model: Model) -> tuple[bool, Fraction]:
    """Submit a random clip; return whether anything was left to the provider, and estimate ÷ bill."""
    duration, ratio = dice.choice(model.durations), dice.choice(model.ratios)
    resolution = dice.choice(model.resolutions)
    videos = dice.randint(1, 3) if model.max_videos and model.video_limits.strict and dice.random() < 0.2 else 0
    framed = Mode.TEXT not in model.modes
    if ratio == "adaptive" and Mode.TEXT in model.adaptive_never:
        ratio = "16:9"
    media = {"videos": [VIDEO] * videos}
    frame = {"first_frame": PICTURE} if framed else {}
    request = priced(clip(media, model=model.name, duration=duration, ratio=ratio, resolution=resolution, **frame))
    content: list[dict[str, object]] = [{"type": "text", "text": "p"}, *[item("video", "reference_video")] * videos]
    content += [item("image", "first_frame")] if framed else []
    form = {"duration": duration, "ratio": ratio, "resolution": resolution}
    assert submit(rig, {"model": model.name, "content": content, **form}) == ""
    cost, bill = estimate(TABLE, request, "USD"), settled(TABLE, request, billed(rig))
    assert cost.amount and bill
    assert (cost.least or cost.amount) <= bill <= cost.amount, (model.name, form, videos)
    is_open = duration == -1 or ratio == "adaptive" or videos > 0
    return is_open, Fraction(cost.amount) / Fraction(bill)


def quotients(rig: Rig, count: int, seed: int = 11) -> list[tuple[bool, Fraction]]:
    """Return for each of so many random clips whether anything was left to the provider, and estimate ÷ bill."""
    dice = random.Random(seed)
    models = dialect("ark").models
    return [_quotient(rig, dice, models[number % len(models)]) for number in range(count)]
