"""The field `needed_by`: until when a clip may take."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from reconciler.spec import scalars
from reconciler.spec.field_types import INTERPOLATED, Leaf
from reconciler.spec.problems import shown

_HELP = "write a time with its zone, such as 2026-12-05T18:00+01:00 or 2026-12-05T17:00Z, or a length such as 96h"


def parse(raw: object) -> datetime | Decimal:
    """Parse a time, or a length of time to seconds. A time needs its zone: else it is another one elsewhere."""
    written = scalars.line(raw)
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        try:
            return scalars.span(raw)
        except scalars.Unfit:
            raise scalars.Unfit(f"must be a time or a length of time, not {shown(written)}", _HELP) from None
    if moment.tzinfo is None:
        raise scalars.Unfit(f"must be a time with its zone, not {shown(written)}", _HELP)
    return moment


_WRITTEN = {"type": "string", "pattern": "[0-9](Z|[+-][0-9:]+|ms|s|m|h)$"}
NEEDED_BY = Leaf(parse, "time or length", {"anyOf": [_WRITTEN, INTERPOLATED]})
