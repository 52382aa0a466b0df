"""Probing reads all of a file: what opens is not yet whole."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import pytest

from reconciler.diagnostics import MediaError
from reconciler.media.facts import VideoFacts
from reconciler.media.frames import extract_frame
from reconciler.media.probe import probe
from reconciler.media.stills import read_still

from .conftest import Draw


def test_a_whole_video_tells_what_was_measured(tmp_path: Path, tiny: bytes) -> None:
    (tmp_path / "tiny.mp4").write_bytes(tiny)
    assert probe(tmp_path / "tiny.mp4") == VideoFacts(1500, 32, 18, True, 3)


def test_a_file_whose_boxes_are_right_but_whose_frames_are_missing_is_refused(draw: Draw, tmp_path: Path) -> None:
    """The box is made to end where the file was cut, as a careless resume would leave it."""
    whole = draw().read_bytes()
    start = whole.index(b"mdat") - 4
    cut = whole[: start + (len(whole) - start) // 2]
    file = tmp_path / "cut.mp4"
    file.write_bytes(cut[:start] + struct.pack(">I", len(cut) - start) + cut[start + 4 :])
    with pytest.raises(MediaError, match=r"cut\.mp4 is incomplete"):
        probe(file)


def test_a_video_trimmed_by_an_edit_list_is_whole(draw: Draw, tmp_path: Path) -> None:
    """Cutting tools leave all frames in the file and say which part to show."""
    data = bytearray(draw(duration=2).read_bytes())
    struct.pack_into(">I", data, data.index(b"elst") + 12, 500)  # milliseconds to show
    (tmp_path / "trimmed.mp4").write_bytes(data)
    assert probe(tmp_path / "trimmed.mp4").frames == 48


@pytest.mark.parametrize("content", [b"", b"#EXTM3U\nhttp://127.0.0.1/x.ts\n", b"\x89PNG\r\n\x1a\n" + bytes(60)])
def test_what_is_no_mp4_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(content)
    for read in (probe, lambda path: extract_frame(path, "first_frame", tmp_path / "out.png")):
        with pytest.raises(MediaError) as caught:
            read(file)
        assert caught.value.code == "input"
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOMEM])
def test_trouble_of_the_machine_is_no_verdict_on_the_bytes(
    number: int, tmp_path: Path, tiny: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one says: examine it again later; the other puts what was paid for aside."""

    def fails(file: object, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "tiny.mp4").write_bytes(tiny)
    for place in ("reconciler.media.probe.read_mp4", "av.open"):
        with monkeypatch.context() as patch:
            patch.setattr(place, fails)
            with pytest.raises(MediaError) as caught:
                probe(tmp_path / "tiny.mp4")
            assert caught.value.code != "input"


@pytest.mark.parametrize("name", ["missing.mp4", "."])
def test_what_cannot_be_opened_is_refused(tmp_path: Path, name: str) -> None:
    for read in (probe, read_still):
        with pytest.raises(MediaError):
            read(str(tmp_path / name))


def test_damaged_media_data_is_refused_or_decodes(tmp_path: Path, tiny: bytes) -> None:
    start = tiny.index(b"mdat") + 4
    for place in range(start, len(tiny), 23):
        file = tmp_path / f"{place}.mp4"
        file.write_bytes(tiny[:place] + bytes([tiny[place] ^ 0xFF]) + tiny[place + 1 :])
        try:
            facts = probe(file)
        except MediaError as error:
            assert error.code == "input"
            continue
        assert facts.frames <= 3


def test_a_picture_cut_short_is_refused_by_name(red: Path, tmp_path: Path) -> None:
    (tmp_path / "half.png").write_bytes(red.read_bytes()[:90])
    with pytest.raises(MediaError, match=r"half\.png is not a readable picture"):
        read_still(str(tmp_path / "half.png"))


def test_a_message_names_a_file_from_where_we_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MediaError, match=r"^assets/lamp\.png is not a file$"):
        read_still(str(tmp_path / "assets" / "lamp.png"))
