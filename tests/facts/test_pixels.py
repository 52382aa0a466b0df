"""Picture sizes and tokens are those of the pages, in the estimate and in the emulator's bill."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from reconciler.plan.estimate import PricedRequest, estimate, settled
from reconciler.providers import pixels
from reconciler.spec.model import Price
from tests.emulator.kit import Rig
from tests.emulator.kit import clip as headers
from tests.facts.kit import RATIOS, VIDEO, billed, clip, golden, item, priced, submit, text_or_frame

ROWS = [
    pytest.param(model, row["resolution"], ratio, size, id=f"{model}-{row['resolution']}-{ratio}")
    for row in golden("pixels")
    for model in row["models"]
    for ratio, size in zip(RATIOS, row["sizes"].split(), strict=True)
]
PER_MILLION = (Price.model_validate({"per_1k_tokens": "0.001"}),)


def sides(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


def asked(model: str, resolution: str, ratio: str, seconds: int = 5) -> PricedRequest:
    frame = {"first_frame": VIDEO} if "i2v" in model else {}
    return priced(clip(model=model, resolution=resolution, ratio=ratio, duration=seconds, **frame))


@pytest.mark.parametrize(("model", "resolution", "ratio", "size"), ROWS)
def test_the_estimate_has_the_size_of_the_page(model: str, resolution: str, ratio: str, size: str) -> None:
    assert asked(model, resolution, ratio).sizes == (sides(size),)


def test_the_emulator_bills_the_sizes_of_the_page(rig: Rig) -> None:
    for model, resolution, ratio, size in (row.values for row in ROWS):
        body = text_or_frame(str(model), resolution=resolution, ratio=ratio, duration=5)
        assert submit(rig, body) == "", body
        width, height = sides(str(size))
        assert billed(rig) == width * height * (24 * 5 + 1) // 1024, (model, resolution, ratio)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_emulator_makes_pictures_of_the_sizes_of_the_page(rig: Rig, ratio: str) -> None:
    [row] = [r for r in golden("pixels") if r["resolution"] == "480p" and "doubao-seedance-2-0-260128" in r["models"]]
    video = headers(rig.fetch(rig.finish("ark", resolution="480p", ratio=ratio, duration=4)).content)
    assert (video.width, video.height) == sides(row["sizes"].split()[RATIOS.index(ratio)])


@pytest.mark.parametrize("row", golden("tokens"), ids=lambda row: f"{row['seconds']}s+{row['input']}s")
def test_tokens_are_those_that_were_billed(row: dict[str, Any]) -> None:
    size = pixels.size_of("2.0", row["resolution"], row["ratio"])
    assert size is not None
    assert pixels.tokens(size, row["seconds"] + row["input"]) == row["billed"]


def test_the_emulator_bills_the_tokens_that_were_billed(rig: Rig) -> None:
    for row in golden("tokens"):
        if not row["input"]:
            form = {"resolution": row["resolution"], "ratio": row["ratio"], "duration": row["seconds"]}
            assert submit(rig, text_or_frame("doubao-seedance-2-0-260128", **form)) == ""
            assert billed(rig) == row["billed"]


@pytest.mark.parametrize("row", golden("least_charges"), ids=lambda row: f"{row['seconds']}s")
def test_a_least_charge_is_never_estimated_too_low(row: dict[str, Any]) -> None:
    prices = {"480p": "4.3", "720p": "4.3", "1080p": "4.7"}
    for resolution in prices.keys() & row.keys():
        size = pixels.size_of("2.0", resolution, "16:9")
        assert size is not None
        count = pixels.tokens(size, pixels.least_billed(resolution, row["seconds"]))
        cost = float(count) * float(prices[resolution]) / 1e6
        assert row[resolution] - 0.005 <= cost <= row[resolution] * 1.02


def test_a_video_among_the_inputs_is_estimated_as_a_range_that_holds_the_bill(rig: Rig) -> None:
    model = "doubao-seedance-2-0-260128"
    for seconds in (4, 9, 15):
        request = priced(clip({"videos": [VIDEO]}, model=model, resolution="1080p", ratio="1:1", duration=seconds))
        cost = estimate(PER_MILLION, request, "USD")
        body = text_or_frame(model, resolution="1080p", ratio="1:1", duration=seconds)
        assert submit(rig, {**body, "content": [item("video", "reference_video")]}) == ""
        bill = settled(PER_MILLION, request, billed(rig))
        assert cost.least is not None and cost.amount is not None and bill is not None
        assert cost.least <= bill <= cost.amount


def test_what_the_provider_chooses_is_a_range_of_all_that_it_may_choose() -> None:
    model = "doubao-seedance-2-0-260128"
    cost = estimate(PER_MILLION, priced(clip(model=model, resolution="720p", duration=-1, ratio="adaptive")), "USD")
    least = 960 * 960 * (24 * 4 + 1) // 1024
    most = math.ceil(834 * 1112 * (24 * 15 + 1) / 1024)
    assert (cost.least, cost.amount) == (Decimal(least) / 10**6, Decimal(most) / 10**6)


@pytest.mark.parametrize(("model", "resolution", "ratio"), [("sd2_mx_2k", "2k", "16:9")])
def test_a_size_outside_the_table_has_no_price(model: str, resolution: str, ratio: str) -> None:
    request = priced(clip(model=model, resolution=resolution, ratio=ratio, duration=5), "jimmyai")
    assert estimate(PER_MILLION, request, "USD").amount is None


def test_a_mistake_in_the_table_alone_is_noticed(monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    """The golden rows are not read from the package, so a wrong number there disagrees with them."""
    tables = pixels._tables()
    families = {**tables["families"], "2.0": {**tables["families"]["2.0"], "720p": {"16:9": [1280, 736]}}}
    monkeypatch.setattr(pixels, "_tables", lambda: {**tables, "families": families})
    monkeypatch.setattr(pixels, "_sizes", pixels._sizes.__wrapped__)  # it remembers the table
    with pytest.raises(AssertionError):
        test_the_estimate_has_the_size_of_the_page("doubao-seedance-2-0-260128", "720p", "16:9", "1280x720")
    with pytest.raises(AssertionError):
        test_the_emulator_bills_the_sizes_of_the_page(rig)
