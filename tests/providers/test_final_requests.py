"""What goes out for the final of a draft, typed in from the pages: 82379/1520757 for 1.5 pro, and of 2.5 those of
docs.comfy.org, docs.oxen.ai and docs.apiyi.com (October and November 2026)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.project.workspace import Workspace
from reconciler.providers.ark.dialect import Ark
from reconciler.providers.base import Job, Mode

ITEM = {"type": "draft_task", "draft_task": {"id": "cgt-20260115-abc"}}


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("doubao-seedance-2-5-260628", {}),
        ("dreamina-seedance-2-5-260628", {}),
        ("doubao-seedance-1-5-pro-251215", {"resolution": "1080p", "watermark": True, "return_last_frame": True}),
    ],
)
def test_a_final_names_the_task_and_states_what_its_model_lets_it(model: str, more: dict[str, object]) -> None:
    dialect = Ark({})
    found = next(each for each in dialect.models if each.name == model)
    switches = {"watermark": True, "return_last_frame": True}
    job = Job(found, Mode.FIRST_FRAME, "", resolution="1080p", draft_task="cgt-20260115-abc", **switches)
    assert dialect.submit(job).body == {"model": model, "content": [ITEM], **more}
    assert not dialect.marks(job)


def test_the_models_with_drafts_and_what_their_finals_can_be() -> None:
    able = {model.name: model.draft_finals for model in Ark({}).models if model.draft_finals}
    assert able == {
        "doubao-seedance-2-5-260628": ("1080p",),
        "dreamina-seedance-2-5-260628": ("1080p",),
        "doubao-seedance-1-5-pro-251215": ("480p", "720p", "1080p"),
    }


RESELLER = """version: 1
providers:
  shop: {kind: ark, api_key: "${env.KEY}", models: {"*MODEL*": {like: "*MODEL*", *LIKE*}}}
defaults: {provider: shop, model: "*MODEL*", duration: 5, draft: vendor}
clips: {small: {prompt: a lamp}, large: {prompt: a lamp, resolution: 4k}}
"""


def test_a_reseller_can_offer_larger_finals_and_the_first_one_is_the_default(tmp_path: Path) -> None:
    more = "resolutions: [480p, 720p, 1080p, 4k], draft_finals: [1080p, 4k]"
    text = RESELLER.replace("*MODEL*", "doubao-seedance-2-5-260628").replace("*LIKE*", more)
    (tmp_path / "clipform.yaml").write_text(text, encoding="utf-8")
    wanted = Workspace(tmp_path, SystemClock(), {"KEY": "k"}).load().wanted
    finals = {w.clip: json.loads(w.document)["params"]["resolution"] for w in wanted}
    assert finals == {"small.draft": "480p", "small": "1080p", "large.draft": "480p", "large": "4k"}
