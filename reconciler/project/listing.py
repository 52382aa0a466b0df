"""List the specs that a pattern of `include` matches. The seal lists them too, so nothing slow is imported here."""

from __future__ import annotations

import glob
import os

from reconciler.spec.patterns import matches

MAX_FOLDERS = 20_000


def files_matching(root: str, pattern: str) -> list[str]:
    """Return the files below a folder that match a pattern, sorted. Raises ClipformError for one with too many folders.

    Links that lead back make paths without number.
    """
    if "**" in pattern:
        _require_finite(root, pattern)
    names = (name.replace(os.sep, "/") for name in glob.iglob(pattern, root_dir=root, recursive=True))
    return sorted({name for name in names if matches(pattern, name) and os.path.isfile(os.path.join(root, name))})


def _require_finite(root: str, pattern: str) -> None:
    """Refuse a pattern whose folders do not end."""
    steps = pattern.split("/")
    plain = next(i for i, step in enumerate(steps) if set(step) & set("*?["))
    for count, (_, folders, _) in enumerate(os.walk(os.path.join(root, *steps[:plain]), followlinks=True)):
        if count == MAX_FOLDERS:
            from reconciler.diagnostics import ClipformError

            text = f"include: {pattern} leads through more than {count:,} folders; a link may lead back to one of them"
            raise ClipformError(text, help="remove the link, or name the files without **", code="include-endless")
        folders[:] = [folder for folder in folders if not folder.startswith(".")]  # as `glob` does
