"""From a project to what is wanted: one `Order` for each take of each clip, with its key known. Pure.

Keys are computed in dependency order, because the identity of a frame of another clip is that clip's key. So every
key is known before anything runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import unquote_to_bytes

from reconciler.identity import Input, Subject, identify
from reconciler.plan import cost
from reconciler.plan.model import Price, Wanted
from reconciler.providers.base import Billing, Placement, Scalar
from reconciler.providers.check import Resolved, defaults_v1
from reconciler.spec.project import (
    AssetMedia,
    Clip,
    ClipMedia,
    DataMedia,
    Frame,
    LocalMedia,
    Media,
    Project,
    ProviderConfig,
    UrlMedia,
)
from reconciler.spec.project import Price as PriceRow

DRAFTS = "drafts"


@dataclass(frozen=True, slots=True)
class Order:
    """One take of a clip: what is wanted, and all that is needed to ask for it."""

    clip: Clip
    take: int
    wanted: Wanted
    resolved: Resolved
    hashes: Mapping[str, str]  # SHA-256 of each local input by path
    prices: tuple[PriceRow, ...] = ()  # the provider's table: what it reports as used is priced by it

    @property
    def resolution(self) -> str | None:
        """The resolution that is priced: the stated one, the default that is sent, or the only one there is."""
        return priced_resolution(self.resolved)


def desire(project: Project, resolved: Mapping[str, Resolved], hashes: Mapping[str, str]) -> tuple[Order, ...]:
    """All orders in file order. `resolved` is by clip name, `hashes` by local path; both are complete."""
    keys: dict[str, str] = {}  # of each clip's picked take
    picks = {clip.name: clip.pick for clip in project.clips}
    found: dict[str, list[Order]] = {}
    for clip in in_order(project.clips):
        orders = [_order(project, clip, take, resolved[clip.name], hashes, keys, picks) for take in _takes(clip)]
        keys[clip.name] = next(order.wanted.key for order in orders if order.take == clip.pick)
        found[clip.name] = orders
    return tuple(order for clip in project.clips for order in found[clip.name])


def in_order(clips: Sequence[Clip]) -> Iterator[Clip]:
    """Every clip after those that it depends on, iteratively: chains may be longer than the stack is deep."""
    by_name = {clip.name: clip for clip in clips}
    done: set[str] = set()
    for root in clips:
        stack = [(root, iter(root.depends_on()))]
        while stack:
            clip, needs = stack[-1]
            waiting = next((n for n in needs if n not in done and n in by_name), None)
            if waiting is not None:
                stack.append((by_name[waiting], iter(by_name[waiting].depends_on())))
                continue
            stack.pop()
            if clip.name not in done:
                done.add(clip.name)
                yield clip


def drafted(project: Project) -> Project:
    """The same project with every clip sent to the draft provider, under `drafts/`."""
    return replace(project, clips=tuple(_drafted(clip) for clip in project.clips))


def _drafted(clip: Clip) -> Clip:
    duration = clip.duration if clip.duration is not None and clip.duration > 0 else None
    output = f"{DRAFTS}/{clip.output}"
    return replace(clip, provider="draft", model=None, duration=duration, output=output, options={}, protect=False)


def _takes(clip: Clip) -> range:
    return range(1, clip.takes + 1)


def _order(  # noqa: PLR0913  # one call site; the last two are what the loop above accumulates
    project: Project,
    clip: Clip,
    take: int,
    resolved: Resolved,
    hashes: Mapping[str, str],
    keys: Mapping[str, str],
    picks: Mapping[str, int],
) -> Order:
    config = project.providers[clip.provider]
    params = take_params(clip, take, resolved)
    subject = Subject(
        dialect=config.kind,
        model=resolved.model.name,
        mode=resolved.mode.value,
        prompt=clip.prompt,
        params=params,
        inputs=tuple(_input(name, item, hashes, keys) for name, item in clip.media()),
        options=clip.options,
        take=take,
        retake=clip.retake,
        defaults=defaults_v1(resolved.model),
    )
    key, document = identify(subject)
    wanted = Wanted(
        clip=clip.name,
        take=take,
        key=key,
        document=document,
        provider=clip.provider,
        kind=config.kind,
        model=resolved.model.name,
        output=clip.output if take == clip.pick else None,
        needs=tuple((name, picks[name]) for name in clip.depends_on()),
        protect=clip.protect,
        free=resolved.model.billing is Billing.FREE,
        cost=_price(project, config, clip, resolved),
        tags=clip.tags,
        server_defaults=_left_open(resolved),
    )
    return Order(clip, take, wanted, resolved, hashes, config.prices)


def take_params(clip: Clip, take: int, resolved: Resolved) -> dict[str, Scalar]:
    """The parameters of one take as they are sent: the stated ones and the defaults that cost money, its own seed, and
    no resolution that the model's name already says. So a default that a project overrides counts in the key."""
    params = dict(resolved.settled)
    if clip.seed is not None:
        params["seed"] = clip.seed + take - 1
    if resolved.model.resolution_in is not Placement.FIELD:
        params.pop("resolution", None)
    return params


def _left_open(resolved: Resolved) -> tuple[str, ...]:
    if resolved.model.billing is Billing.FREE:
        return ()
    chosen = resolved.server_chosen
    return tuple(name if value is None else f"{name} {_word(value)}" for name, value in chosen.items())


def _word(value: Scalar) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _price(project: Project, config: ProviderConfig, clip: Clip, resolved: Resolved) -> Price:
    currency = project.budget.currency if project.budget else ""
    if resolved.model.billing is Billing.FREE:
        return Price(Decimal(0), currency)
    sent = resolved.settled
    ratio, seconds = sent.get("ratio"), sent.get("duration")
    # Where the seconds of reference videos are billed on top, their lengths would be part of the price: not known here.
    known = isinstance(seconds, int) and not (resolved.model.billed_videos and clip.videos)
    return cost.estimate(
        config.prices,
        resolved.model.name,
        priced_resolution(resolved),
        ratio if isinstance(ratio, str) else None,
        seconds if isinstance(seconds, int) and known else None,
        currency,
    )


def priced_resolution(resolved: Resolved) -> str | None:
    """The stated resolution, the default that is sent, or the only one that the model has."""
    found = resolved.settled.get("resolution")
    if found is None and len(resolved.model.resolutions) == 1:
        return resolved.model.resolutions[0]
    return found if isinstance(found, str) else None


def _input(name: str, item: Media, hashes: Mapping[str, str], keys: Mapping[str, str]) -> Input:
    match item:
        case LocalMedia(path):
            return Input(name, "sha256", hashes[path])
        case UrlMedia(url):
            return Input(name, "url", url)
        case AssetMedia(ident):
            return Input(name, "asset", ident)
        case DataMedia(url):
            return Input(name, "sha256", hashlib.sha256(data_bytes(url)).hexdigest())
        case ClipMedia(clip, part):
            return Input(name, "clip", keys[clip], part=Frame(part).value)


def data_bytes(url: str) -> bytes:
    """The bytes of a `data:` URL; Base64 with faults decodes leniently, since only identity rests on it here."""
    import base64

    head, _, body = url.partition(",")
    raw = unquote_to_bytes(body)
    return base64.b64decode(raw, validate=False) if head.endswith(";base64") else raw
