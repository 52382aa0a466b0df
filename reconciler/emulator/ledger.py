"""Record every accepted task, in order, for comparison with what a client believes it paid for.

The file has one JSON object per line. Each line is synced before the answer is sent, so that a client with a positive
answer finds its task here whatever happens to this process.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from reconciler.diagnostics import ClipformError
from reconciler.frozen import dataclass

_LONG = 512
"""The most characters of a text in a recorded request; longer ones (pictures as data) are recorded as their hash."""


@dataclass(frozen=True, slots=True)
class Charge:
    """The price of one task if it succeeds, in the vendor's unit: seconds, clips, tokens or beans."""

    amount: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted task. `time` is Unix seconds; `account` is a digest of the credential, never the credential."""

    sequence: int
    time: float
    kind: str
    task: str
    model: str
    account: str
    request: object
    charge: Charge

    def document(self) -> dict[str, object]:
        """Return the entry as JSON; the amount as text, since a float loses digits."""
        return {**asdict(self), "charge": {"amount": str(self.charge.amount), "unit": self.charge.unit}}


class Ledger:
    """Entries in memory, and in a file if one is given; entries are only added."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self._file: BinaryIO | None = None
        if path is not None:
            try:
                self._file = path.open("ab")
            except OSError as error:
                raise ClipformError(f"the ledger {path} cannot be written: {error.strerror}", code="ledger") from error

    def add(self, entry: Entry) -> None:
        """Record an accepted task; it is on disk when this returns."""
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(json.dumps(entry.document(), ensure_ascii=True).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def clear(self) -> None:
        """Clear the entries in memory; the file keeps its lines."""
        self.entries.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def document(self) -> dict[str, object]:
        """Return the answer to `GET /ledger`."""
        return {"count": len(self.entries), "entries": [entry.document() for entry in self.entries]}


def account_of(credential: str) -> str:
    """Return a short digest that identifies a credential without revealing it."""
    return hashlib.sha256(credential.encode("utf-8", "replace")).hexdigest()[:12]


def shortened(value: object) -> object:
    """Return a request for the record: long texts are replaced by their hash."""
    if isinstance(value, str):
        if len(value) <= _LONG:
            return value
        digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
        return f"{value[:40]}… {len(value)} characters, sha256:{digest}"
    if isinstance(value, Mapping):
        return {str(name): shortened(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shortened(item) for item in value]
    return value
