"""Films of any file are planned with `state/specs` as without it: a file with cuts is always read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from reconciler.artifacts.hashing import Hasher
from reconciler.project.spec_cache import CheckedClips, SpecCache
from reconciler.spec.names import names
from tests.project.spec_world import World, warm, world
from tests.project.test_spec_cache import Change, require_seen

__all__ = ["world"]

FILMS = """\
vars: {end: "4"}
clips:
  h: {prompt: h at night}
cuts:
  trailer: {sequence: [{clip: h}, {clip: c, out: "${vars.end}"}, {cut: film}], output: trailer.mp4}
"""


@pytest.fixture
def filmed(world: World) -> World:
    """The project with a film in a file of its clips."""
    world.write("shots/zfilms.yaml", FILMS)
    return world


def films(old: str, new: str) -> Change:
    return lambda world: world.edit("shots/zfilms.yaml", old, new)


CHANGES: Mapping[str, Change] = {
    "a piece": films("out: ", "in: 1, out: "),
    "a variable of the file": films('"4"', '"3"'),
    "a piece beyond the end of a clip of another file": films('"4"', '"9"'),
    "an output of another file": films("trailer.mp4", "renders/b.mp4"),
    "an output below one of another file": films("trailer.mp4", "renders/b.mp4/x.mp4"),
    "the name of a clip of another file": films("trailer:", "b:"),
    "the name of a film of another file": films("trailer:", "film:"),
    "a file without the film": films(FILMS.partition("cuts")[2], ": {}\n"),
    "a file removed": lambda world: (world.root / "shots/zfilms.yaml").unlink(),
    "a clip that the film shows": films("h at night", "h by day"),
    "a film in a module": lambda world: world.edit(
        "shared/house.yaml", "looks:", "cuts: {short: {sequence: [{clip: f}], output: short.mp4}}\nlooks:"
    ),
    "a film in a file that had none": lambda world: world.edit(
        "shots/one.yaml", "clips:", "cuts: {short: {sequence: [{clip: f}], output: short.mp4}}\nclips:"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_seen(filmed: World, change: str) -> None:
    require_seen(filmed, CHANGES[change], warm(filmed))


def test_a_piece_beyond_the_end_of_a_clip_that_is_not_read_is_a_warning(world: World) -> None:
    world.edit("clipform.yaml", "out: 2", "out: 9")
    first, _ = world.recalled()
    assert "and c lasts 5 s" in first
    assert world.recalled() == (first, True)


def _without_films(patch: pytest.MonkeyPatch) -> None:
    keep = SpecCache.keep

    def keep_all(cache: SpecCache, checked: CheckedClips, hasher: Hasher) -> None:
        keep(cache, replace(checked, filmed=()), hasher)

    patch.setattr(SpecCache, "keep", keep_all)


def _without_clashes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SpecCache, "clashes", lambda cache, project: False)


@pytest.mark.parametrize(
    ("plant", "change"),
    [(_without_films, "a clip that the film shows"), (_without_clashes, "an output of another file")],
    ids=["a unit of a file with cuts", "outputs of films"],
)
def test_each_part_of_the_comparison_is_needed(
    filmed: World, plant: Callable[[pytest.MonkeyPatch], None], change: str
) -> None:
    plant(filmed.patch)
    with pytest.raises((AssertionError, KeyError)):
        require_seen(filmed, CHANGES[change], warm(filmed))
        assert filmed.recalled()[0] == filmed.plain()


def test_films_of_any_file_are_completed(filmed: World) -> None:
    CHANGES["a film in a module"](filmed)
    assert {"film", "trailer", "short"} <= {one.name for one in names(filmed.workspace().files, "clipform.yaml")}
