"""Clones of a project that share a cache."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.e2e.kit import Rig
from tests.emulator.process import Emulator

MakeRig = Callable[[str, Path, Emulator], Rig]


def clone(of: Rig, name: str) -> Rig:
    """What git brings to another machine: the project file and the lock file."""
    folder = of.folder.parent / name
    folder.mkdir()
    for file in ("clipform.yaml", "clipform.lock"):
        if (of.folder / file).exists():
            shutil.copy(of.folder / file, folder / file)
    return Rig(folder, of.vendor, of.account, of.read)


def outputs(of: Rig) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (of.folder / "renders").glob("*")}
