"""`retake`, `pick` and the prompt: change a field in the YAML in place, so that git shows who chose what."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path

from reconciler.diagnostics import ClipformError, Refused, SpecError, UsageError
from reconciler.frozen import dataclass
from reconciler.project.selectors import no_clip
from reconciler.project.workspace import Workspace
from reconciler.spec.edit import FieldValue, set_field, written_text
from reconciler.spec.files import EditedFiles
from reconciler.spec.load import read_project
from reconciler.spec.project import Clip, Project
from reconciler.spec.values import final_name
from reconciler.spec.vendor_drafts import without_drafts
from reconciler.state import disk


@dataclass(frozen=True, slots=True)
class Edit:
    """One changed value. `unchanged` names combinations with a value of their own, which the edit leaves as it is."""

    file: str
    clip: str
    field: str
    value: int
    unchanged: tuple[str, ...] = ()

    def data(self) -> dict[str, object]:
        """Return it as a JSON document."""
        return asdict(self)

    def text(self) -> str:
        """Return it as a sentence."""
        keeps = "keeps its" if len(self.unchanged) == 1 else "keep their"
        exceptions = f", but {', '.join(self.unchanged)} {keeps} own" if self.unchanged else ""
        return f"{self.file}: {self.field} of {self.clip} is now {self.value}{exceptions}."


def retake(workspace: Workspace, name: str, take: int | None = None) -> Edit:
    """Raise `retake` by one, of one take or of all. Raises ClipformError for a protected clip: its video would be
    replaced."""
    name = final_name(name)
    clips = clips_named(workspace, name)
    if any(clip.spec.protect for clip in clips):
        raise ClipformError(f"{name} is protected", help="remove `protect` first", code="protected")
    if take is None:
        following = _following(workspace, name, clips)
        numbers = {number for clip in clips if clip.name in following for number in _retakes(clip)}
        edit = _set(workspace, clips[0], name, "retake", max(numbers, default=0) + 1)
        return replace(edit, unchanged=tuple(clip.name for clip in clips if clip.name not in following))
    fewest = min(clip.spec.takes for clip in clips)
    if take > fewest:
        raise UsageError(_too_few(name, fewest, take), help="raise `takes` first")
    number = clips[0].spec.retake_of(take) + 1
    values = [retakes(clip, take, number) for clip in clips]
    if any(value != values[0] for value in values):
        raise UsageError(f"the combinations of {name} differ in takes or retakes", help=f"name one: {clips[0].name}")
    edit = _set(workspace, clips[0], name, "retake", values[0])
    combinations = _combinations(workspace, name, clips)
    others = tuple(clip.name for clip in combinations if clip.spec.retake_of(take) != number)
    return replace(edit, clip=f"{name}#{take}", value=number, unchanged=others)


def _following(workspace: Workspace, name: str, clips: list[Clip]) -> set[str]:
    """Return the clips of a declaration that take its `retake`: an override may set another one for some, or all."""
    names, unused = {clip.name for clip in clips}, max(number for clip in clips for number in _retakes(clip)) + 1
    if len(clips) == 1 or clips[0].where is None:
        return names
    file = clips[0].where.file
    text = set_field(workspace.files.read(file).decode("utf-8"), file, name, "retake", unused)
    after = read_project(EditedFiles(workspace.files, file, text), workspace.overlay).clips
    return {clip.name for clip in without_drafts(after) if _retakes(clip) == {unused}} & names


def _retakes(clip: Clip) -> set[int]:
    return {clip.spec.retake_of(take) for take in range(1, clip.spec.takes + 1)}


def _combinations(workspace: Workspace, name: str, clips: list[Clip]) -> list[Clip]:
    """Return the combinations of a matrix clip after an edit: some may have a value of their own."""
    return clips_named(workspace, name) if len(clips) > 1 else []


def retakes(clip: Clip, take: int, number: int) -> FieldValue:
    """Return the value of `retake` that gives one take a number and leaves the other takes their own."""
    numbers = {n: clip.spec.retake_of(n) for n in range(1, clip.spec.takes + 1)} | {take: number}
    if len(set(numbers.values())) == 1:
        return number or None
    return {n: each for n, each in numbers.items() if each}


def _too_few(name: str, takes: int, take: int) -> str:
    return f"{name} has {takes} take{'' if takes == 1 else 's'}, not {take}"


def pick(workspace: Workspace, name: str, take: int) -> Edit:
    """Set `pick`. Raises UsageError for a take that the clip does not have."""
    name = final_name(name)
    clips = clips_named(workspace, name)
    fewest = min(clip.spec.takes for clip in clips)
    if take > fewest:
        raise UsageError(_too_few(name, fewest, take), help="raise `takes` first")
    edit = _set(workspace, clips[0], name, "pick", take)
    combinations = _combinations(workspace, name, clips)
    return replace(edit, unchanged=tuple(clip.name for clip in combinations if clip.spec.pick != take))


@dataclass(frozen=True, slots=True)
class WrittenText:
    """A text field as a file has it, with `${…}` unresolved: what an editor shows, and the base of its change. `clips`:
    how many clips share it."""

    file: str
    name: str  # that the file has it under: the clip's, or the declared one
    field: str
    text: str
    clips: int


def prompt(workspace: Workspace, name: str) -> WrittenText:
    """Return the prompt of a clip as written. Raises ClipformError if the clip does not state it itself."""
    return _written(workspace, name)[0]


def _written(workspace: Workspace, name: str) -> tuple[WrittenText, str]:
    """Return the prompt of a clip as written, and the text of its file."""
    project = read_project(workspace.files, workspace.overlay)
    clips, clip = [*without_drafts(project.clips)], _of_name(project, name)[0]
    assert clip.where is not None
    file = clip.where.file
    content = workspace.files.read(file).decode("utf-8")
    for each in dict.fromkeys((clip.written, clip.declared)):
        text = written_text(content, file, each, "prompt")
        if text is not None:
            return WrittenText(file, each, "prompt", text, sum(each in (c.written, c.declared) for c in clips)), content
    place = clip.source("prompt")
    raise ClipformError(f"the prompt of {name} is not its own", help=f"edit it at {place}", code="edit")


def set_prompt(workspace: Workspace, name: str, before: str, text: str) -> WrittenText:
    """Change the prompt of a clip from `before`. Raises Refused, and writes nothing, if the file has another one
    meanwhile, or for a text that would break the project."""
    current, content = _written(workspace, name)
    if not text.strip():
        raise UsageError("a prompt needs text")
    if current.text != before:
        raise Refused(
            f"the prompt of {name} was changed in {current.file} meanwhile",
            help="copy your text, cancel, and edit the new one",
            code="conflict",
        )
    edited = set_field(content, current.file, current.name, "prompt", text)
    try:
        read_project(EditedFiles(workspace.files, current.file, edited), workspace.overlay)
    except SpecError as error:
        problem = error.diagnostics[0]
        raise Refused(f"not written: {problem.message}", help=problem.help, code=problem.code) from error
    replace_file(workspace, current.file, content, edited)
    return replace(current, text=text)


def clips_named(workspace: Workspace, name: str) -> list[Clip]:
    """Return the clip of that name, or all clips of the declaration of that name, with the fields that the YAML has."""
    return _of_name(read_project(workspace.files, workspace.overlay), name)


def _of_name(project: Project, name: str) -> list[Clip]:
    clips, name = [*without_drafts(project.clips)], final_name(name)
    named = [clip for clip in clips if clip.name == name] or [clip for clip in clips if clip.declared == name]
    if not named:
        raise no_clip(name, project.cuts)
    return named


def _set(workspace: Workspace, clip: Clip, name: str, field: str, value: FieldValue) -> Edit:
    assert clip.where is not None
    file = clip.where.file
    text = workspace.files.read(file).decode("utf-8")
    place = clip.written if name == clip.name else name
    replace_file(workspace, file, text, set_field(text, file, place, field, value))
    return Edit(file, name, field, value if isinstance(value, int) else 0)


def replace_file(workspace: Workspace, file: str, before: str, after: str) -> None:
    """Replace a spec file atomically. Raises ClipformError for a symlink out of the project, and Refused if the file is
    no longer as it was read."""
    root, target = Path(os.path.realpath(workspace.root)), Path(os.path.realpath(workspace.root / file))
    if not target.is_relative_to(root):
        raise ClipformError(f"{file} is a symlink that leads out of the project", help="make the change there")
    if workspace.files.read(file) != before.encode("utf-8"):
        raise Refused(f"{file} was changed meanwhile", help="run the command again", code="conflict")
    with disk.translated(f"write {file}"):
        disk.replace(target, after.encode("utf-8"))
