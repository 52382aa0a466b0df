"""Reads the marks of a video: the tags of its container, and whether it is signed. Decodes no picture.

To be called in a worker: it reads bytes from outside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from reconciler.media.frames import opened

TAG: Final = "clipform"
COPY: Final = "comment"
"""Where our tag is, too: a program that knows no other names keeps this one when it copies or encodes a video again."""
AIGC: Final = "AIGC"
C2PA: Final = "c2pa"
_BOX: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""The name of the box that has a C2PA manifest."""
_HEAD: Final = 1 << 20


def marks(video: str) -> dict[str, str]:
    """Return the marks of a video by name: `clipform`, `AIGC`, and `c2pa` if it has a manifest. Raises MediaError."""
    with opened(Path(video)) as container:
        tags = dict(container.metadata)
    copy = tags.get(COPY, "")
    values = {name: tags[name] for name in (TAG, AIGC) if name in tags}
    if TAG not in values and copy.startswith(f"{TAG} {{"):
        values[TAG] = copy.removeprefix(f"{TAG} ")
    with Path(video).open("rb") as file:
        return values | ({C2PA: "yes"} if _BOX in file.read(_HEAD) else {})


def tag_of(values: Mapping[str, str]) -> dict[str, str]:
    """Return what our tag says; empty if there is none, or one that is not ours."""
    try:
        tag = json.loads(values.get(TAG, ""))
    except ValueError:
        return {}
    is_ours = isinstance(tag, dict) and all(isinstance(tag.get(name), str) for name in ("clip", "key", "sha256"))
    return {str(name): str(value) for name, value in tag.items()} if is_ours else {}
