"""What a generation should cost. A cent too little is somebody's money."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from reconciler.plan.estimate import PricedRequest, estimate
from reconciler.plan.model import Cost
from reconciler.providers.pixels import size_of
from reconciler.spec.model import Price as Row

D = Decimal


def row(model: str, resolution: str | None, **unit: str) -> Row:
    """A row of a price table, as it is read."""
    return Row.model_validate({"model": model, "resolution": resolution, **unit})


def asked(model: str, resolution: str | None, ratio: str | None, seconds: int | None) -> PricedRequest:
    """A request for a picture of Seedance 2.0."""
    size = size_of("2.0", resolution or "", ratio or "")
    return PricedRequest(model, resolution, (size,) if size else (), None if seconds is None else (seconds, seconds))


TABLE = (
    row("doubao-seedance-2-0*", "720p", per_second="0.10"),
    row("doubao-seedance-2-0*", "1080p", per_second="0.23"),
    row("seedance-?-lite", None, per_clip="0.0000001"),
    row("ark-*", None, per_1k_tokens="0.0043"),
    row("Case", None, per_clip="7"),
    row("*", "480p", per_clip="0.45"),
)


@pytest.mark.parametrize(
    ("model", "resolution", "ratio", "seconds", "amount"),
    [
        ("doubao-seedance-2-0", "720p", None, 5, "0.50"),
        ("doubao-seedance-2-0-260128", "720p", None, 5, "0.50"),  # a glob
        ("doubao-seedance-2-0", "720p", None, 3, "0.30"),  # 3 x 0.1 is 0.30000000000000004 in floats
        ("doubao-seedance-2-0", "1080p", None, 7, "1.61"),
        ("doubao-seedance-2-0", "480p", None, 7, "0.45"),  # no row of the model has it: the next that matches
        ("doubao-seedance-2-0", "2k", None, 5, None),  # none has it
        ("doubao-seedance-2-0", None, None, 5, None),  # nobody knows the resolution: not the cheapest row
        ("doubao-seedance-2-0", "720p", None, None, None),  # nobody knows how long
        ("seedance-1-lite", None, None, None, "0.0000001"),  # a clip costs what it costs
        ("seedance-10-lite", "480p", None, 5, "0.45"),  # ? is one character
        ("Case", None, None, 5, "7"),
        ("case", None, None, 5, None),  # models are spelt as the vendor spells them
    ],
)
def test_the_first_row_that_matches_is_the_price(
    model: str, resolution: str | None, ratio: str | None, seconds: int | None, amount: str | None
) -> None:
    expected = Cost(None if amount is None else D(amount), "USD")
    assert estimate(TABLE, asked(model, resolution, ratio, seconds), "USD") == expected


@pytest.mark.parametrize(
    ("resolution", "ratio", "seconds", "amount"),
    [
        # width x height x (24 x seconds + 1) / 1024 tokens, at 0.0043 a thousand
        ("720p", "16:9", 5, "0.468270"),  # 1280 x 720: 108,900 tokens
        ("720p", "9:16", 5, "0.468270"),
        ("1080p", "16:9", 10, "2.098508"),  # 488,025 tokens, rounded up
        ("480p", "1:1", 1, "0.043000"),  # 10,000 tokens
        ("720p", "4:3", 5, "0.471225"),  # 109,586.3 tokens, rounded up
        ("480p", "16:9", 5, "0.217748"),  # 864 x 496
        ("720p", "adaptive", 5, None),  # the shape is the first picture's
        ("720p", None, 5, None),
        (None, "16:9", 5, None),
        ("8k", "16:9", 5, None),
        ("720p", "16:9", None, None),
    ],
)
def test_tokens_are_counted_by_arks_formula(
    resolution: str | None, ratio: str | None, seconds: int | None, amount: str | None
) -> None:
    found = estimate(TABLE[3:4], asked("ark-1", resolution, ratio, seconds), "USD").amount
    assert (None if found is None else str(found)) == amount


def test_no_table_is_no_price_and_never_nought() -> None:
    assert estimate((), asked("m", "720p", "16:9", 5), "USD") == Cost(None, "USD")


def test_a_row_without_a_unit_cannot_be_written() -> None:
    with pytest.raises(ValidationError):
        row("*", None)
