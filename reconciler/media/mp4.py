"""Checks that a file is a complete mp4 with a picture track, from its boxes alone, without any codec.

Every download passes through here before it is stored (a provider may send an HTML page, half a file, or a file whose
index is missing), so it must withstand any bytes: sizes are checked against the enclosing box; depth, counts and tables
are bounded; the only exception that leaves is `MediaError`. It reads headers, never media data; `probe` checks that the
media data is complete.

The format (ISO/IEC 14496-12) as far as it is read here:

    file = [free | skip | wide] ftyp, then boxes to the end: one moov, some mdat with content; of a file without
           fragments, bytes that are no box may follow
    box  = size u32, type 4 bytes [, size u64 when size is 1], body; size 0 means to the end and only the last may
    moov = mvhd (timescale, duration) [mvex/mehd for fragmented files], trak ...
    trak = mdia = mdhd (timescale, duration), hdlr (vide | soun), minf = stbl = stsd (width, height), stsz, stts
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from reconciler.diagnostics import MediaError
from reconciler.frozen import dataclass

_PADDING: Final = frozenset({b"free", b"skip", b"wide"})
_CONTENT: Final = frozenset({b"moov", b"mdat", b"moof"})
_MOST_TOP_BOXES: Final = 100_000  # a fragmented file has two a fragment
_MOST_BOXES: Final = 10_000  # in one container below the top
_MOST_INDEX: Final = 64 << 20  # bytes of moov
_MOST_SAMPLES: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class Mp4:
    """The facts in the headers. `duration_ms` is 0 if a fragmented file does not declare it."""

    duration_ms: int
    width: int
    height: int
    audio: bool


@dataclass(frozen=True, slots=True)
class _Box:
    """A box within a buffer or a file: the positions where its body begins and where it ends."""

    kind: bytes
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class _Track:
    handler: bytes
    duration_ms: int
    width: int
    height: int
    samples: int


def read_mp4(file: BinaryIO) -> Mp4:
    """Return the facts in the headers of a structurally complete file. Raises MediaError with the defect."""
    try:
        end = file.seek(0, os.SEEK_END)
        index = _index(file, end)
        return _facts(index)
    except OSError as error:
        raise MediaError(f"the video cannot be read: {error}") from error
    except struct.error as error:
        raise _invalid("not a valid mp4: a header is cut short") from error


def _index(file: BinaryIO, end: int) -> bytes:
    """Return the body of the only `moov`, after walking all top-level boxes to the end of the file."""
    boxes, behind = _top_boxes(file, end)
    first = next((box for box in boxes if box.kind not in _PADDING), None)
    if first is None or first.kind != b"ftyp":
        raise behind or _invalid("not an mp4: it does not begin with a file type box")
    indexes = [box for box in boxes if box.kind == b"moov"]
    if len(indexes) > 1:
        raise _invalid("not a valid mp4: two indexes")
    if not indexes:
        raise behind or _invalid("not a complete mp4: the index is missing")
    if not any(box.kind == b"mdat" and box.end > box.body for box in boxes):
        raise behind or _invalid("not a complete mp4: no media data")
    moov = indexes[0]
    if moov.end - moov.body > _MOST_INDEX:
        raise _invalid("not a valid mp4: the index is too large")
    file.seek(moov.body)
    index = _exactly(file, moov.end - moov.body)
    if behind and (b"mvex" in index or any(box.kind == b"moof" for box in boxes)):
        raise behind  # a fragment may be missing
    return index


def _top_boxes(file: BinaryIO, end: int) -> tuple[list[_Box], MediaError | None]:
    """Return the boxes of a file, and what is wrong with the bytes behind the last one; None if there are none.

    Raises MediaError if they begin a box of content: then the file is cut short.
    """
    boxes: list[_Box] = []
    at = 0
    while at < end:
        file.seek(at)
        head = _exactly(file, min(16, end - at))
        try:
            box = _box(head, at, end, is_top=True)
        except struct.error:
            return boxes, _invalid("not a valid mp4: a header is cut short")
        except MediaError as error:
            if head[4:8] in _CONTENT:
                raise
            return boxes, error
        boxes.append(box)
        if len(boxes) > _MOST_TOP_BOXES:
            raise _invalid("not a valid mp4: too many boxes")
        at = box.end
    return boxes, None if end else _invalid("not an mp4: the file is empty")


def _boxes(data: bytes, start: int, end: int) -> Iterator[_Box]:
    """Yield the boxes in a part of the index, which must fill it exactly."""
    at, count = start, 0
    while at < end:
        count += 1
        if count > _MOST_BOXES:
            raise _invalid("not a valid mp4: too many boxes")
        box = _box(data[at : min(at + 16, end)], at, end, is_top=False)
        yield box
        at = box.end


def _box(head: bytes, at: int, end: int, *, is_top: bool) -> _Box:
    """Return the box whose first bytes are `head`, at `at`, in a container that ends at `end`."""
    size, kind = struct.unpack_from(">I4s", head)
    body = 8
    if size == 1:
        (size,) = struct.unpack_from(">Q", head, 8)
        body = 16
    elif size == 0:
        if not is_top:
            raise _invalid("not a valid mp4: a box without a size")
        size = end - at
    if size < body or at + size > end:
        raise _invalid(f"not a complete mp4: box {kind.decode('latin-1')!r} is {size} bytes, {end - at} are there")
    return _Box(kind, at + body, at + size)


def _facts(moov: bytes) -> Mp4:
    top = list(_boxes(moov, 0, len(moov)))
    header = _first(top, b"mvhd")
    if header is None:
        raise _invalid("not a valid mp4: the index has no header")
    scale, ticks = _timing(moov, header)
    fragments = _first(top, b"mvex")
    if fragments is not None:
        ticks = max(ticks, _fragmented_length(moov, fragments))
    tracks = [track for box in top if box.kind == b"trak" and (track := _track(moov, box))]
    video = next((track for track in tracks if track.handler == b"vide" and track.width and track.height), None)
    if video is None:
        raise _invalid("not a video: it has no picture track")
    if not video.samples and fragments is None:
        raise _invalid("not a video: its picture track is empty")
    duration = _milliseconds(ticks, scale) or video.duration_ms
    return Mp4(duration, video.width, video.height, any(track.handler == b"soun" for track in tracks))


def _track(data: bytes, trak: _Box) -> _Track | None:
    """Return a track's facts; None if it lacks a box that every playable track has."""
    media = _descend(data, trak, b"mdia")
    if media is None:
        return None
    inside = list(_boxes(data, media.body, media.end))
    header, handler = _first(inside, b"mdhd"), _first(inside, b"hdlr")
    table = _descend(data, media, b"minf", b"stbl")
    if header is None or handler is None or table is None:
        return None
    scale, ticks = _timing(data, header)
    (kind,) = struct.unpack_from(">4s", data[handler.body : handler.end], 8)
    entries = list(_boxes(data, table.body, table.end))
    width, height = _picture_size(data, _first(entries, b"stsd")) if kind == b"vide" else (0, 0)
    return _Track(kind, _milliseconds(ticks, scale), width, height, _samples(data, _first(entries, b"stsz")))


def _descend(data: bytes, box: _Box, *kinds: bytes) -> _Box | None:
    """Return the box at the end of a path of first children. The path is fixed, and so is the depth."""
    current: _Box | None = box
    for kind in kinds:
        if current is None:
            return None
        current = _first(list(_boxes(data, current.body, current.end)), kind)
    return current


def _first(boxes: list[_Box], kind: bytes) -> _Box | None:
    return next((box for box in boxes if box.kind == kind), None)


def _timing(data: bytes, box: _Box) -> tuple[int, int]:
    """Return ticks per second and the number of ticks of an `mvhd` or `mdhd`; all ones mean an unknown length."""
    body = data[box.body : box.end]
    if body[:1] == b"\x01":
        scale, ticks = struct.unpack_from(">IQ", body, 20)
        return scale, 0 if ticks == 2**64 - 1 else ticks
    scale, ticks = struct.unpack_from(">II", body, 12)
    return scale, 0 if ticks == 2**32 - 1 else ticks


def _fragmented_length(data: bytes, mvex: _Box) -> int:
    """Return the ticks of a fragmented film; 0 if it has no box for them."""
    box = _descend(data, mvex, b"mehd")
    if box is None:
        return 0
    body = data[box.body : box.end]
    (ticks,) = struct.unpack_from(">Q" if body[:1] == b"\x01" else ">I", body, 4)
    return int(ticks)


def _milliseconds(ticks: int, scale: int) -> int:
    return (ticks * 1000 + scale // 2) // scale if scale else 0


def _picture_size(data: bytes, stsd: _Box | None) -> tuple[int, int]:
    """Return width and height of the first sample entry, in coded pixels."""
    if stsd is None:
        return (0, 0)
    body = data[stsd.body : stsd.end]
    (entries,) = struct.unpack_from(">I", body, 4)
    if not entries:
        return (0, 0)
    width, height = struct.unpack_from(">HH", body, 8 + 8 + 24)
    return (width, height)


def _samples(data: bytes, stsz: _Box | None) -> int:
    """Return the number of samples that the size table lists; they must fit into it."""
    if stsz is None:
        return 0
    body = data[stsz.body : stsz.end]
    each, count = struct.unpack_from(">II", body, 4)
    if count > _MOST_SAMPLES or (not each and 12 + 4 * count > len(body)):
        raise _invalid("not a valid mp4: a table is longer than its box")
    return int(count)


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise _invalid("not a complete mp4: the file ended while it was read")
    return data


def _invalid(text: str) -> MediaError:
    """Return an error about the bytes (code `input`); errors of reading them have other codes."""
    return MediaError(text, code="input")
