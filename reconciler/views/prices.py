"""Render price tables for `clipform prices`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from reconciler import money
from reconciler.plan.prices import DatedPrice
from reconciler.views.format import plain_decimal
from reconciler.views.terminal.style import Style
from reconciler.views.terminal.tables import Column, grid, row

_COLUMNS = tuple(map(Column, ("TABLE", "MODEL", "RESOLUTION", "VIDEO", "AUDIO", "TIER", "PRICE", "AGE")))


def table(prices: Sequence[DatedPrice], day: date, style: Style, room: int) -> Iterator[str]:
    """Yield a line for each row, then the source of each table."""
    if not prices:
        yield "No price is for this model."
        return
    head, *body = grid(_COLUMNS, [_cells(price, day) for price in prices], room)
    yield style.dim(row(head))
    yield from map(row, body)
    for name, source in dict.fromkeys((_name(price), price.row.source) for price in prices if price.row.source):
        yield style.dim(f"{name}: {source}")


def _cells(price: DatedPrice, day: date) -> list[str]:
    row = price.row
    days = price.age(day)
    sorts = [_yes_no(row.video_input), _yes_no(row.audio), row.tier or "any"]
    age = "" if days is None else f"{days} d"
    return [_name(price), row.model, row.resolution or "any", *sorts, _amount(price), age]


def _name(price: DatedPrice) -> str:
    """Return the name of the table, or whose own row it is."""
    return price.table or f"{price.provider} (this project)"


def _amount(price: DatedPrice) -> str:
    """Return the amount, its unit, and what limits the row."""
    row = price.row
    units = ((row.per_second, "second"), (row.per_clip, "clip"), (row.per_1k_tokens, "1,000 tokens"))
    amounts = [f"{money.plain(amount)} {price.currency} per {unit}" for amount, unit in units if amount is not None]
    limits = (("at least", row.min_seconds and f"{row.min_seconds} s"), ("from", row.since), ("until", row.until))
    return ", ".join([*amounts, *(f"{word} {limit}" for word, limit in limits if limit)])


def _yes_no(value: bool | None) -> str:
    return "any" if value is None else "yes" if value else "no"


def data(price: DatedPrice, day: date) -> dict[str, object]:
    """Return one row as JSON values."""
    row = price.row
    return {
        "table": price.table,
        "provider": price.provider,
        "model": row.model,
        "resolution": row.resolution,
        "video_input": row.video_input,
        "audio": row.audio,
        "tier": row.tier,
        "min_seconds": _plain(row.min_seconds),
        "per_second": _plain(row.per_second),
        "per_clip": _plain(row.per_clip),
        "per_1k_tokens": _plain(row.per_1k_tokens),
        "currency": price.currency,
        "source": row.source,
        "read": _iso(price.read),
        "from": _iso(row.since),
        "until": _iso(row.until),
        "age_days": price.age(day),
    }


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else plain_decimal(amount)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
