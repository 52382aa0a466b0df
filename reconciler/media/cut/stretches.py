"""Encodes the sound of a film in stretches, so that an edit of one shot encodes the sound around it alone.

The sound is mixed as a whole, and cut into stretches of ten seconds on one grid of packets. Each is encoded together
with what comes before and after it, and these extra packets are dropped: a packet of AAC overlaps only its neighbours,
so at a seam the decoder gets what it would get of one long run, and there is neither a gap nor a click. A stretch whose
samples are those of an earlier film is copied from that film's file.

The file: the number of samples; then for each stretch the SHA-256 of what it was encoded from, the number of its
packets, and each packet with its length. It is never damaged by a crash: it is written beside, and renamed when whole.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import av
from av.audio.codeccontext import AudioCodecContext

from reconciler.diagnostics import MediaError
from reconciler.media.cut import mix
from reconciler.media.cut.desk import RATE

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

LENGTH: Final = 480
"""Packets of a stretch: ten seconds."""

LEAD: Final = 8
"""Packets before a stretch, after which an encoder has forgotten that it began there."""

TAIL: Final = 2
"""Packets behind it: the encoder looks one ahead."""

OPTIONS: Final = {"b": "192000", "aac_coder": "fast"}
"""At this rate the fast coder is as good as the default one, which takes three times as long."""

_HEAD: Final = struct.Struct(">Q")
_STRETCH: Final = struct.Struct(">32sI")
_PACKET: Final = struct.Struct(">H")


def encode_sound(order: str, earlier: str | Path, target: str | Path) -> int:
    """Write the sound that a JSON order describes into `target`; return how many stretches were encoded. `earlier` is
    the file of an earlier version, which may be missing. Raises MediaError."""
    encoded = samples = 0
    try:
        with _Earlier(Path(earlier)) as before, Path(target).open("wb") as out:
            out.write(_HEAD.pack(0))
            for stretch in _outlined(json.loads(order)):
                packets = before.packets(stretch.key)
                if packets is None:
                    packets, encoded = stretch.encoded(), encoded + 1
                out.write(_STRETCH.pack(stretch.key, len(packets)))
                out.writelines(_PACKET.pack(len(packet)) + packet for packet in packets)
                samples += stretch.samples
            out.seek(0)
            out.write(_HEAD.pack(samples))
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"the sound of the film could not be encoded: {error}") from error
    return encoded


def read_sound(path: str | Path) -> tuple[int, Iterator[bytes]]:
    """Return how many samples a file has, and its packets."""
    file = Path(path).open("rb")  # noqa: SIM115  # closed behind the last packet
    (samples,) = _HEAD.unpack(file.read(_HEAD.size))

    def packets() -> Iterator[bytes]:
        with file:
            while head := file.read(_STRETCH.size):
                for _ in range(_STRETCH.unpack(head)[1]):
                    yield _packet(file)

    return samples, packets()


def _packet(file: BinaryIO) -> bytes:
    """Return the next packet. Raises struct.error at the end of the file."""
    (size,) = _PACKET.unpack(file.read(_PACKET.size))
    data = file.read(size)
    if len(data) < size:
        raise struct.error("the file is cut short")
    return data


class _Stretch:
    """A stretch. `blocks` returns its blocks with those around it; `lead` of them come before it, and the last one has
    no others behind. `samples`: those of the film that end in it. `key` says what it is encoded from."""

    def __init__(
        self, key: bytes, samples: int, blocks: Callable[[], Sequence[AudioFrame]], lead: int, *, is_last: bool
    ) -> None:
        self.key, self.samples = key, samples
        self._blocks, self._lead, self._is_last = blocks, lead, is_last

    def encoded(self) -> list[bytes]:
        """Return the packets of the stretch alone."""
        encoder = AudioCodecContext.create("aac", "w")
        assert isinstance(encoder, AudioCodecContext)
        encoder.sample_rate, encoder.format, encoder.layout, encoder.options = RATE, "fltp", "stereo", OPTIONS
        blocks, packets = self._blocks(), []
        first = blocks[0].pts or 0
        for block in (*blocks, None):
            if block is not None:
                block.pts = (block.pts or 0) - first
            packets += [bytes(packet) for packet in encoder.encode(block)]
        for block in blocks:
            block.pts = (block.pts or 0) + first
        return packets[self._lead :] if self._is_last else packets[self._lead : self._lead + LENGTH]


def _outlined(order: Mapping[str, Any]) -> Iterator[_Stretch]:
    """Yield the stretches of a film. The key of one is the SHA-256 of its samples, or of the parts that are heard in it
    where these decide them: then no sample of a stretch that is known is decoded."""
    return _of_parts(order) if mix.is_plain(order) else _of_samples(mix.sound(order))


def _of_parts(order: Mapping[str, Any]) -> Iterator[_Stretch]:
    total, number, is_last = mix.samples_at(mix.spans(order)[-1][1], order["fps"]), 0, False
    while not is_last:
        lead = LEAD if number else 0
        is_last = (number + LENGTH + TAIL) * mix.BLOCK >= total
        first = (number - lead) * mix.BLOCK
        last = total if is_last else (number + LENGTH + TAIL) * mix.BLOCK
        yield _of_part(order, (first, last), lead, is_last=is_last)
        number += LENGTH


def _of_part(order: Mapping[str, Any], samples: tuple[int, int], lead: int, *, is_last: bool) -> _Stretch:
    first, last = samples
    start = mix.samples_at
    parts = [[start(begins, order["fps"]) - first, *_content(part)] for begins, part in mix.heard(order, first, last)]
    text = json.dumps(["parts/v1", OPTIONS, order["fps"], lead, is_last, last - first, parts])
    inside = last - first - lead * mix.BLOCK if is_last else LENGTH * mix.BLOCK
    key = hashlib.sha256(text.encode()).digest()
    return _Stretch(key, inside, lambda: list(mix.plain_sound(order, first, last)), lead, is_last=is_last)


def _content(part: Mapping[str, Any]) -> list[object]:
    """Return what a part's samples are made from: its video by content, else (a title) nothing that is heard."""
    source = part.get("sha256") or part.get("path") if part["audio"] else None
    return [source, part["start"], part["end"], part["dissolve"], part.get("volume", "1")]


def _of_samples(blocks: Iterator[AudioFrame]) -> Iterator[_Stretch]:
    waiting: list[AudioFrame] = []
    lead = 0
    for block in blocks:
        waiting.append(block)
        if len(waiting) == lead + LENGTH + TAIL + 1:  # one more: this stretch is not the last
            yield _of_blocks(waiting[:-1], lead, is_last=False)
            del waiting[: lead + LENGTH - LEAD]
            lead = LEAD
    if waiting:
        yield _of_blocks(waiting, lead, is_last=True)


def _of_blocks(blocks: Sequence[AudioFrame], lead: int, *, is_last: bool) -> _Stretch:
    digest = hashlib.sha256(f"{OPTIONS} {lead} {is_last}".encode())
    for block in blocks:
        digest.update(bytes(block.planes[0])[: block.samples * mix.WIDE])
    inside = blocks[lead:] if is_last else blocks[lead : lead + LENGTH]
    samples = sum(block.samples for block in inside)
    return _Stretch(digest.digest(), samples, lambda: blocks, lead, is_last=is_last)


class _Earlier:
    """The stretches of an earlier file, read when one is asked for; none if it is missing or damaged."""

    def __init__(self, path: Path) -> None:
        self._path, self._places = path, dict[bytes, tuple[int, int]]()
        self._file: BinaryIO | None = None

    def __enter__(self) -> _Earlier:
        try:
            self._file = self._path.open("rb")
            self._file.read(_HEAD.size)
            while head := self._file.read(_STRETCH.size):
                key, count = _STRETCH.unpack(head)
                self._places[key] = (self._file.tell(), count)
                for _ in range(count):
                    _packet(self._file)
        except (OSError, struct.error):
            self._places.clear()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def packets(self, key: bytes) -> list[bytes] | None:
        """Return the packets that a stretch was encoded to before."""
        if self._file is None or key not in self._places:
            return None
        place, count = self._places[key]
        self._file.seek(place)
        return [_packet(self._file) for _ in range(count)]
