"""Keys of films: each row of `cut_vectors.json` is a film that somebody has, and that must not be assembled again.

The file is append only. A row is {"why", "cut", "document", "key"}: `cut` is what the YAML says of a film, and
`document` what its key is the SHA-256 of. Every file and every video has as its content the SHA-256 of its name.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.plan import cuts
from reconciler.plan.model import Wanted
from reconciler.spec.load import read_project
from reconciler.spec.project import cut_inputs
from tests.memory_files import MemoryFiles

VECTORS = json.loads((Path(__file__).parent / "cut_vectors.json").read_text("utf-8"))
FROZEN = 6
"""Rows that were given out. Raise it, with the digest, when rows were added; never for any other reason."""
DIGEST = "853b5b1af9033c40b6ca05dc19daabd8596690a622b38f27fed29a8c34ea8698"
CLIPS = ("intro", "chase")


def content(name: str) -> str:
    """Return the SHA-256 of a name."""
    return hashlib.sha256(name.encode()).hexdigest()


def document_of(cut: dict[str, Any]) -> str:
    """Return the document of a film all of whose videos are made."""
    project = {"version": 1, "clips": {name: {"prompt": name} for name in CLIPS}, "cuts": {"film": cut}}
    loaded = read_project(MemoryFiles({"clipform.yaml": json.dumps(project)}))
    takes = [Wanted(name, 1, f"v1:{name}", "", "draft", "draft", "animatic", f"renders/{name}.mp4") for name in CLIPS]
    [film] = cuts.wanted(loaded.cuts, takes, {path: content(path) for path in cut_inputs(loaded.cuts)})
    return cuts.settled(film.document, lambda key: (key, content(key.removeprefix("v1:"))))


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: row["why"])
def test_a_film_keeps_the_key_that_it_was_made_under(row: dict[str, Any]) -> None:
    document = document_of(row["cut"])
    assert document == row["document"]
    assert cuts.key_of(document) == row["key"] == f"cut/v1:{hashlib.sha256(document.encode()).hexdigest()}"


def test_rows_that_were_given_out_are_unchanged() -> None:
    assert len(VECTORS) >= FROZEN
    promised = [[row["document"], row["key"]] for row in VECTORS[:FROZEN]]
    assert hashlib.sha256(json.dumps(promised).encode()).hexdigest() == DIGEST


def test_the_rows_cover_the_recipe() -> None:
    documents = [json.loads(row["document"]) for row in VECTORS]
    named = {"recipe", "pieces", "size", "fps", "fit", "audio", "loudness", "subtitles"}
    assert {name for document in documents for name in document} == named
    pieces = {name for document in documents for piece in document["pieces"] for name in piece}
    assert pieces == {"sha256", "in", "out", "title", "still", "for", "dissolve", "volume"}
    sounds = {name for document in documents for sound in document.get("audio", ()) for name in sound}
    assert sounds == {"sha256", "gain", "duck", "fade", "at", "loop"}
    assert len({row["key"] for row in VECTORS}) == len(VECTORS)
