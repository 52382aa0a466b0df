"""The members of the JSON documents, read off documents that commands print, with the notes that belong to them."""

from __future__ import annotations

import functools
import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import yaml

from reconciler.cli.app import main

NOTES: Mapping[str, Mapping[str, str | list[str]]] = yaml.safe_load(
    (Path(__file__).parent / "json_notes.yaml").read_text(encoding="utf-8")
)
"""The meaning of each member, by document and path."""

PROJECT = """version: 1
defaults: {duration: 1, ratio: 1:1, provider: paid}
providers: {paid: {kind: draft, prices: [{model: "*", per_clip: 0.50}], concurrency: 1}}
clips:
  hero: {prompt: a lamp}
  orbit: {prompt: around the lamp, first_frame: "${clips.hero.last_frame}"}
"""


def documents() -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Title and rows of each document: the path of a member, its types, its meaning."""
    printed = _printed()
    for title, notes in NOTES.items():
        types: dict[str, set[str]] = {}
        for document in printed[title]:
            for path, kind in _members(document):
                types.setdefault(path, set()).add(kind)
        for path, note in notes.items():
            if isinstance(note, list):  # type and meaning of a member that is not in every run
                types[path] = {note[0]}
        assert types.keys() == notes.keys(), f"{title}: {sorted(types.keys() ^ notes.keys())}"
        yield (
            title,
            [
                (f"`{path}`", " or ".join(sorted(types[path] - {"list"})), note if isinstance(note, str) else note[1])
                for path, note in notes.items()
            ],
        )


def plans() -> list[dict[str, Any]]:
    """The documents that `plan` printed."""
    return _printed()["plan"]


def _members(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and type of every member, `[]` for the items of a list; a document within is one member."""
    if isinstance(value, dict) and not path.endswith((".document", ".artifact", ".makes")):
        if path:
            yield path, "object"
        for name, item in value.items():
            yield from _members(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield f"{path}[]", "list"
        for item in value:
            yield from _members(item, f"{path}[]")
    else:
        yield path, _type(value)


def _type(value: object) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "text", dict: "object"}
    return "null" if value is None else names[type(value)]


@functools.cache
def _printed() -> dict[str, list[Any]]:
    """Documents of a small project that is planned, made, edited, blocked and broken."""
    with tempfile.TemporaryDirectory() as folder:
        return _session(Path(folder))


def _session(folder: Path) -> dict[str, list[Any]]:
    project = folder / "clipform.yaml"

    def run(*arguments: str) -> list[Any]:
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            main(["-C", str(folder), "--json", *arguments])
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def write(old: str = "", new: str = "") -> None:
        project.write_text(PROJECT.replace(old, new), encoding="utf-8")

    write()
    plans, applied = run("plan"), run("apply", "--yes")
    write("orbit:", "turn:")
    plans += run("plan")
    write("lamp", "candle")
    plans += run("plan")
    applied += run("apply", "--yes")
    shown = run("status") + run("show", "hero") + run("history")
    (folder / "renders/hero.mp4").write_text("mine", encoding="utf-8")
    write("lamp", "torch")
    plans += run("plan")
    applied += run("apply", "--yes")
    shown += run("status") + run("show", "hero")
    doctor = run("verify")
    recorded = run("state", "list")
    [key, *_] = (row["key"] for row in recorded[0]["purchases"])
    valid = run("validate")
    write("duration: 1", "duration: 99")
    return {
        "validate": valid,
        "plan": plans,
        "apply": [line for line in applied if line["event"] != "ended"],
        "apply, the last line": [line for line in applied if line["event"] == "ended"],
        "status": [line for line in shown if "clips" in line],
        "show": [line for line in shown if "takes" in line],
        "state list": recorded,
        "state show": run("state", "show", key),
        "history": [line for line in shown if "sequence" in line],
        "doctor, verify, recover, fetch": doctor,
        "an error": run("plan"),
    }
