"""The clips of a project get what each gets alone, although clips of one form share the answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.conform.clips import changed, clip_of, clip_with
from reconciler.diagnostics import Diagnostic
from reconciler.project.resolve_clips import resolve_clips
from reconciler.providers.base import Dialect
from reconciler.providers.check import Resolved, resolve
from reconciler.providers.registry import dialect
from reconciler.providers.rules import form_of
from reconciler.spec.model import ClipFields, Provider
from reconciler.spec.problems import gathered
from reconciler.spec.project import Clip, Project, ProviderConfig
from tests.providers.provider_cases import CONTRACTS, FOLDERS

TEXTS = ["a lamp", "", " ", "rain --rs 720p at night", "p" * 10_000]


def project_of(kind: str, clips: list[Clip], *, publish: bool) -> Project:
    providers = {"studio": ProviderConfig("studio", Provider(kind=kind))}
    named = (replace(clip, name=f"c{i}", declared=f"c{i}") for i, clip in enumerate(clips))
    return Project(
        name="clipform.yaml",
        clips=tuple(clip.with_fields(provider="studio") for clip in named),
        providers=providers,
        publish={"store": "s3://bucket"} if publish else {},
    )


def resolved_alone(project: Project, spoken: Dialect) -> tuple[dict[str, Resolved], list[Diagnostic]]:
    answers = {clip.name: resolve(clip, spoken, can_publish=bool(project.publish)) for clip in project.clips}
    faults = {name: a.warnings if isinstance(a, Resolved) else a for name, a in answers.items()}
    named = [replace(fault, clips=(name,)) for name, found in faults.items() for fault in found]
    return {name: a for name, a in answers.items() if isinstance(a, Resolved)}, gathered(named)


@pytest.mark.parametrize("publish", [False, True])
@pytest.mark.parametrize("kind", FOLDERS)
def test_each_clip_gets_what_it_gets_alone(kind: str, publish: bool) -> None:
    tables = (("accepted", "cases"), ("refused", "cases"), ("refused", "warned"))
    written = [clip_of(sample) for table in tables for sample in CONTRACTS[kind].samples(*table)]
    clips = [clip if text is None else changed(clip, prompt=text) for clip in written for text in (None, *TEXTS)]
    project, spoken = project_of(kind, clips, publish=publish), dialect(kind, {})
    resolved, problems = resolve_clips(project, {"studio": spoken})
    assert (resolved, problems) == resolved_alone(project, spoken)
    faults = sum(len(problem.clips) for problem in problems)
    assert faults > len(TEXTS) and len(resolved) > len(TEXTS) or kind == "draft"


def test_clips_that_differ_only_in_their_texts_are_checked_once() -> None:
    clips = [clip_with(prompt=f"shot {n}", output=f"{n}.mp4", tags=(f"t{n}",), duration=5) for n in range(50)]
    resolved, problems = resolve_clips(project_of("ark", clips, publish=False), {"studio": dialect("ark", {})})
    assert (len(resolved), problems) == (50, [])
    assert len({id(answer) for answer in resolved.values()}) == 1


def test_clips_with_the_same_warning_at_one_place_share_it_too() -> None:
    retired = next(model.name for model in dialect("ark", {}).models if model.retired)
    clips = [clip_with(prompt=f"shot {n}", model=retired) for n in range(50)]
    resolved, problems = resolve_clips(project_of("ark", clips, publish=False), {"studio": dialect("ark", {})})
    [problem] = problems
    assert [*problem.clips] == [*resolved] == [f"c{n}" for n in range(50)]
    assert len({id(answer) for answer in resolved.values()}) == 1


def test_every_field_of_a_clip_is_in_its_form_or_is_a_text_or_is_not_checked() -> None:
    """A field that is added counts in the form until it is named here and in `rules`."""
    texts = {"prompt", "first_frame", "last_frame", "references", "options"}
    unchecked = {"use", "avoid", "pick", "retake", "output", "tags", "description", "protect", "needed_by"}
    values = {"provider": "other", "model": "m", "operation": "edit", "resolution": "720p", "ratio": "16:9"}
    plain = clip_with()
    for name in ClipFields.model_fields.keys() - texts - unchecked:
        assert form_of(changed(plain, **{name: values.get(name, 7)})) != form_of(plain), name
