"""Give each provider of a project its dialect, and each clip the settings of its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from reconciler.diagnostics import Diagnostic, SpecError
from reconciler.providers import registry
from reconciler.providers.base import Dialect
from reconciler.providers.check import Resolved, resolve
from reconciler.spec.memo import reuse
from reconciler.spec.project import Project, ProviderConfig


def dialect_of(config: ProviderConfig) -> Dialect:
    """Return the dialect of a provider. Raises SpecError for wrong settings."""
    return registry.dialect(config.kind, config.settings)


def dialects_of(project: Project) -> tuple[dict[str, Dialect], list[Diagnostic]]:
    """Return the dialect of each alias, and the problems of their settings."""
    dialects: dict[str, Dialect] = {}
    problems: list[Diagnostic] = []
    for alias, config in project.providers.items():
        if not config.kind:
            continue  # its mistakes were reported when it was read
        try:
            dialects[alias] = reuse(("dialect", alias), (config,), partial(dialect_of, config))
        except SpecError as error:
            problems += [replace(d, source=d.source or config.where) for d in error.diagnostics]
    return dialects, problems


def resolve_clips(project: Project, dialects: Mapping[str, Dialect]) -> tuple[dict[str, Resolved], list[Diagnostic]]:
    """Return each clip with its model's settings by name, and what its model does not accept."""
    clips: dict[str, Resolved] = {}
    problems: dict[Diagnostic, None] = {}  # the clips of a matrix repeat the mistakes of their declaration
    can_publish = bool(project.publish)
    for clip in project.clips:
        dialect = dialects.get(clip.spec.provider)
        if dialect is None:
            continue
        once = partial(resolve, clip, dialect, can_publish=can_publish)
        answer = reuse(("resolved", clip.name), (clip, dialect, can_publish), once)
        if isinstance(answer, Resolved):
            clips[clip.name] = answer
        faults = answer.warnings if isinstance(answer, Resolved) else answer
        problems.update(dict.fromkeys(replace(fault, clips=(clip.declared,)) for fault in faults))
    return clips, list(problems)
