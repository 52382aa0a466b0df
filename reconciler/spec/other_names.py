"""What people of other tools write, and the name or value of it in these files: data for did-you-mean.

A single word is a name of the same map; anything else is a sentence that says what to write.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_PICTURE = "to start from it, write first_frame: PATH; to show what is in it, references: {images: [PATH]}"
_IMAGES, _VIDEOS, _AUDIOS = (f"write references: {{{kind}: [PATH]}}" for kind in ("images", "videos", "audios"))
_WAITS = "write ${clips.NAME.last_frame} where its frame is used: a clip then waits by itself"
_OPTION = "if the provider takes it, write it under options"

_CLIP = {
    **dict.fromkeys(("aspect_ratio", "aspect", "format", "size"), "ratio"),
    **dict.fromkeys(("image", "picture", "img", "input_image"), _PICTURE),
    **dict.fromkeys(("first_image", "start_frame", "start_image", "image_url"), "first_frame"),
    **dict.fromkeys(("end_frame", "end_image", "last_image", "tail_image", "image_tail"), "last_frame"),
    **dict.fromkeys(("images", "reference_images", "ref_images"), _IMAGES),
    **dict.fromkeys(("video", "videos", "reference_videos"), _VIDEOS),
    **dict.fromkeys(("audios", "music", "reference_audios"), _AUDIOS),
    **dict.fromkeys(("characters", "character", "styles", "style", "subjects", "looks"), "use"),
    **dict.fromkeys(("depends_on", "needs", "after"), _WAITS),
    **dict.fromkeys(("fps", "cfg_scale", "guidance_scale", "motion"), _OPTION),
    **dict.fromkeys(("negative_prompt", "negative"), "avoid"),
    **dict.fromkeys(("seconds", "length", "duration_seconds"), "duration"),
    **dict.fromkeys(("quality", "definition"), "resolution"),
    **dict.fromkeys(("sound", "generate_audio", "with_audio"), "audio"),
    **dict.fromkeys(("n", "count", "samples", "variations", "num_videos"), "takes"),
    **dict.fromkeys(("fixed_camera", "camerafixed", "static_camera"), "camera_fixed"),
    **dict.fromkeys(("file", "path", "filename", "target"), "output"),
    **dict.fromkeys(("text", "caption"), "prompt"),
    **dict.fromkeys(("note", "comment"), "description"),
    **dict.fromkeys(("title", "id"), "the key of the clip is its name; description holds a note"),
    "kind": "provider",
}
_PROVIDER = {
    **dict.fromkeys(("type", "dialect"), "kind"),
    **dict.fromkeys(("url", "endpoint", "host", "address"), "base_url"),
    **dict.fromkeys(("key", "token", "api_token", "apikey"), "api_key"),
    **dict.fromkeys(("rps", "rate_limit"), "requests_per_second"),
    **dict.fromkeys(("parallel", "max_parallel", "workers"), "concurrency"),
    "model": "write it under defaults, or in a clip",
}
_PROJECT = {
    **dict.fromkeys(("characters", "styles", "subjects"), "looks"),
    **dict.fromkeys(("shots", "scenes", "videos"), "clips"),
    **dict.fromkeys(("variables", "locals"), "vars"),
    **dict.fromkeys(("imports", "files"), "include"),
    **dict.fromkeys(("s3", "upload", "bucket"), "publish"),
}
_BUDGET = {
    **dict.fromkeys(("max", "limit", "per_run", "max_cost"), "per_apply"),
    "max_total": "total",
    "daily": "per_day",
    "monthly": "per_month",
}
KEYS: Mapping[str, Mapping[str, str]] = {
    "clip": _CLIP,
    "provider": _PROVIDER,
    "project": _PROJECT,
    "budget": _BUDGET,
}
"""By the sort of map, then by the key that was written."""

_VALUES = {
    **dict.fromkeys(("landscape", "horizontal", "widescreen"), "16:9"),
    **dict.fromkeys(("portrait", "vertical"), "9:16"),
    **{"square": "1:1", "auto": "adaptive", "hd": "720p", "1280x720": "720p", "1440p": "2k"},
    **dict.fromkeys(("full hd", "fullhd", "fhd", "1920x1080"), "1080p"),
    **dict.fromkeys(("uhd", "2160p", "3840x2160"), "4k"),
}

KINDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("ark", "3hei", "jiekou", "jimmyai", "uniall", "fal"), ("api_key",)),
    "chanjing": ("app_id", "secret_key"),
}
"""The credentials of the built-in kinds that cost money."""
VENDORS: Mapping[str, str] = {
    **dict.fromkeys(("seedance", "doubao", "byteplus", "bytedance", "volcengine", "modelark"), "ark"),
    **dict.fromkeys(("kling", "veo", "hailuo", "wan", "fal.ai", "fal-ai"), "fal"),
}
"""The kind of what people call a vendor."""


WIDE_COLON = re.compile(r"[\s-]*(?P<key>[a-z][a-z0-9_-]*)\s*：")
"""A key with the colon that an input method for Chinese or Japanese types."""
PLAIN_COLON = "write ': ' in place of the full-width '：'"


def key_for(sort: str, written: str) -> str:
    """Return what to write in place of a key, empty if it is not in the table."""
    spelling = re.sub(r"(?<=[a-z])(?=[A-Z])|[- ]", "_", written).lower()
    return KEYS.get(sort, {}).get(spelling, "")


def value_for(written: str, offered: Collection[str]) -> str:
    """Return the offered value that was meant, or an empty text: `1080` is `1080p`, `16x9` is `16:9`."""
    word = written.strip().lower()
    spellings = (word, f"{word}p", re.sub(r"\s*[x×/*-]\s*", ":", word), _VALUES.get(word, ""))
    return next((spelling for spelling in spellings if spelling in offered), "")


def declaration(kind: str) -> str:
    """Return the lines that declare a provider of a kind."""
    prefix = re.sub(r"^(?=[0-9])", "_", kind.upper())
    keys = "".join(f"\n    {name}: ${{env.{prefix}_{name.upper()}}}" for name in KINDS[kind])
    return f"  {kind}:\n    kind: {kind}{keys}"
