"""Reading replies that nobody vouches for: whatever JSON comes, each function answers with a sound value or None.

A reply is hostile until proven otherwise (F35, F36, F48): numbers where text belongs, lists, ten-kilobyte ids, lone
surrogates. What is quoted in a message is cut and escaped here, so that no layer above has to think of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from reconciler.providers.base import Reply, Working

_ID = re.compile(r"(?!\.{1,2}\Z)[!-~]{1,256}\Z")
_LINK = re.compile(r"https?://[^\s\x00-\x1f\x7f\ud800-\udfff]{1,8192}\Z")
_QUOTED = 200
_MESSAGE = 500


def mapping(value: object) -> Mapping[str, object]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def first(value: object) -> object:
    """The first item of a non-empty JSON list, else None."""
    return value[0] if isinstance(value, list) and value else None


def at(value: object, path: str) -> object:
    """What stands at a dotted path; a number picks from a list. None where the path leads nowhere."""
    for step in path.split("."):
        if step.isdigit():
            index = int(step)
            value = value[index] if isinstance(value, list) and index < len(value) else None
        else:
            value = mapping(value).get(step)
    return value


def task_id(value: object) -> str | None:
    """A usable task id: short, printable, text. Numbers are none: no page shows one, and 1e300 is one too (F36)."""
    return value if isinstance(value, str) and _ID.match(value) else None


def find_id(body: object, paths: Iterable[str]) -> tuple[str | None, object]:
    """The first usable id among some places, and what stood in the first place that had anything."""
    found = [raw for path in paths if (raw := at(body, path)) is not None]
    task = next((task for raw in found if (task := task_id(raw)) is not None), None)
    return task, found[0] if found else None


def link(value: object) -> str | None:
    """A link that can be fetched; some vendors hand out bare storage keys, which cannot (F51)."""
    return value if isinstance(value, str) and _LINK.match(value) else None


def first_link(body: object, paths: Iterable[str]) -> str | None:
    """The first usable link among some places."""
    return next((found for path in paths if (found := link(at(body, path))) is not None), None)


def integer(value: object) -> int | None:
    """A whole number, also written as text of at most 18 digits; a yes/no is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**18 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    return int(value) if isinstance(value, str) and re.match(r"-?[0-9]{1,18}\Z", value) else None


def percent(value: object) -> int | None:
    """Progress from 50, "50", "50%" or 12.5; None when it is none of these."""
    if isinstance(value, float) and 0 <= value <= 100:
        return int(value)
    number = integer(value.removesuffix("%") if isinstance(value, str) else value)
    return number if number is not None and 0 <= number <= 100 else None


def words(value: object) -> str:
    """Text from a reply for people: cut, without control characters or surrogates; empty when it is not text."""
    return _clean(value, _MESSAGE) if isinstance(value, str) else ""


def first_words(*values: object) -> str:
    """The first of these that is text with something in it."""
    return next((text for value in values if (text := words(value))), "")


def quoted(value: object) -> str:
    """Any value as it came, cut and escaped, to stand in a message."""
    if isinstance(value, str):
        return repr(_clean(value, _QUOTED))
    try:
        return _clean(repr(value), _QUOTED)
    except (RecursionError, ValueError):  # nested past the stack, or a number past the digits Python will print
        return f"a {type(value).__name__} too large to show"


def code_text(value: object) -> str:
    """An error code as text, whether it came as 10400, "10400" or a symbol; empty when it is neither."""
    number = None if isinstance(value, str) else integer(value)
    return words(value) if number is None else str(number)


def _clean(text: str, most: int) -> str:
    kept = "".join(c if c.isprintable() else " " for c in text[: most + 1])
    return kept if len(kept) <= most else f"{kept[:most]}…"


def life(value: object) -> float | None:
    """Seconds that a link lives; zero, unparsable and absurd values mean that nobody knows."""
    seconds = integer(value)
    return float(seconds) if seconds is not None and 0 < seconds < 10**9 else None


def retry_after(reply: Reply) -> float | None:
    """The wait a server asks for, in seconds; a date counts from the reply's own `Date` (F31). Nonsense is None.

    Where there is no header, gateways say it in the body: `retry_after` at the top, or within `error` or `data`.
    """
    wanted = (reply.headers.get("retry-after") or _in_body(reply.body)).strip()
    try:
        seconds = float(wanted)
    except ValueError:
        until, now = _date(wanted), _date(reply.headers.get("date", ""))
        seconds = (until - now).total_seconds() if until and now else math.nan
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _in_body(body: object) -> str:
    places = [body, body.get("error"), body.get("data")] if isinstance(body, Mapping) else []
    values = (place.get("retry_after") for place in places if isinstance(place, Mapping))
    told = next((value for value in values if isinstance(value, int | float | str)), "")
    return str(told)[:40]


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else None


def standing(word: object, queued: frozenset[str], running: frozenset[str], progress: object = None) -> Working:
    """A task that has not ended: queued, running, or a word nobody knows: polled on, with a warning (F48)."""
    known = isinstance(word, str) and word in queued | running
    warning = "" if known else f"unknown status {quoted(word)}; still asking"
    return Working(isinstance(word, str) and word in queued, percent(progress), warning)


def path_text(task: str) -> str:
    """A task id as one segment of a path."""
    return quote(task, safe="-._~")


def summary(reply: Reply) -> str:
    """What came back, in one line: for the message of an answer that nobody can read."""
    body = reply.text if reply.body is None else reply.body
    return f"HTTP {reply.status}: {quoted(body)}"
