"""Paths that lead out of the project are refused, also where a link appears while an output is placed (I8)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.artifacts.place import Placer
from reconciler.diagnostics import ArtifactError
from reconciler.records import Artifact, Placed

OUTPUT = "out/day one/hero.mp4"


@pytest.mark.parametrize(
    "output",
    ["../x.mp4", "/etc/x.mp4", "a/../../x.mp4", "", ".", "..", "a//b.mp4", "a/./b.mp4", "a/", "a\0b.mp4", "x" * 256],
)
def test_a_path_that_leads_out_is_refused_whatever_is_asked(placer: Placer, old: Artifact, output: str) -> None:
    placed = Placed(output, old.sha256, 1, 1, 1)
    for use in (
        lambda: placer.place(output, old),
        lambda: placer.find(output, placed),
        lambda: placer.remove(output, placed),
        lambda: placer.set_aside(output),
        lambda: placer.move("a.mp4", output, placed),
        lambda: placer.check(output),
        lambda: placer.sweep([output]),
    ):
        with pytest.raises(ArtifactError):
            use()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(output=st.text(st.sampled_from("ab./\\\0 ~-片"), max_size=12))
def test_no_path_whatever_writes_outside(root: Path, placer: Placer, old: Artifact, output: str) -> None:
    try:
        placed = placer.place(output, old)
    except ArtifactError:
        pass
    else:
        assert (root / output).is_relative_to(root)
        placer.remove(output, placed)
    assert os.listdir(root.parent) == ["project"]


def test_links_and_files_on_the_way_are_refused_before_and_while_placing(
    root: Path, placer: Placer, old: Artifact, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "link").symlink_to(outside)
    (root / "inner").symlink_to("state")
    (root / "file").write_text("mine")
    for folder in ("link", "inner", "file"):
        for use in (placer.check, lambda output: placer.place(output, old)):
            with pytest.raises(ArtifactError, match=f"'{folder}' is a symlink") as error:
                use(f"{folder}/deep/hero.mp4")
            assert error.value.code == "not-a-folder"
    assert list(outside.iterdir()) == []
    placer.check("not/there/yet.mp4")
    paths = {str(path.relative_to(root)) for path in root.rglob("*") if "state" not in path.parts}
    assert paths == {
        "link",
        "inner",
        "file",
    }


@contextmanager
def _before_step(number: int, act: Callable[[], None]) -> Iterator[None]:
    """Within the block, do something right before the nth thing that is asked of the file system."""
    steps = itertools.count(1)

    def watched(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            if next(steps) == number:
                act()
            return real(*args, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("open", "close", "mkdir", "stat", "lstat", "listdir", "link", "rename", "unlink", "rmdir"):
            patch.setattr(os, name, watched(getattr(os, name)))
        yield


def test_a_folder_that_becomes_a_link_under_our_hands_leads_nowhere(
    root: Path, placer: Placer, old: Artifact, new: Artifact, tmp_path: Path
) -> None:
    outside, refused = tmp_path / "outside", 0
    outside.mkdir()
    os.utime(outside, (1, 1))  # a name that comes or goes would change this
    for step in itertools.count(1):
        folder, output = root / f"out-{step}", f"out-{step}/hero.mp4"

        def swap(folder: Path = folder) -> None:
            if folder.exists():
                folder.rename(folder.with_name(f"{folder.name}-away"))
            folder.symlink_to(outside)

        with _before_step(step, swap):
            try:
                placed = placer.place(output, old)
                placed = placer.place(output, new, placed)
                placer.remove(output, placed)
            except ArtifactError:
                refused += 1
        assert (list(outside.iterdir()), outside.stat().st_mtime) == ([], 1)
        if not folder.is_symlink():  # all was done in fewer steps
            break
    assert refused > 0
