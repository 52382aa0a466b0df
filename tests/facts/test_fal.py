"""What fal's models take, cost and are sent, against a table that was typed in from its pages."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.conform.clips import job_of
from reconciler.plan.estimate import estimate
from reconciler.providers.check import Resolved, resolve
from reconciler.providers.fal.dialect import Fal
from reconciler.spec.model import Price
from tests.emulator.kit import Rig
from tests.facts.kit import VIDEO, clip, priced

FACTS: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "fal.yaml").read_text("utf-8"))
TABLE = (Price.model_validate({"use": "fal-usd"}),)


@pytest.mark.parametrize("row", FACTS["models"], ids=lambda row: row["model"])
def test_a_model_takes_what_the_page_says(row: Mapping[str, Any]) -> None:
    (model,) = [model for model in Fal({}).models if model.name == row["model"]]
    if "seconds" in row:
        assert list(model.durations) == [*range(row["seconds"][0], row["seconds"][1] + 1)]
    assert list(model.durations) == row.get("all_seconds", list(model.durations))
    assert list(model.resolutions) == row.get("resolutions", list(model.resolutions))
    assert len(model.ratios) == row.get("ratios", len(model.ratios))
    assert row.get("seed", model.seed_max is not None) == (model.seed_max is not None)
    assert sorted(mode.value for mode in model.modes) == sorted(row["modes"])
    media = [model.max_images, model.max_videos, model.max_audios]
    assert media == row.get("media", media)


@pytest.mark.parametrize("row", FACTS["clips"], ids=lambda row: f"{row['model']}-{row['clip']}")
def test_a_clip_is_sent_and_priced_as_the_page_says_and_its_emulator_agrees(row: Mapping[str, Any], rig: Rig) -> None:
    wanted = clip(model=row["model"], **row["clip"])
    resolved = resolve(wanted, Fal({}))
    assert isinstance(resolved, Resolved), resolved
    request = Fal({}).submit(job_of(wanted, resolved))
    assert request.body == row["sent"]
    assert (request.method, request.path) == ("POST", f"/{row['model']}")
    assert dict(request.headers) == FACTS["headers"]

    cost = estimate(TABLE, priced(wanted, "fal"), "USD").amount
    usd = None if row["usd"] is None else Decimal(str(row["usd"]))
    assert (cost is None) == (usd is None)
    if cost is not None and usd is not None:
        assert abs(cost - usd) <= Decimal(str(row.get("near", 0)))

    headers = {"authorization": "Key k", **FACTS["headers"]}
    answer = rig.send("POST", f"/fal/{row['model']}", json=row["sent"], headers=headers).json()
    rig.now += 1000
    assert rig.send("GET", answer["response_url"], headers=headers).status_code == 200
    assert len(rig.world.ledger.entries) == 1


def test_a_video_among_the_references_is_paid_by_its_seconds_too() -> None:
    """0.1814 USD a second of input and output: 2 to 15 seconds of input are possible, and the most is reserved."""
    wanted = clip({"videos": [VIDEO]}, model="bytedance/seedance-2.0/reference-to-video", duration=5)
    cost = estimate(TABLE, priced(wanted, "fal"), "USD")
    assert cost.amount == Decimal("0.1814") * 20
    assert cost.least == Decimal("0.1814") * 7
