"""The text that `clipform emulate` prints: providers for a project, and the table of faults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from reconciler.emulator.faults import ACTIONS, Phase, Row
from reconciler.emulator.server import Listening

VARIABLE: Final = "CLIPFORM_EMULATOR_KEY"
"""The environment variable that the printed providers read. Any value is accepted; two prefixes have a meaning."""

_HEAD: Final = """\
# The emulator listens on {api} (results on {media}). Ctrl-C stops it.
# Any key is accepted; one that begins with wrong- is refused, one with broke- has no balance.
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

_FAST_POLLS: Final = "    poll_interval: 0.5s # real vendors are polled far less often\n    requests_per_second: 20\n"
_PRICES: Final = "    prices: [ROW] # a sample, so that plans have costs and budgets count\n"

_EXAMPLE: Final = """\
An example, as a file for --faults:

faults:
  - {when: {phase: submit, nth: 2}, do: drop, accepted: true} # the second submit is paid for, its answer is lost
  - {when: {phase: poll, every: 3}, do: status, status: 503} # every third poll meets a broken server
  - {when: {phase: download, rate: 0.1, seed: 7}, do: cut} # one download in ten is cut short
  - {when: {dialect: ark, phase: submit, model: "*-pro-*", nth: [1, 4]}, do: stuck} # these tasks never end
"""


def block(listening: Listening, kinds: Iterable[str]) -> str:
    """Return the `providers:` block, with the addresses and keys explained in comments."""
    text = _HEAD + "".join(_entry(kind) for kind in kinds)
    return text.format(api=listening.api, media=listening.media, variable=VARIABLE)


def _entry(kind: str) -> str:
    """Return one provider; its address and variable are filled in later."""
    return _ENTRY.replace("{kind}", kind) + (_SECRET if kind == "chanjing" else _KEY) + _FAST_POLLS + _prices(kind)


def _prices(kind: str) -> str:
    return _PRICES.replace("ROW", "{{use: ark-usd}}" if kind == "ark" else '{{model: "*", per_second: 0.10}}')


def fault_table() -> str:
    """Return every fault action: its effect, its phases and its parameters; then an example of a file."""
    return "\n\n".join([*(_action(name, row) for name, row in ACTIONS.items()), _EXAMPLE])


def _action(name: str, row: Row) -> str:
    effect = " ".join((row.action.__doc__ or "").split())
    parameters = ", ".join(field.name for field in fields(row.action) if field.name != "do") or "none"
    phases = ", ".join(phase for phase in Phase if phase in row.phases)
    return f"{name}\n  {effect}\n  phases: {phases}\n  parameters: {parameters}"
