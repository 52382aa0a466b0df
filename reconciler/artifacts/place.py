"""Places objects at outputs inside the project, and removes them again.

An output is a path relative to the project's root with `/` as separator. Its folders are opened one within the other
without following links, and all work happens in the last descriptor: a folder that is swapped for a link after a check
is therefore never written through. Links inside the project are refused too; no setting allows them.

A file at an output is ours if its content is the one that `Placed` records (an equal stat is enough). Every other file
is the user's and is left alone: `Foreign`. `set_aside` makes room for `--force`.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from reconciler.artifacts import files
from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ArtifactError, Foreign
from reconciler.next_command import command
from reconciler.records import Artifact, Placed
from reconciler.state import disk

_PART = re.compile(r"\.clipform-[0-9a-f]{16}\.part")
_MOST_NAMES = 1000  # names to try for a file that is set aside


class OutputContent(StrEnum):
    """The kind of file at an output."""

    ABSENT = "absent"
    OURS = "ours"  # the content that we placed
    FOREIGN = "foreign"  # any other: edited, never ours, a folder, a link


class Placer:
    """Puts objects at outputs under one project root. To change anything the caller must hold the state lock."""

    def __init__(self, root: Path, objects: Objects) -> None:
        self._root = root
        self._objects = objects

    def find(self, output: str, placed: Placed | None) -> OutputContent:
        """Return the kind of file at an output: one stat if nothing changed, a hash if the stat differs.

        Never raises, for planning: a file that cannot be read counts as foreign.
        """
        path = os.path.join(self._root, *_parts(output))
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return OutputContent.ABSENT
        except OSError:
            return OutputContent.FOREIGN
        if placed is None:
            return OutputContent.FOREIGN
        if _unchanged(status, placed):
            return OutputContent.OURS
        try:
            return OutputContent.FOREIGN if self.record(output, placed.sha256) is None else OutputContent.OURS
        except ArtifactError:
            return OutputContent.FOREIGN

    def record(self, output: str, sha256: str) -> Placed | None:
        """Return a new record if an output holds `sha256` (placed by a run that died before recording it)."""
        with _translated("read", output), suppress(FileNotFoundError), self._folder(output) as (within, name):
            if files.content_is(name, within, sha256):
                return _record(output, name, within, sha256)
        return None

    def check(self, output: str) -> None:
        """Raise ArtifactError if the output path goes through a symlink or a file, or is not writable; called before
        anything is paid for.

        Missing folders are allowed: `place` creates them.
        """
        *folders, name = _parts(output)
        with _translated("reach", output), ExitStack() as stack:
            handle, folder_exists = stack.enter_context(files.folder(self._root)), True
            for folder in folders:
                try:
                    with _refusing_links(output, folder):
                        handle = stack.enter_context(files.folder(folder, handle))
                except FileNotFoundError:
                    folder_exists = False
                    break
            files.require_writable(handle, output)
            if folder_exists:
                _require_exact_name(output, name, handle)

    def place(self, output: str, artifact: Artifact, placed: Placed | None = None) -> Placed:
        """Put an artifact at an output; `placed`: what we placed there earlier. Raises Foreign for the user's file."""
        with _translated("place", output), self._folder(output, create=True) as (within, name):
            _require_exact_name(output, name, within)
            if files.content_is(name, within, artifact.sha256):
                disk.sync(within)  # a run may have died between its rename and this
                return _record(output, name, within, artifact.sha256)
            replacing = _require_ours(output, name, within, placed)
            with self._part(artifact, within) as part:
                if replacing and _require_ours(output, name, within, placed):  # the user may have saved it meanwhile
                    os.rename(part, name, src_dir_fd=within, dst_dir_fd=within)
                elif not files.publish_new(part, name, within):
                    raise _foreign(output)
            disk.sync(within)
            return _record(output, name, within, artifact.sha256)

    def move(self, old: str, new: str, placed: Placed) -> Placed:
        """Rename a file that we placed. Raises Foreign if the old file is no longer ours or the new name is taken."""
        with ExitStack() as stack:
            stack.enter_context(_translated("move", old))
            source, name = stack.enter_context(self._folder(old))
            target, name_new = stack.enter_context(self._folder(new, create=True))
            if not files.content_is(name, source, placed.sha256):
                raise _foreign(old)
            taken, ours = files.look(name_new, target), files.look(name, source)
            same = taken and ours and os.path.samestat(taken, ours)  # only the case of its name changes
            if taken is not None and not same:
                raise _foreign(new)
            os.rename(name, name_new, src_dir_fd=source, dst_dir_fd=target)
            disk.sync(target)
            disk.sync(source)
            record = _record(new, name_new, target, placed.sha256)
        self._prune(old)
        return record

    def remove(self, output: str, placed: Placed) -> OutputContent:
        """Remove the file at an output if it is the one we placed, and folders that become empty.

        Returns the kind of file: OURS was removed, FOREIGN (edited since) was left, ABSENT needed nothing.
        """
        content = self.find(output, placed)
        if content is OutputContent.OURS:
            with _translated("remove", output), self._folder(output) as (within, name):
                if not files.content_is(name, within, placed.sha256):
                    return OutputContent.FOREIGN
                os.unlink(name, dir_fd=within)
                disk.sync(within)
            self._prune(output)
        return content

    def set_aside(self, output: str) -> str:
        """Rename the user's file at an output to a free name (`a.mp4` → `a.kept-1.mp4`); return that output."""
        with _translated("set aside", output), self._folder(output) as (within, name):
            stem, suffix = os.path.splitext(name)
            for number in range(1, _MOST_NAMES):
                free_name = f"{stem}.kept-{number}{suffix}"
                if files.look(free_name, within) is None:
                    os.rename(name, free_name, src_dir_fd=within, dst_dir_fd=within)
                    disk.sync(within)
                    return "/".join((*_parts(output)[:-1], free_name))
        raise ArtifactError(f"no free name beside {output}", code="set-aside")

    def sweep(self, outputs: Iterable[str]) -> int:
        """Remove part files of a dead process from the folders of these outputs, under the lock; return how many."""
        folders = {_parts(output)[:-1]: output for output in outputs}
        return sum(self._sweep(output) for output in folders.values())

    def _sweep(self, output: str) -> int:
        with _translated("clean", output), suppress(FileNotFoundError), self._folder(output) as (within, _):
            return files.sweep(within, _PART)
        return 0

    @contextmanager
    def _folder(self, output: str, create: bool = False) -> Iterator[tuple[int, str]]:
        """Open an output's folder without following a link; yield its descriptor and the output's name in it."""
        *folders, name = _parts(output)
        with ExitStack() as stack:
            handle = stack.enter_context(files.folder(self._root))
            for folder in folders:
                if create:
                    files.ensure_folder(folder, handle)
                with _refusing_links(output, folder):
                    handle = stack.enter_context(files.folder(folder, handle))
            yield handle, name

    @contextmanager
    def _part(self, artifact: Artifact, within: int) -> Iterator[str]:
        """Create a durable hidden copy of an artifact in the target's folder, removed unless renamed."""
        name = f".clipform-{os.urandom(8).hex()}.part"
        path = self._objects.path(artifact.sha256, artifact.suffix)
        with files.folder(path.parent) as home, files.opened(path.name, home) as source:
            target = os.open(name, disk.CREATE, 0o666, dir_fd=within)
            try:
                if files.transfer(source, target) != artifact.sha256:
                    help = f"{command('verify')} lists damaged objects"
                    raise ArtifactError(f"object {artifact.sha256[:12]}… is damaged", help=help, code="object-damaged")
                disk.sync(target)
                yield name
            finally:
                os.close(target)
                files.discard(name, within)

    def _prune(self, output: str) -> None:
        """Remove an output's folders from the innermost out while they are empty; never the root."""
        *folders, _ = _parts(output)
        while folders:
            inner = "/".join(folders)
            try:
                with _translated("tidy", inner), self._folder(inner) as (within, name):
                    os.rmdir(name, dir_fd=within)
                    disk.sync(within)
            except ArtifactError:  # not empty, not permitted, or gone: removal is optional
                return
            folders.pop()


def _parts(output: str) -> tuple[str, ...]:
    """Return the parts of an output. Specs are checked long before; this is the last check before the file system."""
    parts = tuple(output.split("/"))
    if any(part in ("", ".", "..") or "\0" in part or len(os.fsencode(part)) > 255 for part in parts):
        raise ArtifactError(f"'{output}' is not a path inside the project", code="output-path")
    return parts


@contextmanager
def _refusing_links(output: str, folder: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        text = f"cannot reach {output}: '{folder}' is a symlink or a file, not a folder"
        raise ArtifactError(text, help="outputs need real folders", code="not-a-folder") from error


def _translated(doing: str, output: str) -> AbstractContextManager[None]:
    return disk.translated(f"{doing} {output}", ArtifactError)


def _foreign(output: str) -> Foreign:
    help = f"{command('apply', '--force', 'CLIP')} moves it aside first"
    return Foreign(f"{output} was not placed by clipform, or was edited since", help=help, code="foreign")


def _require_ours(output: str, name: str, within: int, placed: Placed | None) -> bool:
    """Return True if a file of ours is at the output, False if nothing is. Raises Foreign if it is the user's."""
    status = files.look(name, within)
    if status is None:
        return False
    if placed and files.content_is(name, within, placed.sha256):  # by content: a time stamp can be restored
        return True
    raise _foreign(output)


def _require_exact_name(output: str, name: str, within: int) -> None:
    """Raise Foreign if the file at our name is another output's. Where case or Unicode form is ignored both names lead
    to it, so the directory's listing decides."""
    ours, twin = files.look(name, within), files.look(name.swapcase(), within)
    if ours is None or twin is None or name == name.swapcase() or not os.path.samestat(ours, twin):
        return
    if name not in {unicodedata.normalize("NFC", entry) for entry in os.listdir(within)}:
        raise Foreign(f"{output} already exists with a different spelling", help="rename one of the two", code="case")


def _record(output: str, name: str, within: int, sha256: str) -> Placed:
    status = os.stat(name, dir_fd=within, follow_symlinks=False)
    return Placed(output, sha256, status.st_size, status.st_mtime_ns, status.st_ino)


def _unchanged(status: os.stat_result, placed: Placed) -> bool:
    same = (status.st_size, status.st_mtime_ns, status.st_ino) == (placed.size, placed.mtime_ns, placed.inode)
    return same and stat.S_ISREG(status.st_mode)
