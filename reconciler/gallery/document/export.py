"""What a report shows: the Document and every Detail, as one script beside the page. Pure.

A report is mailed and published, so it is more discreet than the live page: no path of this machine, and no query of
an address, which may hold a signature. What a prompt says stays as it is.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from reconciler.gallery.document.cards import DocumentContext, document
from reconciler.gallery.document.comparison import Comparison
from reconciler.gallery.document.detail import detail
from reconciler.gallery.document.index import Known
from reconciler.gallery.document.media import Value, picture
from reconciler.media.facts import Cell, Sheet
from reconciler.project.model import Planned
from reconciler.state.history import LogEntry
from reconciler.views import format

DATA = "<!-- clipform:data -->"
"""Where the page takes its data."""

_SCRIPT = '<script src="data.js"></script>'
_QUERY = re.compile(r"(\b[a-z][a-z0-9+.-]*://)(?:[^\s/@]*@)?([^\s?#]*)[?#][^\s\"']*", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@]*@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pictures:
    """What is in the report, by SHA-256: whole videos, previews; those that are left out; and the names of pictures."""

    videos: Collection[str]
    previews: Collection[str]
    damaged: Collection[str] = ()
    inputs: Collection[str] = ()


def values(
    planned: Planned, setting: DocumentContext, events: Sequence[LogEntry], compared: Comparison | None
) -> Value:
    """The Document and the Details, as the live page would have them."""
    known = Known(planned)
    own: dict[str, list[LogEntry]] = defaultdict(list)
    for entry in events:
        own[entry.clip].append(entry)
    found = document(planned, replace(setting, live=False))
    details = {name: detail(name, known, own[name]) for name in _names(found)}
    return {"document": found, "details": details} if compared is None else _compared(found, details, compared)


def _names(found: Value) -> list[str]:
    cards = found["cards"]
    assert isinstance(cards, list)
    return [card["id"] for card in cards]


def _compared(found: Value, details: Mapping[str, Value | None], compared: Comparison) -> Value:
    """The same with what was before."""
    merged: dict[str, Value] = {}
    for name, item in details.items():
        if item is not None and name not in compared.gone:
            merged[name] = _with_since(item, compared.standing.get(name, "same"), compared.before.get(name))
    for name, item in compared.gone.items():
        merged[name] = _with_since(item, "removed", compared.before.get(name))
    cards = [item["card"] for item in merged.values()]
    return {"document": found | {"since": compared.head, "cards": cards}, "details": merged}


def _with_since(item: Value, word: str, before: Value | None) -> Value:
    card = item["card"]
    assert isinstance(card, dict)
    return item | {"card": card | {"since": word}, "before": before}


def shown(found: object) -> Iterator[Value]:
    """Every Media in values."""
    if isinstance(found, dict):
        if "sha256" in found and "poster" in found:
            yield found
        else:
            for item in found.values():
                yield from shown(item)
    elif isinstance(found, list):
        for item in found:
            yield from shown(item)


def videos(found: Value) -> list[str]:
    """The SHA-256 of every video that is shown, each once."""
    return sorted({str(item["sha256"]) for item in shown(found)})


def inputs(planned: Planned) -> dict[str, str]:
    """The pictures that clips declare: their name in a report, and their path in the project."""
    found: dict[str, str] = {}
    for order in planned.loaded.orders:
        for _, item in order.clip.media():
            name = picture(item, order)
            if name is not None:
                found[f"media/input/{name}"] = getattr(item, "path", "")
    return found


def dressed(found: object, pictures: Pictures) -> object:
    """The values with each Media as the report has it; None for one that is damaged."""
    if isinstance(found, dict):
        if "sha256" in found and "poster" in found:
            return _media(found, pictures)
        if "media" in found and "field" in found:
            return found | _input(found, pictures)
        return {name: dressed(item, pictures) for name, item in found.items()}
    return [dressed(item, pictures) for item in found] if isinstance(found, list) else found


def _media(found: Value, pictures: Pictures) -> Value | None:
    sha = str(found["sha256"])
    if sha in pictures.damaged:
        return None
    preview = f"media/{sha}.preview.mp4" if sha in pictures.previews else None
    video = found["video"] if sha in pictures.videos else preview
    return found | {"preview": preview, "video": video} if video else None


def _input(found: Value, pictures: Pictures) -> Value:
    """An input with its picture, if the report has it, and without the way to it, if it lies elsewhere."""
    media, text = found["media"], str(found["text"])
    here = media if media in pictures.inputs or str(media).startswith("data:") else None
    return {"media": here, "text": text.rpartition("/")[2] if text.startswith("/") else text}


def discreet(found: object, root: str, field: str = "") -> object:
    """The values without paths of this machine and without queries of addresses; a prompt stays as it is."""
    if isinstance(found, str):
        text = found.replace(f"{root}/", "")
        return text if field in ("prompt", "media") else _AUTHORITY.sub(r"\1", _QUERY.sub(r"\1\2", text))
    if isinstance(found, list):
        return [discreet(item, root, _field_of(found, field)) for item in found]
    if isinstance(found, dict):
        own = "prompt" if found.get("field") == "prompt" else ""
        return {name: discreet(item, root, own or name) for name, item in found.items()}
    return found


def _field_of(found: list[object], field: str) -> str:
    """A fact is a pair, and its first part says what it is."""
    return "prompt" if len(found) == 2 and found[0] == "prompt" else field


def script(found: object) -> bytes:
    """`data.js`. The values go through a JSON text, in which a clip may have any name; it is ASCII, so that no browser
    guesses an encoding."""
    text = json.dumps(found, separators=(",", ":")).replace("\\", "\\\\").replace("'", "\\'")
    return f"window.CLIPFORM = JSON.parse('{text}');\n".encode("ascii")


def page(template: str) -> str:
    """`index.html`: the page with its data beside it."""
    assert DATA in template
    return template.replace(DATA, _SCRIPT)


def sheet(found: Value, posters: Mapping[str, str]) -> Sheet:
    """The contact sheet of a Document; `posters` by SHA-256."""
    cards = found["cards"]
    assert isinstance(cards, list)
    return Sheet(str(found["title"]), _note(found, len(cards)), tuple(_cell(card, posters) for card in cards))


def _note(found: Value, count: int) -> str:
    counts, cost = found["summary"], found["cost"]
    assert isinstance(counts, dict)
    assert isinstance(cost, dict)
    todo = [f"{number} to {word}" for word, number in counts.items() if number and word not in ("noop", "blocked")]
    blocked = [f"{counts['blocked']} blocked"] if counts["blocked"] else []
    making = counts["create"] + counts["replace"]
    price = format.total(Decimal(str(cost["amount"])), cost["unpriced"], cost["currency"] or "")
    return " · ".join([format.clips(count), *todo, *blocked, *([price] if making else [])])


def _cell(card: Value, posters: Mapping[str, str]) -> Cell:
    media, takes = card["shown"], card["takes"]
    several = isinstance(takes, int) and takes > 1
    return Cell(
        name=str(card["id"]),
        note=f"take {card['pick']} of {takes}" if several else "",
        state=str(card["state"]),
        cost=_cost(card),
        poster=posters.get(str(media["sha256"])) if isinstance(media, dict) else None,
    )


def _cost(card: Value) -> str:
    """What it cost, else what it would cost."""
    for name, form in (("cost", "{}"), ("estimate", "about {}")):
        price = card[name]
        if isinstance(price, dict):
            text = format.money(Decimal(str(price["amount"])), str(price["currency"] or ""))
            return text if text == "free" else form.format(text)
    return "unpriced" if card["state"] in ("new", "changed") else ""
