"""Finds the name under which a working copy counts in a shared state, if its project file gives none.

It is fixed at the first use: first as the project that bought what `clipform.lock` names, so that clones in folders of
other names share one budget; where nothing of it was bought there, as the name of the root folder. From then on
`state/project` has it, whatever becomes of the folder. Rejected: a budget for each folder, which a second clone would
double.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from reconciler.diagnostics import ClipformError, StateError, StateUnreachable
from reconciler.state import disk, lockfile
from reconciler.state.paths import LOCK_FILE, STATE
from reconciler.state.sql.port import Sql

FILE = "project"
_BOUGHT = """SELECT project FROM attempt WHERE key = ANY(:keys)
GROUP BY project ORDER BY count(*) DESC, project LIMIT 1"""


def name_of(root: Path, sql: Sql) -> str:
    """Return the name; writes nothing. Raises StateUnreachable where only the database can tell."""
    with suppress(OSError, UnicodeDecodeError):
        if name := (root / STATE / FILE).read_text(encoding="utf-8").strip():
            return name
    try:
        lines = lockfile.loads((root / LOCK_FILE).read_bytes().decode("utf-8", "replace"))
        if lines and (bought := sql.query(_BOUGHT, {"keys": [line.key for line in lines]})):
            return str(bought[0][0])
    except StateUnreachable:
        raise
    except (OSError, StateError, ClipformError):
        pass  # there is no such file, or its reader says what is wrong with it; or the database has no tables yet
    return root.name


def fix(root: Path, name: str) -> None:
    """Remember the name from now on. Where that fails, it is found in the same way the next time."""
    file = root / STATE / FILE
    if not file.exists():
        with suppress(OSError):
            disk.replace(file, f"{name}\n".encode())
