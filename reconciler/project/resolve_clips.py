"""Give each provider of a project its dialect, and each clip the settings of its model."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import partial

from reconciler.diagnostics import Diagnostic, SpecError
from reconciler.providers import registry
from reconciler.providers.base import Dialect, Model
from reconciler.providers.check import Resolved, resolve
from reconciler.providers.rules import check_each, form_of
from reconciler.spec.memo import reuse
from reconciler.spec.project import Clip, Project, ProviderConfig


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
    """Return each clip with its model's settings by name, and what the models do not accept: each problem once in a
    file, with all clips that have it."""
    clips: dict[str, Resolved] = {}
    problems: dict[tuple[str, Diagnostic], dict[str, None]] = {}  # by file, with its declarations
    can_publish = bool(project.publish)
    answers = _Answers(can_publish)
    for clip in project.clips:
        dialect = dialects.get(clip.spec.provider)
        if dialect is None or not clip.faulty.isdisjoint(("provider", "model")):
            continue
        once = partial(answers.of, clip, dialect)
        answer = reuse(("resolved", clip.name), (clip, dialect, can_publish), once)
        if isinstance(answer, Resolved):
            clips[clip.name] = answer
        faults = answer.warnings if isinstance(answer, Resolved) else answer
        for fault in faults:
            problems.setdefault((clip.file, fault), {})[clip.declared] = None
    return clips, [replace(fault, clips=(*names,)) for (_, fault), names in problems.items()]


class _Answers:
    """The answers of one load, shared by clips of one form: an equal answer is computed once."""

    def __init__(self, can_publish: bool) -> None:
        self._can_publish = can_publish
        self._models: dict[Hashable, Model] = {}  # of each form that has no problems beside those of `check_each`
        self._answers: dict[tuple[Hashable, tuple[Diagnostic, ...]], Resolved] = {}

    def of(self, clip: Clip, dialect: Dialect) -> Resolved | tuple[Diagnostic, ...]:
        """Return `resolve` of a clip."""
        form = form_of(clip)
        model = self._models.get(form)
        if model is not None and (answer := self._answers.get((form, tuple(check_each(clip, model))))):
            return answer
        fresh = resolve(clip, dialect, can_publish=self._can_publish)
        if form is not None and isinstance(fresh, Resolved):
            warnings = tuple(check_each(clip, fresh.model))
            if warnings == fresh.warnings:
                self._models[form], self._answers[form, warnings] = fresh.model, fresh
        return fresh
