"""`init`: the files of a small project that applies as it is."""

from __future__ import annotations

import json
from pathlib import Path

from reconciler.diagnostics import ClipformError
from reconciler.spec.files import PROJECT_FILE
from reconciler.spec.schema import json_schema
from reconciler.state import disk

SCHEMA_FILE = "clipform.schema.json"

PROJECT = f"""# yaml-language-server: $schema={SCHEMA_FILE}
version: 1

# The draft provider is built in: free, offline, no account. Declare paid ones under `providers:`.
defaults:
  duration: 4
  ratio: 16:9

clips:
  sunrise:
    prompt: A slow push-in over misty mountains at sunrise

  valley: # waits for sunrise and starts from its last frame
    prompt: The camera pans right across the valley as the mist lifts
    first_frame: ${{clips.sunrise.last_frame}}
"""

IGNORED = ("/state/", "/renders/", "/drafts/", "/report/")


def write_project(folder: Path) -> tuple[str, ...]:
    """Write the files that are not there yet; their names. Raises ClipformError when there is a project already."""
    project = folder / PROJECT_FILE
    if project.exists() or project.is_symlink():
        raise ClipformError(f"{project.name} is already there", help="clipform plan", code="exists")
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    ignore = folder / ".gitignore"
    with disk.translated("write the project"):
        disk.make_directories(folder)
        before = ignore.read_text(encoding="utf-8") if ignore.is_file() else ""
        missing = [line for line in IGNORED if line not in before.splitlines()]
        disk.replace(folder / SCHEMA_FILE, schema.encode())
        if missing:
            gap = "" if before.endswith("\n") or not before else "\n"
            disk.replace(ignore, (before + gap + "".join(f"{line}\n" for line in missing)).encode())
        disk.replace(project, PROJECT.encode())
    return (PROJECT_FILE, SCHEMA_FILE, *([".gitignore"] if missing else []))
