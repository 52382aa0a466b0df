"""Paths of outputs: what one may be, decided on text alone.

Only the file system can say whether two names are one file or a link leads away; that is checked again where files
are placed. What can be known from the text is refused before anything is paid.
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
_MAX_COMPONENT = 255
_MAX_PATH = 1000


def output_path(text: str) -> str:
    """The path of an output: relative, inside the project, a name that every file system takes."""
    if text.startswith(("/", "~")) or _DRIVE.match(text):
        raise Unfit(f"must be relative to the project, not {shown(text)}", "write a path such as renders/hero.mp4")
    path = unicodedata.normalize("NFC", text).replace(":", "x")
    if not path.lower().endswith(".mp4"):
        raise Unfit(f"must end in .mp4, not {shown(path)}")
    components = path.split("/")
    for component in components:
        _check_component(component, path)
    if components[0].casefold() in _OURS or ".git" in (component.casefold() for component in components):
        raise Unfit(f"must not lie in {components[0]}/: {shown(path)}", "write it to renders/")
    if len(path.encode()) > _MAX_PATH:
        raise Unfit(f"is longer than {_MAX_PATH} bytes: {shown(path)}")
    return path


def _check_component(component: str, path: str) -> None:
    if component == "..":
        raise Unfit(f"must stay inside the project: {shown(path)} has '..' in it")
    if component in ("", "."):
        raise Unfit(f"has an empty part: {shown(path)}")
    if component.endswith((".", " ")) or component.startswith(" "):
        raise Unfit(f"has a part that begins or ends with a blank or ends with a dot: {shown(path)}")
    if _FORBIDDEN.search(component) or not component.isprintable():
        raise Unfit(f"has a character that not every file system takes: {shown(path)}", "use letters, digits, - and _")
    if component.split(".")[0].rstrip().casefold() in _DEVICES:
        raise Unfit(f"has the name of a device in it: {shown(path)}")
    if len(component.encode()) > _MAX_COMPONENT:
        raise Unfit(f"has a part of more than {_MAX_COMPONENT} bytes: {shown(path)}")


def same_file(path: str) -> str:
    """Equal for paths that some file system takes for one: by case, or by the form of an accent."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
