"""Estimate the price of a request, and settle it by the usage that the provider reports.

Decimals only; an unknown price is never zero. Where the provider chooses a length, a ratio or how much of an input
counts, the estimate is a range, and its upper end is what is reserved and capped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import TYPE_CHECKING

from reconciler import money
from reconciler.frozen import dataclass
from reconciler.plan.model import Cost
from reconciler.plan.prices import DatedPrice, expanded
from reconciler.providers.pixels import Size, least_billed, tokens

if TYPE_CHECKING:  # loads pydantic
    from reconciler.spec.model import Price as Row

MICRO = Decimal("0.000001")

Span = tuple[int, int]
"""The least and the most seconds."""


@dataclass(frozen=True, slots=True)
class PricedRequest:
    """What the price of a request depends on; None or empty where it is not known."""

    model: str
    resolution: str | None = None
    sizes: tuple[Size, ...] = ()  # pictures that the result may have
    seconds: Span | None = None  # of the result
    input_seconds: Span | None = (0, 0)  # of the reference videos that are billed as well
    stem: str = ""  # the shipped model that the model is like
    video_input: bool = False  # a reference video is among the inputs, billed or not
    audio: bool | None = None
    tier: str = "default"
    day: date | None = None  # prices of other days do not count
    either: bool = False  # billed in one of two units: every row that matches counts, not the first alone
    percent: int = 100  # of its tokens that are billed

    @property
    def has_video(self) -> bool:
        """True if a billed video is among the inputs."""
        return self.input_seconds != (0, 0)


def estimate(rows: Sequence[Row], request: PricedRequest, currency: str) -> Cost:
    """Return the price of a request by the first row that matches; amount None without one or if a fact is missing."""
    prices = list(_matching(rows, request) if request.either else filter(None, [_price(rows, request)]))
    spans = [(span, price) for price in prices if (span := _amounts(price.row, request)) is not None]
    if not spans:
        return Cost(None, currency)
    (_, most), price = max(spans, key=lambda pair: pair[0][1])
    least = min(span[0] for span, _ in spans)
    if money.bounded(most) is None:
        return Cost(None, currency)
    return Cost(most, currency, least if least < most else None, price.origin(request.day))


def bills_tokens(rows: Sequence[Row], request: PricedRequest) -> bool:
    """True if the price table prices a request by the tokens that its provider reports."""
    price = _price(rows, request)
    return price is not None and price.row.per_1k_tokens is not None


def settled(rows: Sequence[Row], request: PricedRequest, used: int) -> Decimal | None:
    """Return the price of the tokens that a provider reported; None without a price by tokens, or out of bounds."""
    price = _price(rows, request)
    if price is None or price.row.per_1k_tokens is None:
        return None
    return money.bounded((price.row.per_1k_tokens * used / 1000).quantize(MICRO, ROUND_HALF_EVEN))


def _price(rows: Sequence[Row], request: PricedRequest) -> DatedPrice | None:
    return next(_matching(rows, request), None)


def _matching(rows: Sequence[Row], request: PricedRequest) -> Iterator[DatedPrice]:
    return (price for price in expanded(rows) if _matches(price, request) and price.in_effect(request.day))


def _matches(price: DatedPrice, request: PricedRequest) -> bool:
    """True if a row is for this request. A shipped table also knows a project's model by the one that it is like."""
    row = price.row
    return (
        (fnmatchcase(request.model, row.model) or (bool(price.table) and fnmatchcase(request.stem, row.model)))
        and row.resolution in (None, request.resolution)
        and row.video_input in (None, request.video_input)
        and row.audio in (None, request.audio)
        and row.tier in (None, request.tier)
    )


def _amounts(row: Row, request: PricedRequest) -> tuple[Decimal, Decimal] | None:
    """Return the least and the most that a request may cost."""
    if row.per_clip is not None:
        return row.per_clip, row.per_clip
    if request.seconds is None or request.input_seconds is None:
        return None
    floor = row.min_seconds or Decimal(0)
    least, most = (max(Decimal(a + b), floor) for a, b in zip(request.seconds, request.input_seconds, strict=True))
    if row.per_second is not None:
        return row.per_second * least, row.per_second * most
    if row.per_1k_tokens is None or not request.sizes:
        return None
    billed = [Fraction(least), Fraction(most)]
    if request.has_video:
        billed = [max(b, least_billed(request.resolution, s)) for b, s in zip(billed, request.seconds, strict=True)]
    fewest = min(math.floor(tokens(size, billed[0])) for size in request.sizes)
    highest = max(math.ceil(tokens(size, billed[1])) for size in request.sizes)
    price = row.per_1k_tokens / 1000 * request.percent / 100
    return (price * fewest).quantize(MICRO, ROUND_FLOOR), (price * highest).quantize(MICRO, ROUND_CEILING)
