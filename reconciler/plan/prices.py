"""Dated prices: the shipped tables, the rows of a provider, and what is in effect on a day. Pure.

Nothing is priced unless a project writes rows or names a table (`use:`). The rows of a table take the place of the
entry that names it, so the rows before it win.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pkgutil import get_data
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.frozen import dataclass

if TYPE_CHECKING:  # loads pydantic
    from reconciler.spec.model import Budget, Price
    from reconciler.spec.project import ProviderConfig

OLD = 90
"""Days after which a table is old."""


@dataclass(frozen=True, slots=True)
class DatedPrice:
    """One row, and the shipped table that it is from: empty for a row that the project states, under `provider`."""

    row: Price
    table: str = ""
    read: date | None = None
    currency: str = ""
    provider: str = ""

    def in_effect(self, day: date | None) -> bool:
        """True if the row holds on a day, or if no day is asked for."""
        since, until = self.row.since, self.row.until
        return day is None or ((since is None or since <= day) and (until is None or day <= until))

    def age(self, day: date | None) -> int | None:
        """Return the days since a table was read, or since a row with a source began; None if that is not known."""
        start = self.read or (self.row.since if self.row.source else None)
        return None if day is None or start is None else (day - start).days

    def origin(self, day: date | None) -> str:
        """Return where the price is from and its age, such as `ark-usd, 61 days old`; empty if it names no source."""
        days = self.age(day)
        age = [] if days is None else [f"{days} days old"]
        return ", ".join([name for name in (self.table or self.row.source,) if name] + age)


def expanded(rows: Iterable[Price]) -> Iterator[DatedPrice]:
    """Yield the rows of a provider, the first that matches counts."""
    for row in rows:
        if row.use is None:
            yield DatedPrice(row)
        else:
            yield from table(row.use)


@cache
def table(name: str) -> tuple[DatedPrice, ...]:
    """Return the rows of a shipped table."""
    from reconciler.spec.model import Price

    document = _document(name)
    read, currency = date.fromisoformat(document["read"]), document["currency"]
    rows = [Price.model_validate({"source": document["source"], **row}) for row in document["rows"]]
    return tuple(DatedPrice(row, name, read, currency) for row in rows)


@cache
def _document(name: str) -> Mapping[str, Any]:
    import yaml

    data = get_data("reconciler.plan", f"price_tables/{name}.yaml") or b""
    document: Mapping[str, Any] = yaml.load(data, getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    return document


def used(rows: Iterable[Price]) -> tuple[str, ...]:
    """Return the tables that a provider names."""
    return tuple(dict.fromkeys(row.use for row in rows if row.use is not None))


def currency(providers: Iterable[ProviderConfig], budget: Budget | None) -> str:
    """Return the currency of a project: the budget's, else that of the tables that it names; empty without both."""
    if budget is not None:
        return budget.currency
    names = (name for config in providers for name in used(config.spec.prices))
    return next((str(_document(name)["currency"]) for name in names), "")


def currency_faults(providers: Iterable[ProviderConfig], budget: Budget | None) -> Iterator[Diagnostic]:
    """Yield an error for each provider with a table in another currency than the project's: amounts are summed."""
    configs = tuple(providers)
    ours = currency(configs, budget)
    for config in configs:
        for name in used(config.spec.prices):
            theirs = _document(name)["currency"]
            if theirs != ours:
                message = f"the prices {name} are in {theirs}, and this project counts in {ours}"
                help = f"set budget.currency: {theirs}, or use one currency for all providers"
                source = config.fields.get("prices", config.where)
                yield Diagnostic("price-currency", message, source, help)


def warnings(config: ProviderConfig, day: date) -> Iterator[Diagnostic]:
    """Yield what is wrong with the dates of a provider's prices."""
    source = config.fields.get("prices", config.where)
    for name in used(config.spec.prices):
        age = (day - date.fromisoformat(_document(name)["read"])).days
        if age > OLD:
            message = f"the prices {name} are {age} days old, and vendors change theirs"
            help = "compare them with your console, and write rows of your own before `use:`"
            yield Diagnostic("old-prices", message, source, help, Severity.WARNING)
    for row in config.spec.prices:
        if row.until is not None and row.until < day:
            message = f"a price of {row.model} ended on {row.until} and does not count"
            yield Diagnostic("ended-price", message, source, "write the price of today", Severity.WARNING)


def tables() -> Sequence[DatedPrice]:
    """Return the rows of all shipped tables."""
    from reconciler.spec.model import PRICE_TABLES

    return [row for name in PRICE_TABLES for row in table(name)]


def own(providers: Iterable[ProviderConfig], budget: Budget | None) -> Sequence[DatedPrice]:
    """Return the rows that a project states itself."""
    configs = tuple(providers)
    unit = currency(configs, budget)
    return [
        DatedPrice(row, currency=unit, provider=config.alias)
        for config in configs
        for row in config.spec.prices
        if row.use is None
    ]
