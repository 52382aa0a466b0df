"""Read golden tables, and what catalogue and emulator say about the same model.

The tables were typed in from the vendors' pages. Nothing under `reconciler/` reads them, so that a fact that is wrong
there is wrong against them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from reconciler.plan.estimate import PricedRequest
from reconciler.project.priced import priced_request
from reconciler.providers.check import Resolved, resolve
from reconciler.providers.registry import dialect
from reconciler.spec.model import ClipFields, References
from reconciler.spec.project import Clip
from reconciler.spec.values import UrlMedia
from tests.emulator.kit import SUBMITS, Rig

FOLDER = Path(__file__).parent
RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
VIDEO = UrlMedia("https://example.com/walk.mp4")
PICTURE = UrlMedia("https://example.com/lamp.jpg")


def golden(name: str) -> list[dict[str, Any]]:
    """Return the rows of a table."""
    rows: list[dict[str, Any]] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    return rows


def clip(references: Mapping[str, Sequence[UrlMedia]] | None = None, **fields: Any) -> Clip:
    """Return a clip as if read."""
    media = References().model_copy(update={name: tuple(items) for name, items in (references or {}).items()})
    return Clip("c", "c", ClipFields().model_copy(update={"prompt": "p", "references": media, **fields}))


def priced(clip: Clip, kind: str = "ark") -> PricedRequest:
    """Return what the price of a clip depends on."""
    resolved = resolve(clip, dialect(kind))
    assert isinstance(resolved, Resolved), resolved
    return priced_request(clip, resolved)


def item(sort: str, role: str) -> dict[str, object]:
    """Return a content item at Ark."""
    url = VIDEO.url if sort == "video" else PICTURE.url
    return {"type": f"{sort}_url", f"{sort}_url": {"url": url}, "role": role}


def text_or_frame(model: str, **body: object) -> dict[str, object]:
    """Return the body of a request at Ark with the least content that the model takes."""
    content: list[dict[str, object]] = [{"type": "text", "text": "p"}]
    if "i2v" in model:
        content.append(item("image", "first_frame"))
    return {"model": model, "content": content, **body}


def submit(rig: Rig, body: Mapping[str, object]) -> str:
    """Submit to the emulated Ark; return the code of the refusal, empty if the task was accepted."""
    answer = rig.ask("POST", SUBMITS["ark"][0], body)
    return "" if answer.status_code == 200 else str(answer.json()["error"]["code"])


def billed(rig: Rig) -> int:
    """Return what the last task is billed for, by the emulator's ledger."""
    return int(rig.world.ledger.entries[-1].charge.amount)
