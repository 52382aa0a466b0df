"""From a project to what is wanted: one `Order` for each take of each clip, with its key known. Pure.

Keys are computed in dependency order, because the identity of a frame of another clip is that clip's key. So every
key is known before anything runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from reconciler.identity import Input, Subject, identify
from reconciler.plan import cost
from reconciler.plan.model import Cost, Wanted
from reconciler.providers.base import Billing, Placement, Scalar
from reconciler.providers.check import Resolved, defaults_v1
from reconciler.spec.project import Clip, Project, ProviderConfig
from reconciler.spec.values import AssetMedia, ClipMedia, DataMedia, Frame, LocalMedia, Media, UrlMedia

if TYPE_CHECKING:  # loads pydantic
    from reconciler.spec.model import Price as PriceRow

DRAFTS = "drafts"


@dataclass(frozen=True, slots=True)
class Order:
    """One take of a clip: what is wanted, and all that is needed to ask for it."""

    clip: Clip
    take: int
    wanted: Wanted
    resolved: Resolved
    hashes: Mapping[str, str]  # SHA-256 of each of its local inputs by path
    prices: tuple[PriceRow, ...] = ()  # the provider's table: what it reports as used is priced by it

    @property
    def resolution(self) -> str | None:
        """The resolution that is priced: the stated one, the default that is sent, or the only one there is."""
        return priced_resolution(self.resolved)


@dataclass(frozen=True, slots=True)
class ClipInputs:
    """Everything that the orders of one clip depend on."""

    clip: Clip
    resolved: Resolved
    config: ProviderConfig
    currency: str
    hashes: Mapping[str, str]  # of its own inputs
    picked: Mapping[str, tuple[str, int]]  # key and take of each clip that it depends on

    def values(self) -> tuple[object, ...]:
        """Return the same as a flat tuple, for comparison; the clip says what the texts and numbers belong to."""
        picked = (part for pair in self.picked.values() for part in pair)
        return (self.clip, self.resolved, self.config, self.currency, *self.hashes.values(), *picked)


def build_orders(
    project: Project,
    resolved: Mapping[str, Resolved],
    hashes: Mapping[str, str],
    orders_of: Callable[[ClipInputs], tuple[Order, ...]] | None = None,
) -> tuple[Order, ...]:
    """Return all orders in file order. `resolved` is by clip name, `hashes` by local path; both are complete.

    `orders_of` replaces `clip_orders`, by one that remembers.
    """
    orders_of = orders_of or clip_orders
    picked: dict[str, tuple[str, int]] = {}
    found: dict[str, tuple[Order, ...]] = {}
    currency = project.budget.currency if project.budget else ""
    for clip in in_order(project.clips):
        inputs = ClipInputs(
            clip,
            resolved[clip.name],
            project.providers[clip.spec.provider],
            currency,
            {item.path: hashes[item.path] for _, item in clip.media() if isinstance(item, LocalMedia)},
            {name: picked[name] for name in clip.depends_on()},
        )
        orders = orders_of(inputs)
        picked[clip.name] = (orders[clip.spec.pick - 1].wanted.key, clip.spec.pick)
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
    """Return the same project with every clip sent to the draft provider, under `drafts/`."""
    return replace(project, clips=tuple(map(drafted_clip, project.clips)))


def drafted_clip(clip: Clip) -> Clip:
    """Return the clip as its draft: free, under `drafts/`."""
    duration = clip.spec.duration if clip.spec.duration is not None and clip.spec.duration > 0 else None
    output = f"{DRAFTS}/{clip.spec.output}"
    return clip.with_fields(provider="draft", model=None, duration=duration, output=output, options={}, protect=False)


def clip_orders(inputs: ClipInputs) -> tuple[Order, ...]:
    """Return the orders of one clip, one for each take."""
    price = _price(inputs)
    return tuple(_order(inputs, take, price) for take in range(1, inputs.clip.spec.takes + 1))


def _order(inputs: ClipInputs, take: int, price: Cost) -> Order:
    clip, resolved, config = inputs.clip, inputs.resolved, inputs.config
    params = take_params(clip, take, resolved)
    subject = Subject(
        dialect=config.kind,
        model=resolved.model.name,
        mode=resolved.mode.value,
        prompt=clip.spec.prompt,
        params=params,
        inputs=tuple(_input(name, item, inputs) for name, item in clip.media()),
        options=clip.spec.options,
        take=take,
        retake=clip.spec.retake,
        defaults=defaults_v1(resolved.model),
    )
    key, document = identify(subject)
    wanted = Wanted(
        clip=clip.name,
        take=take,
        key=key,
        document=document,
        provider=clip.spec.provider,
        kind=config.kind,
        model=resolved.model.name,
        output=clip.spec.output if take == clip.spec.pick else None,
        needs=tuple((name, pick) for name, (_, pick) in inputs.picked.items()),
        protect=clip.spec.protect,
        free=resolved.model.billing is Billing.FREE,
        cost=price,
        tags=clip.spec.tags,
        server_defaults=_left_open(resolved),
    )
    return Order(clip, take, wanted, resolved, inputs.hashes, config.spec.prices)


def take_params(clip: Clip, take: int, resolved: Resolved) -> dict[str, Scalar]:
    """The parameters of one take as its key has them: the stated ones and the defaults that cost money, its own seed
    (also where the model takes none), and no resolution that the model's name already says. So a default that a
    project overrides counts in the key."""
    params = dict(resolved.settled)
    if clip.spec.seed is not None:
        params["seed"] = clip.spec.seed + take - 1
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


def _price(inputs: ClipInputs) -> Cost:
    resolved = inputs.resolved
    if resolved.model.billing is Billing.FREE:
        return Cost(Decimal(0), inputs.currency)
    sent = resolved.settled
    ratio, seconds = sent.get("ratio"), sent.get("duration")
    # Where the seconds of reference videos are billed on top, their lengths would be part of the price: not known here.
    known = isinstance(seconds, int) and not (resolved.model.billed_videos and inputs.clip.references.videos)
    return cost.estimate(
        inputs.config.spec.prices,
        resolved.model.name,
        priced_resolution(resolved),
        ratio if isinstance(ratio, str) else None,
        seconds if isinstance(seconds, int) and known else None,
        inputs.currency,
    )


def priced_resolution(resolved: Resolved) -> str | None:
    """The stated resolution, the default that is sent, or the only one that the model has."""
    found = resolved.settled.get("resolution")
    if found is None and len(resolved.model.resolutions) == 1:
        return resolved.model.resolutions[0]
    return found if isinstance(found, str) else None


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
            return Input(name, "clip", inputs.picked[clip][0], part=Frame(part).value)


def data_bytes(url: str) -> bytes:
    """The bytes of a `data:` URL; Base64 with faults decodes leniently, since only identity rests on it here."""
    import base64

    head, _, body = url.partition(",")
    raw = unquote_to_bytes(body)
    return base64.b64decode(raw, validate=False) if head.endswith(";base64") else raw
