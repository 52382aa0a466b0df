"""Ark's own catalogue and list: which lost request a seed finds, and which it neither finds nor rules out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.engine.uncertain.absence import Absent, Ask, ListReading, ProofTerms
from reconciler.engine.uncertain.match import Matched, Verdict, decide
from reconciler.engine.uncertain.requests import uncertain_request
from reconciler.providers.base import Reply
from reconciler.providers.capabilities import TaskPage
from reconciler.providers.registry import dialect
from reconciler.records import Attempt, State, TakeProvenance
from tests.emulator.kit import LATENCY, Rig

PATH = "/ark/contents/generations/tasks"
TWO, ONE = "doubao-seedance-2-0-260128", "doubao-seedance-1-0-pro-250528"
DOCUMENT = '{"prompt": "a lamp", "params": {"duration": 5, "resolution": "720p", "ratio": "16:9"}}'
BODY = {"content": [{"type": "text", "text": "a lamp"}], "duration": 5, "resolution": "720p", "ratio": "16:9"}
OWN_SEED = {"when": {"phase": "submit", "nth": 2}, "do": "own_seed"}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """The emulator in this process; the second submit's seed is ignored."""
    found = Rig(tmp_path, OWN_SEED)
    yield found
    found.close()


def verdict(rig: Rig, model: str, sent: int | None, drawn: int | None, **settings: object) -> Verdict:
    """What becomes of a request that was taken with the seed `sent` and recorded with `drawn`, its answer lost."""
    body = {**BODY, "model": model}
    known = rig.ask("POST", PATH, {**body, "duration": 10}).json()["id"]
    began = rig.now
    assert rig.ask("POST", PATH, {**body, "seed": sent}).status_code == 200
    rig.now += LATENCY  # a running task does not show its seed yet
    ark = dialect("ark", {"models": {model: settings}} if settings else {})
    of = TakeProvenance(key="v1:a", clip="hero", take=1, provider="studio", kind="ark", model=model, seed=drawn)
    attempt = Attempt(1, State.UNCERTAIN, "m", began, began, **of.take_provenance())
    doubt = uncertain_request(attempt, DOCUMENT, next(m for m in ark.models if m.name == model))
    read = ark.read_list(Reply(200, rig.ask("GET", PATH).json()))  # type: ignore[attr-defined]
    assert isinstance(read, TaskPage)
    times = (began, began + 400.0, began + 500.0)
    readings = [ListReading(time, time, read.tasks, True, time, (1,)) for time in times]
    return decide([doubt], {known: None}, readings, ProofTerms(ark.coverage))[1]  # type: ignore[attr-defined]


@pytest.mark.parametrize("drawn", [None, 77], ids=["no seed", "a seed that an earlier release drew"])
def test_a_request_to_seedance_2_is_neither_found_nor_ruled_out_by_a_seed(rig: Rig, drawn: int | None) -> None:
    asked = verdict(rig, TWO, None, drawn)
    assert isinstance(asked, Ask)
    assert "may be it" in asked.reason


def test_a_request_to_seedance_1_is_found_by_its_seed(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    assert isinstance(verdict(rig, ONE, 77, 77), Matched)
    rig.close()


def test_a_model_that_is_said_to_report_the_seed_is_taken_at_its_word(rig: Rig) -> None:
    assert isinstance(verdict(rig, ONE, 77, 77), Absent)


def test_a_project_may_say_that_it_reports_its_own(rig: Rig) -> None:
    assert isinstance(verdict(rig, ONE, 77, 77, reports_seed="no"), Ask)
