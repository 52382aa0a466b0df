"""Cases as files: a comment that says why, the project's files, and what they are read as.

    # Why this matters.
    -- clipform.yaml --
    …
    == problems            every diagnostic, as it is printed, without the excerpt
    == clips               every clip, with the fields that are not at their defaults
    == cuts                every film, in the same way, with its pieces

Run this file to write the expectations of all cases anew; review the difference like code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import Diagnostic, SpecError
from reconciler.spec.cut_fields import CutDecl, PieceDecl
from reconciler.spec.load import read_project
from reconciler.spec.model import ClipFields, References
from reconciler.spec.project import Clip, Cut, Project
from reconciler.spec.values import AssetMedia, ClipMedia, DataMedia, LocalMedia, Number, UrlMedia
from tests.memory_files import MemoryFiles

CASES = Path(__file__).parent / "cases"
_FILE = re.compile(r"^-- (.+) --$", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One situation: the files, and the text of what is expected."""

    name: str
    files: Mapping[str, str]
    expected: str


def cases() -> list[Case]:
    """All of them."""
    return [_case(path) for path in sorted(CASES.glob("*.txt"))]


def _case(path: Path) -> Case:
    given, _, expected = path.read_text(encoding="utf-8").partition("\n== ")
    _, *parts = _FILE.split(given)
    files = {
        name: text.removeprefix("\n").rstrip("\n") + "\n" for name, text in zip(parts[::2], parts[1::2], strict=True)
    }
    return Case(path.stem, files, f"== {expected.strip()}" if expected else "")


def project_of(files: Mapping[str, str | bytes] | str | bytes) -> Project:
    """The project that these files are; a lone text is the project file."""
    given = {"clipform.yaml": files} if isinstance(files, str | bytes) else files
    return read_project(MemoryFiles(given))


def problems_of(files: Mapping[str, str | bytes] | str | bytes) -> list[str]:
    """The errors of files that have some, each printed in one line."""
    try:
        project_of(files)
    except SpecError as error:
        return [_printed(diagnostic).partition("\n")[0] for diagnostic in error.diagnostics]
    raise AssertionError("the files were read without an error")


def outcome(files: Mapping[str, str]) -> str:
    """What the files are read as, as text."""
    try:
        project = project_of(files)
    except SpecError as error:
        return "== problems\n" + "\n".join(map(_printed, error.diagnostics))
    warned = "== problems\n" + "\n".join(map(_printed, project.warnings)) + "\n\n" if project.warnings else ""
    lines = [line for clip in project.clips for line in _described(clip)]
    cuts = ["", "== cuts", *(line for cut in project.cuts for line in _described_cut(cut))] if project.cuts else []
    return warned + "\n".join(["== clips", *lines, *cuts])


def _described_cut(cut: Cut) -> Iterable[str]:
    yield f"{cut.name} → {cut.spec.output}"
    defaults = CutDecl(sequence=(PieceDecl(clip="x"),))
    for name, value in cut.spec:
        if name not in ("sequence", "output") and value != getattr(defaults, name):
            yield f"  {name}: {value}"
    for piece in cut.spec.sequence:
        yield f"  - {', '.join(f'{name}: {value}' for name, value in piece if value is not None)}"


def _printed(diagnostic: Diagnostic) -> str:
    help = f"\n  help: {diagnostic.help}" if diagnostic.help else ""
    return f"{diagnostic.source}: {diagnostic.severity}: {diagnostic.message}{help}"


def _described(clip: Clip) -> Iterable[str]:
    yield clip.name
    defaults = values_of(ClipFields())
    for name, value in values_of(clip.spec).items():
        if value != defaults[name]:
            yield f"  {name}: {_worded(value)}"


def values_of(spec: ClipFields) -> dict[str, object]:
    """Every field, in order; the three sorts of references each for itself."""
    values: dict[str, object] = {}
    for name, value in spec:
        values |= dict(value) if isinstance(value, References) else {name: value}
    return values


def _worded(value: object) -> str:
    match value:
        case LocalMedia(path=text):
            return f"file {text}"
        case UrlMedia(url=text) | DataMedia(url=text) | AssetMedia(id=text):
            return f"{type(value).__name__} {text}"
        case ClipMedia(clip=clip, part=part, frozen=frozen):
            return f"{part} of {clip}{' (frozen)' if frozen else ''}"
        case tuple():
            return f"({', '.join(_worded(item) for item in value)})"
        case dict():
            return f"{{{', '.join(f'{key}: {_json(item)}' for key, item in value.items())}}}"
        case str() if type(value) is str and value.isprintable():
            return value
        case _:
            return repr(value)


def _json(value: object) -> str:
    match value:
        case Number():
            return f"Number {value}"
        case dict():
            return _worded(value)
        case list():
            return f"[{', '.join(_json(item) for item in value)}]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _rewrite() -> None:
    for path, case in zip(sorted(CASES.glob("*.txt")), cases(), strict=True):
        given = path.read_text(encoding="utf-8").partition("\n== ")[0].rstrip("\n")
        path.write_text(f"{given}\n\n{outcome(case.files)}\n", encoding="utf-8")


if __name__ == "__main__":
    _rewrite()
