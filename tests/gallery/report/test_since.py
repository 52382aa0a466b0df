"""Before and after a revision: read out of git, whatever the working tree looks like by now."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.app import main
from reconciler.media.probe import probe

from .conftest import committed, data, edit, git


def since(project: Path, revision: str = "HEAD", *arguments: str) -> dict[str, Any]:
    assert main(["-C", str(project), "report", f"--since={revision}", *arguments]) == 0
    return data(project / "report")


def counts(found: dict[str, Any]) -> dict[str, int]:
    return {word: found["document"]["since"][word] for word in ("same", "changed", "added", "removed")}


@pytest.fixture
def edited(project: Path) -> Path:
    """Committed without its renders; then hero's prompt (and with it `same`), a clip fewer and one more."""
    committed(project, "/renders/")
    edit(project, "push-in", "pull-out")
    edit(project, "old: {prompt: mist over mountains}", "new: {prompt: waves}")
    return project


def test_each_clip_is_the_same_or_changed_or_added_or_removed(edited: Path) -> None:
    found = since(edited)
    assert {card["id"]: card["since"] for card in found["document"]["cards"]} == {
        "hero": "changed",
        "new": "added",
        "same": "changed",
        "__proto__": "same",
        "old": "removed",
    }
    assert counts(found) == {"same": 1, "changed": 2, "added": 1, "removed": 1}
    assert found["document"]["since"]["commit"] == git(edited, "rev-parse", "HEAD").strip()


def test_what_was_made_then_is_shown_from_the_state(edited: Path) -> None:
    before = since(edited)["details"]["hero"]["before"]
    assert before["prompt"] == "a lamp, slow push-in"
    assert [run for run in before["changes"][0]["words"] if run[0] != "="] == [["-", "push-in"], ["+", "pull-out"]]
    assert probe(edited / "report" / before["shown"]["video"]).frames == 24


def test_a_clip_that_is_gone_has_a_card_with_its_picture(edited: Path) -> None:
    found = since(edited)
    old = found["details"]["old"]
    assert old["card"]["state"] == "undeclared" and old["card"]["shown"] == old["before"]["shown"]
    assert (edited / "report" / old["before"]["shown"]["poster"]).is_file()


def test_after_the_change_was_made_too(edited: Path) -> None:
    assert main(["-C", str(edited), "--json", "apply", "--yes"]) == 0
    hero = since(edited)["details"]["hero"]
    assert hero["card"]["state"] == "ready"
    assert hero["before"]["shown"]["sha256"] != hero["card"]["shown"]["sha256"]


def test_in_a_clone_the_old_file_comes_out_of_git(project: Path, tmp_path: Path) -> None:
    """Renders in git, no state, and the new render put over the old one."""
    committed(project)
    old = (project / "renders" / "hero.mp4").read_bytes()
    git(tmp_path, "clone", "--quiet", str(project), "clone")
    clone = tmp_path / "clone"
    edit(clone, "push-in", "pull-out")
    shutil.copy(project / "renders" / "old.mp4", clone / "renders" / "hero.mp4")
    found = since(clone)
    shown = found["details"]["hero"]["before"]["shown"]
    assert (clone / "report" / shown["video"]).read_bytes() == old
    assert found["details"]["same"]["before"]["shown"] is not None
    assert not (clone / "state").exists()


def test_a_pointer_of_git_lfs_counts_as_the_file_that_it_stands_for(project: Path) -> None:
    """Committed as a pointer, as the filter would do it; the working tree holds the picture."""
    picture = (project / "lamp.png").read_bytes()
    sha = hashlib.sha256(picture).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha}\nsize {len(picture)}\n"
    (project / "lamp.png").write_text(pointer)
    committed(project)
    (project / "lamp.png").write_bytes(picture)
    assert counts(since(project)) == {"same": 4, "changed": 0, "added": 0, "removed": 0}


def test_an_input_that_changed_is_noticed_by_its_content(project: Path) -> None:
    committed(project, "/renders/")
    shutil.copyfile(project / "renders" / "old.mp4", project / "lamp.mp4")
    (project / "lamp.png").write_bytes((project / "lamp.png").read_bytes() + b"\0")
    assert counts(since(project))["changed"] == 2


def test_an_input_that_git_never_had_is_taken_as_it_is(project: Path) -> None:
    committed(project, "/renders/", "/lamp.png")
    assert counts(since(project))["same"] == 4


def test_a_renamed_clip_is_renamed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    committed(project)
    edit(project, "old:", "mist:")
    found = since(project)
    assert "Since HEAD: 1 renamed." in capsys.readouterr().out
    assert counts(found) == {"same": 3, "changed": 0, "added": 0, "removed": 0}
    assert found["document"]["since"]["renamed"] == 1
    before = found["details"]["mist"]["before"]
    assert before["output"] == "renders/old.mp4"
    assert [(c["field"], c["before"], c["after"]) for c in before["changes"]] == [
        ("name", "old", "mist"),
        ("output", "renders/old.mp4", "renders/mist.mp4"),
    ]


def test_a_clip_with_another_name_and_another_pick_is_the_same_clip(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan says so, too: both have one comparison."""
    committed(project)
    edit(project, "hero: {", "lead: {")
    edit(project, "clips.hero", "clips.lead")
    edit(project, ", pick: 2", "")
    found = since(project)
    assert counts(found) == {"same": 2, "changed": 2, "added": 0, "removed": 0}
    changes = {(c["field"], c["before"], c["after"]) for c in found["details"]["lead"]["before"]["changes"]}
    assert changes >= {("name", "hero", "lead"), ("pick", "2", "1")}
    capsys.readouterr()
    assert main(["-C", str(project), "plan", "--since", "HEAD"]) == 0
    output = capsys.readouterr().out
    assert "name: hero → lead" in output and "pick: 2 → 1" in output


def test_a_project_in_a_folder_of_a_repository(edited: Path, tmp_path: Path) -> None:
    shutil.rmtree(edited / ".git")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=all")
    edit(edited, "waves", "a wave")
    assert counts(since(edited)) == {"same": 3, "changed": 1, "added": 0, "removed": 0}


def test_before_there_was_a_project_everything_is_new(project: Path) -> None:
    (project / "clipform.yaml").rename(project / "later")
    committed(project)
    (project / "later").rename(project / "clipform.yaml")
    assert counts(since(project)) == {"same": 0, "changed": 0, "added": 4, "removed": 0}


def test_includes_are_found_as_they_were(project: Path) -> None:
    (project / "more").mkdir()
    (project / "more" / "a.yaml").write_text("clips: {extra: {prompt: rain}}\n")
    edit(project, "version: 1\n", "version: 1\ninclude: [more/*.yaml]\n")
    committed(project)
    (project / "more" / "a.yaml").unlink()
    assert counts(since(project))["removed"] == 1


def test_chosen_clips_are_compared_alone(edited: Path) -> None:
    assert counts(since(edited, "HEAD", "hero")) == {"same": 0, "changed": 1, "added": 0, "removed": 0}


def test_nothing_is_checked_out_and_nothing_is_written(edited: Path) -> None:
    def everything() -> dict[str, bytes]:
        ours = ("report", "state")
        files = (path for path in edited.rglob("*") if path.is_file())
        found = {path.relative_to(edited).as_posix(): path.read_bytes() for path in files}
        return {name: content for name, content in found.items() if not name.startswith(ours)}

    before = everything()
    since(edited)
    assert everything() == before


@pytest.mark.parametrize("revision", ["nowhere", "HEAD:clipform.yaml", "HEAD..HEAD", "a b"])
def test_what_is_no_revision_is_said(revision: str, edited: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(edited), "report", "--since", revision]) == 1
    assert f"error: git revision '{revision}' does not exist" in capsys.readouterr().err
    assert not (edited / "report").exists()


@pytest.mark.parametrize("revision", ["--output=owned", "-h", "", "a\nb", "x" * 500])
def test_a_revision_never_becomes_an_option(revision: str, edited: Path) -> None:
    assert main(["-C", str(edited), "report", f"--since={revision}"]) == 64
    assert not (edited / "owned").exists()


def test_without_a_repository_it_is_said(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    assert main(["-C", str(project), "report", "--since", "HEAD"]) == 1
    assert "error: the project is not in a git repository" in capsys.readouterr().err


def test_without_git_it_is_said(
    edited: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["-C", str(edited), "report", "--since", "HEAD"]) == 1
    assert "error: cannot run git: no such file or directory" in capsys.readouterr().err


def test_a_revision_with_a_broken_spec_is_said_with_its_place(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project, "prompt: city", "promt: city")
    committed(project)
    edit(project, "promt: city", "prompt: city")
    assert main(["-C", str(project), "report", "--since", "HEAD"]) == 1
    said = capsys.readouterr().err
    assert "the project at 'HEAD' has errors" in said and "clipform.yaml:6:10: unknown key 'promt'" in said


def test_a_hook_that_runs_it_does_not_lead_it_astray(edited: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", os.devnull)
    monkeypatch.setenv("GIT_INDEX_FILE", os.devnull)
    assert counts(since(edited))["changed"] == 2
