"""Give a renamed clip what is on record under its former name, as `moved` of the project file says.

A rename alone needs no `moved`: the key is the same, so the video is recognised. With an edit at the same time, nothing
but the name connects the two. A clip that has something on record itself takes nothing from another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from reconciler.records import Binding, LockEntry, Snapshot


def present_name(clip: str, moved: Mapping[str, str]) -> str:
    """Return what a clip is called now. `moved` has names of single clips, and of declarations with a matrix."""
    declared, bracket, values = clip.partition("[")
    return moved.get(clip) or moved.get(declared, declared) + bracket + values


def renamed_bindings(
    records: Snapshot, moved: Mapping[str, str], clips: Collection[str]
) -> tuple[tuple[Binding, Binding], ...]:
    """Return the bindings that go to another clip, each with what it becomes. `clips` are the declared ones."""
    renamed: dict[tuple[str, int], tuple[Binding, Binding]] = {}
    bound_clips = {clip for clip, _ in records.bindings}
    for bound in records.bindings.values() if moved else ():
        name = present_name(bound.clip, moved)
        if bound.clip not in clips and name in clips and name not in bound_clips:
            renamed.setdefault((name, bound.take), (bound, replace(bound, clip=name)))
    return tuple(renamed.values())


def with_renamed(records: Snapshot, renamed: Collection[tuple[Binding, Binding]]) -> Snapshot:
    """Return the records with bindings under their present names."""
    if not renamed:
        return records
    bindings = dict(records.bindings)
    for former, present in renamed:
        del bindings[former.clip, former.take]
        bindings[present.clip, present.take] = present
    return replace(records, bindings=bindings)


def lines_renamed(
    lines: Mapping[str, LockEntry], moved: Mapping[str, str], clips: Collection[str]
) -> Mapping[str, LockEntry]:
    """Return the lines of the lock file, by key, with clips under their present names."""
    if not moved:
        return lines
    locked_clips = {line.clip for line in lines.values()}
    names = {name: present_name(name, moved) for name in locked_clips if name not in clips}
    names = {name: new for name, new in names.items() if new in clips and new not in locked_clips}
    return {key: replace(line, clip=names.get(line.clip, line.clip)) for key, line in lines.items()}
