"""`verify --provenance`: looks in each copy of an output for the marks that a project asks for, and the vendor's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

from reconciler.diagnostics import Finding, MediaError, SpecError
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.media.marks.read import AIGC, C2PA, marks, tag_of
from reconciler.next_command import command
from reconciler.plan.marks import Marking
from reconciler.project.marked import markings
from reconciler.project.workspace import Workspace
from reconciler.spec.provenance_fields import ProvenanceDecl

SEPARATOR = ", "


def verify_marks(workspace: Workspace) -> list[Finding]:
    """Return a finding for each copy that the project asks for. Raises SpecError."""
    loaded = workspace.load()
    records = workspace.snapshot(False, [w.key for w in loaded.wanted])
    settings, wanted = loaded.project.provenance, list(markings(loaded, records))
    outputs = {w.output for w in loaded.wanted if w.output is not None}
    unmade = len(outputs) - len(wanted) if settings is not None and settings.is_on() else 0
    findings = asyncio.run(_looked(workspace, settings, wanted)) if settings is not None else []
    if unmade:
        findings.append(Finding("outputs", True, f"{unmade} not made yet"))
    return findings


def is_required(workspace: Workspace) -> bool:
    """True if the project says that marks must not be missing. False for one that cannot be read."""
    try:
        settings = workspace.load().project.provenance
    except SpecError:
        return False
    return settings is not None and settings.required


async def _looked(workspace: Workspace, settings: ProvenanceDecl, wanted: list[Marking]) -> list[Finding]:
    async with aclosing(DraftRenderer(workspace.state_dir(draft=False) / "scratch")) as renderer:
        return [await _finding(workspace, settings, renderer, marking) for marking in wanted]


async def _finding(
    workspace: Workspace, settings: ProvenanceDecl, renderer: DraftRenderer, marking: Marking
) -> Finding:
    copy, source = workspace.root / marking.output, workspace.objects(False).path(marking.source, ".mp4")
    try:
        values = await renderer.run(marks, copy) if copy.is_file() else {}
        arrived = await renderer.run(marks, source) if source.is_file() else {}
    except MediaError as error:
        return Finding(marking.output, False, error.message, command("apply"))
    faults = list(_missing(settings, marking, values)) if copy.is_file() else ["missing"]
    faults += [f"mark lost: the vendor's {name}" for name in (AIGC, C2PA) if name in arrived and name not in values]
    return Finding(
        marking.output, not faults, SEPARATOR.join(faults) or "marked", f"{command('apply')} writes it again"
    )


def _missing(settings: ProvenanceDecl, marking: Marking, values: Mapping[str, str]) -> list[str]:
    """Return what a copy lacks."""
    tag = tag_of(values)
    if settings.embed == "no":
        named = []
    elif not tag:
        named = ["no tag"]
    else:
        named = [] if tag["sha256"] == marking.source else [f"its tag names another video of {tag['clip']}"]
    hidden = settings.label is not None and settings.label.hidden is not None
    return [
        *named,
        *(["no field AIGC"] if hidden and AIGC not in values else []),
        *(["not signed"] if settings.c2pa is not None and C2PA not in values else []),
    ]
