"""Write a seal, at the end of a command that had nothing to do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from reconciler.plan.model import Action, OutputFact
from reconciler.project.model import Planned
from reconciler.project.pending_repairs import needs_repair
from reconciler.project.scan import DiskFiles, stored_artifacts
from reconciler.project.workspace import Workspace
from reconciler.providers import registry
from reconciler.records import Placed
from reconciler.seal import FILE, FORMAT, UNSEALED, Checked, question_of, read
from reconciler.seal.facts import KINDS, TIMED, keyed, stamps
from reconciler.spec.environment import names_in
from reconciler.state import disk
from reconciler.state.paths import APPROVALS, DATABASE, LOCK_FILE, RECEIPTS, STATE

if TYPE_CHECKING:
    from reconciler.seal.facts import Names

RACY_NS = 2_000_000_000
"""A file that changed so recently may change again without its times showing it."""

Printed = Sequence[tuple[int, str]]
"""Texts, each with the descriptor that it was written to."""


def keep(line: Sequence[str], workspace: Workspace, printed: Printed) -> None:
    """Seal what a command printed that had nothing to do, or the facts for the next one. Does nothing if that
    cannot be seen or written.

    Without a plan (`validate`) only a seal that one made is added to.
    """
    question, checked, planned = question_of(line), Checked.seal, workspace.planned
    is_sealed = checked is not None and bool(checked["answers"])
    if question is None or not (planned or is_sealed):
        return
    try:
        resolve = _resolver(workspace)
        names = names_of(workspace, planned, resolve) if planned else checked["names"] if checked else {}
        strays: list[str] = []
        looks = {"outputs": partial(_outputs, workspace, planned, strays)} if planned else {}
        seen = {kind: looks.get(kind, look)(names) for kind, look in KINDS.items()}
        last = checked or _last(names["root"])
        is_same = last is not None and (names, seen) == (last["names"], last["seen"])
        if checked and is_same:
            is_answer = planned is None or _is_idle(workspace, planned)
        elif planned is None:
            return
        else:
            is_answer = _is_idle(workspace, planned) and not strays
            is_answer = is_answer and _as_planned(workspace, planned, names, seen, resolve)
        newest = max(cast(list[int], seen[kind])[0] for kind in TIMED if kind in seen)
        is_answer = is_answer and newest <= Checked.began_ns - RACY_NS
        answers: Mapping[str, Printed] = last["answers"] if last and is_same else {}
        if is_same and (question in answers or not is_answer):
            return
        if is_answer:
            answers = {**answers, question: printed}
        body = json.dumps({"format": FORMAT, "names": names, "seen": seen, "answers": answers}, separators=(",", ":"))
        path = os.path.join(workspace.root, STATE, FILE)
        disk.replace(path, f"{keyed(body.encode())}\n{body}".encode())
    except UNSEALED:
        return


def _last(root: str) -> Mapping[str, Any] | None:
    """Return the project's seal, if it has a sound one: the same facts are not written twice."""
    try:
        return read(root)
    except UNSEALED:
        return None


def _resolver(workspace: Workspace) -> Callable[[str], str]:
    """Return a function from a path of the project to what it leads to. It looks once at each folder."""
    root = os.fspath(workspace.root)

    @cache
    def resolved(path: str) -> str:
        return os.path.realpath(path)

    @cache
    def resolve(path: str) -> str:
        folder, name = os.path.split(os.path.join(root, path))
        real = os.path.join(resolved(folder), name)
        return resolved(real) if name in ("", os.curdir, os.pardir) or os.path.islink(real) else real

    return resolve


def names_of(workspace: Workspace, planned: Planned, resolve: Callable[[str], str]) -> Names:
    """Return the names of all that a plan looked at."""
    root, project = os.fspath(workspace.root), planned.loaded.project
    if not isinstance(workspace.files, DiskFiles):
        raise ValueError("the specs are not those on the disk")
    used = {*project.files, *project.tables, *planned.loaded.inputs}
    real = {path: resolve(path) for path in used}
    links = {path for path, target in real.items() if target != os.path.normpath(os.path.join(root, path))}
    approvals = () if project.approval.required == "no" else (APPROVALS,)
    ours = (LOCK_FILE, *approvals, f"{STATE}/{DATABASE}", f"{STATE}/{RECEIPTS}")
    addresses = [config.spec.base_url for config in project.providers.values()]
    return {
        "root": root,
        "variables": sorted({name for text in (*addresses, *project.publish.values()) for name in names_in(text)}),
        "patterns": sorted(workspace.files.listed),
        "links": sorted({*links, *project.allowed_inputs}),
        "specs": _by_folder({*real.values(), *(os.path.join(root, name) for name in ours)}),
        "outputs": _by_folder(f"{root}/{output}" for output in planned.disk.outputs),
    }


def _is_idle(workspace: Workspace, planned: Planned) -> bool:
    """True if the plan has nothing to do and nothing but the facts can change that."""
    plan = planned.plan
    is_ours = all(registry.is_ours(config.kind) for config in planned.loaded.project.providers.values())
    is_noop = not (plan.unbind or plan.moved) and all(step.action is Action.NOOP for step in plan.steps)
    return is_ours and is_noop and not needs_repair(planned.snapshot, workspace.state_dir(False))


def _as_planned(
    workspace: Workspace, planned: Planned, names: Names, seen: Mapping[str, object], resolve: Callable[[str], str]
) -> bool:
    """True if the facts now are those that the plan was made from."""
    project, records, files = planned.loaded.project, planned.snapshot, cast(DiskFiles, workspace.files)
    stamped: dict[str, tuple[int, ...]] = {}
    for path, (real, stamp) in (files.seen | workspace.seen).items():
        if resolve(path) != real or stamped.setdefault(real, stamp) != stamp:
            return False
    then = {
        "day": Checked.began_ns // 86_400_000_000_000,
        "specs": stamps(names["specs"], lambda folder, files: [stamped.get(f"{folder}/{name}", ()) for name in files]),
        "patterns": [files.listed[pattern] for pattern in names["patterns"]],
        "mark": [records.store, records.sequence],
    }
    objects = stored_artifacts(workspace.objects(False), records.artifacts, planned.locked)
    return (
        all(seen.get(kind, fact) == fact for kind, fact in then.items())
        and not project.allowed_inputs  # a link there may have been changed meanwhile
        and objects == planned.disk.objects
    )


def _outputs(workspace: Workspace, planned: Planned, strays: list[str], names: Names) -> object:
    """Return the files at outputs, as `facts` does, as the plan saw them: a later change makes the seal fail. Add to
    `strays` those that are not what the plan says."""
    values, records = iter(workspace.stamps), planned.snapshot.placed
    every = zip(planned.disk.outputs.items(), zip(values, values, values, values, values, strict=True), strict=True)
    seen: dict[str, list[tuple[int, ...]]] = {}
    for (path, fact), values_of_one in every:
        stamp = values_of_one if any(values_of_one) else ()
        seen.setdefault(os.path.dirname(f"{workspace.root}/{path}"), []).append(stamp)
        if not _is_unchanged(stamp, fact, records.get(path)):
            strays.append(path)
    return stamps(names["outputs"], lambda folder, _: seen[folder])


def _is_unchanged(stamp: tuple[int, ...], fact: OutputFact, placed: Placed | None) -> bool:
    """True if an output is the file on record, as the plan says, or is missing, as it says."""
    if not stamp:
        return not fact.exists
    _, inode, size, mtime_ns, _ = stamp
    return (
        placed is not None
        and fact.sha256 == placed.sha256
        and (size, mtime_ns, inode) == (placed.size, placed.mtime_ns, placed.inode)
    )


def _by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for path in sorted(paths):
        folder, _, name = path.rpartition(os.sep)
        folders.setdefault(folder or os.sep, []).append(name)
    return folders
