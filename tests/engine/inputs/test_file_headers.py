"""A file is what its first bytes say."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.diagnostics import MediaError
from reconciler.media.headers import MediaType, read_header, type_of
from tests.engine.inputs.kit import picture, sound, video

HEADS = [
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"\xff\xd8\xff\xe0", "image/jpeg", ".jpg"),
    (b"GIF89a", "image/gif", ".gif"),
    (b"BM\x00\x00", "image/bmp", ".bmp"),
    (b"II*\x00", "image/tiff", ".tif"),
    (b"MM\x00*", "image/tiff", ".tif"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp", ".webp"),
    (b"\0\0\0\x1cftypheic", "image/heic", ".heic"),
    (b"\0\0\0\x1cftypavif", "image/avif", ".avif"),
    (b"\0\0\0\x1cftypisom", "video/mp4", ".mp4"),
    (b"\0\0\0\x1cftypqt  ", "video/quicktime", ".mov"),
    (b"\x1aE\xdf\xa3", "video/webm", ".webm"),
    (b"RIFF\0\0\0\0AVI LIST", "video/avi", ".avi"),
    (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav", ".wav"),
    (b"ID3\x04", "audio/mpeg", ".mp3"),
    (b"\xff\xfb\x90\x00", "audio/mpeg", ".mp3"),
    (b"\0\0\0\x1cftypM4A ", "audio/mp4", ".m4a"),
    (b"OggS", "audio/ogg", ".ogg"),
    (b"fLaC", "audio/flac", ".flac"),
]


@pytest.mark.parametrize(("head", "content_type", "suffix"), HEADS)
def test_a_format_is_known_by_its_first_bytes(head: bytes, content_type: str, suffix: str) -> None:
    kind = type_of(head)
    assert kind is not None and (kind.content_type, kind.suffix) == (content_type, suffix)


@pytest.mark.parametrize("head", [b"", b"\xff", b"\xff\xf1\x50\x80", b"<html>", b"RIFF\0\0\0\0CDDA", b"#EXTM3U\nfile:"])
def test_what_is_not_media_is_nothing(head: bytes) -> None:
    assert type_of(head) is None


def test_ark_reads_the_subtype_of_a_data_url_as_the_format() -> None:
    assert MediaType("audio", "mp3").data_type == "audio/mp3"


def test_headers_tell_size_length_and_rate(tmp_path: Path) -> None:
    shot = read_header(video(tmp_path / "a.mp4", 320, 240, 25, 2), "a.mp4")[1]
    still = read_header(picture(tmp_path / "a.png", 30, 20), "a.png")[1]
    tone = read_header(sound(tmp_path / "a.wav", 1.5), "a.wav")[1]
    assert (shot.width, shot.height, shot.fps, shot.seconds) == (320, 240, 25, 2)
    assert (still.format, still.width, still.height) == ("png", 30, 20)
    assert (tone.format, tone.seconds, tone.bytes) == ("wav", 1.5, (tmp_path / "a.wav").stat().st_size)


@pytest.mark.parametrize("maker", [picture, video, sound])
@pytest.mark.parametrize("keep", [12, 40, 100])
def test_a_file_cut_in_its_header_is_told_and_never_crashes(tmp_path: Path, maker: object, keep: int) -> None:
    whole = maker(tmp_path / {picture: "a.png", video: "a.mp4", sound: "a.wav"}[maker])
    whole.write_bytes(whole.read_bytes()[:keep])
    try:
        read_header(whole, "a")
    except MediaError as error:
        assert error.message == "a cannot be read: it is cut short or damaged"
    else:
        assert (maker, keep) in ((picture, 40), (picture, 100), (sound, 100))  # their headers are whole
