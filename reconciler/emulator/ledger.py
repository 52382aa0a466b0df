"""The ledger: every task that was accepted, in order. What a client believes to have paid is compared with it.

On disk it is one JSON object a line, each line synced before the vendor's answer leaves: a client that was told "yes"
finds its task here, whatever happens to this process.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from reconciler.diagnostics import ClipformError

_LONG = 512
"""Characters of a text value in a kept request; longer ones (pictures as data) are kept as their hash."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What one task costs if it succeeds, in the vendor's unit: seconds, clips, tokens or beans."""

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
        """As JSON; the amount as text, since money is no float."""
        return {**asdict(self), "charge": {"amount": str(self.charge.amount), "unit": self.charge.unit}}


class Ledger:
    """Entries in memory, and in a file where one is given. It only grows."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self._file: BinaryIO | None = None
        if path is not None:
            try:
                self._file = path.open("ab")
            except OSError as error:
                raise ClipformError(f"the ledger {path} cannot be written: {error.strerror}", code="ledger") from error

    def add(self, entry: Entry) -> None:
        """Take down an accepted task; it is on disk when this returns."""
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(json.dumps(entry.document(), ensure_ascii=True).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def clear(self) -> None:
        """Forget what is in memory; the file keeps its lines."""
        self.entries.clear()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def document(self) -> dict[str, object]:
        """What `GET /ledger` answers."""
        return {"count": len(self.entries), "entries": [entry.document() for entry in self.entries]}


def account_of(credential: str) -> str:
    """A short name for a credential that does not tell it."""
    return hashlib.sha256(credential.encode("utf-8", "replace")).hexdigest()[:12]


def kept(value: object) -> object:
    """A request as it may be kept: long texts as the hash of what they were."""
    if isinstance(value, str):
        if len(value) <= _LONG:
            return value
        digest = hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
        return f"{value[:40]}… {len(value)} characters, sha256:{digest}"
    if isinstance(value, Mapping):
        return {str(name): kept(item) for name, item in value.items()}
    if isinstance(value, list):
        return [kept(item) for item in value]
    return value
