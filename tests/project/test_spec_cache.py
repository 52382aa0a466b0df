"""With `state/specs` every answer is, to the byte, the one without it, whatever changed in between.

`FACTS` has every sort of thing that an answer depends on, with a change of it. `MISTAKES` leave out one part of what
the cache compares: each makes an answer wrong, so every part is needed and the comparison can fail.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.artifacts.hashing import Hasher
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.project import program, spec_cache
from reconciler.project.spec_cache import CheckedClips, SpecCache
from reconciler.providers import rules
from reconciler.spec import expand, volume
from reconciler.spec.expand import Others
from tests.project.desk import Desk, Edit, edits, picture
from tests.project.spec_world import World, warm, world

__all__ = ["world"]


def one(old: str, new: str) -> Callable[[World], None]:
    return lambda world: world.edit("shots/one.yaml", old, new)


def two(old: str, new: str) -> Callable[[World], None]:
    return lambda world: world.edit("shots/two.yaml", old, new)


def main(old: str, new: str) -> Callable[[World], None]:
    return lambda world: world.edit("clipform.yaml", old, new)


def overlaid(**values: object) -> Callable[[World], None]:
    return lambda world: setattr(world, "overlay", replace(world.overlay, **values))  # type: ignore[arg-type]  # by name


def swapped(world: World) -> None:
    """Two files change places; sizes and times of both names stay."""
    first, second = world.root / "shots/one.yaml", world.root / "shots/three.yaml"
    texts = [path.read_text() for path in (second, first)]
    size = max(map(len, texts))
    for path, text in zip((first, second), texts, strict=True):
        path.write_text(text.ljust(size, "\n"))
        os.utime(path, ns=(1, 1))


def environment(text: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.write("clipform.test.yaml", text)
        overlaid(environment="test")(world)

    return change


def other_program(world: World) -> None:
    """Another release of the program, whose catalogue warns of something else."""
    world.patch.setattr(program, "seen", lambda: (0, "other"))
    odd = Diagnostic("odd", "this model is odd now", severity=Severity.WARNING)
    world.patch.setattr(rules, "_retired", lambda clip, model: iter([odd]))


def other_take(world: World) -> None:
    two("takes: 2", "takes: 2, pick: 2")(world)


def a_picture_at_an_output(world: World) -> None:
    world.write("renders/deep.mp4/f.mp4", "")
    (world.root / "renders/deep.mp4/f.mp4").write_bytes((world.root / "in.png").read_bytes())
    one("b by night", 'b", first_frame: "renders/deep.mp4/f.mp4')(world)


def too_many_clips(world: World) -> None:
    """The matrix of another file has two values too many, before its excludes."""
    for module in (spec_cache, expand):
        world.patch.setattr(module, "MAX_CLIPS", 11)
    one("clips:", "clips:\n  x: {prompt: x}\n  y: {prompt: y}")(world)


def too_many_values(world: World) -> None:
    world.patch.setattr(volume, "MAX_VALUES", world.workspace().load().project.volume.values)
    one("clips:", "clips:\n  x: {prompt: x}")(world)


Change = Callable[[World], object]

BETWEEN: Mapping[str, Change] = {
    "two clips of one name": one("  b:", "  e:"),
    "two clips of one output": one("b by night", 'b", output: "renders/deep.mp4/F.mp4'),
    "an output below another": one("b by night", 'b", output: "renders/deep.mp4/f.mp4/b.mp4'),
    "an output above another": one("b by night", 'b", output: "renders/deep.mp4'),
    "an output that is an input": a_picture_at_an_output,
    "too many clips": too_many_clips,
    "too many values": too_many_values,
}
"""What only clips of different files have together."""

FACTS: Mapping[str, Change] = {
    **BETWEEN,
    "a prompt": one("by night", "by day"),
    "a prompt of the same size": one("by night", "in light"),
    "a field": one("b by night", 'b", seed: "4'),
    "a look of a module": lambda world: world.edit("shared/house.yaml", "soft grain", "no grain"),
    "a price of a module": lambda world: world.edit("shared/house.yaml", "per_clip: 9", "per_clip: 1"),
    "a module removed": lambda world: (world.root / "shared/house.yaml").unlink(),
    "a look of two files": lambda world: world.edit("shared/house.yaml", "house:", "dark: {}, house:"),
    "a cell of a table": lambda world: world.edit("shots/table.csv", "the mole", "the pier"),
    "a row of a table": lambda world: world.edit("shots/table.csv", "1,the mole\n", "1,the mole\n2,the pier\n"),
    "a table removed": lambda world: (world.root / "shots/table.csv").unlink(),
    "a clip of the name of a row's": one("  b:", "  row-1:"),
    "two files swapped": swapped,
    "a file renamed": lambda world: (world.root / "shots/one.yaml").rename(world.root / "shots/zero.yaml"),
    "a file removed": lambda world: (world.root / "shots/three.yaml").unlink(),
    "a file that others use removed": lambda world: (world.root / "shots/two.yaml").unlink(),
    "a file added": lambda world: world.write("shots/zero.yaml", "clips: {z: {prompt: z}}\n"),
    "a broken file": one("clips:", "clips: ]"),
    "a misspelt key": one("first_frame", "first_fram"),
    "a warning of the reader": one("  b: {", "  b: {matrix: {x: ['1']}, "),
    "lines moved": lambda world: world.edit("shots/three.yaml", "clips:", "\n\nclips:"),
    "a variable of the project": main("harbour", "beach"),
    "a variable of the file": two("station", "square"),
    "a default": main("duration: 5", "duration: 10"),
    "a model": main("1-5-pro-251215", "1-0-pro-250528"),
    "the words of a look": main("low light", "candlelight"),
    "the name of a look": main("dark:", "dim:"),
    "a picture of a look": main("low light", "low light, images: [in.png]"),
    "a look that no clip uses": one(", use: [wide]", ""),
    "a price": main("0.10", "0.15"),
    "a budget": main("budget: {", "budget: {clips_per_apply: 1, "),
    "settings of a model": main(
        "    kind: ark", "    kind: ark\n    models: {doubao-seedance-1-5-pro-251215: {durations: [5]}}"
    ),
    "include": main("shots/*.yaml", "shots/t*.yaml"),
    "inputs from elsewhere": main("version: 1", "version: 1\ninputs: {allow: [..]}"),
    "a provider's name": main("  studio:", "  other:"),
    "a variable of the command line": overlaid(vars=(("place", "tower"),)),
    "an unknown variable": overlaid(vars=(("nowhere", "tower"),)),
    "an environment": environment("vars: {place: bridge}\n"),
    "another day": lambda world: setattr(world.clock, "time", 1_800_000_000.0),
    "another program": other_program,
    "a variable that is not set": lambda world: world.env.clear(),
    "an input": lambda world: picture(world.root / "in.png", 2),
    "an input that is no picture": lambda world: (world.root / "in.png").write_bytes(b"text"),
    "an input removed": lambda world: (world.root / "in.png").unlink(),
    "the clip that a frame is of": two("c at the", "cc at the"),
    "the take that a frame is of": other_take,
    "an output that is a film's": one("b by night", 'b", output: "FILM.mp4'),
    "a piece of a film": main("out: 2", "out: 3"),
    "a film with a clip's name": main("  film:", "  f:"),
    "the clip that a film shows": main("clip: c,", "clip: b,"),
    "a clip that a film shows": two("signs in", "words in"),
    "no such clip any more": two("  c:", "  cc:"),
    "a file at an output": lambda world: world.write("renders/b.mp4", "theirs"),
}


def require_seen(world: World, change: Change, before: str) -> None:
    """Require the same answers with the cache and without after a change, again by what was written then."""
    change(world)
    assert world.recalled()[0] == world.plain() != before
    assert world.recalled()[0] == world.plain()


@pytest.mark.parametrize("fact", FACTS)
def test_each_change_is_seen(world: World, fact: str) -> None:
    require_seen(world, FACTS[fact], warm(world))


def test_an_environment_and_its_next_text(world: World) -> None:
    environment("vars: {place: bridge}\n")(world)
    require_seen(world, environment("vars: {place: tunnel}\n"), warm(world))


def without(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(patch: pytest.MonkeyPatch) -> None:
        context = SpecCache._context.func  # type: ignore[attr-defined]  # of the cached property

        def less(cache: SpecCache) -> dict[str, object]:
            return {key: value for key, value in context(cache).items() if key != name}

        patch.setattr(SpecCache, "_context", property(less))

    return plant


def patched(name: str, value: object) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(spec_cache if hasattr(spec_cache, name) else SpecCache, name, value)


def no_warnings(cache: SpecCache, project: object, stages: object) -> object:
    return iter(stages)  # type: ignore[call-overload]  # as given


others = SpecCache.others


def with_tables(patch: pytest.MonkeyPatch) -> None:
    """As if a unit could have the clips of a table."""
    keep = SpecCache.keep

    def keep_all(cache: SpecCache, checked: CheckedClips, hasher: Hasher) -> None:
        keep(cache, replace(checked, clips=[replace(clip, rows="") for clip in checked.clips]), hasher)

    patch.setattr(SpecCache, "keep", keep_all)


MISTAKES: Mapping[str, tuple[Callable[[pytest.MonkeyPatch], None], Change]] = {
    "the bytes of the file": (patched("_sha256", lambda data: str(len(data))), FACTS["a prompt of the same size"]),
    "the project file": (without("clipform.yaml"), FACTS["a default"]),
    "the project's prices": (without("clipform.yaml"), FACTS["a price"]),
    "the variables of the command line": (without("variables"), FACTS["a variable of the command line"]),
    "the environment's file": (without("clipform.test.yaml"), FACTS["an environment"]),
    "the day": (without("day"), FACTS["another day"]),
    "the program": (without("program"), FACTS["another program"]),
    "the inputs": (patched("_are_unchanged", lambda inputs, hasher: True), FACTS["an input"]),
    "a missing input": (patched("_are_unchanged", lambda inputs, hasher: True), FACTS["an input removed"]),
    "the clips of other files": (patched("_fit", lambda units, picks: units), FACTS["the clip that a frame is of"]),
    "the takes of other files": (patched("_fit", lambda units, picks: units), FACTS["the take that a frame is of"]),
    "the modules": (without("shared/house.yaml"), FACTS["a look of a module"]),
    "the tables": (with_tables, FACTS["a cell of a table"]),
    "the providers in use": (patched("providers", lambda cache: set()), FACTS["a prompt"]),
    "the standing warnings": (patched("warnings", no_warnings), FACTS["a prompt"]),
    "the looks of other files": (patched("others", lambda cache: Others(others(cache).names)), FACTS["a prompt"]),
    "the warnings of the reader": (patched("_flawed", lambda unread: set()), FACTS["a warning of the reader"]),
    **{name: (patched("clashes", lambda cache, project: False), change) for name, change in BETWEEN.items()},
}


@pytest.mark.parametrize("part", MISTAKES)
def test_each_part_of_the_comparison_is_needed(world: World, part: str) -> None:
    plant, change = MISTAKES[part]
    plant(world.patch)
    with pytest.raises(AssertionError):
        require_seen(world, change, warm(world))


@pytest.mark.parametrize("is_planted", [False, True])
def test_a_warning_about_one_clip_names_it(world: World, *, is_planted: bool) -> None:
    world.edit("clipform.yaml", "model: doubao-seedance-1-5-pro-251215, ", "model: doubao-seedance-1-0-pro-250528, ")
    world.edit("shots/three.yaml", "clips:", "defaults: {model: doubao-seedance-1-5-pro-251215}\nclips:")
    world.edit("shots/three.yaml", ", model: doubao-seedance-1-5-pro-251215}", "}")
    if is_planted:
        world.patch.setattr(SpecCache, "places", lambda cache: {})
    before, _ = world.recalled()
    assert "(clip g)" in before
    assert (world.recalled() == (before, True)) is not is_planted


@pytest.mark.parametrize("is_planted", [False, True])
def test_rows_know_nothing_of_inputs_from_elsewhere(world: World, *, is_planted: bool) -> None:
    picture(world.root.parent / "outside.png", 1)
    world.edit("clipform.yaml", "version: 1", "version: 1\ninputs: {allow: [..]}")
    world.edit("shots/two.yaml", "in.png", "../outside.png")
    if is_planted:
        world.patch.setattr(spec_cache, "is_ordinary", lambda project: True)
    world.recalled()
    try:
        is_right = world.recalled() == (world.plain(), False)
    except KeyError:  # a cut misses the clips of a row
        is_right = False
    assert is_right is not is_planted


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.tuples(edits(), st.booleans()), min_size=4, max_size=16))
def test_the_cache_changes_no_answer(sequence: list[tuple[Edit, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        desk = Desk(Path(folder))
        world = World(desk.root, patch)
        (desk.root / "state").mkdir()
        for edit, draft in [(lambda desk: None, False), *sequence]:
            edit(desk)
            desk.save()
            assert world.recalled(draft)[0] == world.plain(draft)


@pytest.mark.parametrize("is_planted", [False, True])
def test_a_deadline_that_comes_near_is_seen(world: World, *, is_planted: bool) -> None:
    """Three hours later, on the same day, there is no time left for the cheaper tier."""
    world.edit("shots/one.yaml", "b by night", 'b by night", needed_by: "2026-10-29T10:00Z')
    if is_planted:
        world.patch.setattr(spec_cache, "depends_on_time", lambda clip: False)
    before = warm(world)
    world.clock.time += 3 * 3600
    after = world.plain()
    assert "tier='flex'" in before and "tier='standard'" in after
    assert (world.recalled()[0] == after) is not is_planted
