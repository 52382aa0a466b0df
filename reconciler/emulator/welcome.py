"""What `clipform emulate` prints: how to point a project at it, and what can go wrong on request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from reconciler.emulator.faults import ACTIONS, Row
from reconciler.emulator.phase import Phase
from reconciler.emulator.server import Listening

VARIABLE: Final = "CLIPFORM_EMULATOR_KEY"
"""The environment variable that the printed providers read. Any value will do; two beginnings mean something."""

_HEAD: Final = """\
# The emulator listens on {api} (results on {media}). Ctrl-C ends it.
# Any key will do; one that begins with wrong- is refused, one with broke- has no balance.
#
#   export {variable}=rehearsal
#
# Ledger: {api}/ledger   leaked credentials: {api}/ledger/leaks
providers:
"""

_ENTRY: Final = """\
  {kind}:
    kind: {kind}
    base_url: {api}/{kind}
"""
_KEY: Final = "    api_key: ${{env.{variable}}}\n"
_SECRET: Final = "    app_id: rehearsal\n    secret_key: ${{env.{variable}}}\n"

_HURRY: Final = "    poll_interval: 0.5s # the vendors are asked far less often\n    requests_per_second: 20\n"


def block(listening: Listening, kinds: Iterable[str]) -> str:
    """The `providers:` block, with what else one needs to know as comments."""
    text = _HEAD + "".join(_entry(kind) for kind in kinds)
    return text.format(api=listening.api, media=listening.media, variable=VARIABLE)


def _entry(kind: str) -> str:
    """One provider; its address and variable are filled in later."""
    return _ENTRY.replace("{kind}", kind) + (_SECRET if kind == "chanjing" else _KEY) + _HURRY


def fault_table() -> str:
    """Every fault action: where it has a meaning, what it does, and its parameters."""
    return "\n\n".join(_action(name, row) for name, row in ACTIONS.items())


def _action(name: str, row: Row) -> str:
    words = " ".join((row.action.__doc__ or "").split())
    parameters = ", ".join(field.name for field in fields(row.action) if field.name != "do") or "none"
    phases = ", ".join(phase for phase in Phase if phase in row.phases)
    return f"{name}\n  {words}\n  phases: {phases}\n  parameters: {parameters}"
