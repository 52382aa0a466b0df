"""An order that is handed to workers is what its key says, wherever it is read."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from reconciler.clock import SystemClock
from reconciler.diagnostics import ClipformError
from reconciler.engine.attempt import job
from reconciler.plan import vendor_drafts
from reconciler.plan.model import Cost
from reconciler.plan.windows import Window
from reconciler.project import endpoints, handed
from reconciler.project.handed import Circumstances
from reconciler.project.model import Choice, Loaded
from reconciler.project.orders import Order
from reconciler.project.workspace import Workspace
from reconciler.state.budget import Caps

EXAMPLES = Path(__file__).parents[2] / "examples"
PROJECTS = [
    EXAMPLES / "quickstart",
    EXAMPLES / "storyboard",
    *sorted(path.parent for path in EXAMPLES.glob("providers/*/clipform.yaml")),
]
HARD = {
    "prompt": 'a ${{ and braces, 16:9, yes, \\ "quotes" ünï 🎬',
    "options": {"cfg_scale": "PLAIN 0.50", "names": ["1", "true"], "deep": {"a": "PLAIN 5"}},
    "retake": {"2": 1},
    "takes": 2,
    "seed": 7,
    "use": ["mia"],
    "avoid": "text",
}


def circumstances(loaded: Loaded, order: Order) -> Circumstances:
    config = loaded.project.providers[order.clip.spec.provider]
    endpoint = endpoints.endpoint(config, loaded.dialects[config.alias])
    keys = {(wanted.clip, wanted.take): wanted.key for wanted in loaded.wanted}
    return Circumstances(config, endpoint, bool(loaded.project.publish), keys, 3)


def amount(order: Order) -> tuple[object, str]:
    return order.wanted.cost.amount, order.wanted.cost.currency


def texts(folder: Path) -> dict[str, tuple[Order, str]]:
    """Each order of a project, with its text."""
    workspace = Workspace(folder, SystemClock(), {"S3_KEY": "key"})
    loaded = workspace.load()
    steps = {step.ident: step for step in workspace.plan(Choice(), loaded).plan.steps}
    orders = [order for order in loaded.orders if (order.clip.name, order.take) in steps]
    about = {order.wanted.name: (order, steps[order.clip.name, order.take]) for order in orders}
    return {n: (order, handed.write(order, step, circumstances(loaded, order))) for n, (order, step) in about.items()}


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: folder.name)
def test_every_example_is_the_same_when_it_is_read(folder: Path) -> None:
    for order, text in texts(folder).values():
        read = handed.read(text)
        names = ("clip", "take", "key", "document", "provider", "kind", "model", "takes", "free")
        assert [getattr(read.order.wanted, name) for name in names] == [getattr(order.wanted, name) for name in names]
        assert amount(read.order) == amount(order)
        assert read.order.resolved.model == order.resolved.model and read.after == 3
        assert len(read.needs) == len(order.wanted.needs)
        assert [item.path for _, item in read.order.clip.media() if hasattr(item, "path")] == [
            handed.input_path(item.path, order) for _, item in order.clip.media() if hasattr(item, "path")
        ]


def test_what_is_hard_to_write_is_the_same_when_it_is_read(tmp_path: Path) -> None:
    document = {
        "version": 1,
        "looks": {"mia": {"prompt": "Mia, ${{not a name}"}},
        "providers": {"studio": {"kind": "ark", "api_key": "${env.ARK_API_KEY}", "prices": [{"per_second": "0.1"}]}},
        "clips": {"hero": HARD | {"provider": "studio"}},
    }
    yaml = json.dumps(document, ensure_ascii=False).replace('"PLAIN 0.50"', "0.50").replace('"PLAIN 5"', "5")
    (tmp_path / "clipform.yaml").write_text(yaml.replace("${{", "$${"))
    pairs = list(texts(tmp_path).values())
    assert len(pairs) == 2
    for order, text in pairs:
        read = handed.read(text)
        assert (read.order.wanted.document, amount(read.order)) == (order.wanted.document, amount(order))
        assert "ARK_API_KEY" not in text


@pytest.mark.parametrize(
    "more",
    [
        {"takes": 3, "pick": 2, "options": {"priority": 3}},
        {"first_frame": "a.png", "ratio": "adaptive"},
        {"references": {"images": ["${clips.sun.first_frame}", "asset://one"], "videos": ["https://a/b.mp4"]}},
        {"model": "doubao-seedance-1-5-pro-251215", "resolution": "720p", "watermark": "yes", "seed": 7},
    ],
)
def test_a_vendor_s_draft_is_handed_over_and_its_final_with_the_draft_that_was_approved(
    more: dict[str, object], tmp_path: Path
) -> None:
    studio = {"kind": "ark", "api_key": "${env.K}"}
    hero = {"prompt": "a lamp", "provider": "s", "model": "doubao-seedance-2-5-260628", "draft": "vendor", **more}
    clips = {"sun": {"prompt": "a sun", "provider": "s"}, "hero": hero}
    (tmp_path / "clipform.yaml").write_text(json.dumps({"version": 1, "providers": {"s": studio}, "clips": clips}))
    Image.new("RGB", (640, 360)).save(tmp_path / "a.png")
    workspace = Workspace(tmp_path, SystemClock(), {})
    loaded = workspace.load()
    draft, final = loaded.by_ident["hero.draft", 1], loaded.by_ident["hero", 1]
    steps = {step.ident: step for step in workspace.plan(Choice(), loaded).plan.steps}
    text = handed.write(draft, steps["hero.draft", 1], circumstances(loaded, draft))
    assert handed.read(text).order.wanted.document == draft.wanted.document
    copy = handed.read(handed.write(final, steps["hero", 1], replace(circumstances(loaded, final), seen="ab")))
    assert copy.order.wanted.document == final.wanted.document
    assert [*copy.needs.values()] == [vendor_drafts.draft_key(final.wanted.document)]
    ours = replace(copy.order.wanted, cost=Cost(Decimal("0.5"), "USD"))
    drafts = [{vendor_drafts.draft_key(ours.document): seen} for seen in ("ab", "cd")]
    assert [copy.approvals.refuses(ours, draft.get) for draft in (*drafts, {})] == [False, True, True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a lamp", "a lump"),
        ('"take": 1', '"take": 2'),
        ('"kind\\": \\"ark', '"kind\\": \\"3hei'),
        ("{", "["),
        ("v1:", "v2:"),
    ],
)
def test_an_order_that_is_not_what_its_key_says_is_refused(old: str, new: str, tmp_path: Path) -> None:
    document = {"version": 1, "providers": {"s": {"kind": "ark", "api_key": "${env.K}"}}}
    clips = {"hero": {"prompt": "a lamp", "provider": "s"}}
    (tmp_path / "clipform.yaml").write_text(json.dumps(document | {"clips": clips}))
    ((_, text),) = texts(tmp_path).values()
    with pytest.raises(ClipformError) as error:
        handed.read(text.replace(old, new, 1) if old in text else text[1:])
    assert error.value.code in ("handed-key", "handed-order")


def test_the_caps_of_an_apply_are_the_same_when_they_are_read() -> None:
    windows = (Window("a day", 5, "day"), Window("tag:x", 7, clips=frozenset({"b", "a"}), unrecorded=1))
    caps = Caps("USD", 1, 2, 3, 4, 5, windows)
    assert handed.read_caps(handed.write_caps(caps)) == caps
    assert handed.read_caps(handed.write_caps(None)) is None
    with pytest.raises(ClipformError):
        handed.read_caps("")  # an order without the caps of its apply buys nothing


@pytest.mark.parametrize(
    ("written", "tier"), [("tier: flex", "flex"), ("needed_by: 99h", "flex"), ("needed_by: 9h", "")]
)
def test_an_order_has_the_tier_that_was_chosen(written: str, tier: str, tmp_path: Path) -> None:
    prices = '[{model: "*", tier: flex, per_clip: 1}, {model: "*", per_clip: 2}]'
    studio = f"providers: {{studio: {{kind: ark, prices: {prices}}}}}\n"
    shot = f"{{prompt: a lamp, provider: studio, model: doubao-seedance-1-0-pro-250528, {written}}}"
    (tmp_path / "clipform.yaml").write_text(f"version: 1\n{studio}clips:\n  hero: {shot}\n", encoding="utf-8")
    [(order, text)] = texts(tmp_path).values()
    read = handed.read(text).order
    sent = job.build(read, {}, seed=None, marker="")
    assert (sent.tier, read.priced.tier) == (tier, tier or "default") and amount(read) == amount(order)
