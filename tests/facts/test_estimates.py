"""Over random clips of every model the estimate is never below the bill, and close to it where nothing is left open."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from statistics import median

import pytest

from reconciler.plan.estimate import estimate, settled
from tests.emulator.kit import Rig
from tests.facts.estimates import TABLE, quotients
from tests.facts.kit import billed, clip, priced, submit

CLIPS = 300


def test_an_estimate_is_never_below_the_bill(rig: Rig) -> None:
    results = quotients(rig, CLIPS)
    stated = [result for is_open, result in results if not is_open]
    assert len(stated) > CLIPS // 2
    assert min(result for _, result in results) >= 1
    assert max(stated) < Fraction(1001, 1000)
    assert median(result for _, result in results) <= Fraction(101, 100)


@pytest.mark.parametrize(
    ("model", "audio", "dollars"),
    [  # 864 x 496 x 121 / 1024 = 50,638.5 tokens of 1.5 pro, 854 x 480 x 121 / 1024 = 48,437.8 of 2.5
        ("doubao-seedance-1-5-pro-251215", True, 50_638.5 * 0.60 * 2.4e-6),
        ("doubao-seedance-1-5-pro-251215", False, 50_638.5 * 0.70 * 1.2e-6),
        ("doubao-seedance-2-5-260628", True, 48_437.8 * 10.7e-6),
    ],
)
def test_a_draft_is_estimated_and_billed_as_the_pages_say(model: str, audio: bool, dollars: float, rig: Rig) -> None:
    form = {"model": model, "duration": 5, "ratio": "16:9", "resolution": "480p"}
    request = priced(clip(audio=audio, options={"draft": True}, **form))
    cost = estimate(TABLE, request, "USD")
    assert cost.amount == pytest.approx(Decimal(dollars), rel=Decimal("0.0001"))
    content = [{"type": "text", "text": "p"}]
    assert submit(rig, {**form, "content": content, "generate_audio": audio, "draft": True}) == ""
    assert settled(TABLE, request, billed(rig)) == pytest.approx(cost.amount, rel=Decimal("0.0001"))
