"""The orders that are handed to workers: one take of one clip as a project file of its own, with all that it needs.

A worker reads it as any project: it is checked, priced and given its key again, by the same code. A key that comes out
different, because something here cannot be written down or the worker is of another version, is refused, never sent. So
what a worker sends is what the key says. Local inputs are named by their content, other clips by their keys. A final is
written without the inputs of its draft, and with the content of the draft that was approved. There is no credential in
it, not even the name of one: a worker uses its own, and sends it only where its own file says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import ClipformError, Severity
from reconciler.frozen import dataclass
from reconciler.identity import canonical
from reconciler.plan.approvals import NO_APPROVALS, Approvals
from reconciler.plan.model import Cost, Step
from reconciler.plan.windows import Window
from reconciler.project.orders import Beyond, Order, build_orders
from reconciler.project.resolve_clips import dialects_of, resolve_clips
from reconciler.project.tiers import FLEX
from reconciler.spec.expand import Others
from reconciler.spec.files import PROJECT_FILE, Unreadable
from reconciler.spec.load import read_partly
from reconciler.spec.project import CREDENTIALS, ProviderConfig
from reconciler.spec.values import (
    ApprovalRule,
    AssetMedia,
    ClipMedia,
    DataMedia,
    InputMedia,
    LocalMedia,
    Number,
    UrlMedia,
)
from reconciler.state.budget import Caps

if TYPE_CHECKING:
    from reconciler.spec.field_types import SpecModel

INPUTS = "inputs"
"""The folder of local inputs, named by their content."""
RENEWED = 86_400.0
"""Seconds after which an input that is there is written again for a new order: `gc --remote` deletes by age, and spares
for twice as long what an order may be about to name."""

_CLIP = "clip"
_IN_PROMPT_OR_NOT_SENT = frozenset(
    {
        "draft",
        "use",
        "avoid",
        "references",
        "output",
        "tags",
        "description",
        "protect",
        "pick",
        "first_frame",
        "last_frame",
    }
)
_CHOSEN = frozenset({"tier", "needed_by"})
"""Fields in whose place an order has the tier that was chosen."""
_OF_WORKERS = frozenset(
    {*CREDENTIALS, "base_url", "env", "concurrency", "requests_per_second", "poll_interval", "timeout"}
)
"""Fields of a provider that the worker's own file has: where its key goes, and how fast."""
_NOT_SENT = "https://draft.invalid/input"
"""In place of an input that a final's draft was given: it says of which mode the final is."""
_PUBLISH = {"store": "s3://of/worker"}
"""In place of the worker's own store: the order only says that there must be one."""


@dataclass(frozen=True, slots=True)
class HandedOrder:
    """An order as a worker reads it. `config` is its provider, without address and credentials; `endpoint` is the
    address that it was planned for. `needs` has the keys of the clips that it is made from, by the names that its clip
    uses. `after` is the newest attempt of the key that was known before. `seen` is the content of the draft that
    was approved, empty where none has to be."""

    order: Order
    config: ProviderConfig
    endpoint: str
    needs: Mapping[str, str]
    after: int
    expected: float | None
    seen: str = ""

    @property
    def approvals(self) -> Approvals:
        """What its apply saw approved: a final, with the draft that it had then."""
        if not self.seen:
            return NO_APPROVALS
        key = self.order.wanted.key
        return Approvals(ApprovalRule("paid"), frozenset({key}), frozenset({(key, f"sha256:{self.seen}")}))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an order needs beside its clip. `keys` are those of the takes that it is made from."""

    config: ProviderConfig
    endpoint: str
    can_publish: bool
    keys: Mapping[tuple[str, int], str]
    after: int
    seen: str = ""


def account_name(config: ProviderConfig) -> str:
    """Return the name by which workers know an account."""
    return config.spec.account or config.alias


def write(order: Order, step: Step, about: Circumstances) -> str:
    """Return an order as text. Raises ClipformError for one that would not be the same when it is read."""
    names = {clip: f"need-{number}" for number, (clip, _) in enumerate(order.wanted.needs, 1)}
    cost = order.wanted.cost
    project = {
        "version": 1,
        "providers": {about.config.alias: _fields(about.config.spec, _OF_WORKERS)},
        "clips": {_CLIP: _clip(order, names)},
        **({"publish": _PUBLISH} if about.can_publish else {}),
    }
    document = {
        "project": canonical(project),
        **{"clip": order.clip.name, "take": order.take, "takes": step.takes, "key": order.wanted.key},
        "needs": {
            **{names[clip]: [about.keys[clip, take], take] for clip, take in order.wanted.needs},
            **{_seam_name(seam.field): [seam.key, 1] for seam in order.seams.values()},
        },
        "cost": [None if cost.amount is None else str(cost.amount), cost.currency],
        **{"after": about.after, "expected": step.expected, "endpoint": about.endpoint},
        **({"draft": names[order.clip.draft], "seen": about.seen} if order.clip.draft else {}),
    }
    text = json.dumps(document, ensure_ascii=False)
    read(text)
    return text


def read(text: str) -> HandedOrder:
    """Read an order. Raises ClipformError for one that is not what its key says."""
    try:
        document = json.loads(text)
        order, config = _order(document)
        amount, currency = document["cost"]
        cost = Cost(None if amount is None else Decimal(amount), currency)
        name, key = str(document["clip"]), str(document["key"])
        if order.wanted.key != key:
            raise ClipformError("its key is another one here: this clipform is of another version", code="handed-key")
        wanted = replace(order.wanted, clip=name, takes=int(document["takes"]), output=None, cost=cost)
        return HandedOrder(
            order=replace(order, clip=replace(order.clip, name=name), wanted=wanted),
            config=config,
            endpoint=str(document["endpoint"]),
            needs={name: str(key) for name, (key, _) in document["needs"].items()},
            after=int(document["after"]),
            expected=document["expected"],
            seen=str(document.get("seen", "")),
        )
    except (ValueError, KeyError, TypeError, IndexError, ArithmeticError) as error:
        raise ClipformError(f"the order cannot be read ({type(error).__name__})", code="handed-order") from error


def write_caps(caps: Caps | None) -> str:
    """Return the caps of an apply as text: they count for all of its orders."""
    if caps is None:
        return "null"
    windows = [asdict(window) | {"clips": window.clips and sorted(window.clips)} for window in caps.windows]
    return json.dumps(asdict(replace(caps, windows=())) | {"windows": windows}, ensure_ascii=False)


def read_caps(text: str) -> Caps | None:
    """Read the caps of an apply. Raises ClipformError for a text that has none: nothing is bought without its caps."""
    try:
        values = json.loads(text)
        if values is None:
            return None
        windows = [
            Window(**w | {"clips": None if w["clips"] is None else frozenset(w["clips"])}) for w in values["windows"]
        ]
        return Caps(**values | {"windows": tuple(windows)})
    except (ValueError, KeyError, TypeError) as error:
        raise ClipformError("the caps of the order cannot be read", code="handed-order") from error


def _order(document: Mapping[str, Any]) -> tuple[Order, ProviderConfig]:
    """Return the order of the only clip as the project says, and its provider."""
    picks = {name: (str(key), int(take)) for name, (key, take) in document["needs"].items()}
    project, problems = read_partly(_OneFile(str(document["project"])), others=Others({name: name for name in picks}))
    if project is not None and (draft := document.get("draft")):
        project = replace(project, clips=tuple(replace(clip, draft=draft) for clip in project.clips))
    dialects, faults = dialects_of(project) if project is not None else ({}, [])
    resolved, mismatches = resolve_clips(project, dialects) if project is not None else ({}, [])
    errors = [p.message for p in (*problems, *faults, *mismatches) if p.severity is Severity.ERROR]
    if project is None or _CLIP not in resolved or errors:
        raise ClipformError(f"the order is not valid here: {'; '.join(errors[:3])}", code="handed-order")
    (clip,) = project.clips
    hashes = {m.path: PurePosixPath(m.path).stem for _, m in clip.media() if isinstance(m, LocalMedia)}
    orders = build_orders(project, resolved, hashes, None, Beyond(picks))
    return orders[int(document["take"]) - 1], project.providers[clip.spec.provider]


@dataclass(frozen=True, slots=True)
class _OneFile:
    """The only file of a project."""

    text: str

    def read(self, path: str) -> bytes:
        """Return the project file."""
        if path != PROJECT_FILE:
            raise Unreadable("is not part of an order")
        return self.text.encode()

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return nothing: there are no others."""
        return ()


def _clip(order: Order, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a clip as YAML has them, with its looks, matrix and defaults resolved."""
    clip, spec = order.clip, order.clip.spec
    fields = _fields(spec, _IN_PROMPT_OR_NOT_SENT | _CHOSEN) | {"provider": spec.provider}
    for name in ("first_frame", "last_frame"):
        if (medium := getattr(spec, name)) is not None:
            is_held = isinstance(medium, ClipMedia) and name in order.seams
            fields[name] = _medium(medium, order, {medium.clip: _seam_name(name)} if is_held else names)
    references = {kind: [_medium(medium, order, names) for medium in media] for kind, media in clip.references if media}
    tier = {"tier": FLEX} if order.wanted.tier == FLEX else {}
    return fields | tier | ({"references": references} if references else {})


def _seam_name(field: str) -> str:
    """Return how an order names the clip whose version a frozen seam keeps."""
    return f"seam-{field}"


def input_path(path: str, order: Order) -> str:
    """Return the name of a local input in the shared cache, which its content decides."""
    return f"{INPUTS}/{order.hashes[path]}{PurePosixPath(path).suffix}"


def _medium(medium: InputMedia, order: Order, names: Mapping[str, str]) -> str:
    if order.clip.draft:
        return _NOT_SENT
    match medium:
        case LocalMedia(path):
            return _escaped(input_path(path, order))
        case ClipMedia(clip, part):
            return f"${{clips.{names[clip]}.{part.value}}}"
        case UrlMedia(text) | AssetMedia(text) | DataMedia(text):
            return _escaped(text)


def _fields(spec: SpecModel, left_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the fields that differ from their defaults."""
    default = {name: item.get_default(call_default_factory=True) for name, item in type(spec).model_fields.items()}
    return {name: _plain(value) for name, value in spec if name not in left_out and value != default[name]}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    match value:
        case Number() | bool() | int() | None:
            return value
        case str():
            return _escaped(value)
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
    return _fields(value)


def _escaped(text: str) -> str:
    return text.replace("${", "$${")
