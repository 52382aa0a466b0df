"""`doctor`: checks what a run depends on, one by one. Changes nothing except that it takes the lock for a moment."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sized
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from reconciler.diagnostics import ClipformError, Finding, StateLocked
from reconciler.media.codecs import missing_codecs, missing_glyphs
from reconciler.next_command import command
from reconciler.project.workspace import Workspace
from reconciler.spec.load import read_project
from reconciler.spec.project import Project
from reconciler.spec.values import Secret
from reconciler.state.lock import Lock
from reconciler.state.store import Store

_SPACE = 1 << 30
_REMOTE = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "gluster", "lustre", "fuse.sshfs", "fuse.rclone", "fuse.s3fs")
_BORN = 1_780_000_000.0  # seconds since the epoch: an earlier clock is wrong


def checkup(workspace: Workspace, *, every: bool = False) -> Iterator[Finding]:
    """Yield every finding, the good ones too; of providers that no clip uses only if `every`."""
    yield _sqlite()
    yield _state(workspace)
    yield _lock(workspace)
    yield _file_system(workspace)
    yield _space(workspace)
    yield _clock(workspace)
    yield _listed("codecs", missing_codecs(), "H.264 and AAC can be written", "reinstall the package `av`")
    yield _listed("fonts", missing_glyphs(), "captions in Latin and Chinese", "reinstall clipform")
    yield from _credentials(workspace, every=every)


def _sqlite() -> Finding:
    with closing(sqlite3.connect(":memory:")) as connection:
        threads = connection.execute("SELECT 1 FROM pragma_compile_options WHERE compile_options = 'THREADSAFE=0'")
        safe = threads.fetchone() is None
    return Finding("sqlite", safe, f"SQLite {sqlite3.sqlite_version}, rollback journal, full sync")


def _state(workspace: Workspace) -> Finding:
    try:
        store = Store.read(workspace.state_dir(False), workspace.clock.now)
        if store is None:
            return Finding("state", True, "none yet")
        with store:
            snapshot = store.snapshot()
    except ClipformError as error:
        return Finding("state", False, error.message, error.help)
    return Finding("state", True, f"{len(snapshot.generations)} generations, {snapshot.sequence} events")


def _lock(workspace: Workspace) -> Finding:
    directory = workspace.state_dir(False)
    if not directory.is_dir():
        return Finding("lock", True, "no state folder yet")
    try:
        with Lock(directory, "doctor", workspace.clock.now):
            return Finding("lock", True, "this file system locks files")
    except StateLocked as error:
        return Finding("lock", True, error.message)
    except ClipformError as error:
        return Finding("lock", False, error.message, error.help)


def _file_system(workspace: Workspace, mounts: Path = Path("/proc/self/mounts")) -> Finding:
    """Check that the state is not on a network file system: some of them accept locks without locking."""
    directory = Path(os.path.realpath(workspace.state_dir(False)))
    try:
        rows = [line.split() for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return Finding("file system", True, "unknown: the system does not list its mounts")
    kinds = {row[1].replace("\\040", " "): row[2] for row in rows if len(row) > 2}  # a later mount hides an earlier one
    inner = max((point for point in kinds if directory.is_relative_to(point)), key=len, default="")
    kind = kinds.get(inner, "unknown")
    help = "keep the project on a disk of this machine: two machines with one state may buy twice"
    remote = kind.startswith(_REMOTE)
    return Finding("file system", not remote, f"the state is on {kind}" if remote else "a disk of this machine", help)


def _space(workspace: Workspace) -> Finding:
    free = shutil.disk_usage(workspace.root).free
    return Finding("space", free > _SPACE, f"{free / 1e9:.1f} GB free", "free some disk space before applying")


def _clock(workspace: Workspace) -> Finding:
    now = workspace.clock.now()
    text = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Finding("clock", now > _BORN, text, "set the clock: links and look-ups depend on it")


def _listed(name: str, missing: tuple[str, ...], fine: str, help: str) -> Finding:
    return Finding(name, not missing, f"missing: {', '.join(missing)}" if missing else fine, help)


def _credentials(workspace: Workspace, *, every: bool) -> Iterator[Finding]:
    """Yield which environment variables are set; never their values."""
    try:
        project = read_project(workspace.files, workspace.overlay)
    except ClipformError as error:
        yield Finding("project", False, error.message, command("validate"))
        return
    unused = set() if every else unused_providers(project)
    others = [alias for alias, config in project.providers.items() if alias in unused and config.credentials]
    more = f"; no clip uses {', '.join(others)} (--all checks all)" if others else ""
    yield Finding("project", True, f"{_count(project.clips, 'clip')} in {_count(project.files, 'file')}{more}")
    for config in project.providers.values():
        if config.alias in unused:
            continue
        for secret in config.credentials.values():
            if not isinstance(secret, Secret):
                continue
            present = bool(workspace.env.get(secret.env))
            detail = f"{secret.env} is {'set' if present else 'not set'}"
            yield Finding(f"provider {config.alias}", present, detail, f"export {secret.env}=…")


def unused_providers(project: Project) -> set[str]:
    """Return the aliases of providers that no clip uses."""
    return set(project.providers) - {clip.spec.provider for clip in project.clips}


def _count(items: Sized, word: str) -> str:
    return f"{len(items)} {word}{'' if len(items) == 1 else 's'}"
