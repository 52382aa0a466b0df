"""Writes a marked copy of a video: tags in its container, and a label in its pictures.

Packets are copied; only a visible label has the pictures encoded again. What the container said before stays said, the
vendor's own marks first of all. To be called in a worker: it reads bytes from outside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PIL import Image, ImageDraw

from reconciler.diagnostics import MediaError
from reconciler.media.draft.type import face
from reconciler.media.frames import opened

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame

OPTIONS: Final = {"movflags": "use_metadata_tags+faststart"}
LEAST_SIDE: Final = Fraction(5, 100)
"""Height of the words of a visible label, as a part of the picture's shorter side: the least that GB 45438 allows."""
_QUALITY: Final = {"crf": "16", "preset": "medium"}


def write(order: str, source: str, target: str) -> None:
    """Write a marked copy. `order` is JSON: `tags` by name, `label` with text, at, seconds. Raises MediaError."""
    import av

    values = json.loads(order)
    try:
        with opened(Path(source)) as video, av.open(target, "w", format="mp4", container_options=OPTIONS) as out:
            out.metadata.update({**values["tags"], **video.metadata})
            out.metadata.update({name: text for name, text in values["tags"].items() if name != "AIGC"})
            _copy(video, out, values.get("label"))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"the marked copy could not be written: {error}") from error


def _copy(video: InputContainer, out: OutputContainer, label: Mapping[str, Any] | None) -> None:
    import av

    pictures, sounds = video.streams.video[0], video.streams.audio[:1]
    copied: dict[int, Stream] = {stream.index: out.add_stream_from_template(stream) for stream in sounds}
    if label is None:
        copied[pictures.index] = out.add_stream_from_template(pictures)
        for packet in video.demux(pictures, *sounds):
            if packet.dts is not None:
                packet.stream = copied[packet.stream.index]
                out.mux(packet)
        return
    rate = pictures.average_rate or Fraction(24)
    encoder = out.add_stream("libx264", rate=rate, options=_QUALITY)
    encoder.width, encoder.height, encoder.pix_fmt = pictures.width, pictures.height, "yuv420p"
    encoder.time_base = encoder.codec_context.time_base = pictures.time_base or Fraction(1, 90000)
    for packet in video.demux(pictures, *sounds):
        if packet.stream.index in copied:
            if packet.dts is not None:
                packet.stream = copied[packet.stream.index]
                out.mux(packet)
        else:
            frames = (_labelled(frame, label) for frame in packet.decode() if isinstance(frame, av.VideoFrame))
            out.mux([encoded for frame in frames for encoded in encoder.encode(frame)])
    out.mux(encoder.encode())


def _labelled(frame: VideoFrame, label: Mapping[str, Any]) -> VideoFrame:
    """Return a frame with the label, if it is one of its first seconds."""
    if label["seconds"] is not None and (frame.time or 0.0) >= float(label["seconds"]):
        return frame
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it unannotated
    marked = with_label(picture, label["text"], label["at"])
    drawn: VideoFrame = frame.from_image(marked)  # type: ignore[no-untyped-call]  # as above
    drawn.pts, drawn.time_base = frame.pts, frame.time_base
    return drawn


def with_label(picture: Image.Image, text: str, at: str) -> Image.Image:
    """Return a picture with words in a corner, on a dark ground: their height is a twentieth of the shorter side or
    more. Raises ValueError for words that do not fit."""
    height = -(-min(picture.size) * LEAST_SIDE.numerator // LEAST_SIDE.denominator)
    size = height
    while (box := face(size).getbbox(text))[3] - box[1] < height:
        size += 1
    margin, width = height // 2, box[2] - box[0]
    if width + 2 * margin > picture.width:
        raise ValueError(f"the words of the label are wider than the picture: {text}")
    vertical, _, side = at.partition("-")
    left = margin if side == "left" else picture.width - width - 2 * margin
    top = margin if vertical == "top" else picture.height - height - 2 * margin
    layer = Image.new("RGBA", picture.size)
    draw = ImageDraw.Draw(layer)
    ground = (left - margin // 2, top - margin // 2, left + width + margin // 2, top + height + margin)
    draw.rectangle(ground, (0, 0, 0, 160))
    draw.text((left - box[0], top - box[1]), text, "white", face(size))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")
