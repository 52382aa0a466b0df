"""The units of the spec cache as JSON. Only the program that wrote a unit decodes it: its context has the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import repeat
from operator import attrgetter
from sys import intern
from typing import Any

from reconciler.diagnostics import Diagnostic, Severity, Source
from reconciler.frozen import dataclass
from reconciler.plan.model import Brief, Cost, Wanted
from reconciler.spec.values import LookUse

_own = attrgetter("clip", "take", "key", "output", "needs", "looks")
_alike = attrgetter(
    *("provider", "kind", "model"),
    *("protect", "free", "tags", "server_defaults", "rehearses", "takes"),
    *("table", "tier", "tier_why"),
)
"""Returns what many takes have alike: it is written once for all of them."""

_QUOTES = "`~^|"
"""One of these replaces the quotes in documents, each of which would be two characters of JSON, and slow to read."""

Pick = tuple[str, int]
"""The key of a clip's picked take, and its number."""

_Form = tuple[
    tuple[tuple[str, str], ...],
    tuple[str, str, str],
    tuple[bool, bool, Cost, tuple[str, ...], tuple[str, ...], bool, int],
    tuple[str, str, str],
]
"""The facts of a brief, and three parts of the fields of `Wanted` in their order."""


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
    durations: Mapping[str, int]  # as the clips state them, for films


def encoded(unit: Unit) -> dict[str, object]:
    """Return a unit as JSON values."""
    forms: dict[tuple[object, ...], int] = {}
    rows = [[forms.setdefault(_form(w), len(forms)), w.brief and w.brief.prompt, *_row(w)] for w in unit.wanted]
    documents = [w.document for w in unit.wanted]
    is_usual = [w.output for w in unit.wanted if w.output is not None] == [*unit.outputs]
    quote = next((sign for sign in _QUOTES if not any(sign in document for document in documents)), '"')
    return {
        "key": unit.key,
        "inputs": unit.inputs,
        "uses": unit.uses,
        "outputs": None if is_usual else unit.outputs,
        "forms": [*forms],
        "wanted": rows,
        "quote": quote,
        "documents": [document.replace('"', quote) for document in documents],
        "lines": unit.lines,
        "durations": unit.durations,
        "warnings": [[_warning(item) for item in stage] for stage in unit.warnings],
    }


def decoded(values: Mapping[str, Any]) -> Unit:
    """Return the unit of its JSON values."""
    forms, quote = [_decoded_form(form) for form in values["forms"]], values["quote"]
    documents = [document.replace(quote, '"') for document in values["documents"]]
    wanted = tuple(map(_wanted, values["wanted"], documents, repeat(forms)))
    outputs = values["outputs"]
    return Unit(
        values["key"],
        values["inputs"],
        {clip: (picked, take) for clip, (picked, take) in values["uses"].items()},
        [w.output for w in wanted if w.output is not None] if outputs is None else outputs,
        wanted,
        tuple(tuple(_diagnostic(*item) for item in stage) for stage in values["warnings"]),
        {intern(name): line for name, line in values["lines"].items()},
        {intern(clip): seconds for clip, seconds in values["durations"].items()},
    )


def _row(w: Wanted) -> list[object]:
    *values, looks = _own(w)
    return [*values, [[look.name, look.spans, look.fields, look.avoid] for look in looks]]


def _form(w: Wanted) -> tuple[object, ...]:
    """Return what other takes may have too. Amounts are texts: `0.5` and `0.50` are equal, and read differently."""
    amounts = [None if amount is None else str(amount) for amount in (w.cost.amount, w.cost.least)]
    return w.brief and w.brief.facts, (*amounts, w.cost.currency, w.cost.source), *_alike(w)


def _decoded_form(form: list[Any]) -> _Form:
    facts, cost, *alike = form
    provider, kind, model, protect, free, tags, server_defaults, rehearses, takes, table, tier, why = alike
    bought = (protect, free, _cost(*cost), tuple(tags), tuple(server_defaults), rehearses, takes)
    return tuple((name, value) for name, value in facts or ()), (provider, kind, model), bought, (table, tier, why)


def _wanted(row: list[Any], document: str, forms: Sequence[_Form]) -> Wanted:
    """Return a take; its texts are shared with the records, which have the same ones. By their place, many arguments
    take half of the time."""
    form, prompt, clip, take, key, output, needs, looks = row
    facts, made_by, bought, end = forms[form]
    return Wanted(  # type: ignore[call-arg]  # mypy takes a tuple for more than it has
        intern(clip),
        take,
        intern(key),
        intern(document),
        *made_by,
        None if output is None else intern(output),
        tuple([(name, other) for name, other in needs]) if needs else (),
        *bought,
        None if prompt is None else Brief(prompt, facts),
        tuple(map(_look, looks)) if looks else (),
        *end,
    )


def _look(row: list[Any]) -> LookUse:
    name, spans, fields, avoid = row
    return LookUse(name, tuple((first, last) for first, last in spans), tuple(fields), avoid)


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
