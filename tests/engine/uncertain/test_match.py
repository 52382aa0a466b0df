"""The verdicts, as a table (`cases.yaml`), and what must hold of any list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.uncertain.absence import APART, Absent, Ask, ListReading, ProofTerms
from reconciler.engine.uncertain.match import Claimed, Fit, Matched, decide, fit, reported
from reconciler.engine.uncertain.requests import UncertainRequest, uncertain_request
from reconciler.providers.base import Model, Working
from reconciler.providers.capabilities import Coverage, Listed
from reconciler.records import Attempt, State

CASES = {case["name"]: case for case in yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text("utf-8"))}

SENT = UncertainRequest(
    1, 1000.0, 1010.0, "m", looked=1010.0, prompt="a lamp", params={"duration": 5}, media=(), alike="lamp"
)
OURS = replace(SENT, attempt=99, prompt="a candle", seed=1)
"""The request of `old`: the list shows it as it was sent."""
KNOWN = Listed("old", Working(), 500.0, {"model": "m", "duration": 5, "prompt": "a candle", "seed": 1})


def listed(told: dict[str, Any]) -> Listed:
    echo = {"model": "m", "duration": 5} | {
        k: told[k] for k in ("model", "duration", "prompt", "seed", "expires_after") if k in told
    }
    return Listed(told["id"], Working(), told.get("created"), echo, tuple(told.get("media", ())))


def sent(number: int, told: dict[str, Any]) -> UncertainRequest:
    changes = {**told, "media": tuple(told["media"])} if told.get("media") else dict(told)
    changes["reports"] = frozenset(changes.get("reports", ()))
    return replace(SENT, attempt=number, **changes)


@pytest.mark.parametrize("name", CASES)
def test_a_list_says(name: str) -> None:
    case = CASES[name]
    doubts = [sent(n, told) for n, told in enumerate(case.get("doubts", [case.get("doubt", {})]), 1)]
    tasks = tuple(listed(told) for told in case["tasks"]) + ((KNOWN,) if case.get("old", True) else ())
    reads, complete = case.get("reads", [1400, 1430]), case.get("complete", True)
    skews = case.get("skews", [case.get("skew", 0.0)] * len(reads))
    dates = [None if skew is None else at + skew for at, skew in zip(reads, skews, strict=True)]
    first = next((date for at, date in zip(reads, dates, strict=True) if at >= 1010), None)
    looked = case.get("looked", None if first is None else min(first, 1010.0 + skews[0]))
    doubts = [replace(doubt, looked=looked) for doubt in doubts]
    readings = [ListReading(float(at), float(at), tasks, complete, date) for at, date in zip(reads, dates, strict=True)]
    readings = [replace(reading, after=range(1, 9) if reading.at >= 1010 else ()) for reading in readings]
    lag = case.get("lag", 0)
    terms = ProofTerms(None if lag is None else Coverage(lag, case.get("kept", 86_400)), case.get("submit_silence", 0))
    verdicts = decide(doubts, {"old": None if case.get("unseen") else OURS}, readings, terms)
    wanted = case["verdict"] if isinstance(case["verdict"], list) else [case["verdict"]]
    assert len(verdicts) == len(wanted)
    for verdict, told in zip(verdicts.values(), wanted, strict=True):
        word, _, rest = told.partition(" ")
        match verdict:
            case Matched(task):
                assert (word, rest) == ("found", task)
            case Absent():
                assert word == "absent"
            case Ask(reason, again):
                assert word == "ask", reason
                assert rest in reason
                if "again" in case:
                    assert again == case["again"]


# --- properties -----------------------------------------------------------------------------

TIMES = st.sampled_from([None, 400.0, 690.0, 1005.0, 1300.0, 1320.0, 5000.0])
ECHOES = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from(["m", "n"]),
        "duration": st.sampled_from([5, 10]),
        "prompt": st.sampled_from(["a lamp", "a torch"]),
        "seed": st.sampled_from([-1, 7, 8]),
    },
)
TASKS = st.lists(
    st.builds(Listed, st.sampled_from("abcdef"), st.just(Working()), TIMES, ECHOES),
    max_size=5,
    unique_by=lambda t: t.task,
)
DOUBTS = st.lists(
    st.builds(
        lambda seed, drawn, flags, reports: replace(
            SENT,
            seed=seed,
            drawn=drawn and seed is not None,
            own_account=flags[0],
            again=flags[1],
            flying=flags[2],
            reports=frozenset({"seed"} if reports else ()),
        ),
        st.sampled_from([None, 7, 8]),
        st.booleans(),
        st.tuples(st.booleans(), st.booleans(), st.booleans()),
        st.booleans(),
    ),
    min_size=1,
    max_size=3,
).map(lambda found: [replace(doubt, attempt=n) for n, doubt in enumerate(found, 1)])
READINGS = st.lists(
    st.builds(lambda at, tasks, complete, skew: ListReading(
                  at, at, tuple(tasks), complete, None if skew is None else at + skew, range(1, 4)),
              st.sampled_from([1010.0, 1129.0, 1130.0, 1145.0, 1170.0]), TASKS, st.booleans(),
              st.sampled_from([None, 0.0, 0.0, -3600.0, 3600.0])),
    max_size=3,
).map(lambda found: sorted(found, key=lambda r: r.at))  # fmt: skip
TERMS = st.builds(ProofTerms, st.sampled_from([None, Coverage(0.0, 150.0), Coverage(60.0, 86_400.0)]))
CLAIMED = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([None, SENT]), max_size=3)


def skew(readings: list[ListReading]) -> float | None:
    """By how much the provider's clock is ahead at the last reading with a date."""
    return next((reading.date - reading.at for reading in readings[::-1] if reading.date is not None), None)


@given(DOUBTS, CLAIMED, READINGS, TERMS)
def test_no_task_is_given_twice_nor_taken_from_anybody(
    doubts: list[UncertainRequest], claimed: Claimed, readings: list[ListReading], terms: ProofTerms
) -> None:
    verdicts = decide(doubts, claimed, readings, terms)
    assert verdicts.keys() == {doubt.attempt for doubt in doubts if not doubt.flying}
    tasks = [verdict.task for verdict in verdicts.values() if isinstance(verdict, Matched)]
    assert len(tasks) == len(set(tasks))
    assert not claimed.keys() & set(tasks)


@given(DOUBTS, CLAIMED, READINGS, TERMS)
def test_nothing_is_found_where_two_would_do(
    doubts: list[UncertainRequest], claimed: Claimed, readings: list[ListReading], terms: ProofTerms
) -> None:
    listed = {task.task: task for reading in readings for task in reading.tasks if task.task not in claimed}
    verdicts = decide(doubts, claimed, readings, terms)
    for doubt in doubts:
        verdict = verdicts.get(doubt.attempt)
        if not isinstance(verdict, Matched):
            continue
        evidence = reported((t for r in readings for t in r.tasks), claimed)
        degree = fit(doubt, listed[verdict.task], skew(readings), evidence)
        assert degree >= Fit.WHOLE
        rivals = [other for other in doubts if other is not doubt and other.seed == doubt.seed]
        equal = [task for task in listed.values() if fit(doubt, task, skew(readings), evidence) is degree]
        assert len(equal) == 1 or len(equal) <= 1 + len(rivals)


@given(DOUBTS, CLAIMED, READINGS, TERMS)
def test_nothing_is_absent_while_any_condition_is_missing(
    doubts: list[UncertainRequest], claimed: Claimed, readings: list[ListReading], terms: ProofTerms
) -> None:
    verdicts = decide(doubts, claimed, readings, terms)
    for doubt in doubts:
        if not isinstance(verdicts.get(doubt.attempt), Absent):
            continue
        assert terms.coverage is not None and doubt.own_account and not doubt.again
        good = [r for r in readings if r.complete and r.date is not None and r.date >= 1010 + 120]
        good = [r for r in good if any(t.task in claimed or (t.created or 0) >= 1010 for t in r.tasks)]
        assert good and good[-1].at - good[0].at >= APART
        assert good[-1].at < doubt.since + terms.coverage.retention
        taken = claimed.keys() | {v.task for v in verdicts.values() if isinstance(v, Matched)}
        evidence = reported((t for r in readings for t in r.tasks), claimed)
        assert all(
            fit(doubt, t, skew(readings), evidence) is Fit.OTHER
            for r in readings
            for t in r.tasks
            if t.task not in taken
        )


# --- from records ---------------------------------------------------------------------------

MODEL = Model("m", defaults={"duration": 5, "resolution": "720p"})
ATTEMPT = Attempt(
    3,
    State.UNCERTAIN,
    "x",
    10.0,
    20.0,
    key="v1:a",
    clip="hero",
    take=1,
    provider="studio",
    kind="ark",
    model="m",
    seed=7,
)


def test_a_record_says_what_the_provider_would_show() -> None:
    text = (
        '{"prompt": "a lamp", "params": {"resolution": "1080p"}, "take": 2, "inputs": [{"url": "u"}, {"sha256": "s"}]}'
    )
    found = uncertain_request(ATTEMPT, text, MODEL)
    assert (found.since, found.until, found.seed, found.drawn, found.prompt) == (10.0, 20.0, 7, True, "a lamp")
    assert found.params == {"duration": 5, "resolution": "1080p"}
    assert found.media == ("u", None)
    assert found.alike == uncertain_request(ATTEMPT, text.replace('"take": 2, ', ""), MODEL).alike
    assert not uncertain_request(ATTEMPT, '{"params": {"seed": 7}}', MODEL).drawn, "a stated seed may be anybody's"


def test_a_record_that_lost_its_document_shows_less() -> None:
    found = uncertain_request(ATTEMPT, "", MODEL)
    assert (found.drawn, found.prompt, found.media, found.alike) == (False, None, None, "")
    assert not found.plain, "it may have had options of the vendor's own"


def test_options_of_the_vendors_own_are_seen_in_the_document() -> None:
    assert uncertain_request(ATTEMPT, '{"options": {"service_tier": "flex"}}', MODEL).plain is False
    assert uncertain_request(ATTEMPT, '{"params": {"duration": 5}}', MODEL).plain is True


@pytest.mark.parametrize(("days", "ahead", "may_be_it"), [(0.9, 0.0, True), (1.1, 0.0, False), (1.1, None, True)])
def test_a_task_from_more_than_a_day_before_is_another_where_the_providers_clock_is_read(
    days: float, ahead: float | None, may_be_it: bool
) -> None:
    """Our clock may have been set back by a day. A task that shows the whole request may be it at any time."""
    sent_late = replace(SENT, since=1e6, until=1e6 + 10, looked=1e6 + 10)
    task = Listed("t", Working(), 1e6 - days * 86_400, {"model": "m", "duration": 5})
    assert (fit(sent_late, task, ahead, frozenset()) is not Fit.OTHER) is may_be_it
