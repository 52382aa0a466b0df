"""Reads an uncertain request from the records, as its provider would show it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, replace

from reconciler.frozen import dataclass
from reconciler.plan.vendor_drafts import draft_key
from reconciler.providers.base import Model, Scalar
from reconciler.providers.check import defaults_v1
from reconciler.records import Attempt, State


@dataclass(frozen=True, slots=True)
class UncertainRequest:
    """A request that may have been accepted, as the provider would show it. What is unknown is None.

    It was sent between `since` and `until`, by our clock, and no later than at `looked`, by the provider's.
    `drawn`: the seed was drawn for this attempt alone. `alike` is equal for requests that ask for the same. A
    request that is being sent (`flying`), or is uncertain at another alias of the provider (`rival`), gets no
    verdict: it is here because listed tasks may be its own.
    """

    attempt: int
    since: float
    until: float
    model: str
    looked: float | None = None
    seed: int | None = None
    drawn: bool = False
    expires_after: int | None = None  # drawn for this attempt alone
    reports: frozenset[str] = frozenset()  # facts that the vendor's documents say it shows as they were sent
    prompt: str | None = None
    params: Mapping[str, Scalar] = field(default_factory=dict)  # duration, resolution, ratio, audio
    media: tuple[str | None, ...] | None = None  # URLs; None where it went out under one that is not on record
    draft: str = ""  # the key of the draft that it makes final
    draft_task: str | None = ""  # that draft's task; None if it is not on record
    alike: str = ""
    own_account: bool = True  # the list is surely of the account that it was sent to
    plain: bool = True  # without the provider's own options, which a list may filter by: Ark's `service_tier`
    again: bool = False  # the attempt before it was uncertain too, and proven absent
    flying: bool = False
    rival: bool = False


def uncertain_request(attempt: Attempt, document: str, model: Model | None) -> UncertainRequest:
    """Return an attempt as the provider would show it.

    `document` is the identity document of its key. What it leaves out are the model's defaults. Without it nothing but
    the record is known, so the request may have had options of the provider's own.
    """
    flying = attempt.state is State.SUBMITTING
    until = float("inf") if flying else attempt.updated
    reports = frozenset({"seed"} if model is not None and model.reports_seed else ())
    bare = UncertainRequest(attempt.id, attempt.created, until, attempt.model, seed=attempt.seed, flying=flying)
    bare = replace(bare, looked=attempt.looked, expires_after=attempt.expires_after, reports=reports, plain=False)
    if not document or model is None:
        return bare
    identity = json.loads(document)
    stated = identity.get("params", {})
    params = {**defaults_v1(model), **stated}
    media = tuple(item.get("url") for item in identity.get("inputs", []))
    if draft := draft_key(document):  # all else is the draft's
        params = {name: value for name, value in params.items() if name == "resolution"}
        return replace(bare, params=params, draft=draft, draft_task=None, plain=True, alike=draft)
    return replace(
        bare,
        drawn=attempt.seed is not None and "seed" not in stated,
        prompt=identity.get("prompt", ""),
        params={name: params[name] for name in ("duration", "resolution", "ratio", "audio") if name in params},
        media=media,
        plain=not identity.get("options"),
        alike=json.dumps({name: value for name, value in identity.items() if name not in ("take", "retake")}),
    )


def sent_facts(request: UncertainRequest) -> dict[str, object]:
    """Return what a request is known to have stated, by the names of an echo."""
    seconds = request.params.get("duration")
    facts = {
        "seed": request.seed,
        "expires_after": request.expires_after,
        "prompt": None if request.prompt is None else request.prompt.split(),
        "duration": seconds if isinstance(seconds, int) and seconds > 0 else None,
        "media": None if request.media is None else len(request.media),
    }
    return {name: value for name, value in facts.items() if value is not None}
