"""Read untrusted replies: for any JSON, each function returns a valid value or None.

A reply may hold numbers in place of text, lists, ids of ten kilobytes or lone surrogates
(docs/design/never-pay-twice.md#f35, #f36, #f48). Text for messages is cut and escaped here, not in the layers above.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from reconciler.providers.base import Reply, Usage, Working

_ID = re.compile(r"(?!\.{1,2}\Z)[!-~]{1,256}\Z")
_LINK = re.compile(r"https?://[^\s\x00-\x1f\x7f\ud800-\udfff]{1,8192}\Z")
_MOST_TOKENS = 10**9  # an hour of 4k has fewer
_QUOTED = 200
_MESSAGE = 500


def mapping(value: object) -> Mapping[str, object]:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def first(value: object) -> object:
    """Return the first item of a non-empty JSON list, else None."""
    return value[0] if isinstance(value, list) and value else None


def at(value: object, path: str) -> object:
    """Return the value at a dotted path, in which a number is a list index; None if there is none."""
    for step in path.split("."):
        if step.isdigit():
            index = int(step)
            value = value[index] if isinstance(value, list) and index < len(value) else None
        else:
            value = mapping(value).get(step)
    return value


def task_id(value: object) -> str | None:
    """Return a usable task id: short printable text, else None. A number is not an id: never-pay-twice#f36."""
    return value if isinstance(value, str) and _ID.match(value) else None


def find_id(body: object, paths: Iterable[str]) -> tuple[str | None, object]:
    """Return the first usable id at some paths, and the first value at any of them."""
    values = [raw for path in paths if (raw := at(body, path)) is not None]
    task = next((task for raw in values if (task := task_id(raw)) is not None), None)
    return task, values[0] if values else None


def link(value: object) -> str | None:
    """Return a link that can be fetched, else None; some vendors send bare storage keys (never-pay-twice#f51)."""
    return value if isinstance(value, str) and _LINK.match(value) else None


def first_link(body: object, paths: Iterable[str]) -> str | None:
    """Return the first usable link at some paths."""
    return next((url for path in paths if (url := link(at(body, path))) is not None), None)


def integer(value: object) -> int | None:
    """Return a whole number, also from text of at most 18 digits; None for anything else, booleans included."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**18 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    return int(value) if isinstance(value, str) and re.match(r"-?[0-9]{1,18}\Z", value) else None


def tokens_used(usage: Mapping[str, object], *names: str) -> Usage:
    """Return the tokens that a vendor bills, by the first of these names that it reports."""
    for name in names:
        value = usage.get(name)
        if value is not None:
            if type(value) is int and 0 < value < _MOST_TOKENS:
                return Usage(value)
            return Usage(nonsense=f"{name} {quoted(value)}")
    return Usage()


def percent(value: object) -> int | None:
    """Return progress in percent from 50, "50", "50%" or 12.5, else None."""
    if isinstance(value, float) and 0 <= value <= 100:
        return int(value)
    number = integer(value.removesuffix("%") if isinstance(value, str) else value)
    return number if number is not None and 0 <= number <= 100 else None


def words(value: object) -> str:
    """Return text for a message: cut, without control characters or surrogates; empty if the value is not text."""
    return _clean(value, _MESSAGE) if isinstance(value, str) else ""


def first_words(*values: object) -> str:
    """Return the first of these values that is text and not empty, as `words` returns it."""
    return next((text for value in values if (text := words(value))), "")


def quoted(value: object) -> str:
    """Return any value, cut and escaped, for a message."""
    if isinstance(value, str):
        return repr(_clean(value, _QUOTED))
    try:
        return _clean(repr(value), _QUOTED)
    except (RecursionError, ValueError):  # nested deeper than the stack, or more digits than Python prints
        return f"a {type(value).__name__} too large to show"


def code_text(value: object) -> str:
    """Return an error code as text, from 10400, "10400" or a symbol; empty for anything else."""
    number = None if isinstance(value, str) else integer(value)
    return words(value) if number is None else str(number)


def _clean(text: str, most: int) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text[: most + 1])
    return printable if len(printable) <= most else f"{printable[:most]}…"


def life(value: object) -> float | None:
    """Return the seconds for which a link is valid; None for zero, unparsable and absurd values."""
    seconds = integer(value)
    return float(seconds) if seconds is not None and 0 < seconds < 10**9 else None


def retry_after(reply: Reply) -> float | None:
    """Return the wait that a server asks for, in seconds; None if absent or invalid (never-pay-twice#f31).

    A date counts from the reply's own `Date`. Without the header, gateways put `retry_after` into the body, at the top
    or in `error` or `data`.
    """
    text = (reply.headers.get("retry-after") or _retry_after_in(reply.body)).strip()
    try:
        seconds = float(text)
    except ValueError:
        until, now = _date(text), _date(reply.headers.get("date", ""))
        seconds = (until - now).total_seconds() if until and now else math.nan
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _retry_after_in(body: object) -> str:
    parts = [body, body.get("error"), body.get("data")] if isinstance(body, Mapping) else []
    values = (part.get("retry_after") for part in parts if isinstance(part, Mapping))
    return str(next((value for value in values if isinstance(value, int | float | str)), ""))[:40]


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else None


def working(status: object, queued: frozenset[str], running: frozenset[str], progress: object = None) -> Working:
    """Return the answer for a task that has not ended; an unknown status gets a warning (never-pay-twice#f48)."""
    documented = isinstance(status, str) and status in queued | running
    warning = "" if documented else f"unknown status {quoted(status)}; still polling"
    return Working(isinstance(status, str) and status in queued, percent(progress), warning)


def path_text(task: str) -> str:
    """Return a task id, escaped as one segment of a path."""
    return quote(task, safe="-._~")


def summary(reply: Reply) -> str:
    """Return a reply in one line, for the message about one that cannot be read."""
    body = reply.text if reply.body is None else reply.body
    return f"HTTP {reply.status}: {quoted(body)}"
