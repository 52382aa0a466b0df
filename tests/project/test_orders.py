"""From what a project says to what is wanted: takes, keys in dependency order, prices, drafts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from reconciler.engine.attempt import job
from reconciler.plan import estimate
from reconciler.plan.model import Cost
from reconciler.project.orders import Order, build_orders, data_bytes, drafted_clip
from reconciler.providers import registry
from reconciler.providers.check import Resolved, resolve
from reconciler.spec.model import Budget, ClipFields, Provider, References
from reconciler.spec.project import Clip, Project, ProviderConfig
from reconciler.spec.values import AssetMedia, ClipMedia, DataMedia, Frame, LocalMedia, UrlMedia

STUDIO = ProviderConfig(
    "studio", Provider.model_validate({"kind": "ark", "prices": [{"resolution": "720p", "per_second": "0.1"}]})
)
PROVIDERS = {
    "draft": ProviderConfig("draft", Provider(kind="draft")),
    "studio": STUDIO,
    "hei": ProviderConfig("hei", Provider(kind="3hei")),
}
SEEDANCE, TWO = "doubao-seedance-1-0-pro-250528", "doubao-seedance-2-0-260128"


def clip(name: str, **fields: Any) -> Clip:
    return Clip(name, name, ClipFields().model_copy(update={"prompt": "a lamp", "output": f"out/{name}.mp4", **fields}))


def after(name: str) -> ClipMedia:
    return ClipMedia(name, Frame.LAST)


def wish(*clips: Clip, hashes: Mapping[str, str] | None = None, budget: Budget | None = None) -> dict[str, list[Order]]:
    """All orders by clip."""
    project = Project("clipform.yaml", clips, PROVIDERS, budget=budget)
    dialects = {alias: registry.dialect(config.kind) for alias, config in PROVIDERS.items()}
    resolved: dict[str, Resolved] = {}
    for item in clips:
        found = resolve(item, dialects[item.spec.provider], can_publish=True)
        assert isinstance(found, Resolved), found
        resolved[item.name] = found
    orders: dict[str, list[Order]] = {}
    for order in build_orders(project, resolved, hashes or {}):
        orders.setdefault(order.clip.name, []).append(order)
    return orders


def said(order: Order) -> dict[str, Any]:
    """The identity document."""
    found: dict[str, Any] = json.loads(order.wanted.document)
    return found


def keys(orders: Sequence[Order]) -> list[str]:
    return [order.wanted.key for order in orders]


def test_orders_stand_in_file_order_whatever_hangs_on_what() -> None:
    assert list(wish(clip("z", first_frame=after("a")), clip("a"), clip("m"))) == ["z", "a", "m"]


def test_the_key_of_a_frame_is_the_key_of_its_clip() -> None:
    found = wish(clip("tail", first_frame=after("head")), clip("head"))
    (head,), (tail,) = found["head"], found["tail"]
    assert said(tail)["inputs"] == [{"field": "first_frame", "clip": head.wanted.key, "part": "last_frame"}]
    assert tail.wanted.needs == (("head", 1),)


def test_an_edit_at_the_head_changes_every_key_below_it_and_none_beside() -> None:
    chain = [clip("a"), clip("b", first_frame=after("a")), clip("c", first_frame=after("b")), clip("other")]
    before = wish(*chain)
    edited = wish(chain[0].with_fields(prompt="a lantern"), *chain[1:])
    assert {name for name in before if keys(before[name]) != keys(edited[name])} == {"a", "b", "c"}


def test_a_frame_is_that_of_the_picked_take() -> None:
    head, tail = clip("head", takes=3), clip("tail", first_frame=after("head"))
    first, second = wish(head, tail), wish(head.with_fields(pick=2), tail)
    assert second["tail"][0].wanted.needs == (("head", 2),)
    assert said(second["tail"][0])["inputs"][0]["clip"] == keys(second["head"])[1]
    assert keys(first["tail"]) != keys(second["tail"])
    assert keys(first["head"]) == keys(second["head"])  # choosing is not making


def test_each_take_is_its_own_generation_and_one_goes_to_the_output() -> None:
    orders = wish(clip("hero", takes=3, pick=2))["hero"]
    assert [order.take for order in orders] == [1, 2, 3]
    assert len(set(keys(orders))) == 3
    assert [order.wanted.output for order in orders] == [None, "out/hero.mp4", None]


def test_take_n_has_seed_plus_n_minus_one() -> None:
    orders = wish(clip("hero", takes=3, seed=40, provider="studio", model=SEEDANCE))["hero"]
    assert [said(order)["params"]["seed"] for order in orders] == [40, 41, 42]


PAID: list[tuple[dict[str, Any], list[str]]] = [
    ({"model": TWO, "seed": 42, "takes": 2}, ["v1:b8bb31bb7d31b7dd53c795e0527db4305d7b3a2e99202af63c96b345e088727b",
                                              "v1:6b1d9c0b3e70c3cf302842406a7781224ef6dd99c89e1ba288fc39b253ba66ce"]),
    ({"model": TWO}, ["v1:9ae202c89d4b60570ebf8dd48341f9efda2c1f170230be835a0b9e2814b129c7"]),
    ({"model": TWO, "seed": 7, "camera_fixed": False},
     ["v1:b5bd0da97d7556c6d88f58399412d48f95de5885520d61fe91fbf21d645a9862"]),
    ({"model": "doubao-seedance-2-0-fast-260128", "seed": 0},
     ["v1:e770c907913aa5bef42349d9ee19515892a7cc92b68830fda65842f132d839c2"]),
    ({"model": "doubao-seedance-2-0-mini-260615", "seed": 2**32 - 1},
     ["v1:dbdea1463ba0f20fe265633dbef6cfacafc19978509892f0e31bbf59bc1b96e0"]),
    ({"provider": "hei", "model": "doubao-seedance-2-0", "seed": 42},
     ["v1:364087056a98605c614b27ea0ba2211a960c305b575b0fd610db0b1547022d36"]),
    ({"provider": "hei", "model": "doubao-seedance-2-0-fast"},
     ["v1:f406db12d658029c743099c0dbc73519e918845726e6b2b1ab73b3351cc7d8c5"]),
    ({"model": SEEDANCE, "seed": 42, "camera_fixed": True},
     ["v1:88a0f97a63fe9ae3e7d737ade7fbfd6a09dfa9ccbe949f7d948dfbfe5e9c0d10"]),
]  # fmt: skip
"""Keys as they were paid for when a seed was sent to every model."""


@pytest.mark.parametrize(("stated", "paid"), PAID, ids=str)
def test_a_seed_that_is_not_sent_stays_in_the_key(stated: dict[str, Any], paid: list[str]) -> None:
    orders = wish(clip("hero", **{"provider": "studio", **stated}))["hero"]
    assert keys(orders) == paid
    sent = [job.build(order, {}, seed=None, marker="").seed for order in orders]
    assert sent == ([42] if stated["model"] == SEEDANCE else [None] * len(orders))


def test_without_a_seed_the_takes_differ_by_their_number_alone() -> None:
    orders = wish(clip("hero", takes=2))["hero"]
    assert [said(order).get("take", 1) for order in orders] == [1, 2]
    assert "params" not in said(orders[0])


def test_more_takes_leave_the_first_ones_alone() -> None:
    assert keys(wish(clip("hero", takes=5))["hero"])[:2] == keys(wish(clip("hero", takes=2))["hero"])


@pytest.mark.parametrize(
    "change",
    [
        {"output": "elsewhere.mp4"},
        {"tags": ("launch",)},
        {"description": "for the launch"},
        {"protect": True},
        {"duration": 5},
        {"ratio": "16:9", "resolution": "480p"},
        {"camera_fixed": False, "audio": False, "watermark": False, "return_last_frame": False},
        {"retake": 0, "options": {}},
    ],
    ids=str,
)
def test_what_does_not_shape_the_picture_costs_nothing(change: dict[str, Any]) -> None:
    assert keys(wish(clip("hero", **change))["hero"]) == keys(wish(clip("hero"))["hero"])


def test_a_name_and_an_alias_do_not_shape_the_picture() -> None:
    assert keys(wish(clip("other"))["other"]) == keys(wish(clip("hero"))["hero"])


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a lantern"},
        {"duration": 6},
        {"ratio": "9:16"},
        {"resolution": "720p"},
        {"seed": 0},
        {"retake": 1},
        {"audio": True},
        {"options": {"x": 1}},
        {"provider": "studio", "model": SEEDANCE},
        {"first_frame": AssetMedia("asset://1")},
    ],
    ids=str,
)
def test_what_shapes_the_picture_changes_the_key(change: dict[str, Any]) -> None:
    assert keys(wish(clip("hero", **change))["hero"]) != keys(wish(clip("hero"))["hero"])


def test_every_sort_of_input_is_identified_by_what_it_is() -> None:
    picture = "data:image/png;base64," + base64.b64encode(b"bytes").decode()
    hero = clip(
        "hero",
        references=References.model_construct(
            images=(
                LocalMedia("a.png"),
                UrlMedia("https://x.example/b.png"),
                AssetMedia("asset://c"),
                DataMedia(picture),
            ),
            videos=(ClipMedia("other", Frame.VIDEO),),
        ),
    )
    found = wish(hero, clip("other"), hashes={"a.png": "aa" * 32})
    assert said(found["hero"][0])["inputs"] == [
        {"field": "references.images[0]", "sha256": "aa" * 32},
        {"field": "references.images[1]", "url": "https://x.example/b.png"},
        {"field": "references.images[2]", "asset": "asset://c"},
        {"field": "references.images[3]", "sha256": hashlib.sha256(b"bytes").hexdigest()},
        {"field": "references.videos[0]", "clip": found["other"][0].wanted.key, "part": "video"},
    ]


def test_a_local_file_counts_by_content_under_any_name() -> None:
    one = wish(clip("hero", first_frame=LocalMedia("a.png")), hashes={"a.png": "aa" * 32})
    two = wish(clip("hero", first_frame=LocalMedia("b.png")), hashes={"b.png": "aa" * 32})
    other = wish(clip("hero", first_frame=LocalMedia("a.png")), hashes={"a.png": "bb" * 32})
    assert keys(one["hero"]) == keys(two["hero"]) != keys(other["hero"])


@pytest.mark.parametrize(
    ("url", "content"),
    [
        ("data:image/png;base64,aGk=", b"hi"),
        ("data:image/png;base64,aGk%3D", b"hi"),
        ("data:text/plain,hi%20there", b"hi there"),
        ("data:,", b""),
    ],
)
def test_a_data_url_is_its_bytes(url: str, content: bytes) -> None:
    assert data_bytes(url) == content


def test_a_chain_declared_the_wrong_way_round_is_keyed() -> None:
    clips = [clip(f"c{i}", first_frame=after(f"c{i - 1}") if i else None) for i in reversed(range(300))]
    found = wish(*clips)
    assert len({order.wanted.key for orders in found.values() for order in orders}) == 300


# --- money ------------------------------------------------------------------------------------


def test_the_price_is_that_of_what_will_be_sent() -> None:
    budget = Budget(currency="USD")
    stated = clip("hero", provider="studio", model=SEEDANCE, duration=10, resolution="720p", ratio="16:9")
    assert wish(stated, budget=budget)["hero"][0].wanted.cost == Cost(Decimal("1.0"), "USD")
    unpriced = stated.with_fields(resolution="480p")
    assert wish(unpriced, budget=budget)["hero"][0].wanted.cost == Cost(None, "USD")


def test_equal_requests_are_priced_once_and_by_their_own_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    dear = Provider.model_validate({"kind": "ark", "prices": [{"resolution": "720p", "per_second": "0.3"}]})
    monkeypatch.setitem(PROVIDERS, "dear", ProviderConfig("dear", dear))
    compute, requests = estimate.estimate, []

    def noted(rows: object, request: estimate.PricedRequest, currency: str) -> Cost:
        requests.append(request)
        return compute(rows, request, currency)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(estimate, "estimate", noted)
    fields = {"model": SEEDANCE, "resolution": "720p"}
    offers = [("studio", 5), ("dear", 5), ("studio", 10), ("dear", 10)]
    clips = [clip(f"{p}-{s}-{n}", provider=p, duration=s, **fields) for n in range(3) for p, s in offers]
    costs = {name: str(order.wanted.cost.amount) for name, (order,) in wish(*clips).items()}
    amounts = {"studio-5": "0.5", "dear-5": "1.5", "studio-10": "1.0", "dear-10": "3.0"}
    assert costs == {item.name: amounts[item.name.rpartition("-")[0]] for item in clips}
    assert len(requests) == len(offers)


def test_a_draft_is_free_and_a_vendor_without_a_price_is_not() -> None:
    free, paid = wish(clip("a"))["a"][0].wanted, wish(clip("b", provider="studio", model=SEEDANCE))["b"][0].wanted
    assert (free.free, free.cost.amount) == (True, Decimal(0))
    assert not paid.free and paid.cost.amount != 0


def test_what_the_vendor_will_choose_is_told() -> None:
    orders = wish(clip("a", provider="studio", model=SEEDANCE))["a"]
    assert orders[0].wanted.server_defaults
    assert wish(clip("a"))["a"][0].wanted.server_defaults == ()


# --- drafts -----------------------------------------------------------------------------------


def test_a_drafted_clip_goes_to_the_draft_provider_under_its_own_folder() -> None:
    hero = clip("hero", provider="studio", model=SEEDANCE, duration=-1, options={"x": 1}, protect=True, takes=2, seed=4)
    found = drafted_clip(hero)
    assert (found.spec.provider, found.spec.model, found.spec.duration, found.spec.options, found.spec.protect) == (
        "draft",
        None,
        None,
        {},
        False,
    )
    assert (found.spec.output, found.spec.takes, found.spec.seed, found.spec.prompt) == (
        "drafts/out/hero.mp4",
        2,
        4,
        hero.spec.prompt,
    )


def test_a_draft_of_a_paid_clip_has_a_key_of_its_own_and_costs_nothing() -> None:
    hero = clip("hero", provider="studio", model=SEEDANCE, duration=5)
    draft = drafted_clip(hero)
    paid, free = wish(hero)["hero"][0].wanted, wish(draft)["hero"][0].wanted
    assert free.free and free.key != paid.key and free.output != paid.output
