"""Keeps pydantic from looking for plug-ins, which the models of this program have no use for.

To read the entry points of every installed package takes a tenth of the plan of a few clips.
Rejected: the variable `PYDANTIC_DISABLE_PLUGINS`, which the programs that clipform starts would inherit, and which does
not save the import of `importlib.metadata`.
"""

from __future__ import annotations

import sys
from types import ModuleType

_LOADER = "pydantic.plugin._loader"


class _NoPlugins(ModuleType):
    """Takes the place of the module of pydantic that finds plug-ins; for any other use it is that module itself."""

    def get_plugins(self) -> tuple[object, ...]:
        """Return no plug-in."""
        return ()

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        from importlib import import_module

        sys.modules.pop(_LOADER, None)
        return getattr(import_module(_LOADER), name)


def install() -> None:
    """Do so in this process, which must be the program's own."""
    sys.modules.setdefault(_LOADER, _NoPlugins(_LOADER))
