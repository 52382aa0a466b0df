"""Read specs, inputs, outputs and the store from disk, as values for the pure layers."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import chain
from pathlib import Path

from reconciler.artifacts import files
from reconciler.artifacts.hashing import Hasher
from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ArtifactError, ClipformError, Diagnostic, Source
from reconciler.next_command import command
from reconciler.plan.locked import facts_of
from reconciler.plan.model import OutputFact
from reconciler.project.listing import files_matching
from reconciler.project.model import Choice
from reconciler.project.nearby import nearby_file, other_project_file
from reconciler.project.program import stamp
from reconciler.providers.base import LOCAL
from reconciler.records import Artifact, Generation, LockEntry, Placed, Snapshot, column
from reconciler.spec.files import PROJECT_FILE, Unreadable
from reconciler.spec.problems import MAX_SUGGESTIONS
from reconciler.spec.project import Clip, Cut, Project
from reconciler.spec.values import LocalMedia
from reconciler.state import disk

SPEC_LIMIT = 32 << 20
"""The most bytes of one spec file. The reader has tighter limits on its content, with better messages."""

_ABSENT = OutputFact()


class DiskFiles:
    """The specs of a project on disk: regular files inside the root only; a FIFO or a device would never end."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self.seen: disk.Seen = {}
        self.listed: dict[str, list[str]] = {}  # the result of each pattern
        self._guesses = MAX_SUGGESTIONS  # each may look through the project

    def read(self, path: str) -> bytes:
        """Return the content of a file. Raises Unreadable."""
        real = Path(os.path.realpath(self.root / path))
        if not real.is_relative_to(self.root):
            raise Unreadable("is outside the project", "copy it into the project")
        try:
            descriptor = os.open(real, disk.READ)
        except (FileNotFoundError, NotADirectoryError) as error:
            self._guesses -= 1
            near = nearby_file(self.root, path) if self._guesses >= 0 else None
            raise Unreadable("does not exist", f"did you mean {near}?" if near else "") from error
        except OSError as error:
            raise Unreadable(f"cannot be read: {disk.words(error)}") from error
        try:
            self.seen.setdefault(path, (str(real), disk.stamp_of(os.fstat(descriptor))))
            return _content(descriptor)
        finally:
            os.close(descriptor)

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the files that match a pattern, sorted. Raises ClipformError for a pattern with too many folders."""
        self.listed[pattern] = names = files_matching(str(self.root), pattern)
        return tuple(names)


def find_root(start: Path) -> Path:
    """Return the folder of the project that `start` is in. Raises ClipformError if there is none."""
    for folder in (start, *start.parents):
        if os.path.lexists(folder / PROJECT_FILE):  # the reader reports one that is not a file
            return folder
    raise ClipformError(
        f"no {PROJECT_FILE} in {start} or above it",
        help=other_project_file(start) or f"create a project here:\n{command('init')}",
        code="no-project",
    )


def _content(descriptor: int) -> bytes:
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable("is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("is not a regular file")
    if status.st_size > SPEC_LIMIT:
        raise Unreadable(f"is larger than {SPEC_LIMIT >> 20} MiB")
    return b"".join(files.chunks(descriptor))


def hash_inputs(project: Project, hasher: Hasher) -> tuple[dict[str, str], tuple[Diagnostic, ...]]:
    """Return the SHA-256 of every local input by path, and a diagnostic at each place that names an unusable one."""
    hashes: dict[str, str] = {}
    errors: dict[str, tuple[str, str]] = {}  # message and help
    problems: list[Diagnostic] = []
    for name, path, source, declared in chain(_named_by_clips(project.clips), _named_by_cuts(project.cuts)):
        if path not in hashes and path not in errors:
            try:
                hashes[path] = hasher.hash(path).sha256
            except ArtifactError as error:
                near = source() if len(errors) < MAX_SUGGESTIONS else None
                errors[path] = _unusable(hasher.allowed.root, path, error, near)
        if path in errors:
            message, help = errors[path]
            problems.append(Diagnostic("input", f"{name}: {message}", source(), help, clips=declared))
    hasher.save()
    return hashes, tuple(problems)


_Use = tuple[str, str, Callable[[], Source | None], tuple[str, ...]]
"""A local input: the name of its field, its path, its place, and the declaration of its clip."""


def _named_by_clips(clips: Iterable[Clip]) -> Iterator[_Use]:
    for clip in clips:
        for name, item in clip.media():
            if isinstance(item, LocalMedia):
                yield name, item.path, partial(clip.source, name), (clip.declared,)


def _named_by_cuts(cuts: Iterable[Cut]) -> Iterator[_Use]:
    for cut in cuts:
        for name, path, place in cut.files():
            yield name, path, partial(cut.source, place), ()


def _unusable(root: Path, path: str, cause: ArtifactError, source: Source | None) -> tuple[str, str]:
    """Return why an input cannot be used, and help. `source`: of a spec, beside which it may be."""
    near = nearby_file(root, path, source.file) if source and cause.code == "missing" else None
    if near:
        return f"{cause.message}; did you mean {near}?", ""
    return cause.message, cause.help or "give a path relative to the project's root"


def scan_outputs(
    root: Path, outputs: Iterable[str], placed: Mapping[str, Placed], stamps: list[int], *, trust: bool
) -> dict[str, OutputFact]:
    """Return what is at the outputs and at the paths that clipform placed files at, and add the five values of
    each one's stamp to `stamps`; of a missing one they are 0.

    `trust`: a file whose stat matches its record is not hashed again.
    """
    paths, folder = sorted({*outputs, *placed}), os.fspath(root)
    facts = {path: _output(folder, path, placed.get(path) if trust else None, stamps) for path in paths}
    return facts | {path: replace(facts[path], barred=obstacle) for path, obstacle in _barred(root, facts)}


def stored_artifacts(
    objects: Objects, artifacts: Mapping[str, Artifact], locked: Mapping[str, LockEntry]
) -> frozenset[str]:
    """Return the SHA-256 of those artifacts of the records and the lock file that the store has."""
    suffixes = dict.fromkeys(facts_of(locked).contents.values(), ".mp4")
    suffixes |= column(artifacts, "suffix")
    return frozenset(sha256 for sha256, _ in objects.having(suffixes.items()))


def shared_artifacts(
    project: Project,
    choice: Choice,
    records: Snapshot,
    locked: Mapping[str, LockEntry],
    stored: Collection[str],
) -> frozenset[str]:
    """Return the SHA-256 of the results that the shared cache is asked for: of those that were paid for, unless `pull`
    asks for all. Drafts are made here."""
    if choice.draft or not project.cache or not (choice.pull or project.cache["pull"] == "auto"):
        return frozenset()
    results: Iterable[Generation | LockEntry] = chain(records.generations.values(), locked.values())
    return frozenset(r.sha256 for r in results if r.sha256 not in stored and (choice.pull or r.kind != LOCAL))


def _barred(root: Path, outputs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the outputs whose path goes through something that is not a folder, with the first such obstacle."""

    @cache
    def obstacle_of(folder: str) -> str:
        above = obstacle_of(folder.rpartition("/")[0]) if folder else ""
        return above or ("" if _is_passable(root, folder) else folder)

    for output in outputs:
        if obstacle := obstacle_of(output.rpartition("/")[0]):
            yield output, obstacle


def _is_passable(root: Path, folder: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(os.path.join(root, folder)).st_mode)
    except OSError:
        return True  # it does not exist yet, or its own error is reported later


def _output(root: str, path: str, placed: Placed | None, stamps: list[int]) -> OutputFact:
    """Return what is at an output: one stat if nothing changed, else a hash. A symlink or folder has no content."""
    try:
        status = os.lstat(f"{root}/{path}")  # making a Path costs more than the stat
    except (FileNotFoundError, NotADirectoryError):
        stamps += (0, 0, 0, 0, 0)
        return _ABSENT
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {disk.words(error)}", code="io") from error
    device, *values, ctime_ns = stamp(status)
    if placed is not None and values == [placed.inode, placed.size, placed.mtime_ns]:
        stamps += (device, placed.inode, placed.size, placed.mtime_ns, ctime_ns)  # the numbers on record take no memory
        return OutputFact(True, placed.sha256)
    stamps += (device, *values, ctime_ns)
    if not stat.S_ISREG(status.st_mode):
        return OutputFact(True)
    full = Path(root, path)
    try:
        with files.folder(full.parent) as within, files.opened(full.name, within) as descriptor:
            return OutputFact(True, files.digest(descriptor)[0])
    except (OSError, ArtifactError):
        return OutputFact(True)
