"""The types of field values that have no plain Python type: media references, secrets, exact numbers, looks in use,
what needs approval."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from reconciler.diagnostics import Source
from reconciler.frozen import dataclass

JsonValue = object
"""A JSON value: None, bool, int, str, `Number`, or a list or map of these. Floats never occur."""


DRAFT = ".draft"
"""The end of the name of a vendor's draft: of `hero`, it is `hero.draft`."""


def final_name(name: str) -> str:
    """Return the name of the clip that a vendor's draft is made for; any other name as it is."""
    return name.removesuffix(DRAFT)


class Number(str):
    """A number with a fraction, written unquoted in a free map: its canonical decimal text, never a float.

    `0.50` and `5e-1` are both `Number("0.5")`. It is sent to a provider as a number, and hashed as something else than
    the text `"0.5"`.
    """

    __slots__ = ()


class Frame(StrEnum):
    """The part of another clip that a `${clips.…}` reference takes."""

    LAST = "last_frame"
    FIRST = "first_frame"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """A file; `path` is as the user wrote it, relative to the project root or absolute."""

    path: str


@dataclass(frozen=True, slots=True)
class UrlMedia:
    """An `https://` URL."""

    url: str


@dataclass(frozen=True, slots=True)
class AssetMedia:
    """An `asset://` id in the provider's library."""

    id: str  # includes the scheme


@dataclass(frozen=True, slots=True)
class DataMedia:
    """A `data:` URL."""

    url: str


@dataclass(frozen=True, slots=True)
class ClipMedia:
    """A frame or the video of another clip's picked take.

    `frozen`: of the version that it was first made from, whatever that clip is now."""

    clip: str
    part: Frame
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class DraftTask:
    """The task of the vendor's draft that a final is made from: `clip` is the draft."""

    clip: str


@dataclass(frozen=True, slots=True)
class KeyframeMedia:
    """A picture of the section `keyframes`, by name. `expand` puts the picture in its place."""

    name: str


InputMedia = LocalMedia | UrlMedia | AssetMedia | DataMedia | ClipMedia
"""What the YAML may say in a media field."""

Media = InputMedia | DraftTask


def frames(seconds: Decimal, fps: int) -> int:
    """Return the frame that is nearest to a time."""
    return int((seconds * fps).to_integral_value(ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class Secret:
    """The name of an environment variable that holds a secret; never the secret itself."""

    env: str


@dataclass(frozen=True, slots=True)
class LookUse:
    """A look that a clip shows: where the prompt has its words, the inputs that it brought, by field, and what it
    avoids."""

    name: str
    spans: tuple[tuple[int, int], ...] = ()
    fields: tuple[str, ...] = ()
    avoid: str = ""

    @property
    def pictures(self) -> tuple[int, ...]:
        """The numbers of the reference pictures that it brought, from 1."""
        return tuple(int(re.sub(r"\D", "", field)) + 1 for field in self.fields)


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """What needs an approval: `required` is no, paid, over (the amount `over` of `currency`) or tag. `of` is what is
    looked at; `by_other`: nobody approves what they wrote."""

    required: str = "no"
    of: str = "draft"
    by_other: bool = False
    over: Decimal | None = None
    currency: str = ""
    tag: str = ""


NO_RULE = ApprovalRule()


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """What one policy says of plans; None and () say nothing. `places` has where each field's value is written."""

    max_cost_per_clip: Decimal | None = None
    max_clips_per_apply: int | None = None
    models: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    places: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """Whether only approved plans may buy, the file that says whose approval counts, and rules, all of which count."""

    approved_plans: bool = False
    signers: str = ""
    rules: tuple[PolicyRules, ...] = ()


NO_POLICY = Policy()
