"""The documents that the page is tested with have the shapes of the real ones."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from pathlib import Path

import pytest

from reconciler.gallery.document.cards import DocumentContext, document
from reconciler.gallery.document.detail import detail
from reconciler.gallery.document.index import PlanIndex
from reconciler.gallery.document.model import TakeVersion, dumps
from reconciler.project.model import Choice
from reconciler.project.workspace import Workspace
from tests.gallery.page import values


class Clock:
    """The real time of day."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.fixture
def index(tmp_path: Path) -> PlanIndex:
    (tmp_path / "clipform.yaml").write_text("version: 1\nclips:\n  hero:\n    prompt: a lamp\n    takes: 2\n")
    space = Workspace(tmp_path, Clock(), {})  # type: ignore[arg-type]  # nothing here sleeps
    return PlanIndex(space.plan(Choice(), space.load(False)))


def test_a_card_and_the_head_have_the_keys_that_the_real_ones_have(index: PlanIndex) -> None:
    real = json.loads(dumps(document(index.planned, DocumentContext("aurora", True, False, time.time()))))
    ours = values.document([values.card("hero", "new", None)])
    assert real.keys() == ours.keys() - {"run"}  # what a run says is added by the server
    [card] = real["cards"]
    assert set(card) == values.card("hero").keys()
    assert set(card["apply"]) == {"amount", "currency", "unpriced", "least", "steps", "expected", "with"}
    assert set(card["due"]) == {"amount", "currency", "unpriced", "least"}
    assert set(card["estimate"]) == values.estimate("0").keys()


def test_a_detail_and_its_takes_have_the_keys_that_the_real_ones_have(index: PlanIndex) -> None:
    real = json.loads(dumps(detail("hero", index, [])))
    assert real is not None
    ours = values.detail(values.card("hero", "new", None), [values.take(1), values.take(2, None)])
    assert real.keys() == ours.keys()
    takes = real["takes"]
    assert {item.name for item in fields(TakeVersion)} == values.version(1).keys()
    assert isinstance(takes, list) and set(takes[0]) == values.take(1).keys() and len(takes) == 2
