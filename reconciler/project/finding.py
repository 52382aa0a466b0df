"""The result of one check, for `doctor` and `verify`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, whether it passed, the facts, and help if it failed."""

    name: str
    ok: bool
    detail: str
    help: str = ""
