"""The data of a report: the Document and every Detail, as one script beside the page. Pure.

A report is mailed and published, so it contains less than the live page: no path of this machine, and no query of an
address, which may hold a signature. Prompts stay unchanged.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from reconciler import money
from reconciler.frozen import dataclass
from reconciler.gallery.document.cards import DocumentContext, document
from reconciler.gallery.document.comparison import Comparison
from reconciler.gallery.document.detail import detail
from reconciler.gallery.document.index import PlanIndex
from reconciler.gallery.document.media import picture, stills
from reconciler.gallery.document.model import Bill, Card, Detail, Document, FilmPiece, Head, Value, Video, dumps
from reconciler.media.facts import TITLE, Cell, Sheet
from reconciler.project.model import Planned
from reconciler.spec.values import LocalMedia
from reconciler.state.history import LogEntry
from reconciler.views import format

DATA = "<!-- clipform:data -->"
"""The place in the page's HTML where a report inserts its data."""

_SCRIPT = '<script src="data.js"></script>'
_QUERY = re.compile(r"(\b[a-z][a-z0-9+.-]*://)(?:[^\s/@]*@)?([^\s?#]*)[?#][^\s\"']*", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@]*@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pictures:
    """The media in a report: SHA-256 of whole videos and of previews, SHA-256 of damaged videos, which it leaves out,
    and the addresses of input pictures."""

    videos: Collection[str]
    previews: Collection[str]
    damaged: Collection[str] = ()
    inputs: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class ReportData:
    """All values of a report; `details` by clip."""

    document: Document
    details: Mapping[str, Detail]


def values(
    planned: Planned, context: DocumentContext, events: Sequence[LogEntry], comparison: Comparison | None
) -> ReportData:
    """Return the Document and the Details as the live page has them, with the comparison if there is one."""
    index = PlanIndex(planned)
    by_clip: dict[str, list[LogEntry]] = defaultdict(list)
    for entry in events:
        by_clip[entry.clip].append(entry)
    whole = document(planned, replace(context, live=False))
    details = ((card.id, detail(card.id, index, by_clip[card.id])) for card in whole.cards)
    # A report is for one state of the project: older versions would make it many times as large.
    data = ReportData(whole, {name: replace(one, versions=()) for name, one in details if one is not None})
    return data if comparison is None else _compared(data, comparison)


def _compared(data: ReportData, comparison: Comparison) -> ReportData:
    details = {name: detail for name, detail in data.details.items() if name not in comparison.removed}
    details |= comparison.removed
    merged = {
        name: replace(
            detail,
            card=replace(detail.card, since=comparison.groups.get(name, "same")),
            before=comparison.earlier.get(name),
        )
        for name, detail in details.items()
    }
    head = replace(data.document.head, since=comparison.head)
    return ReportData(Document(head, tuple(detail.card for detail in merged.values())), merged)


def videos(data: ReportData) -> list[str]:
    """Return the SHA-256 of every video in the report, each once, sorted."""
    return sorted({video.sha256 for video in _videos(data) if video is not None})


def _videos(data: ReportData) -> Iterator[Video | None]:
    yield from (card.shown for card in data.document.cards)
    yield from (piece.shown for card in data.document.cards for piece in card.pieces)
    for clip in data.details.values():
        yield from (take.media for take in (*clip.takes, clip.previous) if take is not None)
        yield from (clip.before.shown, *(piece.shown for piece in clip.before.pieces)) if clip.before else ()


def inputs(planned: Planned) -> dict[str, str]:
    """Return the path in the project of each declared input picture, by its address in a report."""
    local = ((order, source) for order in planned.loaded.orders for _, source in order.clip.media())
    named = ((picture(source, order), source) for order, source in local if isinstance(source, LocalMedia))
    paths = {name: source.path for name, source in named if name is not None} | stills(planned)
    return {f"media/input/{name}": path for name, path in paths.items()}


def script(data: ReportData, root: str, pictures: Pictures) -> bytes:
    """Return `data.js`. The values are inside a JSON text, so a clip may have any name; the script is ASCII, so no
    browser has to guess its encoding."""
    published = _with_pictures(_redacted(json.loads(dumps(data)), root), pictures)
    text = json.dumps(published, separators=(",", ":")).replace("\\", "\\\\").replace("'", "\\'")
    return f"window.CLIPFORM = JSON.parse('{text}');\n".encode("ascii")


def _with_pictures(value: object, pictures: Pictures) -> object:
    """Return the JSON value with each video and input picture as the report has it; None for a damaged video."""
    if isinstance(value, dict):
        if "sha256" in value and "poster" in value:
            return _video(value, pictures)
        if "media" in value and "field" in value:
            return value | _input(value, pictures)
        if "still" in value and value["still"] not in pictures.inputs:
            value = value | {"still": None}
        return {name: _with_pictures(member, pictures) for name, member in value.items()}
    return [_with_pictures(element, pictures) for element in value] if isinstance(value, list) else value


def _video(video: Value, pictures: Pictures) -> Value | None:
    sha256 = str(video["sha256"])
    if sha256 in pictures.damaged:
        return None
    preview = f"media/{sha256}.preview.mp4" if sha256 in pictures.previews else None
    address = video["video"] if sha256 in pictures.videos else preview
    return video | {"preview": preview, "video": address} if address else None


def _input(source: Value, pictures: Pictures) -> Value:
    """Return the picture's address, if the report has it, and the text without the path of a file outside the root."""
    media, text = source["media"], str(source["text"])
    included = media in pictures.inputs or str(media).startswith("data:")
    return {"media": media if included else None, "text": text.rpartition("/")[2] if text.startswith("/") else text}


def _redacted(value: object, root: str, field: str = "") -> object:
    """Return the JSON value without paths of this machine and without user names and queries in addresses. A prompt
    loses only `root`."""
    if isinstance(value, str):
        text = value.replace(f"{root}/", "")
        return text if field in ("prompt", "media") else _AUTHORITY.sub(r"\1", _QUERY.sub(r"\1\2", text))
    if isinstance(value, list):
        fact = len(value) == 2 and value[0] == "prompt"  # a fact is a pair of a name and a value
        return [_redacted(element, root, "prompt" if fact else field) for element in value]
    if isinstance(value, dict):
        inherited = "prompt" if value.get("field") == "prompt" else ""
        return {name: _redacted(member, root, inherited or name) for name, member in value.items()}
    return value


def page(template: str) -> str:
    """Return `index.html`: the page that loads its data from the script beside it. Raises ValueError if the template
    has no place for it."""
    start, end = template.split(DATA)
    return f"{start}{_SCRIPT}{end}"


def sheet(gallery: Document, posters: Mapping[str, str], names: Collection[str] = ()) -> Sheet:
    """Return the contact sheet of a Document; `posters` are paths by SHA-256 of the video, and by address of a picture.
    Where `names`, what the user asked for, are films, it has their pieces."""
    films = [card for card in gallery.cards if card.id in names and card.pieces]
    if not names or len(films) < len(set(names)):
        cells = tuple(_cell(card, posters) for card in gallery.cards)
        return Sheet(gallery.head.title, _note(gallery.head, len(cells)), cells)
    states = {card.id: card.state for card in gallery.cards}
    pieces = tuple(_piece_cell(piece, states, posters) for film in films for piece in film.pieces)
    count = f"{len(pieces)} piece{'' if len(pieces) == 1 else 's'}"
    return Sheet(f"{gallery.head.title} · {', '.join(film.id for film in films)}", count, pieces)


def _piece_cell(piece: FilmPiece, states: Mapping[str, str], posters: Mapping[str, str]) -> Cell:
    times = "" if piece.last is None else f"{piece.first:g}–{piece.last:g} s"
    poster = posters.get(piece.shown.sha256 if piece.shown else piece.still or "")
    kind = TITLE if piece.still is None else "still"
    return Cell(piece.clip or piece.text, times, states.get(piece.clip, kind), "", poster)


def _note(head: Head, count: int) -> str:
    counts, cost = head.summary, head.cost
    todo = [
        f"{number} to {action}" for action, number in counts.items() if number and action not in ("noop", "blocked")
    ]
    blocked = [f"{counts['blocked']} blocked"] if counts["blocked"] else []
    generates = counts["create"] + counts["replace"]
    return " · ".join([format.clips(count), *todo, *blocked, *([_total(cost)] if generates else [])])


def _total(cost: Bill) -> str:
    least = None if cost.least is None else Decimal(cost.least)
    return format.total(Decimal(cost.amount), cost.unpriced, cost.currency or "", least)


def _cell(card: Card, posters: Mapping[str, str]) -> Cell:
    return Cell(
        name=card.id,
        note=f"take {card.pick} of {card.takes}" if card.takes > 1 else "",
        state=card.state,
        cost=_cost(card),
        poster=posters.get(card.shown.sha256) if card.shown else None,
    )


def _cost(card: Card) -> str:
    """Return what the plan would spend on the clip, else the cost on record."""
    if card.due is not None:
        text = _total(card.due)
        return text if text == "free" or card.due.unpriced else f"about {text}"
    return money.text(Decimal(card.cost.amount), card.cost.currency or "") if card.cost else ""
