"""Read one revision of a git repository through git itself, without a checkout.

Git runs with a list of arguments, never in a shell. A revision becomes a commit ID first, and the later commands get
IDs only. A Git LFS pointer has the SHA-256 of its file, which is all that a key needs.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import subprocess
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, Final, Self, cast

from reconciler.artifacts.hashing import LIMIT
from reconciler.diagnostics import ClipformError, UsageError
from reconciler.frozen import dataclass
from reconciler.project.scan import SPEC_LIMIT
from reconciler.spec.files import Unreadable
from reconciler.spec.patterns import matches
from reconciler.state import disk

_TIMEOUT: Final = 60.0
"""Seconds for one git command, or for reading one file."""

GIT: Final = ("git", "--no-pager", "-c", "core.fsmonitor=false", "-C")
_CHUNK: Final = 1 << 20
_MAX_NAME: Final = 400
_POINTER: Final = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.+\n)*?oid sha256:([0-9a-f]{64})\n")
_POINTER_SIZE: Final = 1024
_HOOK_VARIABLES: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")
"""Set while git runs a hook; they may point to another repository than the project's."""


def tracked(root: Path, *paths: str) -> tuple[str, ...] | None:
    """Return which files at these paths git has in its index; None if it cannot say."""
    answer = _listing(root, 30.0, "--literal-pathspecs", "ls-files", "-z", "--", *paths)
    return None if answer is None else tuple(filter(None, answer.split("\0")))


def refs(root: Path) -> tuple[str, ...]:
    """Return a hundred branches and tags at most, the newest first; none without a repository or a fast answer."""
    order = ("--count=100", "--sort=-creatordate", "--format=%(refname:short)")
    return tuple((_listing(root, 1.0, "for-each-ref", *order, "refs/heads", "refs/tags") or "").split())


def brought(root: Path, file: str, text: str) -> str:
    """Return the commit that first brought a text into a file, and who made it; empty if git cannot say."""
    answer = _listing(root, 10.0, "log", "--reverse", "-S", text, "--format=%h %an", "--", file)
    return (answer or "").partition("\n")[0]


def person(root: Path) -> str:
    """Return who commits here, as `Ana <ana@example.com>`; empty if git does not know."""
    name, mail = setting(root, "user.name"), setting(root, "user.email")
    return f"{name} <{mail}>" if name and mail else ""


def setting(root: Path, name: str) -> str:
    """Return a value of git's configuration, empty if it has none."""
    return (_listing(root, 10.0, "config", name) or "").strip()


def author(root: Path, file: str) -> str:
    """Return who committed a file last; who commits here if it differs from that; empty if git does not know."""
    changed = _listing(root, 10.0, "status", "--porcelain", "--", file)
    if changed:
        return person(root)
    return (_listing(root, 10.0, "log", "-1", "--no-show-signature", "--format=%an <%ae>", "--", file) or "").strip()


def _listing(root: Path, timeout: float, *arguments: str) -> str | None:
    command, silent = [*GIT, str(root), *arguments], subprocess.DEVNULL
    try:
        answer = subprocess.check_output(command, stdin=silent, stderr=silent, timeout=timeout, env=environment())
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Blob:
    """A regular file of a revision."""

    id: str
    size: int


class Revision:
    """The files of a project at one commit; implements the spec reader's `Files`."""

    def __init__(self, root: Path, name: str) -> None:
        """Find the commit. Raises UsageError for an invalid name, ClipformError if it does not exist."""
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
            git = self._reader[0]
            git.kill()
            git.communicate()

    def read(self, path: str) -> bytes:
        """Return the content of a file. Raises Unreadable."""
        blob = self._blob(path)
        if blob is None:
            raise Unreadable("does not exist")
        if blob.size > SPEC_LIMIT:
            raise Unreadable(f"is larger than {SPEC_LIMIT >> 20} MiB")
        return b"".join(self._contents(blob))

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the files that match a pattern, sorted."""
        return tuple(sorted(path for path in self._blobs if matches(pattern, path)))

    def sha256(self, path: str) -> str | None:
        """Return the SHA-256 of a file's content; None if the revision lacks it or it is too large."""
        blob = self._blob(path)
        if blob is None or blob.size > LIMIT:
            return None
        lfs_sha256 = self._lfs_sha256(blob)
        if lfs_sha256 is not None:
            return lfs_sha256
        hasher = hashlib.sha256()
        for chunk in self._contents(blob):
            hasher.update(chunk)
        return hasher.hexdigest()

    def extract(self, path: str, folder: Path) -> tuple[str, Path] | None:
        """Return the SHA-256 and the path of a file's content, which is written to `folder` or is in the LFS store."""
        blob = self._blob(path)
        if blob is None or blob.size > LIMIT:
            return None
        lfs_sha256 = self._lfs_sha256(blob)
        if lfs_sha256 is not None:
            common = self._root / self._ask("rev-parse", "--git-common-dir").rstrip("\n")
            stored = common / "lfs" / "objects" / lfs_sha256[:2] / lfs_sha256[2:4] / lfs_sha256
            return (lfs_sha256, stored) if stored.is_file() else None
        hasher, part = hashlib.sha256(), folder / f"{blob.id}.part"
        with part.open("wb") as target:
            for chunk in self._contents(blob):
                hasher.update(chunk)
                target.write(chunk)
        extracted = part.with_name(hasher.hexdigest())
        part.replace(extracted)
        return extracted.name, extracted

    def _blob(self, path: str) -> Blob | None:
        if path.startswith("/"):
            path = os.path.relpath(path, self._root)
        return self._blobs.get(posixpath.normpath(path))

    def _lfs_sha256(self, blob: Blob) -> str | None:
        """Return the SHA-256 in an LFS pointer; None for other files."""
        if blob.size > _POINTER_SIZE:
            return None
        pointer = _POINTER.match(b"".join(self._contents(blob)))
        return pointer[1].decode() if pointer else None

    def _resolve(self, name: str) -> str:
        if not name or name.startswith("-") or len(name) > _MAX_NAME or not name.isprintable():
            raise UsageError("--since needs a git revision, such as main or HEAD~1")
        if self._run("rev-parse", "--git-dir").returncode:
            help = "--since compares with a git revision"
            raise ClipformError("the project is not in a git repository", help=help, code="no-repository")
        answer = self._run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        commit = answer.stdout.decode("ascii", "replace").strip()
        if answer.returncode or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
            help = "in a shallow clone, fetch it first: git fetch --depth=1 origin REV"
            raise ClipformError(f"git revision '{name}' does not exist", help=help, code="no-revision")
        return commit

    def _listed(self) -> Iterator[tuple[str, Blob]]:
        """Yield the regular files of the project by relative path. A symlink may lead anywhere and is left out."""
        spec = ["--", self._prefix] if self._prefix else []
        text = self._ask("ls-tree", "-r", "-z", "-l", "--full-tree", self.commit, *spec)
        for line in text.split("\0"):
            head, _, path = line.partition("\t")
            fields = head.split()
            if len(fields) == 4 and fields[0] in ("100644", "100755") and fields[3].isdecimal():
                yield path.removeprefix(self._prefix), Blob(fields[2], int(fields[3]))

    def _ask(self, *arguments: str) -> str:
        answer = self._run(*arguments)
        if answer.returncode:
            errors = answer.stderr.decode("utf-8", "replace").strip().splitlines()
            raise ClipformError(f"git {arguments[0]} failed: {errors[-1] if errors else answer.returncode}", code="git")
        return answer.stdout.decode("utf-8", "surrogateescape")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [*GIT, str(self._root), *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT,
                env=environment(),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ClipformError(f"git {arguments[0]} did not answer within {_TIMEOUT:g} s", code="git") from error
        except OSError as error:
            raise _no_git(error) from error

    def _contents(self, blob: Blob) -> Iterator[bytes]:
        """Yield the bytes of a blob; the caller must read all of them. One process serves all blobs."""
        git, requests, answers = self._reader
        timer = threading.Timer(_TIMEOUT, git.kill)
        timer.start()
        try:
            requests.write(f"{blob.id}\n".encode())
            requests.flush()
            if answers.readline() != f"{blob.id} blob {blob.size}\n".encode():
                raise _incomplete()
            missing = blob.size
            while missing:
                chunk = answers.read(min(_CHUNK, missing))
                if not chunk:
                    raise _incomplete()
                missing -= len(chunk)
                yield chunk
            answers.read(1)
        except OSError as error:
            raise _incomplete() from error
        finally:
            timer.cancel()

    @cached_property
    def _reader(self) -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]:
        """The process that answers requests for blobs, with its input and output."""
        command = [*GIT, str(self._root), "cat-file", "--batch"]
        pipe = subprocess.PIPE
        try:
            git = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment())
        except OSError as error:
            raise _no_git(error) from error
        return git, cast("IO[bytes]", git.stdin), cast("IO[bytes]", git.stdout)  # pipes, so never None


def references(root: Path) -> list[str]:
    """Return the short names of all branches, remote branches and tags, such as `origin/main`. Raises ClipformError."""
    command = [*GIT, str(root), "for-each-ref", "--format=%(refname:short)"]
    try:
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, env=environment(), check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ClipformError("git cannot list the branches of this project", code="git") from error
    return answer.stdout.decode("utf-8", "surrogateescape").split()


def environment() -> dict[str, str]:
    """Return our environment without a hook's variables; git takes no optional lock, never prompts or fetches."""
    inherited = {name: value for name, value in os.environ.items() if name not in _HOOK_VARIABLES}
    return inherited | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def _no_git(error: OSError) -> ClipformError:
    return ClipformError(f"cannot run git: {disk.words(error)}", help="--since needs git on the PATH", code="no-git")


def _incomplete() -> ClipformError:
    return ClipformError("git returned an incomplete file", help="git fsck reports what is missing", code="git")
