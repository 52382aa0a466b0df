"""What every dialect must do, on data written by hand from the vendors' pages (see `provider_cases`).

A built-in kind that has no folder here fails the suite.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from provider_cases import FOLDERS, Case, clip_of, fill, job_of, load, place, resolved, rows

from reconciler.diagnostics import Severity
from reconciler.providers.base import Accepted, PollTrouble, Reply, Request, Unknown
from reconciler.providers.capabilities import SpokenOverHttp
from reconciler.providers.check import Resolved, resolve
from reconciler.providers.registry import BUILT_IN, dialect


def test_every_built_in_kind_has_its_data():
    assert set(FOLDERS) == set(BUILT_IN)


# Requests ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", rows("accepted", "cases"))
def test_a_clip_becomes_exactly_this_request(case: Case):
    found = resolved(case)
    request = case.dialect.submit(job_of(clip_of(case), found))
    method, path = case.data["request"].split()
    assert (request.method, request.path, request.query) == (method, path, ())
    assert request.body == case.data["body"]
    assert found.mode == case.data["mode"]
    assert case.data["model"] in (None, found.model.name)


@pytest.mark.parametrize("case", [row for row in rows("accepted", "cases") if "provider_default" in row.values[0].data])
def test_what_is_left_to_the_provider_is_listed(case: Case):
    assert resolved(case).server_chosen == case.data["provider_default"]


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_model_is_shown_in_every_mode(kind: str):
    shown = {(model, row["mode"]) for row in load(kind, "accepted")["cases"] for model in row["models"]}
    missing = {(model.name, str(mode)) for model in dialect(kind).models for mode in model.modes} - shown
    assert not missing


@pytest.mark.parametrize("case", rows("accepted", "cases"))
def test_a_default_that_costs_money_is_sent_as_if_it_were_stated(case: Case):
    clip, found = clip_of(case), resolved(case)
    said = replace(found, params=found.settled)
    assert case.dialect.submit(job_of(clip, found)) == case.dialect.submit(job_of(clip, said))


# Refusals before sending ---------------------------------------------------------------------


@pytest.mark.parametrize("case", rows("refused", "cases"))
def test_a_clip_is_refused_in_these_words(case: Case):
    clip = clip_of(case)
    found = resolve(clip, case.dialect)
    assert not isinstance(found, Resolved), "it went through"
    errors = [problem for problem in found if problem.severity is Severity.ERROR]
    assert [problem.message for problem in errors] == [case.data["says"], *case.data.get("also", [])]
    expected = clip.fields[place(case.data["at"].split(".")[-1])] if "at" in case.data else clip.where
    assert errors[0].source == expected
    assert errors[0].help and case.data.get("help", errors[0].help) == errors[0].help


@pytest.mark.parametrize("case", rows("refused", "warned"))
def test_a_clip_goes_through_with_a_warning(case: Case):
    clip, found = clip_of(case), resolved(case)
    warnings = [warning for warning in found.warnings if warning.code != "model-retired"]
    assert [(w.message, w.severity) for w in warnings] == [(case.data["says"], Severity.WARNING)]
    assert warnings[0].source == clip.fields[case.data["at"]]


# Replies -------------------------------------------------------------------------------------


def reply_of(data: Any, words: dict[str, Any]) -> Reply:
    return Reply(
        data.get("status", 200),
        fill(data.get("reply"), words),
        data.get("headers", {}),
        fill(data.get("text", ""), words),
    )


def assert_is(answer: object, expected: Any) -> None:
    """The answer is of the named type and has each named value."""
    assert type(answer).__name__ == expected["is"], answer
    for name, value in expected.items():
        if name not in ("is", "reply", "status", "headers", "text", "model", "submit", "poll", "settings", "code"):
            assert getattr(answer, name) == value, (name, answer)


@pytest.mark.parametrize("case", rows("replies", "submit"))
def test_a_reply_to_a_submit_means(case: Case):
    assert_is(case.dialect.read_submit(reply_of(case.data, {"<task>": load(case.kind, "replies")["task"]})), case.data)


@pytest.mark.parametrize("case", rows("replies", "polls"))
def test_a_reply_to_a_poll_means(case: Case):
    task = load(case.kind, "replies")["task"]
    assert_is(case.dialect.read_poll(task, reply_of(case.data, {"<task>": task})), case.data)


@pytest.mark.parametrize("kind", FOLDERS)
def test_an_id_is_accepted(kind: str):
    data = load(kind, "replies")
    assert dialect(kind).read_submit(Reply(200, data["accepted"])) == Accepted(data["task"])


def error_reply(case: Case, status: int) -> Reply:
    code = case.data["code"]
    return Reply(status, fill(load(case.kind, "replies")["error_body"], {"<code>": code, "<status>": status}))


@pytest.mark.parametrize("case", rows("replies", "errors"))
def test_a_listed_code_is_a_refusal_when_the_vendor_says_it(case: Case):
    answer = case.dialect.read_submit(error_reply(case, case.data["status"]))
    assert_is(answer, {"is": "Rejected", "refusal": case.data["refusal"]})
    assert getattr(answer, "code") == case.data.get("as", str(case.data["code"]))  # noqa: B009 - narrowed by assert_is


@pytest.mark.parametrize("case", rows("replies", "errors"))
def test_a_listed_code_proves_nothing_under_a_status_that_may_hide_a_task(case: Case):
    for status in (408, 409, 425, 499, 500, 502, 503, 504):
        assert isinstance(case.dialect.read_submit(error_reply(case, status)), Unknown), status


@pytest.mark.parametrize("case", rows("replies", "errors"))
def test_an_id_beside_a_listed_code_is_owed(case: Case):
    data = load(case.kind, "replies")
    for status in (200, case.data["status"]):
        reply = error_reply(case, status)
        answer = case.dialect.read_submit(Reply(status, _merged(reply.body, data["accepted"])))
        assert isinstance(answer, Accepted)
        assert answer.task == data["task"]
        assert answer.warning


def _merged(error: Any, accepted: Any) -> Any:
    """The error with the id in its place; an error's own code stays."""
    return {**accepted, **error, **({"data": accepted["data"]} if "data" in accepted else {})}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_page_of_html_says_nothing(kind: str):
    for status in (200, 301, 307, 401, 403, 404, 418, 422, 500, 502):
        reply = Reply(status, None, {}, "<html><h1>blocked</h1></html>")
        assert isinstance(dialect(kind).read_submit(reply), Unknown), status
        assert isinstance(dialect(kind).read_poll("t1", reply), PollTrouble) or kind == "draft", status


# Whole exchanges -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_task_goes_from_submit_to_its_end(kind: str):
    data = load(kind, "exchange")
    case = Case(kind, {"clip": data["clip"]})
    job = job_of(clip_of(case), resolved(case))
    spoken, task = case.dialect, ""
    assert spoken.submit(job).body is not None
    for step in data["steps"]:
        asked = "submit" if "submit" in step else "poll"
        reply = Reply(step[asked]["status"], step[asked]["body"])
        answer = spoken.read_submit(reply) if asked == "submit" else spoken.read_poll(task, reply)
        assert_is(answer, step)
        task = getattr(answer, "task", task)


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_poll_asks_for_the_task(kind: str):
    data = load(kind, "replies")
    method, _, target = data["poll"].partition(" ")
    path, _, query = target.partition("?")
    assert dialect(kind).poll(data["task"], None) == Request(method, path, tuple(parse_qsl(query)))


@pytest.mark.parametrize("kind", [kind for kind in FOLDERS if kind != "draft"])
def test_credentials_stand_in_the_header_alone(kind: str):
    spoken, auth = dialect(kind), load(kind, "replies")["auth"]
    assert isinstance(spoken, SpokenOverHttp)
    assert spoken.auth_headers(auth["credentials"]) == tuple(tuple(pair) for pair in auth["headers"])
    assert spoken.auth_headers({}) == ()
    assert set(auth["credentials"]) in [set(names) for names in spoken.credentials]
