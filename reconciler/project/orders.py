"""Turn a project into orders: one for each take of each clip, with its key. Pure.

Keys are computed in dependency order, because the identity of another clip's frame is that clip's key. So every key is
known before anything runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import field, replace
from datetime import date
from decimal import Decimal
from functools import partial
from sys import intern
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from reconciler.frozen import dataclass
from reconciler.identity import Input, Subject, identify
from reconciler.plan import estimate, prices
from reconciler.plan.estimate import PricedRequest
from reconciler.plan.model import Brief, Cost, Wanted
from reconciler.project import tiers
from reconciler.project.priced import priced_facts, priced_request
from reconciler.project.seams import NO_SEAMS, Held, Seams
from reconciler.providers.base import Billing, Placement, Scalar
from reconciler.providers.check import Resolved, defaults_v1
from reconciler.spec.environment import is_local
from reconciler.spec.graph import in_order
from reconciler.spec.memo import reuse
from reconciler.spec.project import Clip, Project, ProviderConfig
from reconciler.spec.values import AssetMedia, ClipMedia, DataMedia, DraftTask, Frame, LocalMedia, Media, UrlMedia
from reconciler.state.paths import DRAFTS

if TYPE_CHECKING:  # loads pydantic
    from reconciler.spec.model import Price as PriceRow


Costs = dict[Hashable, tuple[PricedRequest, Cost]]
"""The prices of one load by all that they depend on: the provider, which has the price table, and `priced_facts`."""


@dataclass(frozen=True, slots=True)
class Order:
    """One take of a clip as it is wanted, with all that a request needs."""

    clip: Clip
    take: int
    wanted: Wanted
    resolved: Resolved
    hashes: Mapping[str, str]  # SHA-256 of its local inputs by path
    prices: tuple[PriceRow, ...] = ()  # the provider's price table, also for the usage that it reports
    priced: PricedRequest = PricedRequest("")  # what its price depends on
    seams: Held = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClipInputs:
    """Everything that the orders of one clip depend on."""

    clip: Clip
    resolved: Resolved
    config: ProviderConfig
    currency: str
    day: date | None  # prices of other days do not count
    hashes: Mapping[str, str]  # of its own inputs
    picked: Mapping[str, tuple[str, int]]  # key and take of each clip that it depends on
    tier: tuple[str, str]  # and why
    seams: Held = field(default_factory=dict)

    def values(self) -> tuple[object, ...]:
        """Return the same values as a flat tuple, for comparison."""
        picked = (part for pair in self.picked.values() for part in pair)
        facts = (self.clip, self.resolved, self.config, self.currency, self.day, *self.tier)
        return (*facts, *self.hashes.values(), *picked, *self.seams.values())

    def needs(self) -> tuple[tuple[str, int], ...]:
        """Return the takes that it waits for: not those of which a frozen seam keeps an earlier version."""
        if not self.seams:
            return tuple((name, take) for name, (_, take) in self.picked.items())
        media = (item for name, item in self.clip.media() if name not in self.seams)
        used = {item.clip for item in media if isinstance(item, ClipMedia)}
        return tuple((name, take) for name, (_, take) in self.picked.items() if name in used)


@dataclass(frozen=True, slots=True)
class Beyond:
    """What orders depend on beside their clips: the key and picked take of each other clip that they may use, what
    frozen seams hold on to, and the time, in UTC seconds."""

    picks: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    seams: Seams = NO_SEAMS
    now: float = 0.0


NOTHING_BEYOND = Beyond()


def build_orders(
    project: Project,
    resolved: Mapping[str, Resolved],
    hashes: Mapping[str, str],
    day: date | None = None,
    beyond: Beyond = NOTHING_BEYOND,
) -> tuple[Order, ...]:
    """Return all orders in file order, with the prices of a day. `resolved` is by clip name, `hashes` by local path;
    both are complete."""
    picked, seams = dict(beyond.picks), beyond.seams
    by_clip: dict[str, tuple[Order, ...]] = {}
    currency = prices.currency(project.providers.values(), project.budget)
    clips = {clip.name: clip for clip in project.clips}
    costs: Costs = {}
    for name in in_order({clip.name: clip.depends_on() for clip in project.clips}):
        clip = clips[name]
        inputs = ClipInputs(
            clip,
            resolved[clip.name],
            project.providers[clip.spec.provider],
            currency,
            day,
            {item.path: hashes[item.path] for _, item in clip.media() if isinstance(item, LocalMedia)},
            {name: picked[name] for name in clip.depends_on()},
            tiers.chosen(clip, resolved[clip.name].model, beyond.now),
            seams.of(clip),
        )
        orders = reuse(("orders", name), inputs.values(), partial(clip_orders, inputs, costs))
        if seams.former and not inputs.seams and clip.frozen():
            orders = _renamed(inputs, costs, seams) or orders
        picked[clip.name] = (orders[clip.spec.pick - 1].wanted.key, clip.spec.pick)
        by_clip[clip.name] = orders
    return tuple(order for clip in project.clips for order in by_clip[clip.name])


def drafted_clip(clip: Clip) -> Clip:
    """Return the clip as its draft: sent to the draft provider, free, placed under `drafts/`. Its seams follow."""
    duration = clip.spec.duration if clip.spec.duration is not None and clip.spec.duration > 0 else None
    output = f"{DRAFTS}/{clip.spec.output}"
    absent = dict.fromkeys(("model", "draft", "tier", "needed_by"))
    return clip.with_fields(**absent, provider="draft", duration=duration, output=output, options={}, protect=False)


def clip_orders(inputs: ClipInputs, costs: Costs) -> tuple[Order, ...]:
    """Return the orders of one clip, one for each take. `costs` has the prices that were computed before."""
    facts = (inputs.config.alias, priced_facts(inputs.clip, inputs.resolved, inputs.tier[0]))
    priced = costs.get(facts)
    if priced is None:
        request = priced_request(inputs.clip, inputs.resolved, inputs.day, inputs.tier[0])
        priced = costs[facts] = (request, _price(inputs, request))
    request, price = priced
    return tuple(_order(inputs, take, price, request) for take in range(1, inputs.clip.spec.takes + 1))


def _renamed(inputs: ClipInputs, costs: Costs, seams: Seams) -> tuple[Order, ...]:
    """Return the orders of a clip with what its seams held on to under a former name, if they have the key that it had
    then: so it is the same clip."""
    for line in seams.former:
        orders = clip_orders(replace(inputs, seams={seam.field: seam for seam in line.seams}), costs)
        if any(order.wanted.key == line.key for order in orders):
            return orders
    return ()


def _order(inputs: ClipInputs, take: int, price: Cost, request: PricedRequest) -> Order:
    clip, resolved, config = inputs.clip, inputs.resolved, inputs.config
    params = take_params(clip, take, resolved)
    subject = Subject(
        dialect=config.kind,
        model=resolved.model.name,
        mode=resolved.mode.value,
        prompt="" if clip.draft else clip.spec.prompt,
        params=params,
        inputs=tuple(_input(name, item, inputs) for name, item in clip.media()),
        options=clip.spec.options,
        take=take,
        retake=clip.spec.retake_of(take),
        defaults=defaults_v1(resolved.model),
    )
    key, document = identify(subject)
    wanted = Wanted(  # its texts are shared with the records, which have the same ones
        clip=intern(clip.name),
        take=take,
        key=intern(key),
        document=intern(document),
        provider=clip.spec.provider,
        kind=config.kind,
        model=resolved.model.name,
        output=intern(clip.spec.output) if take == clip.spec.pick else None,
        needs=inputs.needs(),
        protect=clip.spec.protect,
        free=resolved.model.billing is Billing.FREE,
        cost=price,
        tags=clip.spec.tags,
        server_defaults=() if clip.draft else resolved.left_open,
        rehearses=is_local(config.spec.base_url or ""),
        takes=clip.spec.takes,
        brief=_brief(clip, resolved),
        looks=clip.looks,
        table=clip.declared if clip.rows else "",
        tier=inputs.tier[0],
        tier_why=inputs.tier[1],
    )
    return Order(clip, take, wanted, resolved, inputs.hashes, config.spec.prices, request, inputs.seams)


def _brief(clip: Clip, resolved: Resolved) -> Brief:
    return Brief(clip.spec.prompt, (*resolved.shape, *((name, media_text(item)) for name, item in clip.media())))


def media_text(item: Media) -> str:
    """Return an input in a few words: the path, the address, or whose frame it is."""
    match item:
        case LocalMedia(path):
            return path
        case UrlMedia(url):
            return url.partition("?")[0]
        case ClipMedia(clip, part, frozen):
            return f"{Frame(part).value.replace('_', ' ')} of {clip}{' (frozen)' if frozen else ''}"
        case AssetMedia(ident):
            return ident
        case DraftTask(clip):
            return f"made from {clip}"
    return "data in the YAML"


_OF_FINAL = ("resolution", "watermark", "return_last_frame")
"""What a final may state beside its draft's task; all else is the draft's."""


def take_params(clip: Clip, take: int, resolved: Resolved) -> dict[str, Scalar]:
    """Return the parameters of one take as its key has them.

    These are the stated ones, the defaults that cost money, the take's own seed (also for a model without seeds), and
    no resolution that is part of the model's name. So a default that a project overrides counts in the key.
    """
    params = dict(resolved.settled)
    if clip.draft:
        names = _OF_FINAL if len(resolved.model.draft_finals) > 1 else ("resolution",)
        return {name: params[name] for name in names if name in params}
    if clip.spec.seed is not None:
        params["seed"] = clip.spec.seed + take - 1
    if resolved.model.resolution_in is not Placement.FIELD:
        params.pop("resolution", None)
    return params


def _price(inputs: ClipInputs, request: PricedRequest) -> Cost:
    if inputs.resolved.model.billing is Billing.FREE:
        return Cost(Decimal(0), inputs.currency)
    return estimate.estimate(inputs.config.spec.prices, request, inputs.currency)


def _input(name: str, item: Media, inputs: ClipInputs) -> Input:
    match item:
        case LocalMedia(path):
            return Input(name, "sha256", inputs.hashes[path])
        case UrlMedia(url):
            return Input(name, "url", url)
        case AssetMedia(ident):
            return Input(name, "asset", ident)
        case DataMedia(url):
            return Input(name, "sha256", hashlib.sha256(data_bytes(url)).hexdigest())
        case ClipMedia(clip, part):
            key = inputs.seams[name].key if name in inputs.seams else inputs.picked[clip][0]
            return Input(name, "clip", key, part=Frame(part).value)
        case DraftTask(clip):
            return Input(name, "clip", inputs.picked[clip][0], part="task")


def data_bytes(url: str) -> bytes:
    """Return the bytes of a `data:` URL. Invalid Base64 decodes leniently: the result only identifies the input."""
    import base64

    head, _, body = url.partition(",")
    raw = unquote_to_bytes(body)
    return base64.b64decode(raw, validate=False) if head.endswith(";base64") else raw
