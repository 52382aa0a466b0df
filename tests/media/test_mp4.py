"""The box walk tells whole files from others, and survives any bytes."""

from __future__ import annotations

import io
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics import MediaError
from reconciler.media.mp4 import Mp4, read_mp4


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def large_box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, kind, 16 + len(body)) + body


FTYP = box(b"ftyp", b"isom", bytes(4))
MEHD = box(b"mehd", bytes(4), struct.pack(">I", 9000))
MVHD = box(b"mvhd", bytes(12), struct.pack(">II", 1000, 2500))


def track(handler: bytes = b"vide", size: tuple[int, int] = (64, 36), samples: int = 2) -> bytes:
    entry = box(b"avc1", bytes(24), struct.pack(">HH", *size), bytes(50))
    table = box(
        b"stbl",
        box(b"stsd", bytes(4), struct.pack(">I", 1), entry),
        box(b"stsz", bytes(4), struct.pack(">II", 0, samples), bytes(4 * samples)),
    )
    header = box(b"mdhd", bytes(12), struct.pack(">II", 24, 48))
    return box(b"trak", box(b"mdia", header, box(b"hdlr", bytes(8), handler, bytes(13)), box(b"minf", table)))


def film(*boxes: bytes) -> bytes:
    return FTYP + b"".join(boxes)


MOOV = box(b"moov", MVHD, track())
MDAT = box(b"mdat", b"content")


def read(data: bytes) -> Mp4:
    return read_mp4(io.BytesIO(data))


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        (film(MOOV, MDAT), Mp4(2500, 64, 36, False)),
        (film(MDAT, MOOV), Mp4(2500, 64, 36, False)),
        (film(box(b"moov", MVHD, track(b"soun"), track()), MDAT), Mp4(2500, 64, 36, True)),
        (film(MOOV, large_box(b"mdat", b"content")), Mp4(2500, 64, 36, False)),
        (film(MOOV, struct.pack(">I4s", 0, b"mdat") + b"to the end"), Mp4(2500, 64, 36, False)),
        (film(box(b"moov", box(b"mvhd", bytes(20)), track()), MDAT), Mp4(2000, 64, 36, False)),  # the track's own
        (film(MOOV, MDAT) + b"\0\0\0", Mp4(2500, 64, 36, False)),
        (film(MOOV, MDAT) + b"AIGC{label}", Mp4(2500, 64, 36, False)),
        (box(b"free", b"x") + box(b"wide") + film(MOOV, MDAT), Mp4(2500, 64, 36, False)),
        (
            film(
                box(b"moov", MVHD, box(b"mvex", MEHD), track(samples=0)),
                MDAT,
            ),
            Mp4(9000, 64, 36, False),
        ),
    ],
    ids=[
        "index first",
        "index last",
        "with sound",
        "64-bit size",
        "open end",
        "no length",
        "zeros behind",
        "text behind",
        "padding before",
        "fragmented",
    ],
)
def test_a_whole_file_tells_its_facts(data: bytes, facts: Mp4) -> None:
    assert read(data) == facts


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"<html>502 Bad Gateway</html>", "not a"),
        (MOOV + MDAT, "file type"),
        (film(MDAT), "index is missing"),
        (film(MOOV), "no media data"),
        (film(MOOV, box(b"mdat")), "no media data"),
        (film(MOOV, MOOV, MDAT), "two indexes"),
        (film(MOOV, MDAT)[:-1], "are there"),
        (film(MOOV, MDAT, MDAT)[:-1], "are there"),
        (film(MDAT, MOOV) + box(b"moof", b"more")[:-1], "are there"),
        (film(MOOV, MDAT, box(b"moof")) + b"\0\0\0", "cut short"),
        (film(box(b"moov", MVHD, box(b"mvex", MEHD), track()), MDAT) + b"\0\0\0", "cut short"),
        (film(MOOV) + b"\0\0\0", "cut short"),
        (box(b"free") + MOOV + MDAT, "file type"),
        (film(MOOV, struct.pack(">I4s", 4, b"mdat")), "are there"),
        (film(MOOV, struct.pack(">I4sQ", 1, b"mdat", 2**64 - 1)), "are there"),
        (film(box(b"moov", MVHD, track(b"soun")), MDAT), "no picture track"),
        (film(box(b"moov", MVHD, track(size=(0, 36))), MDAT), "no picture track"),
        (film(box(b"moov", MVHD, track(samples=0)), MDAT), "empty"),
        (film(box(b"moov", track()), MDAT), "no header"),
        (film(box(b"moov", MVHD, struct.pack(">I4s", 0, b"trak")), MDAT), "without a size"),
        (film(box(b"moov", MVHD, *([box(b"free")] * 10_001)), MDAT), "too many boxes"),
    ],
)
def test_anything_else_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        read(data)


def test_a_table_longer_than_its_box_is_refused() -> None:
    lying = MOOV.replace(struct.pack(">II", 0, 2), struct.pack(">II", 0, 2_000_000_000))
    with pytest.raises(MediaError, match="table"):
        read(film(lying, MDAT))


def test_a_real_file_tells_its_facts(tiny: bytes) -> None:
    assert read(tiny) == Mp4(1500, 32, 18, True)


def test_a_file_cut_at_any_length_is_refused(tiny: bytes) -> None:
    for length in range(len(tiny)):
        with pytest.raises(MediaError):
            read(tiny[:length])


def test_a_flipped_byte_never_raises_anything_else(tiny: bytes) -> None:
    for place in range(len(tiny)):
        for value in (0, 1, 0x7F, 0xFF, tiny[place] ^ 0x80):
            damaged = bytearray(tiny)
            damaged[place] = value
            with suppress(MediaError):
                read(bytes(damaged))


@given(st.binary(max_size=200), st.booleans())
def test_random_bytes_are_refused(data: bytes, with_head: bool) -> None:
    with pytest.raises(MediaError):
        read(FTYP + data if with_head else data)
