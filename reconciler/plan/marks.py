"""What the marked copy of an output says, and its key. Pure.

A copy is derived from the artifact and free to make again; its key, recipe `mark/v1`, is the SHA-256 of the canonical
document {recipe, source, tags, label, certificate, assertion}. It is never a clip's input: those are made from the
artifact. No prompt is in it unless the project asks for that, and never what leads to a machine: no path, no link.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reconciler.frozen import dataclass
from reconciler.identity import canonical
from reconciler.plan.cuts import KIND
from reconciler.plan.model import Wanted

if TYPE_CHECKING:  # loads pydantic
    from reconciler.spec.provenance_fields import ProvenanceDecl

FOLDER = "marked"
"""Where copies are, under the paths of their outputs."""
RECIPE = "mark/v1"
PRODUCER = "clipform"


@dataclass(frozen=True, slots=True)
class Marking:
    """A marked copy that is to exist: where, of which artifact, and the order for the worker that writes it."""

    clip: str
    output: str
    source: str  # SHA-256
    key: str
    order: str
    assertion: str  # of its signature
    shows: tuple[str, ...] = ()  # SHA-256 of the videos that it is made from


def marking(w: Wanted, key: str, document: str, sha256: str, settings: ProvenanceDecl) -> Marking:
    """Return the copy of a take, or of a film. `key` and `document` are what made the artifact `sha256`."""
    shows = _ingredients(w, document) or (sha256,)
    tag = _tag(w, key, document, sha256, in_full=settings.embed == "full")
    label, signs = settings.label.visible if settings.label else None, settings.c2pa is not None
    order: dict[str, object] = {"tags": dict(_tags(tag, key, settings))}
    if label is not None:
        seconds = None if label.seconds is None else str(label.seconds)
        order["label"] = {"text": label.text, "at": label.at, "seconds": seconds}
    certificate = {"certificate": settings.c2pa.certificate, "assertion": tag} if settings.c2pa else {}
    text = canonical({"recipe": RECIPE, "source": sha256, **certificate, **order})
    digest = hashlib.sha256(text.encode()).hexdigest()
    copy = f"{FOLDER}/{w.output}"
    return Marking(w.clip, copy, sha256, f"{RECIPE}:{digest}", canonical(order), tag if signs else "", shows)


def _tag(w: Wanted, key: str, document: str, sha256: str, *, in_full: bool) -> str:
    """Return what a copy says about itself, as canonical JSON."""
    tag: dict[str, object] = {"v": 1, "clip": w.clip, "take": w.take, "key": key, "sha256": sha256}
    tag |= {"model": w.model, "kind": w.kind}
    tag |= {"ingredients": list(ingredients)} if (ingredients := _ingredients(w, document)) else {}
    tag |= {"prompt": w.brief.prompt} if in_full and w.brief is not None and w.brief.prompt else {}
    return canonical(tag)


def _tags(tag: str, key: str, settings: ProvenanceDecl) -> Iterator[tuple[str, str]]:
    if settings.embed != "no":
        yield "clipform", tag
        yield "comment", f"clipform {tag}"
    if settings.label is not None and settings.label.hidden:
        fields = {"Label": "1", "ContentProducer": PRODUCER, "ProduceID": key}
        empty = dict.fromkeys(("ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2"), "")
        yield "AIGC", json.dumps(fields | empty, separators=(",", ":"))


def _ingredients(w: Wanted, document: str) -> tuple[str, ...]:
    """Return the content of each clip in a film, each once."""
    pieces = json.loads(document).get("pieces", ()) if w.kind == KIND and document else ()
    return tuple(dict.fromkeys(piece["sha256"] for piece in pieces if "sha256" in piece))
