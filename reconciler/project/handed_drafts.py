"""The scenes of drafts that are handed to workers: what is drawn, without a path of the machine that asks.

An order is named by what it shows and by what draws it, so all who ask for one scene share one render, and nobody gets
the picture of another version. Local inputs are named by their content. A worker reads no other file, whatever an order
says: it makes their names itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import reconciler
from reconciler.artifacts.shelf import Shelf
from reconciler.diagnostics import MediaError
from reconciler.frozen import dataclass
from reconciler.identity import canonical
from reconciler.project.handed import INPUTS

DRAFTS = "drafts"
"""The folder of drafts in the shared cache: `<sha256>` has the bytes of one, `<name of the order>.txt` names them."""

_LISTS = ("images", "videos", "audios")
_REFS = ("first_frame", "last_frame")
_SHA256, _SUFFIX = re.compile("[0-9a-f]{64}"), re.compile(r"(\.[a-z0-9]{1,8})?")

Ref = dict[str, str]


def renderer() -> str:
    """Return the account that draws a scene to the same bytes as this program."""
    return f"draft:{reconciler.__version__}-av{version('av')}-pillow{version('pillow')}"


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """A scene, and the local files that it shows by their names in the shared cache: `inputs/<sha256><suffix>`."""

    body: Mapping[str, Any]
    inputs: Mapping[str, Path]

    @property
    def document(self) -> str:
        """The scene as text."""
        return canonical(self.body)

    @property
    def name(self) -> str:
        """What all who ask for this scene call it."""
        return hashlib.sha256(f"{renderer()}\n{self.document}".encode()).hexdigest()[:32]

    @property
    def key(self) -> str:
        """The key of its order; no purchase has such a key."""
        return f"draft:{self.name}"

    def placed(self, folder: Path) -> dict[str, Any]:
        """Return the scene for a renderer whose inputs are in a folder."""
        return _with_refs(self.body, lambda ref: {**ref, "value": str(folder / _name(ref))})

    def made(self, shelf: Shelf) -> str | None:
        """Return the SHA-256 of its draft, None if the shared cache has none. Raises ArtifactError."""
        text = (shelf.small(f"{DRAFTS}/{self.name}.txt") or b"").decode("ascii", "replace")
        return text if _SHA256.fullmatch(text) else None

    def keep(self, shelf: Shelf, video: Path) -> None:
        """Put its draft into the shared cache, bytes before reference. Raises ArtifactError."""
        with video.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        shelf.put(sha256, video, DRAFTS)
        shelf.write(f"{DRAFTS}/{self.name}.txt", sha256.encode())


def order_of(body: Mapping[str, Any]) -> DraftOrder:
    """Return the order of a scene. Raises MediaError for one that shows a local file of unknown content."""
    inputs: dict[str, Path] = {}

    def named(ref: Ref) -> Ref:
        name = _name(ref)
        inputs[name] = Path(ref["value"])
        return {**ref, "value": name}

    scene = {**_with_refs(body, named), "marker": "", "return_last_frame": False}  # the engine takes its own frames
    return DraftOrder(scene, inputs)


def read(text: str, key: str) -> DraftOrder:
    """Read the order of a key. Raises MediaError for what is none."""
    try:
        order = order_of(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MediaError(f"the scene cannot be read ({type(error).__name__})", code="input") from error
    if order.key != key:
        raise MediaError("the scene is not the one that its key names", code="input")
    return order


def _with_refs(body: Mapping[str, Any], change: Callable[[Ref], Ref]) -> dict[str, Any]:
    """Return a scene with its local inputs changed."""

    def of(ref: Ref | None) -> Ref | None:
        return change(ref) if ref is not None and ref["scheme"] == "file" else ref

    lists = {name: [of(ref) for ref in body[name]] for name in _LISTS}
    return {**body, **lists, **{name: of(body[name]) for name in _REFS}}


def _name(ref: Ref) -> str:
    sha256, suffix = ref["sha256"], Path(ref["value"]).suffix.lower()
    if not _SHA256.fullmatch(sha256) or not _SUFFIX.fullmatch(suffix):
        raise MediaError("an input of the scene has no name by its content", code="input")
    return f"{INPUTS}/{sha256}{suffix}"
