"""Encodes the sound of a film in stretches, so that an edit of one shot encodes the sound around it alone.

The sound is cut into stretches of ten seconds on one grid of packets. Each is encoded together with what comes before
and after it, and these extra packets are dropped: a packet of AAC overlaps only its neighbours, so at a seam the
decoder gets what it would get of one long run, and there is neither a gap nor a click. A stretch in which the same is
heard as in one of an earlier film is copied from that film's file, and no sample of it is decoded. So is what was
measured of a section, if the film states its loudness.

The file: the number of samples; then for each stretch the SHA-256 of what it was encoded from, the length of the rest,
and each packet with its length; then for each section that was measured its SHA-256, the length of the rest, and JSON.
It is never damaged by a crash: it is written beside, and renamed when whole.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

import av
from av.audio.codeccontext import AudioCodecContext

from reconciler.diagnostics import MediaError
from reconciler.frozen import dataclass
from reconciler.media.cut import desk
from reconciler.media.cut.desk import HOP, RATE
from reconciler.media.cut.mix import Mix
from reconciler.media.cut.sounds import BLOCK

LENGTH: Final = 480
"""Packets of a stretch: ten seconds."""

LEAD: Final = 8
"""Packets before a stretch, after which an encoder has forgotten that it began there."""

TAIL: Final = 2
"""Packets behind it: the encoder looks one ahead."""

SECTION: Final = 100
"""Hops of a section that is measured: ten seconds."""

WARMUP: Final = 10
"""Hops before it."""

OPTIONS: Final = {"b": "192000", "aac_coder": "fast"}
"""At this rate the fast coder is as good as the default one, which takes three times as long."""

_HEAD: Final = struct.Struct(">Q")
_REST: Final = struct.Struct(">32sI")
_PACKET: Final = struct.Struct(">H")


def encode_sound(order: str, earlier: str | Path, target: str | Path) -> int:
    """Write the sound that a JSON order describes into `target`; return how many stretches were encoded. `earlier` is
    the file of an earlier version, which may be missing. Raises MediaError."""
    values, encoded = json.loads(order), 0
    try:
        with _Earlier(Path(earlier)) as before, Path(target).open("wb") as out:
            mix = Mix(values)
            gain, sections = "0", list[tuple[bytes, bytes]]()
            if values.get("loudness") is not None:
                sections = list(_measured(mix, before))
                gain = desk.gain_for(chain.from_iterable(json.loads(data) for _, data in sections), values["loudness"])
            out.write(_HEAD.pack(mix.samples))
            for stretch in _stretches(mix.samples):
                key = stretch.key(mix, gain)
                data = before.get(key)
                if data is None:
                    data, encoded = stretch.encoded(mix, gain), encoded + 1
                _write(out, key, data)
            for key, data in sections:
                _write(out, key, data)
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"the sound of the film could not be encoded: {error}") from error
    return encoded


def read_sound(path: str | Path) -> tuple[int, Iterator[bytes]]:
    """Return how many samples a file has, and its packets."""
    file = Path(path).open("rb")  # noqa: SIM115  # closed behind the last packet
    (samples,) = _HEAD.unpack(file.read(_HEAD.size))

    def packets() -> Iterator[bytes]:
        with file:
            for _ in _stretches(samples):
                data, at = file.read(_REST.unpack(file.read(_REST.size))[1]), 0
                while at < len(data):
                    (size,) = _PACKET.unpack_from(data, at)
                    at += _PACKET.size + size
                    yield data[at - size : at]

    return samples, packets()


def _write(out: BinaryIO, key: bytes, data: bytes) -> None:
    out.write(_REST.pack(key, len(data)))
    out.write(data)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch with what is encoded around it: its samples in the film, and how many packets come before it. Nothing
    comes behind the last one."""

    first: int
    last: int
    lead: int
    is_last: bool

    def key(self, mix: Mix, gain: str) -> bytes:
        """Return the SHA-256 of what the stretch is encoded from."""
        return _digest("parts/v2", OPTIONS, self.lead, self.is_last, *mix.content(self.first, self.last, gain))

    def encoded(self, mix: Mix, gain: str) -> bytes:
        """Return the packets of the stretch alone, each with its length."""
        encoder = AudioCodecContext.create("aac", "w")
        assert isinstance(encoder, AudioCodecContext)
        encoder.sample_rate, encoder.format, encoder.layout, encoder.options = RATE, "fltp", "stereo", OPTIONS
        packets: list[bytes] = []
        for block in mix.section(self.first, self.last, gain):
            block.pts = (block.pts or 0) - self.first
            packets += map(bytes, encoder.encode(block))
        packets += map(bytes, encoder.encode(None))
        some = packets[self.lead :] if self.is_last else packets[self.lead : self.lead + LENGTH]
        return b"".join(_PACKET.pack(len(packet)) + packet for packet in some)


def _stretches(samples: int) -> Iterator[_Stretch]:
    """Yield the stretches of so many samples."""
    number, is_last = 0, False
    while not is_last:
        lead, end = LEAD if number else 0, (number + LENGTH + TAIL) * BLOCK
        is_last = end >= samples
        yield _Stretch((number - lead) * BLOCK, min(samples, end), lead, is_last)
        number += LENGTH


def _measured(mix: Mix, before: _Earlier) -> Iterator[tuple[bytes, bytes]]:
    """Yield what each section measures: the SHA-256 of what is heard in it, and the loudness of its blocks, in JSON. A
    section is measured together with some hops before it: a block reaches back, and a filter swings in."""
    for number in range(0, mix.samples // HOP, SECTION):
        lead = min(number, WARMUP)
        first, last = (number - lead) * HOP, min(mix.samples, (number + SECTION) * HOP)
        key = _digest("loudness/v1", lead, *mix.content(first, last, None))
        data = before.get(key)
        yield key, data or json.dumps(desk.measured(mix.section(first, last, None))[lead:]).encode()


def _digest(*content: object) -> bytes:
    return hashlib.sha256(json.dumps(content).encode()).digest()


class _Earlier:
    """What an earlier file has, read when it is asked for; nothing if it is missing or damaged."""

    def __init__(self, path: Path) -> None:
        self._path, self._places = path, dict[bytes, tuple[int, int]]()
        self._file: BinaryIO | None = None

    def __enter__(self) -> _Earlier:
        with suppress(OSError):
            self._file = self._path.open("rb")
            place, size = _HEAD.size, self._path.stat().st_size
            while place < size:
                self._file.seek(place)
                key, length = _REST.unpack(self._file.read(_REST.size).ljust(_REST.size, b"\xff"))
                self._places[key] = (place + _REST.size, length)
                place += _REST.size + length
            if place != size:  # cut short
                self._places.clear()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def get(self, key: bytes) -> bytes | None:
        """Return what was encoded or measured under a key."""
        if self._file is None or key not in self._places:
            return None
        place, size = self._places[key]
        self._file.seek(place)
        return self._file.read(size)
