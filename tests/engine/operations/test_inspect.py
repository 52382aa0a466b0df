"""`inspect` says which clip a file is: surely by its bytes, probably by its pictures, or that it is a stranger's."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import av
import pytest

from reconciler.diagnostics import UsageError
from reconciler.engine.operations.inspect import received
from tests.cli.in_process import clipform
from tests.media.blobs import again, film

SPEC = """\
version: 1
clips:
  hero: {prompt: a lamp, duration: 2, resolution: 480p}
  sea: {prompt: waves, duration: 2, resolution: 480p}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips whose videos were imported, in a git repository."""
    folder = tmp_path_factory.mktemp("lamp")
    (folder / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    for seed, clip in enumerate(("hero", "sea"), 1):
        film(folder / "cut.mp4", seed)
        assert clipform(folder, "import", clip, "--file", "cut.mp4").returncode == 0
    (folder / "cut.mp4").unlink()
    assert clipform(folder, "apply", "--yes").returncode == 0
    git = ["git", "-C", str(folder), "-c", "user.name=Ana", "-c", "user.email=ana@films.example"]
    for words in (["init", "-q"], ["add", "clipform.yaml", "clipform.lock"], ["commit", "-qm", "add clips"]):
        subprocess.run([*git, *words], check=True)
    return folder


def remuxed(source: Path, target: Path) -> Path:
    """The same packets in another file, as `ffmpeg -c copy` writes it."""
    with av.open(str(source)) as video, av.open(str(target), "w", format="mov") as out:
        stream = out.add_stream_from_template(video.streams.video[0])
        for packet in video.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return target


def joined(first: Path, then: Path, target: Path) -> Path:
    """A film of two videos, encoded again."""
    with av.open(str(target), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=24, options={"crf": "28"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for source in (first, then):
            with av.open(str(source)) as video:
                for frame in video.decode(video=0):
                    frame.pts = None
                    out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return target


def inspected(project: Path, *paths: Path | str) -> tuple[int, list[dict[str, Any]]]:
    ended = clipform(project, "--json", "inspect", *map(str, paths))
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1])["files"]


def test_a_copy_is_named_surely_and_what_was_changed_by_its_pictures(project: Path, tmp_path: Path) -> None:
    hero, sea = (project / "renders" / f"{clip}.mp4" for clip in ("hero", "sea"))
    table = {
        Path(shutil.copy(hero, tmp_path / "final_v3.mp4")): "same bytes",
        remuxed(hero, tmp_path / "remuxed.mov"): "same pictures",
        again(hero, tmp_path / "small.mp4", size=(160, 90), crf="28"): "same pictures",
        again(hero, tmp_path / "trimmed.mp4", skip=12): "same pictures",
        joined(film(tmp_path / "other.mp4", 9), hero, tmp_path / "film.mp4"): "same pictures",
    }
    for path, how in table.items():
        code, [file] = inspected(project, path)
        assert (code, file["how"]) == (0, how), path
        [match] = file["matches"]
        assert (match["clip"], match["take"], match["draft"]) == ("hero", 1, False)
        assert match["commit"].endswith(" Ana") and match["key"].startswith("v1:")
        assert (file["distance"] is None) == (how == "same bytes")
    code, [file] = inspected(project, sea)
    assert (code, [match["clip"] for match in file["matches"]]) == (0, ["sea"])


def test_a_folder_is_searched_and_strangers_are_named(project: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    shutil.copy(project / "renders" / "sea.mp4", tmp_path / "deep" / "a.MP4")
    film(tmp_path / "stranger.mp4", 9)
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "notes.txt").write_text("not looked at")
    code, files = inspected(project, tmp_path)
    assert code == 3
    assert {Path(file["file"]).name: file["how"] for file in files} == {
        "a.MP4": "same bytes",
        "stranger.mp4": None,
        "text.mp4": None,
    }
    assert "text.mp4" in next(file["problem"] for file in files if file["file"].endswith("text.mp4"))
    said = clipform(project, "inspect", str(tmp_path / "stranger.mp4"))
    assert said.returncode == 3 and "not from this project" in said.stdout + said.stderr


def test_a_file_too_large_for_a_video_is_not_read(project: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.mp4"
    large.touch()
    os.truncate(large, 10 << 30)  # without a byte on the disk
    code, (file,) = inspected(project, large)
    assert (code, file["problem"]) == (3, "larger than 2 GiB, so no video of a provider")


@pytest.mark.parametrize("path", ["nowhere.mp4", "/dev/zero", "{tmp}"], ids=["missing", "a device", "an empty folder"])
def test_what_cannot_be_looked_at_is_an_error(path: str, project: Path, tmp_path: Path) -> None:
    assert clipform(project, "inspect", path.format(tmp=tmp_path)).returncode in (3, 64)


def test_a_clone_without_videos_still_knows_their_bytes(project: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("clipform.yaml", "clipform.lock"):
        shutil.copy(project / name, clone / name)
    code, [file] = inspected(clone, project / "renders" / "hero.mp4")
    assert (code, file["how"], file["matches"][0]["clip"]) == (0, "same bytes", "hero")
    assert inspected(clone, remuxed(project / "renders" / "hero.mp4", tmp_path / "r.mp4"))[0] == 3
    assert not (clone / "state").exists()


class Piped(io.BytesIO):
    """A pipe with a video; it counts what was read."""

    @property
    def buffer(self) -> io.BytesIO:
        return self


def test_a_video_that_is_piped_is_looked_at_and_nothing_of_it_stays(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    hero = (project / "renders" / "hero.mp4").read_bytes()
    small = again(project / "renders" / "hero.mp4", tmp_path / "small.mp4", size=(160, 90)).read_bytes()
    for data, how in ((hero, "same bytes"), (small, "same pictures"), (b"no video", None), (b"", None)):
        monkeypatch.setattr(sys, "stdin", Piped(data))
        code, [file] = inspected(project, "-")
        assert (code, file["file"], file["how"]) == (0 if how else 3, "-", how)
    assert [path.name for path in tmp_path.iterdir()] == ["small.mp4"]
    assert clipform(project, "inspect", "-", "-").returncode == 64


def test_a_pipe_without_end_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pipe = Piped(bytes(5 << 20))
    with pytest.raises(UsageError, match="were piped"), received(pipe, 2 << 20):
        pass
    assert pipe.tell() == 3 << 20
    assert not list(tmp_path.iterdir())


def test_nobody_else_can_read_what_was_piped() -> None:
    with received(Piped(b"x")) as path:
        assert path.parent.stat().st_mode & 0o077 == 0
        assert path.read_bytes() == b"x"
    assert not path.exists()
