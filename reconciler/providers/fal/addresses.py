"""The addresses of a task, as the reply to its submit gives them, kept in the task's id.

fal tells its clients not to build them. So that they are on record wherever the task is (database, receipts, lock
file), a task's id is `ID@PLACE`: the id of the request, and its three paths at the base URL.

    ID@fal-ai/kling-video      of the usual form: /fal-ai/kling-video/requests/ID, and this with /status and /cancel
    ID@STATUS,RESULT,CANCEL    of any other form, with * for the id
    ID                         the addresses are not known: the history of requests knows the task by its id

The first is short for the second, and nothing is lost by it. An address at another host is never recorded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.frozen import dataclass
from reconciler.providers.replies import path_text, task_id

_USUAL = ("/requests/*/status", "/requests/*", "/requests/*/cancel")
_PLAIN = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~%*-]+)+\Z")
_NAMES = ("status_url", "response_url", "cancel_url")


@dataclass(frozen=True, slots=True)
class Place:
    """A task's request id, and its paths at the base URL; empty where they are not known."""

    request: str
    status: str = ""
    result: str = ""
    cancel: str = ""


def task_of(request: str, body: Mapping[str, object], base_url: str) -> str:
    """Return the task of a reply to a submit that was sent to `base_url`."""
    name = path_text(request)
    paths = [_path(body.get(key), base_url, name) for key in _NAMES]
    if not all(paths):
        return name
    stems = {path.removesuffix(end) for path, end in zip(paths, _USUAL, strict=True) if path.endswith(end)}
    usual = len(stems) == 1 and [f"{stem}{end}" for stem in stems for end in _USUAL] == paths
    where = stems.pop() if usual else ",".join(paths)
    return task_id(f"{name}@{where.lstrip('/') if usual else where}") or name


def place_of(task: str) -> Place:
    """Return the addresses that a task's id holds."""
    name, _, where = task.partition("@")
    paths = where.split(",") if "," in where else [f"/{where}{end}" for end in _USUAL]
    if not where or len(paths) != len(_NAMES) or not all(map(_PLAIN.match, paths)):
        return Place(name)
    return Place(name, *(path.replace("*", name) for path in paths))


def _path(address: object, base_url: str, name: str) -> str:
    """Return the path of an address at the base URL, with * for the id; empty for any other address."""
    path = address.removeprefix(base_url) if isinstance(address, str) and address.startswith(f"{base_url}/") else ""
    return path.replace(name, "*") if "*" not in path and "," not in path and _PLAIN.match(path) else ""
