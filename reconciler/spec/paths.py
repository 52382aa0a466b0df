"""Check output paths by their text.

A path whose text shows a problem is refused before anything is paid for. Whether two names are the same file, or a
symlink leads elsewhere, only the file system can tell; that is checked again when files are placed.
"""

from __future__ import annotations

import re
import unicodedata

from reconciler.spec.problems import shown
from reconciler.spec.scalars import Unfit

_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_DEVICES = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))}
_OURS = {"state", ".git"}
_FORBIDDEN = re.compile(r'[<>"|?*\\]')
_PLAIN = re.compile(
    r"renders/(?:(?!(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])/)[A-Za-z0-9_-]{1,99}/){0,4}[A-Za-z0-9_-]{5,200}\.mp4"
)
"""What most outputs look like: none of the rules concerns them."""

_MAX_COMPONENT = 255
_MAX_PATH = 1000

DEFAULT_OUTPUT = "renders/${clip.name}.mp4"


def output_path(text: str) -> str:
    """Return the normalized path of an output: relative, inside the project, valid on every file system."""
    if _PLAIN.fullmatch(text):
        return text
    if text.startswith(("/", "~")) or _DRIVE.match(text):
        raise Unfit(f"must be relative to the project, not {shown(text)}", "write a path such as renders/hero.mp4")
    path = unicodedata.normalize("NFC", text).replace(":", "x")
    if not path.lower().endswith(".mp4"):
        raise Unfit(f"must end in .mp4, not {shown(path)}")
    components = path.split("/")
    for component in components:
        _check_component(component, path)
    if components[0].casefold() in _OURS or ".git" in (component.casefold() for component in components):
        raise Unfit(f"must not be inside {components[0]}/: {shown(path)}", "write it to renders/")
    if len(path.encode()) > _MAX_PATH:
        raise Unfit(f"is longer than {_MAX_PATH} bytes: {shown(path)}")
    return path


def _check_component(component: str, path: str) -> None:
    if component == "..":
        raise Unfit(f"must stay inside the project: {shown(path)} has '..' in it")
    if component in ("", "."):
        raise Unfit(f"has an empty part: {shown(path)}")
    if component.endswith((".", " ")) or component.startswith(" "):
        raise Unfit(f"has a part that starts or ends with a blank, or ends with a dot: {shown(path)}")
    if _FORBIDDEN.search(component) or not component.isprintable():
        message = f"has a character that some file systems do not allow: {shown(path)}"
        raise Unfit(message, "use letters, digits, - and _")
    if component.split(".")[0].rstrip().casefold() in _DEVICES:
        raise Unfit(f"contains a device name of Windows: {shown(path)}")
    if len(component.encode()) > _MAX_COMPONENT:
        raise Unfit(f"has a part of more than {_MAX_COMPONENT} bytes: {shown(path)}")


def same_file(path: str) -> str:
    """Return a form that is equal for paths that some file systems treat as one, by case or by Unicode form."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
