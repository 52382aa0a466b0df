"""The units of the spec cache as JSON. Only the program that wrote a unit decodes it: its context has the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any

from reconciler.diagnostics import Diagnostic, Severity, Source
from reconciler.frozen import dataclass
from reconciler.plan.model import Brief, Cost, Wanted

_APART = ("brief", "cost", "needs", "tags", "server_defaults")
_NAMES = tuple(item.name for item in fields(Wanted) if item.name not in _APART)
_PLAIN = attrgetter(*_NAMES)

Pick = tuple[str, int]
"""The key of a clip's picked take, and its number."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What a plan needs of the clips of one file, and what that was computed from."""

    key: str  # SHA-256 of the file's bytes and its context
    inputs: Mapping[str, str]  # SHA-256 of local inputs, by path
    uses: Mapping[str, Pick]  # clips of other files
    outputs: Sequence[str]  # of all clips, as `same_file` has them
    wanted: tuple[Wanted, ...]
    warnings: tuple[tuple[Diagnostic, ...], ...]  # of each stage: the catalogue, the local inputs
    lines: Mapping[str, int]  # of each declaration


def encoded(unit: Unit) -> dict[str, object]:
    """Return a unit as JSON values."""
    return {
        "key": unit.key,
        "inputs": unit.inputs,
        "uses": unit.uses,
        "outputs": unit.outputs,
        "wanted": [_row(w) for w in unit.wanted],
        "lines": unit.lines,
        "warnings": [[_warning(item) for item in stage] for stage in unit.warnings],
    }


def decoded(values: Mapping[str, Any]) -> Unit:
    """Return the unit of its JSON values."""
    return Unit(
        values["key"],
        values["inputs"],
        {clip: (picked, take) for clip, (picked, take) in values["uses"].items()},
        values["outputs"],
        tuple(map(_wanted, values["wanted"])),
        tuple(tuple(_diagnostic(*item) for item in stage) for stage in values["warnings"]),
        values["lines"],
    )


def _row(w: Wanted) -> list[object]:
    amounts = [None if amount is None else str(amount) for amount in (w.cost.amount, w.cost.least)]
    brief = (w.brief.prompt, w.brief.facts) if w.brief else None
    return [*_PLAIN(w), w.needs, [*amounts, w.cost.currency, w.cost.source], w.tags, w.server_defaults, brief]


def _wanted(row: list[Any]) -> Wanted:
    *plain, needs, cost, tags, defaults, brief = row
    wanted = dict(zip(_NAMES, plain, strict=True))
    return Wanted(
        **wanted,
        needs=tuple((clip, take) for clip, take in needs) if needs else (),
        cost=_cost(*cost),
        tags=tuple(tags),
        server_defaults=tuple(defaults),
        brief=Brief(brief[0], tuple((name, value) for name, value in brief[1])) if brief else None,
    )


@lru_cache(maxsize=1024)  # few clips have a price of their own
def _cost(amount: str | None, least: str | None, currency: str, source: str) -> Cost:
    return Cost(_decimal(amount), currency, _decimal(least), source)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _warning(item: Diagnostic) -> list[object]:
    where = item.source
    place = None if where is None else [where.file, where.line, where.column, where.end]
    return [item.code, item.message, place, item.help, item.clips]


def _diagnostic(code: str, message: str, place: list[Any] | None, help: str, clips: list[str]) -> Diagnostic:
    source = None if place is None else Source(*place)
    return Diagnostic(code, message, source, help, Severity.WARNING, clips=tuple(clips))
