"""`freeze` and `thaw`: say in the YAML whether a clip keeps the frame that it was made from.

What a frozen seam keeps is in the lock file. It is written before the YAML: if the process dies in between, nothing has
changed, while a seam that is frozen to nothing would follow the other clip once more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.diagnostics import ClipformError, UsageError
from reconciler.engine.operations.edit_spec import clips_named, replace_file
from reconciler.engine.run.lockfile_sync import lines_of
from reconciler.engine.run.session import Session, records_of
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.plan.model import Plan
from reconciler.project.model import Choice, Loaded
from reconciler.project.orders import Order
from reconciler.project.workspace import Workspace
from reconciler.records import LockEntry, Seam, Snapshot
from reconciler.spec.edit import FieldValue, set_field, written_value
from reconciler.spec.project import Clip
from reconciler.spec.scalars import FREEZE
from reconciler.spec.values import ClipMedia, Frame, final_name
from reconciler.state import lockfile
from reconciler.state.paths import LOCK_FILE

_WRITTEN = re.compile(rf"\$\{{clips\.(.+)\.({'|'.join(Frame)})\}}")
_FRAMES = ("first_frame", "last_frame")


@dataclass(frozen=True, slots=True)
class SeamEdit:
    """An edit of the seams of a clip: the file with its text before and after, and the clips at their other side."""

    name: str
    file: str
    before: str
    after: str
    sources: tuple[str, ...]

    def write(self, workspace: Workspace) -> None:
        """Write the file. Raises as `edit_spec.replace_file`."""
        replace_file(workspace, self.file, self.before, self.after)


def freeze(session: Session, name: str) -> tuple[SeamEdit, bool]:
    """Freeze the seams of a clip, or of all clips of a declaration; return the edit, and whether each has a version to
    keep. Those that were never made keep the first that they are made from. Buys nothing."""
    workspace, name = session.workspace, final_name(name)
    clips = clips_named(workspace, name)
    edit = _edited(workspace, clips, name, frozen=True)
    loaded = workspace.load()
    held = dict(_kept(session, loaded, {clip.name for clip in clips}))
    if held:
        lines = lines_of(session, loaded)
        entries = [replace(line, seams=held.get(clip, line.seams)) for (clip, _), line in lines.items()]
        lockfile.write(workspace.root / LOCK_FILE, entries)
    edit.write(workspace)
    return edit, {final_name(clip) for clip in held} == {clip.name for clip in clips}


def thaw(workspace: Workspace, name: str) -> tuple[SeamEdit, Plan]:
    """Return the edit by which the seams of a clip follow again, and what apply would do for that alone, priced.
    Writes nothing."""
    name = final_name(name)
    edit = _edited(workspace, clips_named(workspace, name), name, frozen=False)
    now = workspace.plan(Choice(), workspace.load())
    edited = workspace.edited(edit.file, edit.after)
    then = edited.plan(Choice(), edited.load())
    priced = {(step.ident, step.key) for step in now.plan.generating()}
    fresh = tuple(step for step in then.plan.generating() if (step.ident, step.key) not in priced)
    return edit, Plan(fresh, currency=then.plan.currency)


def _edited(workspace: Workspace, clips: Sequence[Clip], name: str, *, frozen: bool) -> SeamEdit:
    """Return the edit of the YAML. Raises UsageError without a seam, ClipformError for one that cannot be edited."""
    first = clips[0]
    seams = {field: item for field, item in first.media() if field in _FRAMES and isinstance(item, ClipMedia)}
    seams = {field: item for field, item in seams.items() if item.frozen is not frozen and item.part is not Frame.VIDEO}
    if not seams and not (frozen and first.frozen()):
        state = "starts from and ends on no frame of another clip" if frozen else "is not frozen"
        raise UsageError(f"{name} {state}", help=f"{command('graph')} shows what is made from what")
    place = first.written if name == first.name else first.declared
    before = after = workspace.files.read(first.file).decode("utf-8")
    for field, item in seams.items():
        source = _source(after, first, place, field, single=len(clips) == 1) or item.clip
        for value in _spellings(source, item.part, frozen=frozen):
            try:
                after = set_field(after, first.file, place, field, value)
            except ClipformError as error:
                failure = error
            else:
                break
        else:
            raise failure
    return SeamEdit(name, first.file, before, after, tuple({**first.frozen(), **_clips(seams)}.values()))


def _clips(seams: Mapping[str, ClipMedia]) -> dict[str, str]:
    return {field: item.clip for field, item in seams.items()}


def _source(text: str, clip: Clip, place: str, field: str, *, single: bool) -> str:
    """Return the name of the clip at the other side as it is written; empty if it is not written at `place`. Raises
    ClipformError if several clips have the field from elsewhere."""
    written = written_value(text, clip.file, place, field)
    match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
    source = written.get("clip") if isinstance(written, Mapping) else match[1] if match else None
    if source is None and not single:
        raise ClipformError(f"{field} of {place} is not its own", help=f"edit it at {clip.source(field)}", code="edit")
    return str(source or "")


def _spellings(source: str, part: Frame, *, frozen: bool) -> Iterator[FieldValue]:
    """Yield what a seam may be written as, best first."""
    if not frozen:
        yield f"${{clips.{source}.{part}}}"
    yield {"clip": source, "part": part.value, "seam": FREEZE if frozen else "follow"}


def _kept(session: Session, loaded: Loaded, clips: set[str]) -> Iterator[tuple[str, tuple[Seam, ...]]]:
    """Yield for each clip that was made what its seams keep: what its picked take was in fact made from."""
    records = records_of(session.store, loaded)
    locked = {entry.key: entry for entry in session.workspace.lock_entries()}
    for order in loaded.orders:
        is_asked = final_name(order.clip.name) in clips and not order.clip.draft and order.take == order.clip.spec.pick
        if is_asked and (document := _document(order, records, locked)):
            seams = {seam.field: seam for seam in _seams(session, order, document, locked)}
            yield order.clip.name, tuple({**seams, **order.seams}.values())  # what is frozen keeps what it has


def _document(order: Order, records: Snapshot, locked: Mapping[str, LockEntry]) -> str:
    """Return the document of what a take holds; empty if it was never made."""
    bound = records.bindings.get((order.clip.name, order.take))
    if bound is None:
        return order.wanted.document if order.wanted.key in locked else ""
    return order.wanted.document if bound.key == order.wanted.key else bound.document


def _seams(session: Session, order: Order, document: str, locked: Mapping[str, LockEntry]) -> Iterator[Seam]:
    entries = {entry["field"]: entry for entry in json.loads(document).get("inputs", ())}
    for field, item in order.clip.media():
        key = entries.get(field, {}).get("clip") if field in _FRAMES and isinstance(item, ClipMedia) else None
        if key is None or not isinstance(item, ClipMedia) or field in order.seams:
            continue
        result = session.store.generation(key) or locked.get(key)
        if result is None:
            text = f"the version of {item.clip} that {order.clip.name} was made from is not on record here"
            raise ClipformError(text, help="freeze it where it was made, and commit clipform.lock", code="seam")
        yield Seam(field, item.clip, key, result.sha256)
