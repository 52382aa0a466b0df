"""What `clipform emulate` prints: how to point a project at it."""

from __future__ import annotations

from typing import Final

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


def block(listening: Listening, kinds: tuple[str, ...]) -> str:
    """The `providers:` block, with what else one needs to know as comments."""
    entries = (_ENTRY + (_SECRET if kind == "chanjing" else _KEY) for kind in kinds)
    lines = (
        entry.format(kind=kind, api=listening.api, variable=VARIABLE)
        for entry, kind in zip(entries, kinds, strict=True)
    )
    return _HEAD.format(api=listening.api, media=listening.media, variable=VARIABLE) + "".join(lines)
