"""Amounts of money: their bounds, their stored form, their texts.

An amount is finite, not negative, below `LIMIT`, and goes with a currency. Each place where one enters (a vendor's
figure, YAML, the command line, `clipform.lock`, receipts, the database) checks it here; None is a cost that is unknown,
never zero. What is stored is a whole number of millionths ("micros").
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

LIMIT = 10**12
MICROS = 1_000_000

WRITTEN = r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,9})?"
"""The pattern of an amount that `parse` reads."""

_TEXT = re.compile(WRITTEN)


def parse(written: str) -> Decimal | None:
    """Return the amount that a text states, such as 0.45; None for any other text."""
    return Decimal(written) if _TEXT.fullmatch(written) else None


def bounded(amount: Decimal) -> Decimal | None:
    """Return an amount, or None if it is out of bounds."""
    return amount if amount.is_finite() and 0 <= amount < LIMIT else None


def checked(micros: object) -> int | None:
    """Return stored millionths, or None if they are no amount."""
    return micros if type(micros) is int and 0 <= micros < LIMIT * MICROS else None


def to_micros(amount: Decimal | None) -> int | None:
    """Return an amount in millionths, rounded up: a price is never booked as free. None stays None."""
    return None if amount is None else int((amount * MICROS).to_integral_value(ROUND_CEILING))


def from_micros(micros: int) -> Decimal:
    """Return millionths as an amount."""
    return Decimal(micros) / MICROS


def plain(amount: Decimal) -> str:
    """Return an amount without exponent, with at least two decimals and no further trailing zeros."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def rounded(amount: Decimal, like: Decimal | None = None) -> Decimal:
    """Return an amount to show: to four digits, of `like` if given, and at least two decimals; never rounded down."""
    places = max(2, 3 - (like or amount).adjusted())
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_CEILING)


def text(amount: Decimal | None, currency: str) -> str:
    """Return an amount as people read it: "unpriced" for None, "free" for zero."""
    if amount is None:
        return "unpriced"
    return f"{plain(rounded(amount))} {currency}".rstrip() if amount else "free"
