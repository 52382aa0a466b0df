"""One revision of a git repository, read through git itself: nothing is checked out and nothing is written.

Git is run with a list of arguments, never a shell; a revision is turned into a commit's id first, and only ids go to
the commands after that. What a pointer of Git LFS stands for is known by its SHA-256, which is all that a key needs.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Final, Self

from reconciler.artifacts.hashing import LIMIT
from reconciler.diagnostics import ClipformError, UsageError
from reconciler.project.scan import SPEC_LIMIT
from reconciler.spec.files import Unreadable, matches
from reconciler.state import disk

_PATIENCE: Final = 60.0
"""Seconds for one question, or for one file."""

_GIT: Final = ("git", "--no-pager", "-C")
_CHUNK: Final = 1 << 20
_LONGEST: Final = 400
_POINTER: Final = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.+\n)*?oid sha256:([0-9a-f]{64})\n")
_POINTER_SIZE: Final = 1024
_ELSEWHERE: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")
"""Set while git runs a hook: they would lead away from the project's own repository."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A regular file of a revision."""

    id: str
    size: int


class Revision:
    """The files of a project as they were at one commit, in the form that the spec reader takes (`Files`)."""

    def __init__(self, root: Path, name: str) -> None:
        """Raises UsageError for what cannot be a revision, ClipformError when there is none or no repository."""
        self._root = root
        self.name = name
        self.commit = self._resolve(name)
        self.time = int(self._ask("show", "--no-patch", "--no-show-signature", "--format=%ct", self.commit).split()[-1])
        self._prefix = self._ask("rev-parse", "--show-prefix").rstrip("\n")
        self._blobs = dict(self._listed())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if "_reader" in self.__dict__:
            self._reader.kill()
            self._reader.communicate()

    def read(self, path: str) -> bytes:
        """The whole file."""
        blob = self._blob(path)
        if blob is None:
            raise Unreadable("does not exist")
        if blob.size > SPEC_LIMIT:
            raise Unreadable(f"is larger than {SPEC_LIMIT >> 20} MiB")
        return b"".join(self._contents(blob))

    def glob(self, pattern: str) -> tuple[str, ...]:
        """The files that a pattern names, sorted."""
        return tuple(sorted(path for path in self._blobs if matches(pattern, path)))

    def sha256(self, path: str) -> str | None:
        """What a file's content was; None for one that the revision does not have."""
        blob = self._blob(path)
        if blob is None or blob.size > LIMIT:
            return None
        pointed = self._pointed_to(blob)
        if pointed is not None:
            return pointed
        hasher = hashlib.sha256()
        for chunk in self._contents(blob):
            hasher.update(chunk)
        return hasher.hexdigest()

    def extract(self, path: str, folder: Path) -> tuple[str, Path] | None:
        """A file's content on disk, in `folder` or in the repository's own LFS store, by its SHA-256."""
        blob = self._blob(path)
        if blob is None or blob.size > LIMIT:
            return None
        pointed = self._pointed_to(blob)
        if pointed is not None:
            stored = self._common() / "lfs" / "objects" / pointed[:2] / pointed[2:4] / pointed
            return (pointed, stored) if stored.is_file() else None
        hasher, part = hashlib.sha256(), folder / f"{blob.id}.part"
        with part.open("wb") as target:
            for chunk in self._contents(blob):
                hasher.update(chunk)
                target.write(chunk)
        found = part.with_name(hasher.hexdigest())
        part.replace(found)
        return found.name, found

    def _blob(self, path: str) -> Blob | None:
        if path.startswith("/"):
            path = os.path.relpath(path, self._root)
        return self._blobs.get(posixpath.normpath(path))

    def _pointed_to(self, blob: Blob) -> str | None:
        """The SHA-256 that an LFS pointer names; None for a file that is none."""
        if blob.size > _POINTER_SIZE:
            return None
        found = _POINTER.match(b"".join(self._contents(blob)))
        return found[1].decode() if found else None

    def _resolve(self, name: str) -> str:
        if not name or name.startswith("-") or len(name) > _LONGEST or not name.isprintable():
            raise UsageError("--since needs a revision of git, such as main or HEAD~1")
        if self._run("rev-parse", "--git-dir").returncode:
            help = "--since compares with a revision of git"
            raise ClipformError("the project is in no git repository", help=help, code="no-repository")
        found = self._run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        commit = found.stdout.decode("ascii", "replace").strip()
        if found.returncode or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
            help = "in a shallow clone, fetch it first: git fetch --depth=1 origin REV"
            raise ClipformError(f"there is no revision '{name}'", help=help, code="no-revision")
        return commit

    def _listed(self) -> Iterator[tuple[str, Blob]]:
        """Regular files below the project, by path relative to it. A link is none: it may lead anywhere."""
        spec = ["--", self._prefix] if self._prefix else []
        text = self._ask("ls-tree", "-r", "-z", "-l", "--full-tree", self.commit, *spec)
        for line in text.split("\0"):
            head, _, path = line.partition("\t")
            fields = head.split()
            if len(fields) == 4 and fields[0] in ("100644", "100755") and fields[3].isdecimal():
                yield path.removeprefix(self._prefix), Blob(fields[2], int(fields[3]))

    def _common(self) -> Path:
        return self._root / self._ask("rev-parse", "--git-common-dir").rstrip("\n")

    def _ask(self, *arguments: str) -> str:
        answer = self._run(*arguments)
        if answer.returncode:
            said = answer.stderr.decode("utf-8", "replace").strip().splitlines()
            raise ClipformError(f"git {arguments[0]} failed: {said[-1] if said else answer.returncode}", code="git")
        return answer.stdout.decode("utf-8", "surrogateescape")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """One question, answered in bounded time."""
        try:
            return subprocess.run(
                [*_GIT, str(self._root), *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE,
                env=_environment(),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ClipformError(f"git {arguments[0]} gave no answer in {_PATIENCE:g} s", code="git") from error
        except OSError as error:
            raise _no_git(error) from error

    def _contents(self, blob: Blob) -> Iterator[bytes]:
        """The bytes of a blob, to be read to their end. One process answers for all of them."""
        git = self._reader
        assert git.stdin is not None
        assert git.stdout is not None
        watch = threading.Timer(_PATIENCE, git.kill)
        watch.start()
        try:
            git.stdin.write(f"{blob.id}\n".encode())
            git.stdin.flush()
            if git.stdout.readline() != f"{blob.id} blob {blob.size}\n".encode():
                raise _incomplete()
            yield from _chunks(git.stdout, blob.size)
            git.stdout.read(1)
        except OSError as error:
            raise _incomplete() from error
        finally:
            watch.cancel()

    @cached_property
    def _reader(self) -> subprocess.Popen[bytes]:
        command = [*_GIT, str(self._root), "cat-file", "--batch"]
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=_environment())
        except OSError as error:
            raise _no_git(error) from error


def _environment() -> dict[str, str]:
    """Ours without what a hook sets; git takes no optional lock, asks nobody, and fetches nothing."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def _no_git(error: OSError) -> ClipformError:
    return ClipformError(f"git cannot be run: {disk.words(error)}", help="--since needs git on the PATH", code="no-git")


def _incomplete() -> ClipformError:
    return ClipformError("git did not give a file whole", help="git fsck tells what is missing", code="git")


def _chunks(file: IO[bytes], size: int) -> Iterator[bytes]:
    """So many bytes; ClipformError when there are fewer."""
    left = size
    while left:
        chunk = file.read(min(_CHUNK, left))
        if not chunk:
            raise _incomplete()
        left -= len(chunk)
        yield chunk
