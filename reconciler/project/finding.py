"""What looking at something found: one value for `doctor` and `verify`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: sound or not, what was seen, and the way out when it is not."""

    name: str
    ok: bool
    detail: str
    help: str = ""
