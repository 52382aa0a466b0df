"""The data of our own kinds: one folder each, written by hand from the vendors' pages (see `reconciler.conform`)."""

from __future__ import annotations

from pathlib import Path

from reconciler.conform import Contract

HERE = Path(__file__).parent
FOLDERS = tuple(sorted(path.parent.name for path in HERE.glob("*/accepted.yaml")))
CONTRACTS = {kind: Contract(kind, HERE / kind) for kind in FOLDERS}
