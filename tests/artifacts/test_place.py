"""Placing: the old file or the whole new one, inside the project, and never over what is the user's (I4, I8, I16)."""

from __future__ import annotations

import errno
import os
import signal
import stat
import threading
from pathlib import Path

import pytest

from reconciler.artifacts import files
from reconciler.artifacts.place import OutputContent, Placer
from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ArtifactError, Foreign
from reconciler.records import Artifact, Placed

OUTPUT = "out/day one/hero.mp4"


def _tree(root: Path) -> set[str]:
    """Everything in the project but the state."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if "state" not in path.parts}


def test_an_artifact_is_placed_whole_with_its_folders(root: Path, placer: Placer, old: Artifact) -> None:
    placed = placer.place(OUTPUT, old)
    status = (root / OUTPUT).stat()
    assert placed == Placed(OUTPUT, old.sha256, old.size, status.st_mtime_ns, status.st_ino)
    assert placer.find(OUTPUT, placed) is OutputContent.OURS
    assert _tree(root) == {"out", "out/day one", OUTPUT}
    assert status.st_mode & stat.S_IWUSR
    assert status.st_nlink == 1


def test_what_we_placed_is_replaced(root: Path, placer: Placer, old: Artifact, new: Artifact) -> None:
    placed = placer.place(OUTPUT, new, placer.place(OUTPUT, old))
    assert (placed.sha256, (root / OUTPUT).stat().st_size) == (new.sha256, new.size)
    assert _tree(root) == {"out", "out/day one", OUTPUT}


def test_placing_again_changes_nothing(root: Path, placer: Placer, old: Artifact) -> None:
    first = placer.place(OUTPUT, old)
    assert placer.place(OUTPUT, old, first) == first
    assert placer.place(OUTPUT, old, None) == first  # a run died before it said that it had placed this


def _edit(path: Path) -> None:
    path.write_bytes(b"graded by hand")


def _swap_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _swap_link(path: Path) -> None:
    path.rename(path.with_name("mine.mp4"))
    path.symlink_to("mine.mp4")


def _swap_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [_edit, _swap_folder, _swap_link, _swap_fifo])
def test_what_the_user_changed_is_left_alone(
    root: Path, placer: Placer, old: Artifact, new: Artifact, change: object
) -> None:
    placed = placer.place(OUTPUT, old)
    assert callable(change)
    change(root / OUTPUT)
    before = (os.lstat(root / OUTPUT), _tree(root))
    assert placer.find(OUTPUT, placed) is OutputContent.FOREIGN
    assert placer.remove(OUTPUT, placed) is OutputContent.FOREIGN
    for known in (placed, None):
        with pytest.raises(Foreign):
            placer.place(OUTPUT, new, known)
    with pytest.raises(Foreign):
        placer.move(OUTPUT, "elsewhere/hero.mp4", placed)
    after = os.lstat(root / OUTPUT)
    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (
        before[0].st_ino,
        before[0].st_mtime_ns,
        before[0].st_mode,
    )
    assert _tree(root) - {"elsewhere"} == before[1]


def test_a_file_that_was_there_before_us_is_left_alone(root: Path, placer: Placer, old: Artifact) -> None:
    (root / "hero.mp4").write_bytes(b"mine")
    with pytest.raises(Foreign) as error:
        placer.place("hero.mp4", old)
    assert "--force" in error.value.help
    assert (root / "hero.mp4").read_bytes() == b"mine"
    assert _tree(root) == {"hero.mp4"}


def test_a_file_that_appears_at_the_last_moment_is_left_alone(root: Path, placer: Placer, old: Artifact) -> None:
    (root / "part").write_bytes(b"ours")
    (root / "hero.mp4").write_bytes(b"mine")
    with files.folder(root) as within:
        assert not files.publish_new("part", "hero.mp4", within)
    assert (root / "hero.mp4").read_bytes() == b"mine"


def test_touched_but_equal_is_still_ours(root: Path, placer: Placer, old: Artifact) -> None:
    placed = placer.place(OUTPUT, old)
    os.utime(root / OUTPUT, (1, 1))
    assert placer.find(OUTPUT, placed) is OutputContent.OURS
    assert placer.record(OUTPUT, old.sha256) is not None
    assert placer.remove(OUTPUT, placed) is OutputContent.OURS


def test_nothing_there_is_absent(root: Path, placer: Placer, old: Artifact) -> None:
    placed = placer.place(OUTPUT, old)
    (root / OUTPUT).unlink()
    assert placer.find(OUTPUT, placed) is OutputContent.ABSENT
    assert placer.remove(OUTPUT, placed) is OutputContent.ABSENT
    assert placer.find("never/was.mp4", None) is OutputContent.ABSENT
    assert placer.record("never/was.mp4", old.sha256) is None


def test_editing_an_output_in_place_does_not_touch_the_store(
    root: Path, placer: Placer, objects: Objects, old: Artifact
) -> None:
    placer.place(OUTPUT, old)
    with (root / OUTPUT).open("r+b") as file:
        file.write(b"XXXX")
    assert objects.verify(old.sha256, ".mp4") == "sound"


def test_removing_takes_the_folders_that_it_empties_and_no_more(root: Path, placer: Placer, old: Artifact) -> None:
    first, second = placer.place("a/b/c/one.mp4", old), placer.place("a/two.mp4", old)
    (root / "a" / "b" / "notes.txt").write_text("mine")
    assert placer.remove("a/b/c/one.mp4", first) is OutputContent.OURS
    assert _tree(root) == {"a", "a/b", "a/b/notes.txt", "a/two.mp4"}
    (root / "a" / "b" / "notes.txt").unlink()
    placer.remove("a/two.mp4", second)
    assert _tree(root) == {"a", "a/b"}  # b was empty already: not our doing
    placer.remove("top.mp4", placer.place("top.mp4", old))
    assert root.is_dir()


def test_moving_renames_and_tidies(root: Path, placer: Placer, old: Artifact) -> None:
    placed = placer.place("a/b/hero.mp4", old)
    moved = placer.move("a/b/hero.mp4", "c/title.mp4", placed)
    assert (moved.output, moved.inode) == ("c/title.mp4", placed.inode)
    assert _tree(root) == {"c", "c/title.mp4"}


def test_moving_onto_something_is_refused(root: Path, placer: Placer, old: Artifact, new: Artifact) -> None:
    placed = placer.place("a.mp4", old)
    placer.place("b.mp4", new)
    with pytest.raises(Foreign):
        placer.move("a.mp4", "b.mp4", placed)
    assert _tree(root) == {"a.mp4", "b.mp4"}


def test_setting_aside_keeps_the_users_file_under_a_free_name(root: Path, placer: Placer, old: Artifact) -> None:
    for number in range(1, 8):
        (root / "hero.mp4").write_bytes(b"mine %d" % number)
        assert placer.set_aside("hero.mp4") == f"hero.kept-{number}.mp4"
    placer.place("hero.mp4", old)
    assert (root / "hero.kept-1.mp4").read_bytes() == b"mine 1"
    assert _tree(root) == {"hero.mp4", *(f"hero.kept-{number}.mp4" for number in range(1, 8))}


def test_a_damaged_object_is_not_placed(root: Path, placer: Placer, objects: Objects, old: Artifact) -> None:
    path = objects.path(old.sha256, ".mp4")
    path.chmod(0o644)
    path.write_bytes(b"x" * old.size)
    with pytest.raises(ArtifactError, match="damaged"):
        placer.place("hero.mp4", old)
    objects.delete(old.sha256, ".mp4")
    with pytest.raises(ArtifactError):
        placer.place("hero.mp4", old)
    assert _tree(root) == set()


def test_a_kill_while_placing_leaves_the_old_file_and_a_part_that_a_sweep_knows(
    root: Path, placer: Placer, old: Artifact, new: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = placer.place(OUTPUT, old)
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(os, "rename", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        placer.place(OUTPUT, new, placed)
    os.waitpid(child, 0)
    assert placer.find(OUTPUT, placed) is OutputContent.OURS
    (root / "out" / "day one" / ".clipform-notes.part").write_text("mine")
    assert placer.sweep([OUTPUT, "out/day one/other.mp4", "nowhere/x.mp4"]) == 1
    assert _tree(root) == {"out", "out/day one", OUTPUT, "out/day one/.clipform-notes.part"}


def test_a_reader_sees_the_old_or_the_new_film_and_nothing_else(
    root: Path, placer: Placer, old: Artifact, new: Artifact
) -> None:
    placed, sizes, stop = placer.place(OUTPUT, old), set(), threading.Event()

    def look() -> None:
        while not stop.is_set():
            sizes.add(len((root / OUTPUT).read_bytes()))

    thread = threading.Thread(target=look)
    thread.start()
    for number in range(40):
        placed = placer.place(OUTPUT, new if number % 2 else old, placed)
    stop.set()
    thread.join()
    assert sizes <= {old.size, new.size}


def test_a_file_system_without_hard_links_still_gets_its_file(
    root: Path, placer: Placer, old: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    assert placer.find(OUTPUT, placer.place(OUTPUT, old)) is OutputContent.OURS
    (root / "mine.mp4").write_bytes(b"mine")
    with pytest.raises(Foreign):
        placer.place("mine.mp4", old)
    assert _tree(root) == {"out", "out/day one", OUTPUT, "mine.mp4"}


def test_where_case_is_ignored_the_disk_is_the_judge(root: Path, placer: Placer, old: Artifact) -> None:
    """Two names of one file stand for a case-insensitive folder: here both are listed, so they are two files."""
    (root / "hero.mp4").write_bytes(b"mine")
    os.link(root / "hero.mp4", root / "HERO.MP4")
    with pytest.raises(Foreign) as error:
        placer.place("HERO.MP4", old)
    assert error.value.code == "foreign"
    placer.place("Hero.mp4", old)  # a third file on this file system


def test_where_case_is_ignored_another_spelling_is_another_output(
    root: Path, placer: Placer, old: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder answers to any spelling and lists one, as on macOS."""
    placer.place("hero.mp4", old)
    look = files.look

    def any_spelling(name: str, within: int) -> os.stat_result | None:
        spelt = {entry.casefold(): entry for entry in os.listdir(within)}
        return look(spelt.get(name.casefold(), name), within)

    monkeypatch.setattr(files, "look", any_spelling)
    with pytest.raises(Foreign) as error:
        placer.place("Hero.mp4", old)
    assert error.value.code == "case"
    assert _tree(root) == {"hero.mp4"}


def test_a_project_that_cannot_be_written_is_a_plain_error(objects: Objects, old: Artifact) -> None:
    with pytest.raises(ArtifactError, match="cannot place"):
        Placer(Path("/proc"), objects).place("hero.mp4", old)


def test_what_cannot_be_looked_at_is_not_ours(root: Path, placer: Placer, old: Artifact) -> None:
    placed = placer.place(OUTPUT, old)
    (root / "mine.mp4").write_bytes(b"mine")
    (root / "loop").symlink_to("loop")
    (root / "link").symlink_to("out")
    touched = Placed(OUTPUT, old.sha256, old.size, placed.mtime_ns + 1, placed.inode)
    assert placer.find("mine.mp4", None) is OutputContent.FOREIGN
    assert placer.find("loop/hero.mp4", placed) is OutputContent.FOREIGN
    assert placer.find("link/day one/hero.mp4", touched) is OutputContent.FOREIGN
    assert placer.find(OUTPUT, touched) is OutputContent.OURS


def test_data_is_durable_before_its_name_and_its_name_before_we_say_so(
    root: Path, placer: Placer, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def traced(name: str) -> None:
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, **options: (steps.append(_named(name, args)), real(*args, **options))[1]
        )

    for name in ("fsync", "rename", "link", "mkdir"):
        traced(name)
    with objects.part("hero") as part:
        part.write(b"film")
        stored = part.commit(".mp4")
    into_store, steps[:] = list(steps), []
    placed = placer.place("out/hero.mp4", Artifact(stored.sha256, stored.size, stored.suffix))
    at_output, steps[:] = list(steps), []
    placer.move("out/hero.mp4", "hero.mp4", placed)
    fan_out = ["mkdir", "sync folder"]
    assert into_store == [*fan_out * 2, "sync file", *fan_out, "rename", "sync folder"]
    assert at_output == [*fan_out, "sync file", "link", "sync folder"]
    assert steps == ["rename", "sync folder", "sync folder", "sync folder"]  # target, source, tidied root


def _named(name: str, args: tuple[object, ...]) -> str:
    if name != "fsync":
        return name
    assert isinstance(args[0], int)
    return "sync folder" if stat.S_ISDIR(os.fstat(args[0]).st_mode) else "sync file"


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_sync_that_fails_drops_the_bytes(
    root: Path, placer: Placer, objects: Objects, old: Artifact, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with objects.part("hero") as part, pytest.raises(ArtifactError):
        part.write(b"film")
        part.commit(".mp4")
    with pytest.raises(ArtifactError):
        placer.place("hero.mp4", old)
    assert _tree(root) == set()
    assert [found.sha256 for found in objects] == [old.sha256]


def test_a_file_system_that_cannot_sync_is_tolerated(
    placer: Placer, old: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuse)
    assert placer.find(OUTPUT, placer.place(OUTPUT, old)) is OutputContent.OURS
