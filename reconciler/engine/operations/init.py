"""`init`: writes the files of a small project that can be applied at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from reconciler.diagnostics import ClipformError
from reconciler.next_command import command
from reconciler.project.nearby import other_project_file
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

CACHE = """\
# A bucket, or a folder (file:///folder), that the team shares: docs/guides/team.md
# cache: {remote: "s3://bucket/clips"}

"""
"""What the choice `cache` adds to the project file; the user names the bucket."""

VIDEOS = {
    "git": "Videos go into git, through Git LFS (run git lfs install once): a clone has them.",
    "local": "Videos stay out of git: in a clone, fetch collects them while their providers have them (free).",
    "cache": "Videos stay out of git: fill in cache in clipform.yaml, push them, and a clone pulls them (free).",
}
"""Where a new project may keep its videos, and what that means for a colleague's clone; the first is the default."""

NO_REPOSITORY = "Videos go into git, through Git LFS (run git init here, and git lfs install once): a clone has them."
"""What the choice `git` means in a folder that is in no repository yet."""

_IGNORED = ("/state/", "/drafts/", "/report/")
_LFS = "/renders/** filter=lfs diff=lfs merge=lfs -text"


def write_project(folder: Path, videos: str = "git") -> tuple[str, ...]:
    """Write the missing files and return their names. Raises ClipformError when there is a project already."""
    require_no_project(folder)
    project = folder / PROJECT_FILE
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    for_git = {".gitignore": _IGNORED, ".gitattributes": (_LFS,)}
    text = PROJECT
    if videos == "cache":
        text = PROJECT.replace("# The draft", f"{CACHE}# The draft", 1)
    if videos != "git":
        for_git = {".gitignore": (*_IGNORED, "/renders/")}
    with disk.translated("write the project"):
        disk.make_directories(folder)
        disk.replace(folder / SCHEMA_FILE, schema.encode())
        extended = [name for name, lines in for_git.items() if _add_lines(folder / name, lines)]
        disk.replace(project, text.encode())
    return (PROJECT_FILE, SCHEMA_FILE, *extended)


def meaning(choice: str, folder: Path) -> str:
    """Return what a choice of `VIDEOS` means for a colleague's clone, and what is to do for it."""
    above = (folder.resolve(), *folder.resolve().parents)
    if choice == "git" and not any((each / ".git").exists() for each in above):
        return NO_REPOSITORY
    return VIDEOS[choice]


def require_no_project(folder: Path) -> None:
    """Raise ClipformError if there is a project in a folder, also one whose file has another name."""
    project = folder / PROJECT_FILE
    if not project.exists() and (help := other_project_file(folder)):
        raise ClipformError("the folder has a project file with another name", help=help, code="exists")
    if project.exists() or project.is_symlink():
        raise ClipformError(f"{project.name} already exists", help=command("plan"), code="exists")


def _add_lines(path: Path, lines: Iterable[str]) -> bool:
    """Add the lines that a file lacks. Returns True if there were any."""
    present = path.read_text(encoding="utf-8") if path.is_file() else ""
    missing = [line for line in lines if line not in present.splitlines()]
    gap = "" if present.endswith("\n") or not present else "\n"
    if missing:
        disk.replace(path, (present + gap + "".join(f"{line}\n" for line in missing)).encode())
    return bool(missing)
