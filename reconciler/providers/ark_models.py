"""The catalogues of kinds `3hei` and `ark`: the same families under two vendors' names.

Sources: the seed page for modes, counts and the two 3hei names; the official Ark documents for resolutions, durations,
ratios, defaults and media. On 3hei what only Ark documents is assumed to hold too; `models:` overrides it.
Seeds (read in November 2026): 2.0 takes none and reports one of its own; 1.x takes 0 to 2147483647 and reports it.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.providers.base import Billing, Mode, Model
from reconciler.providers.limits import MB, OWNER_AUDIO, OWNER_PICTURE, OWNER_VIDEO, advisory

_SIX = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
_SERVER_CHOOSES = -1

# Sound is on unless switched off, which is why `generate_audio` is always sent. The camera cannot be locked on 2.0.
_TWO = Model(
    name="",
    line="2.0",
    modes=frozenset(Mode),
    durations=(_SERVER_CHOOSES, *range(4, 16)),
    resolutions=("480p", "720p", "1080p"),
    ratios=(*_SIX, "adaptive"),
    max_images=9,
    max_videos=3,
    max_audios=3,
    image_schemes=frozenset({"https", "data", "asset"}),
    video_schemes=frozenset({"https", "asset"}),
    audio_schemes=frozenset({"https", "data", "asset"}),
    prompt_required=False,
    has_audio=True,
    has_watermark=True,
    has_last_frame=True,
    reads_switches=True,
    billed_videos=3,
    defaults={
        "duration": 5,
        "resolution": "720p",
        "ratio": "adaptive",
        "audio": True,
        "camera_fixed": False,
        "watermark": False,
        "return_last_frame": False,
    },
    image_limits=OWNER_PICTURE,
    video_limits=OWNER_VIDEO,
    audio_limits=OWNER_AUDIO,
    max_request_bytes=64 * MB,
)

_TWO_FAST = replace(_TWO, line="2.0 fast", resolutions=("480p", "720p"))
_TWO_MINI = replace(_TWO_FAST, line="2.0 mini")

_FRAMES_ONLY = frozenset({Mode.TEXT, Mode.FIRST_FRAME, Mode.FRAMES})

_ONE_FIVE = replace(
    _TWO,
    line="1.5 pro",
    modes=_FRAMES_ONLY,
    durations=(_SERVER_CHOOSES, *range(4, 13)),
    max_images=0,
    max_videos=0,
    max_audios=0,
    seed_max=2**31 - 1,
    reports_seed=True,
    has_camera_fixed=True,
    billed_videos=0,
)

# Silent; the ratio's default differs between text and frames, so none is claimed.
_ONE = replace(
    _ONE_FIVE,
    line="1.0 pro",
    durations=tuple(range(2, 13)),
    has_audio=False,
    defaults={
        "duration": 5,
        "resolution": "1080p",
        "audio": False,
        "camera_fixed": False,
        "watermark": False,
        "return_last_frame": False,
    },
)

_ONE_LITE = replace(_ONE, line="1.0 lite", defaults={**_ONE.defaults, "resolution": "720p"})


def _owner(model: Model) -> Model:
    """A model as the owner sells it: billed by tokens."""
    return replace(model, billing=Billing.TOKENS)


def _resold(model: Model) -> Model:
    """The same model at a reseller, who does not say whether the owner's media limits are his."""
    return replace(
        model,
        image_limits=advisory(model.image_limits),
        video_limits=advisory(model.video_limits),
        audio_limits=advisory(model.audio_limits),
    )


HEI = (
    _resold(replace(_TWO, name="doubao-seedance-2-0")),
    _resold(replace(_TWO_FAST, name="doubao-seedance-2-0-fast")),
)

ARK = (
    _owner(replace(_TWO, name="doubao-seedance-2-0-260128")),
    _owner(replace(_TWO_FAST, name="doubao-seedance-2-0-fast-260128")),
    _owner(replace(_TWO_MINI, name="doubao-seedance-2-0-mini-260615")),
    _owner(replace(_ONE_FIVE, name="doubao-seedance-1-5-pro-251215")),
    _owner(replace(_ONE, name="doubao-seedance-1-0-pro-250528", modes=frozenset({Mode.TEXT, Mode.FIRST_FRAME}))),
    _owner(replace(_ONE_LITE, name="doubao-seedance-1-0-lite-t2v-250428", modes=frozenset({Mode.TEXT}))),
    _owner(
        replace(
            _ONE_LITE,
            name="doubao-seedance-1-0-lite-i2v-250428",
            modes=frozenset({Mode.FIRST_FRAME, Mode.FRAMES}),
        )
    ),
)
