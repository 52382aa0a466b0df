"""`init`: writes the files of a small project that can be applied at once."""

from __future__ import annotations

import json
from pathlib import Path

from reconciler.diagnostics import ClipformError
from reconciler.next_command import command
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

COMMIT = "# Videos: remove the next line to commit them with clipform.lock, so that CI can compare them."
IGNORED = ("/state/", "/drafts/", "/report/", COMMIT, "/renders/")


def write_project(folder: Path) -> tuple[str, ...]:
    """Write the missing files and return their names. Raises ClipformError when there is a project already."""
    project = folder / PROJECT_FILE
    if project.exists() or project.is_symlink():
        raise ClipformError(f"{project.name} already exists", help=command("plan"), code="exists")
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    ignore = folder / ".gitignore"
    with disk.translated("write the project"):
        disk.make_directories(folder)
        ignored = ignore.read_text(encoding="utf-8") if ignore.is_file() else ""
        missing = [line for line in IGNORED if line not in ignored.splitlines()]
        disk.replace(folder / SCHEMA_FILE, schema.encode())
        if missing:
            gap = "" if ignored.endswith("\n") or not ignored else "\n"
            disk.replace(ignore, (ignored + gap + "".join(f"{line}\n" for line in missing)).encode())
        disk.replace(project, PROJECT.encode())
    return (PROJECT_FILE, SCHEMA_FILE, *([".gitignore"] if missing else []))
