"""The rules that compare a dialect with its recorded exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from reconciler.conform.clips import clip_of, job_of, place, resolved
from reconciler.conform.contract import Contract, ContractBroken, Sample, fill
from reconciler.conform.rule import Rule, each, equal, once, require
from reconciler.diagnostics import Severity
from reconciler.providers.base import Accepted, PollTrouble, Reply, Request, Unknown
from reconciler.providers.capabilities import SpokenOverHttp
from reconciler.providers.check import Resolved, resolve

HIDING = (408, 409, 425, 499, 500, 502, 503, 504)
"""Statuses under which a gateway may have passed the request on: the task may exist and be billed."""

_NO_FIELDS = frozenset(("is", "reply", "status", "headers", "text", "model", "submit", "poll", "settings", "code"))


@each("accepted", "cases", "a clip becomes exactly this request", "correct submit(), or the row in accepted.yaml")
def request(sample: Sample) -> None:
    settings = resolved(sample)
    sent = sample.dialect.submit(job_of(clip_of(sample), settings))
    method, path = sample.fields["request"].split()
    equal((sent.method, sent.path, sent.query), (method, path, ()), "method, path and query")
    equal(sent.body, sample.fields["body"], "the body")
    equal(settings.mode, sample.fields["mode"], "the mode")
    equal(settings.model.name, sample.fields["model"] or settings.model.name, "the model")
    if "provider_default" in sample.fields:
        equal(settings.server_chosen, sample.fields["provider_default"], "what is left to the provider")


@once("every model is shown in every mode", "add the missing rows to accepted.yaml")
def modes(contract: Contract) -> None:
    shown_in = {(m, row["mode"]) for row in contract.load("accepted")["cases"] for m in row["models"]}
    missing = {(model.name, str(mode)) for model in contract.dialect.models for mode in model.modes} - shown_in
    require(not missing, f"without a row: {', '.join(f'{model} ({mode})' for model, mode in sorted(missing))}")


@each(
    "accepted",
    "cases",
    "a default that costs money is sent as if it were stated",
    "send duration, resolution, audio and fast explicitly: `stated` of providers.http_dialect does",
)
def defaults(sample: Sample) -> None:
    clip, settings = clip_of(sample), resolved(sample)
    explicit = replace(settings, params=settings.settled)
    equal(sample.dialect.submit(job_of(clip, settings)), sample.dialect.submit(job_of(clip, explicit)), "the request")


@each(
    "refused", "cases", "what the vendor would refuse is refused before sending", "state the limit in the model's entry"
)
def refused(sample: Sample) -> None:
    clip, fields = clip_of(sample), sample.fields
    answer = resolve(clip, sample.dialect)
    if isinstance(answer, Resolved):
        raise ContractBroken("the clip goes through")
    errors = [problem for problem in answer if problem.severity is Severity.ERROR]
    equal([problem.message for problem in errors], [fields["says"], *fields.get("also", [])], "the errors")
    expected = clip.fields[place(fields["at"].split(".")[-1])] if "at" in fields else clip.where
    equal(errors[0].source, expected, "the place of the error")
    require(errors[0].help, "the error has no help")
    equal(errors[0].help, fields.get("help", errors[0].help), "the help")


@each("refused", "warned", "what may be refused goes through with a warning", "state the limit as not strict")
def warned(sample: Sample) -> None:
    clip, settings = clip_of(sample), resolved(sample)
    warnings = [warning for warning in settings.warnings if warning.code != "model-retired"]
    equal([(w.message, w.severity) for w in warnings], [(sample.fields["says"], Severity.WARNING)], "the warnings")
    equal(warnings[0].source, clip.fields[sample.fields["at"]], "the place of the warning")


@each("replies", "submit", "a reply to a submit means this", "correct read_submit(), or the row in replies.yaml")
def submit_reply(sample: Sample) -> None:
    task = sample.contract.load("replies")["task"]
    require_answer(sample.dialect.read_submit(_reply(sample.fields, {"<task>": task})), sample.fields)


@each("replies", "polls", "a reply to a poll means this", "correct read_poll(), or the row in replies.yaml")
def poll_reply(sample: Sample) -> None:
    task = sample.contract.load("replies")["task"]
    require_answer(sample.dialect.read_poll(task, _reply(sample.fields, {"<task>": task})), sample.fields)


@once("the id of a task is recorded as the vendor sent it", "return Accepted(id) from read_submit()")
def accepted(contract: Contract) -> None:
    recorded = contract.load("replies")
    equal(contract.dialect.read_submit(Reply(200, recorded["accepted"])), Accepted(recorded["task"]), "the answer")


@each("replies", "errors", "a listed code is a refusal", "list only codes that a page of the vendor proves")
def listed_code(sample: Sample) -> None:
    answer = sample.dialect.read_submit(_error(sample, sample.fields["status"]))
    require_answer(answer, {"is": "Rejected", "refusal": sample.fields["refusal"]})
    equal(getattr(answer, "code", ""), sample.fields.get("as", str(sample.fields["code"])), "the code")


@each(
    "replies",
    "errors",
    "a listed code proves nothing under a status that may hide a task",
    "return Unknown for 408, 409, 425, 499 and every 5xx, whatever the body says: such a task may be billed",
)
def hidden_task(sample: Sample) -> None:
    for status in HIDING:
        answer = sample.dialect.read_submit(_error(sample, status))
        require(isinstance(answer, Unknown), f"HTTP {status}: {answer!r}, which would be sent and paid for again")


@each("replies", "errors", "an id beside an error is owed", "return Accepted(id, warning): the task will be billed")
def id_beside_error(sample: Sample) -> None:
    recorded = sample.contract.load("replies")
    for status in (200, sample.fields["status"]):
        body = _merged(_error(sample, status).body, recorded["accepted"])
        answer = sample.dialect.read_submit(Reply(status, body))
        require(isinstance(answer, Accepted) and answer.task == recorded["task"], f"HTTP {status}: {answer!r}")
        require(getattr(answer, "warning", ""), f"HTTP {status}: the error is not in the warning")


@once("a page of HTML says nothing", "return Unknown or PollTrouble for a reply without the vendor's JSON")
def html(contract: Contract) -> None:
    for status in (200, 301, 307, 401, 403, 404, 418, 422, 500, 502):
        reply = Reply(status, None, {}, "<html><h1>blocked</h1></html>")
        answer = contract.dialect.read_submit(reply)
        require(isinstance(answer, Unknown), f"submit, HTTP {status}: {answer!r}")
        poll = contract.dialect.read_poll("t1", reply)
        require(isinstance(poll, PollTrouble) or contract.is_local, f"poll, HTTP {status}: {poll!r}")


@once("a task goes from submit to its end", "correct the steps of exchange.yaml, or the readers")
def exchange(contract: Contract) -> None:
    recorded = contract.load("exchange")
    sample = Sample(contract, "", {"clip": recorded["clip"]})
    job = job_of(clip_of(sample), resolved(sample))
    dialect, task = sample.dialect, ""
    require(dialect.submit(job).body is not None, "the submit has no body")
    for step in recorded["steps"]:
        phase = "submit" if "submit" in step else "poll"
        reply = Reply(step[phase]["status"], step[phase]["body"])
        answer = dialect.read_submit(reply) if phase == "submit" else dialect.read_poll(task, reply)
        require_answer(answer, step)
        task = getattr(answer, "task", task)


@once("a poll asks for the task", "correct poll(), or `poll` in replies.yaml")
def poll(contract: Contract) -> None:
    recorded = contract.load("replies")
    method, _, target = recorded["poll"].partition(" ")
    path, _, query = target.partition("?")
    expected = Request(method, path, tuple(parse_qsl(query)))
    equal(contract.dialect.poll(recorded["task"], None), expected, "the request")


@once("credentials are in the headers alone", "return them from auth_headers(), and nothing without them")
def credentials(contract: Contract) -> None:
    if contract.is_local:
        return
    dialect, auth = contract.dialect, contract.load("replies")["auth"]
    if not isinstance(dialect, SpokenOverHttp):
        raise ContractBroken("the dialect lacks credentials, reserved or auth_headers()")
    equal(dialect.auth_headers(auth["credentials"]), tuple(map(tuple, auth["headers"])), "the headers")
    equal(dialect.auth_headers({}), (), "the headers without credentials")
    require(set(auth["credentials"]) in [set(names) for names in dialect.credentials], "credentials lacks these names")


RULES: tuple[Rule, ...] = (
    request,
    modes,
    defaults,
    refused,
    warned,
    submit_reply,
    poll_reply,
    accepted,
    listed_code,
    hidden_task,
    id_beside_error,
    html,
    exchange,
    poll,
    credentials,
)


def require_answer(answer: object, expected: Mapping[str, Any]) -> None:
    """Raise ContractBroken unless the answer is of the type that `is` names and has each other value."""
    equal(type(answer).__name__, expected["is"], f"the answer {answer!r:.300}")
    for name, value in expected.items():
        if name not in _NO_FIELDS:
            equal(getattr(answer, name), value, f"{name} of {answer!r:.300}")


def _reply(fields: Mapping[str, Any], texts: Mapping[str, Any]) -> Reply:
    body, text = (fill(fields.get(name, default), texts) for name, default in (("reply", None), ("text", "")))
    return Reply(fields.get("status", 200), body, fields.get("headers", {}), text)


def _error(sample: Sample, status: int) -> Reply:
    texts = {"<code>": sample.fields["code"], "<status>": status, "<message>": "refused"}
    return Reply(status, fill(sample.contract.load("replies")["error_body"], texts))


def _merged(error: Any, answer: Any) -> Any:
    """Return the error with the id in its place; an error's own code stays."""
    return {**answer, **error, **({"data": answer["data"]} if "data" in answer else {})}
