"""`verify`: hashes every artifact and output again, and compares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reconciler.artifacts import files
from reconciler.artifacts.store import Health
from reconciler.diagnostics import ArtifactError, Finding
from reconciler.next_command import command
from reconciler.project.workspace import Workspace


def verify(workspace: Workspace, draft: bool) -> Iterator[Finding]:
    """Yield a finding for every artifact and every output that clipform placed."""
    snapshot, objects = workspace.snapshot(draft), workspace.objects(draft)
    needed = {generation.sha256 for generation in snapshot.generations.values()}
    for artifact in sorted(snapshot.artifacts.values(), key=lambda a: a.sha256):
        health = objects.verify(artifact.sha256, artifact.suffix)
        if health is Health.MISSING and artifact.sha256 not in needed:
            continue
        name = f"{artifact.sha256[:12]}{artifact.suffix}"
        yield Finding(name, health is Health.SOUND, health.value, _fix(health))
    holders = {bound.output: bound.clip for bound in snapshot.bindings.values()}
    for path, placed in sorted(snapshot.placed.items()):
        yield _output(workspace.root / path, path, placed.sha256, holders.get(path))


def _fix(health: Health) -> str:
    if health is Health.SOUND:
        return ""
    action = "put its file back into" if health is Health.MISSING else "delete it from"
    return f"{action} state/objects; then {command('plan')} shows what it takes to get it back"


def _output(full: Path, path: str, sha256: str, clip: str | None) -> Finding:
    """Compare a file with what was placed. `clip` holds it as its output; subtitles beside a film are nobody's."""
    try:
        with files.folder(full.parent) as within, files.opened(full.name, within) as descriptor:
            same = files.digest(descriptor)[0] == sha256
    except FileNotFoundError:
        return Finding(path, False, "missing", f"{command('apply')} restores it")
    except (OSError, ArtifactError):
        return Finding(path, False, "not a readable file")
    fix = command("apply", "--force", clip) if clip is not None else f"rename it; then {command('apply')} restores it"
    return Finding(path, same, "as placed" if same else "edited since it was placed", fix)
