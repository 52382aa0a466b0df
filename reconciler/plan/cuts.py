"""The key of a cut, and what changed in one. Pure.

A cut is a clip to the planner: wanted, with a key, made by a step, and its artifact is in the store. Its document has
the content of each piece, so that an equal film is never rendered again, and a piece that still has to be made has the
key of its clip in that place: then the key of the cut is not takes yet, and the step that makes it computes it.

    recipe   the text "cut/v1"
    pieces   list of {"sha256": S, "in": F, "out": F} in order: first frame and the one behind the last; `in` absent
             when 0, `out` when it is the end. A title is {"title": T, "for": F}. With "dissolve": F, so many frames
             are shown together with the last ones of the piece before
    size     [width, height]; absent when it is the first piece's
    fps      whole number · fit   "pad" or "crop"
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from reconciler.identity import canonical
from reconciler.plan.model import Change, Cost, Wanted
from reconciler.spec.values import frames

if TYPE_CHECKING:
    from reconciler.spec.cut_fields import PieceDecl
    from reconciler.spec.project import Cut

RECIPE = "cut/v1"
KIND = "cut"
"""The kind of provider that a cut has: none, it is made here."""


def wanted(cuts: Iterable[Cut], clips: Iterable[Wanted], folder: str = "") -> tuple[Wanted, ...]:
    """Return each cut as the planner wants it, with its output under `folder`. A cut comes after those that it shows,
    and `clips` has every picked take."""
    cuts = tuple(cuts)
    takes = {w.clip: w for w in clips if w.output is not None} if cuts else {}
    for cut in cuts:
        document = canonical(_document(cut, takes))
        needs = tuple((name, takes[name].take) for name in cut.needs())
        takes[cut.name] = Wanted(
            clip=cut.name,
            take=1,
            key=key_of(document),
            document=document,
            provider=KIND,
            kind=KIND,
            model="v1",
            output=folder + cut.spec.output,
            needs=needs,
            free=True,
            cost=Cost(Decimal(0)),
        )
    return tuple(takes[cut.name] for cut in cuts)


def _document(cut: Cut, takes: Mapping[str, Wanted]) -> dict[str, object]:
    spec = cut.spec
    optional: dict[str, object] = {"size": list(spec.size)} if spec.size else {}
    pieces = [_piece(piece, spec.fps, takes) for piece in spec.sequence]
    return {"recipe": RECIPE, "pieces": pieces, "fps": spec.fps, "fit": spec.fit, **optional}


def _piece(piece: PieceDecl, fps: int, takes: Mapping[str, Wanted]) -> dict[str, object]:
    start, dissolve = frames(piece.start, fps), frames(piece.dissolve, fps)
    values: dict[str, object] = {"dissolve": dissolve} if dissolve else {}
    if piece.title is not None:
        return {"title": piece.title, "for": frames(piece.seconds or Decimal(0), fps), **values}
    values |= {"in": start} if start else {}
    values |= {} if piece.out is None else {"out": frames(piece.out, fps)}
    return {"clip": takes[piece.source].key, **values}


def key_of(document: str) -> str:
    """Return the key of a canonical document."""
    return f"{RECIPE}:{hashlib.sha256(document.encode()).hexdigest()}"


def settled(document: str, find: Callable[[str], tuple[str, str | None]]) -> str:
    """Return the document with the content of each piece that has one. `find` returns, for the key of a piece in the
    document, the key that it has now, and its content."""
    values = json.loads(document)
    values["pieces"] = [_settled(piece, find) for piece in values["pieces"]]
    return canonical(values)


def _settled(piece: Mapping[str, Any], find: Callable[[str], tuple[str, str | None]]) -> Mapping[str, Any]:
    if "clip" not in piece:
        return piece
    key, sha256 = find(piece["clip"])
    source = {"clip": key} if sha256 is None else {"sha256": sha256}
    return source | {name: value for name, value in piece.items() if name != "clip"}


def is_settled(document: str) -> bool:
    """True if the content of every piece is takes."""
    return all("clip" not in piece for piece in json.loads(document)["pieces"])


def changes(before: str, after: str) -> tuple[Change, ...]:
    """Return what differs between the documents of two versions of a cut."""
    return tuple(_changes(json.loads(before), json.loads(after))) if before else ()


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old, new = ([canonical(piece) for piece in values["pieces"]] for values in (before, after))
    alike = (Counter(old) & Counter(new)).total()
    count = max(len(old), len(new)) - alike
    if count or old != new:
        note = f"{count} piece{'' if count == 1 else 's'} changed" if count else "its pieces are in another order"
        yield Change("pieces", None, None, note)
    for name in sorted((before.keys() | after.keys()) - {"pieces", "recipe"}):
        if before.get(name) != after.get(name):
            yield Change(name, _plain(before.get(name)), _plain(after.get(name)))


def _plain(value: object) -> object:
    return "x".join(map(str, value)) if isinstance(value, list) else value
