"""The key of a cut, and what changed in one. Pure.

A cut is a clip to the planner: wanted, with a key, made by a step, and its artifact is in the store. Its document has
the content of each piece, so that an equal film is never rendered again, and a piece that still has to be made has the
key of its clip in that place: then the key of the cut is not takes yet, and the step that makes it computes it.

    recipe   the text "cut/v1"
    pieces   list of {"sha256": S, "in": F, "out": F} in order: first frame and the one behind the last; `in` absent
             when 0, `out` when it is the end. A title is {"title": T, "for": F}, a picture {"still": S, "for": F}. With
             "dissolve": F, so many frames are shown together with the last ones of the piece before; with "volume": N,
             which is absent when 1, its sound is louder or quieter
    size     [width, height]; absent when it is the first piece's
    fps      whole number · fit   "pad" or "crop"
    audio    list of {"sha256": S, "gain": N, "duck": N, "fade": [N, N], "at": {"piece": P, "frame": F}, "loop": true},
             each but the first absent when it changes nothing; absent without sounds. P counts from 0
    loudness N, in LUFS; absent when the sound is left as it is
    subtitles  {"sha256": S, "as": "track", "burned" or "beside"}; absent without

S is a SHA-256, F a whole number of frames, N a number as text without needless zeros.
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
    from reconciler.spec.cut_fields import CutDecl, PieceDecl, SoundDecl
    from reconciler.spec.project import Cut

RECIPE = "cut/v1"
KIND = "cut"
"""The kind of provider that a cut has: none, it is made here."""


def wanted(
    cuts: Iterable[Cut], clips: Iterable[Wanted], hashes: Mapping[str, str], folder: str = ""
) -> tuple[Wanted, ...]:
    """Return each cut as the planner wants it, with its output under `folder`. A cut comes after those that it shows,
    `clips` has every picked take, and `hashes` the SHA-256 of each local file by path."""
    cuts = tuple(cuts)
    takes = {w.clip: w for w in clips if w.output is not None} if cuts else {}
    for cut in cuts:
        document = canonical(_document(cut, takes, hashes))
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
            beside=cut.spec.beside and folder + cut.spec.beside,
            needs=needs,
            free=True,
            cost=Cost(Decimal(0)),
        )
    return tuple(takes[cut.name] for cut in cuts)


def _document(cut: Cut, takes: Mapping[str, Wanted], hashes: Mapping[str, str]) -> dict[str, object]:
    spec = cut.spec
    optional: dict[str, object] = {"size": list(spec.size)} if spec.size else {}
    optional |= {} if spec.loudness is None else {"loudness": _number(spec.loudness)}
    optional |= {"audio": [_sound(sound, spec, hashes) for sound in spec.audio]} if spec.audio else {}
    if spec.subtitles is not None:
        optional["subtitles"] = {"sha256": hashes[spec.subtitles.file], "as": spec.subtitles.form}
    pieces = [_piece(piece, spec.fps, takes, hashes) for piece in spec.sequence]
    return {"recipe": RECIPE, "pieces": pieces, "fps": spec.fps, "fit": spec.fit, **optional}


def _piece(piece: PieceDecl, fps: int, takes: Mapping[str, Wanted], hashes: Mapping[str, str]) -> dict[str, object]:
    start, dissolve = frames(piece.start, fps), frames(piece.dissolve, fps)
    values: dict[str, object] = {"dissolve": dissolve} if dissolve else {}
    if not piece.source:
        shows = {"title": piece.title} if piece.still is None else {"still": hashes[piece.still]}
        return {**shows, "for": frames(piece.seconds or Decimal(0), fps), **values}
    values |= {"volume": _number(piece.volume)} if piece.volume not in (None, 1) else {}
    values |= {"in": start} if start else {}
    values |= {} if piece.out is None else {"out": frames(piece.out, fps)}
    return {"clip": takes[piece.source].key, **values}


def _sound(sound: SoundDecl, spec: CutDecl, hashes: Mapping[str, str]) -> dict[str, object]:
    name, after = sound.at
    index = next((index for index, piece in enumerate(spec.sequence) if name and piece.source == name), 0)
    begins = {"piece": index, "frame": frames(after, spec.fps)}
    optional: dict[str, object] = {"gain": _number(sound.gain)} if sound.gain else {}
    optional |= {"duck": _number(sound.duck)} if sound.duck else {}
    optional |= {"fade": [_number(seconds) for seconds in sound.fade]} if any(sound.fade) else {}
    optional |= {"at": begins} if any(begins.values()) else {}
    return {"sha256": hashes[sound.file], **optional, **({"loop": True} if sound.loop else {})}


def _number(value: Decimal) -> str:
    return format(value.normalize() + 0, "f")  # + 0 removes the sign of a negative zero


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
            if name in ("audio", "subtitles"):
                yield Change(name, None, None, f"{name} changed")
                continue
            yield Change(name, _plain(before.get(name)), _plain(after.get(name)))


def _plain(value: object) -> object:
    return "x".join(map(str, value)) if isinstance(value, list) else value
