"""The catalogue of kind `jimmyai`: every line of the vendor's page.

Where the page and newer ones disagree (durations of full and MD, 480p on SP) the page rules; a provider's `models:`
overrides. Counts and picture limits that the page leaves out are the model owner's (assumed; limits only warn). Ratios
that it leaves out are the six common ones (assumed).
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.providers.base import Billing, MediaLimits, Mode, Model, Placement
from reconciler.providers.limits import MB, OWNER_AUDIO, OWNER_PICTURE, OWNER_VIDEO, PICTURES, advisory

_SIX = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
_THREE = ("16:9", "9:16", "1:1")
_HTTPS = frozenset({"https"})
_ASSET = frozenset({"asset"})
_ALL_MODES = frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FRAMES, Mode.REFERENCES})

# Every line makes five seconds when not told otherwise, and none has these switches. Audio is the line's own affair.
_BASE = Model(
    name="",
    modes=_ALL_MODES,
    max_images=9,
    max_videos=3,
    max_audios=3,
    defaults={"duration": 5, "camera_fixed": False, "watermark": False, "return_last_frame": False},
    image_limits=advisory(OWNER_PICTURE),
    video_limits=advisory(OWNER_VIDEO),
    audio_limits=advisory(OWNER_AUDIO),
)


def _span(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


def _full(line: str, resolutions: tuple[str, ...], videos: int) -> tuple[Model, ...]:
    """One series of the full line: the resolution is in the name, media are audited assets."""
    return tuple(
        replace(
            _BASE,
            name=f"{line}_{resolution}",
            line=line,
            durations=_span(4, 12),
            resolutions=(resolution,),
            resolution_in=Placement.MODEL,
            ratios=(*_SIX, "adaptive"),
            max_videos=videos,
            image_schemes=_ASSET,
            video_schemes=_ASSET,
            audio_schemes=_ASSET,
            billing=Billing.PER_SECOND,
            defaults={**_BASE.defaults, "resolution": resolution},
            note="media are asset:// ids of audited assets",
        )
        for resolution in resolutions
    )


_SP = replace(
    _BASE,
    line="SP economy",
    durations=_span(4, 15),
    resolutions=("480p", "720p", "1080p"),
    ratios=_SIX,
    image_schemes=_HTTPS,
    video_schemes=_HTTPS,
    audio_schemes=frozenset({"https", "asset"}),
    billing=Billing.PER_SECOND,
    defaults={**_BASE.defaults, "resolution": "720p"},
)

_MINI = replace(
    _SP, name="seedance2.0-mini", line="Mini", max_videos=0, audio_schemes=_HTTPS, note="videos: seedance2.0-mini-video"
)

_MINI_VIDEO = replace(
    _MINI,
    name="seedance2.0-mini-video",
    line="Mini video",
    max_videos=3,
    billed_videos=1,
    note="not on the seed page; the seconds of the first reference video are billed on top",
)

_MINI_SPECIAL = replace(
    _MINI,
    name="seedance2.0-mini-sp",
    line="Mini special",
    resolutions=("480p", "720p"),
    ratios=_THREE,
    max_videos=3,
    billing=Billing.PER_CLIP,
    note="the duration does not change the price",
)

_FIXED_720P = replace(
    _BASE,
    resolutions=("720p",),
    resolution_in=Placement.FIXED,
    billing=Billing.PER_CLIP,
    defaults={**_BASE.defaults, "resolution": "720p"},
)

# MD pictures: no GIF. MD videos: 3, 15 s and 200 MB together, each 720 to 2160 px. A lone frame is refused.
_MD = replace(
    _FIXED_720P,
    line="MD",
    modes=_ALL_MODES - {Mode.FIRST_FRAME},
    durations=_span(1, 15),
    ratios=_THREE,
    max_images=4,
    max_audios=0,
    prompt_max=5000,
    image_limits=replace(advisory(OWNER_PICTURE), formats=tuple(name for name in PICTURES if name != "gif")),
    video_limits=MediaLimits(min_side=720, max_side=2160, max_total_seconds=15, max_total_bytes=200 * MB),
)

_FAST_I2V = replace(
    _FIXED_720P,
    name="seedance2.0-fast-i2v",
    line="Fast I2V",
    modes=_ALL_MODES - {Mode.TEXT},
    durations=_span(1, 15),
    ratios=_THREE,
    max_videos=0,
    max_audios=0,
    max_media=9,
    prompt_max=5000,
    defaults={**_FIXED_720P.defaults, "ratio": "16:9"},
    note="pictures only",
)

_STD = replace(
    _FIXED_720P,
    name="seedance2.0-std",
    line="STD",
    durations=_span(4, 15),
    ratios=_SIX,
    lone_last_frame=True,
    defaults={**_FIXED_720P.defaults, "ratio": "16:9"},
)

CATALOGUE: tuple[Model, ...] = (
    *_full("sd2_mx", ("720p", "1080p", "2k", "4k"), videos=0),
    *_full("sd2_mx_fast", ("720p", "1080p"), videos=0),
    *_full("sd2_mx_video", ("720p", "1080p", "2k", "4k"), videos=3),
    *_full("sd2_mx_video_fast", ("720p", "1080p"), videos=3),
    replace(_SP, name="seedance2.0-sp"),
    replace(_SP, name="seedance2.0-fast-sp"),
    replace(_SP, name="seedance2.0-of-sp", line="SP official"),
    replace(_SP, name="seedance2.0-of-fast-sp", line="SP official"),
    _MINI,
    _MINI_VIDEO,
    _MINI_SPECIAL,
    replace(_MD, name="seedance2.0-md"),
    replace(_MD, name="seedance2.0-fast-md"),
    _FAST_I2V,
    _STD,
)
