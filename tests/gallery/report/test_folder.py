"""In a report's folder nothing is touched that a report did not write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.diagnostics import ClipformError
from reconciler.gallery.report.folder import LIST, ReportFolder

from .conftest import names

SHA = "ab" * 32
VIDEO, POSTER = f"media/{SHA}.mp4", f"media/{SHA}.jpg"


def written(root: Path, *wanted: str, content: bytes = b"one") -> ReportFolder:
    folder = ReportFolder(root)
    folder.claim(wanted)
    for name in wanted:
        folder.put(name, content)
    folder.finish()
    return folder


def test_what_is_no_longer_needed_goes_and_folders_that_are_empty_then(tmp_path: Path) -> None:
    written(tmp_path / "r", "index.html", VIDEO)
    folder = ReportFolder(tmp_path / "r")
    folder.claim(["index.html"])
    folder.put("index.html", b"two")
    assert folder.finish() == (VIDEO,)
    assert names(tmp_path) == [f"r/{LIST}", "r/index.html"]
    assert not (tmp_path / "r" / "media").exists()


def test_a_users_file_beside_it_stays(tmp_path: Path) -> None:
    written(tmp_path / "r", VIDEO)
    (tmp_path / "r" / "media" / "notes.txt").write_text("mine")
    written(tmp_path / "r", "index.html")
    assert names(tmp_path) == [f"r/{LIST}", "r/index.html", "r/media/notes.txt"]


def test_a_file_that_the_user_changed_is_not_removed(tmp_path: Path) -> None:
    written(tmp_path / "r", "index.html", VIDEO)
    (tmp_path / "r" / VIDEO).write_bytes(b"mine")
    written(tmp_path / "r", "index.html")
    assert (tmp_path / "r" / VIDEO).read_bytes() == b"mine"


def test_a_file_that_the_user_changed_is_not_overwritten(tmp_path: Path) -> None:
    written(tmp_path / "r", "index.html")
    (tmp_path / "r" / "index.html").write_bytes(b"mine")
    with pytest.raises(ClipformError, match=r"index\.html in r was changed since a report wrote it"):
        ReportFolder(tmp_path / "r").claim(["index.html", POSTER])
    assert (tmp_path / "r" / "index.html").read_bytes() == b"mine"
    assert not (tmp_path / "r" / POSTER).exists()


def test_a_file_of_the_users_under_a_new_name_is_not_overwritten(tmp_path: Path) -> None:
    written(tmp_path / "r", "index.html")
    (tmp_path / "r" / "data.js").write_bytes(b"mine")
    with pytest.raises(ClipformError, match="was changed since a report wrote it"):
        ReportFolder(tmp_path / "r").claim(["data.js"])


def a_file(root: Path) -> None:
    root.write_text("mine")


def a_full_folder(root: Path) -> None:
    root.mkdir()
    (root / "mine.txt").write_text("mine")


def a_linked_list(root: Path) -> None:
    written(root.with_name("other"), "index.html")
    a_full_folder(root)
    (root / LIST).symlink_to(root.with_name("other") / LIST)


def another_list(root: Path) -> None:
    root.mkdir()
    (root / LIST).write_text('{"clipform_report": 2, "files": {}}')


def a_broken_list(root: Path) -> None:
    root.mkdir()
    (root / LIST).write_text('{"clipform_report": 1, "files": {"index.html": {"size": "1"}}}')


@pytest.mark.parametrize("make", [a_file, a_full_folder, a_linked_list, another_list, a_broken_list])
def test_a_folder_that_is_no_report_is_refused(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "r")
    before = names(tmp_path)
    with pytest.raises(ClipformError) as error:
        ReportFolder(tmp_path / "r")
    assert error.value.help == "choose a new folder: clipform report --out DIR"
    assert names(tmp_path) == before


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    written(tmp_path / "r", "index.html")
    assert names(tmp_path) == [f"r/{LIST}", "r/index.html"]


@pytest.mark.parametrize(
    "name", ["../mine.txt", "/etc/passwd", "media/../../mine.txt", "notes.txt", "assets/../x", "media/x.mp4"]
)
def test_a_list_that_came_from_elsewhere_removes_nothing_else(name: str, tmp_path: Path) -> None:
    written(tmp_path / "r", "index.html")
    for path in (tmp_path / "mine.txt", tmp_path / "r" / "notes.txt"):
        path.write_text("mine")
    listing = tmp_path / "r" / LIST
    values = json.loads(listing.read_text())
    values["files"][name] = None
    listing.write_text(json.dumps(values))
    written(tmp_path / "r", "index.html")
    assert (tmp_path / "mine.txt").is_file() and (tmp_path / "r" / "notes.txt").is_file()


@pytest.mark.parametrize("where", ["media", "assets"])
def test_a_folder_that_became_a_link_is_not_followed(where: str, tmp_path: Path) -> None:
    written(tmp_path / "r", "index.html")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "r" / where).symlink_to(tmp_path / "theirs")
    with pytest.raises(ClipformError, match="is not a report's folder"):
        ReportFolder(tmp_path / "r").claim([VIDEO, "assets/main.js"])
    assert names(tmp_path / "theirs") == []


def test_a_link_at_a_name_that_was_claimed_is_not_ours(tmp_path: Path) -> None:
    """A run claimed the name and died; since then somebody put a link there."""
    (tmp_path / "theirs.jpg").write_bytes(b"mine")
    ReportFolder(tmp_path / "r").claim(["index.html", POSTER])
    (tmp_path / "r" / "media").mkdir(exist_ok=True)
    (tmp_path / "r" / POSTER).symlink_to(tmp_path / "theirs.jpg")
    written(tmp_path / "r", "index.html")
    assert (tmp_path / "r" / POSTER).is_symlink()
    with pytest.raises(ClipformError):
        ReportFolder(tmp_path / "r").claim([POSTER])
    assert (tmp_path / "theirs.jpg").read_bytes() == b"mine"


def test_what_a_dead_run_left_is_taken_over(tmp_path: Path) -> None:
    """It claimed its names and wrote one of two."""
    folder = ReportFolder(tmp_path / "r")
    folder.claim(["index.html", POSTER])
    folder.put(POSTER, b"half of the report")
    written(tmp_path / "r", "index.html", content=b"whole")
    assert names(tmp_path) == [f"r/{LIST}", "r/index.html"]


def test_a_report_that_was_copied_or_cloned_is_still_known_by_its_content(tmp_path: Path) -> None:
    written(tmp_path / "r", "index.html", VIDEO)
    for name in ("index.html", VIDEO):
        os.utime(tmp_path / "r" / name, ns=(1, 1))
    assert ReportFolder(tmp_path / "r").keep(VIDEO)
    written(tmp_path / "r", "index.html", content=b"two")
    assert names(tmp_path) == [f"r/{LIST}", "r/index.html"]


def test_a_copy_is_whole_or_absent(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"video")
    folder = ReportFolder(tmp_path / "r")
    folder.claim([VIDEO, POSTER])
    assert folder.copy(VIDEO, tmp_path / "source", SHA) is False
    assert folder.copy(POSTER, tmp_path / "gone") is False
    folder.finish()
    assert names(tmp_path / "r") == [LIST]


def test_a_link_is_not_copied(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "source").symlink_to(tmp_path / "secret")
    folder = ReportFolder(tmp_path / "r")
    folder.claim([VIDEO])
    assert folder.copy(VIDEO, tmp_path / "source") is False
