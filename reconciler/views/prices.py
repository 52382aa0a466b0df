"""Render price tables for `clipform prices`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from reconciler.plan.prices import DatedPrice
from reconciler.views.format import plain_decimal
from reconciler.views.terminal.style import Style
from reconciler.views.terminal.tables import Column, grid, row

_COLUMNS = tuple(map(Column, ("TABLE", "MODEL", "RESOLUTION", "VIDEO", "AUDIO", "TIER", "PRICE", "AGE")))


def table(prices: Sequence[DatedPrice], day: date, style: Style, room: int) -> Iterator[str]:
    """Yield a line for each row, then the source of each table."""
    if not prices:
        yield "No shipped price is for this model."
        return
    head, *body = grid(_COLUMNS, [_cells(price, day) for price in prices], room)
    yield style.dim(row(head))
    yield from map(row, body)
    for name, source in dict.fromkeys((price.table, price.row.source) for price in prices):
        yield style.dim(f"{name}: {source}")


def _cells(price: DatedPrice, day: date) -> list[str]:
    row = price.row
    amount = (
        "" if row.per_1k_tokens is None else f"{plain_decimal(row.per_1k_tokens)} {price.currency} per 1,000 tokens"
    )
    age = "" if price.read is None else f"{(day - price.read).days} d"
    sorts = [_yes_no(row.video_input), _yes_no(row.audio), row.tier or "any"]
    return [price.table, row.model, row.resolution or "any", *sorts, amount, age]


def _yes_no(value: bool | None) -> str:
    return "any" if value is None else "yes" if value else "no"


def data(price: DatedPrice, day: date) -> dict[str, object]:
    """Return one row as JSON values."""
    row = price.row
    return {
        "table": price.table,
        "model": row.model,
        "resolution": row.resolution,
        "video_input": row.video_input,
        "audio": row.audio,
        "tier": row.tier,
        "per_1k_tokens": None if row.per_1k_tokens is None else plain_decimal(row.per_1k_tokens),
        "currency": price.currency,
        "source": row.source,
        "read": None if price.read is None else price.read.isoformat(),
        "age_days": None if price.read is None else (day - price.read).days,
    }
