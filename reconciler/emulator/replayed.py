"""A vendor made of recorded exchanges: what a kind's contract says of submits, polls and errors, and nothing else.

It answers with the recorded bodies; the task's id, the links, the progress and the status word in them are replaced.
Requests are read by `reads` of exchange.yaml, from our field names to the dotted paths in the body of a submit
(`{prompt: text, duration: seconds}`), and checked against the catalogue; a field that it does not name is not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from reconciler.emulator.checks import Broken, Why
from reconciler.emulator.exchange import Answer, Call, Refused
from reconciler.emulator.faults import Phase
from reconciler.emulator.rules import Wanted
from reconciler.emulator.vendor import WRONG, Endpoint, Order, Vendor, json_body
from reconciler.emulator.world import Seen, Stage, Task
from reconciler.frozen import dataclass
from reconciler.providers.base import Model, Refusal
from reconciler.providers.replies import at

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """The data files of a contract, as YAML gives them. `requests`: method and path of every submit."""

    requests: tuple[str, ...]
    replies: Mapping[str, Any]
    exchange: Mapping[str, Any]


def replayed(kind: str, recording: Recording) -> type[Vendor]:
    """Return the vendor of a kind. Raises KeyError, IndexError or TypeError for a recording that lacks a part."""
    steps = recording.exchange["steps"]
    submit = steps[0]["submit"]["body"]
    refusals = _refusals(recording.replies)
    missing = next((row for row in recording.replies["polls"] if row["is"] == "NotFound"), {"status": 404})

    class Replay(_Replayed):
        pass

    Replay.kind = kind
    Replay.recording = recording
    Replay.bodies = _bodies(steps, recording.replies)
    Replay.id_path = next(path for path, value in _leaves(submit) if value == steps[0]["task"])
    Replay.refusals = {**refusals, "missing": Answer(missing.get("status", 200), missing.get("reply"))}
    Replay.busy = Refusal.BUSY.value
    Replay.bad_key = (Refusal.CREDENTIALS.value, "this key is not known")
    Replay.no_task = Replay.no_address = ("missing", "not found")
    Replay.moderated = ("", "")
    Replay.model_field = recording.exchange.get("reads", {}).get("model", "model")
    return Replay


class _Replayed(Vendor):
    recording: ClassVar[Recording]
    bodies: ClassVar[Mapping[Stage, Any]]
    refusals: ClassVar[Mapping[str, Answer]]

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the recorded addresses."""
        submits = [request.split() for request in self.recording.requests]
        method, _, target = self.recording.replies["poll"].partition(" ")
        path, _, query = target.partition("?")
        task = self.recording.replies["task"]
        name = next((name for name, value in parse_qsl(query) if value == task), "")
        return (
            *(
                Endpoint(method, path.replace("<model>", "{model}"), Phase.SUBMIT, self.submit)
                for method, path in submits
            ),
            Endpoint(method, path.replace(task, "{task_id}"), Phase.POLL, partial(self._poll, name)),
        )

    async def _poll(self, name: str, call: Call) -> Answer:
        task = call.asked(name) if name else None
        return await self.poll(replace(call, params={**call.params, "task_id": task}) if task else call)

    def authenticate(self, call: Call) -> str:
        """Return the credential, which is at its recorded place in the first header. Raises Refused."""
        auth = self.recording.replies["auth"]
        (header, template), *_ = auth["headers"]
        value, secret = call.headers.get(header.lower(), ""), next(iter(auth["credentials"].values()))
        before, _, after = template.partition(secret)
        key = value.removeprefix(before).removesuffix(after)
        if not value.startswith(before) or not key or key.startswith(WRONG):
            raise Refused(self.refusal(*self.bad_key))
        return key

    def order(self, call: Call, account: str) -> Order:
        """Read the fields that the recording names, else those of its own clip."""
        body = json_body(call)
        if not isinstance(body, dict):
            raise Broken("", Why.TYPE, "the request body is not a JSON object")
        reads, clip = self.recording.exchange.get("reads", {}), self.recording.exchange["clip"]
        fields = {name: at(body, reads[name]) if name in reads else clip.get(name) for name in _FIELDS}
        texts = {name: str(value) for name, value in fields.items() if value is not None}
        wanted = Wanted(
            self._model(texts.get("model") or call.params.get("model", "")),
            prompt=texts.get("prompt", ""),
            duration=int(texts["duration"]) if texts.get("duration", "").isdecimal() else None,
            resolution=texts.get("resolution"),
            ratio=texts.get("ratio"),
        )
        return Order(wanted, self.shape(wanted, audio=fields["audio"] is True), body)

    def _model(self, name: str) -> Model:
        if name and name not in self.models:
            raise Broken(self.model_field, Why.MODEL, f"model {name} does not exist")
        return self.models[name] if name else next(iter(self.models.values()))

    def submitted(self, task: Task) -> Answer:
        """Answer as recorded."""
        step = self.recording.exchange["steps"][0]
        return Answer(step["submit"]["status"], _swapped(step["submit"]["body"], {step["task"]: task.id}))

    def standing(self, task: Task, seen: Seen) -> object:
        """Return the recorded body of the task's stage."""
        steps = self.recording.exchange["steps"]
        done = next(step for step in steps if step["is"] == "Succeeded")
        swaps: dict[Any, Any] = {steps[0]["task"]: seen.id, self.recording.replies["task"]: seen.id}
        swaps |= {done["video"]: seen.video or "", done.get("last_frame") or done["video"]: seen.last_frame or ""}
        swaps |= {done["video"]: seen.video or "", "<task>": seen.id}
        body = _swapped(self.bodies[seen.stage], swaps)
        return body if seen.word is None else _put(body, self._status_path(), seen.word[0])

    def _status_path(self) -> Path:
        """Return the place of the status word: the first text that differs between a running and a finished task."""
        done = dict(_leaves(self.bodies[Stage.DONE]))
        texts = (path for path, value in _leaves(self.bodies[Stage.RUNNING]) if isinstance(value, str))
        running = dict(_leaves(self.bodies[Stage.RUNNING]))
        return next(path for path in texts if isinstance(done.get(path), str) and done[path] != running[path])

    def refusal(self, code: str, message: str, status: int | None = None) -> Answer:
        """Return the recorded refusal of this reason, or the recorded form of an error with this code."""
        answer = self.refusals.get(code)
        if answer is None or status is not None:
            texts = {"<code>": code, "<status>": status or 400, "<message>": message}
            return Answer(status or 400, _swapped(self.recording.replies["error_body"], texts))
        return replace(answer, body=_swapped(answer.body, {"<message>": message, "<task>": "none"}))

    def broken(self, fault: Broken) -> Answer:
        """Refuse as the vendor refuses bad input."""
        return self.refusal(Refusal.INPUT.value, fault.message)


_FIELDS = ("model", "prompt", "duration", "resolution", "ratio", "audio")


def _refusals(replies: Mapping[str, Any]) -> dict[str, Answer]:
    """Return the recorded refusals by their reason; a listed code before an answer that is refused whole."""
    answers: dict[str, Answer] = {}
    for row in replies.get("errors", ()):
        body = _swapped(replies["error_body"], {"<code>": row["code"], "<status>": row["status"]})
        answers.setdefault(row["refusal"], Answer(row["status"], body))
    for row in replies.get("submit", ()):
        if row["is"] == "Rejected" and "refusal" in row:
            answers.setdefault(row["refusal"], Answer(row.get("status", 200), row.get("reply"), row.get("headers", {})))
    return answers


def _bodies(steps: Sequence[Mapping[str, Any]], replies: Mapping[str, Any]) -> dict[Stage, Any]:
    """Return the recorded body of each stage. A failed task is one that moderation stopped, if there is one."""
    polls = [(step, step["poll"]["body"]) for step in steps if "poll" in step]
    polls += [(row, row["reply"]) for row in replies["polls"] if row.get("status", 200) == 200]
    working = [(row, body) for row, body in polls if row["is"] == "Working" and not row.get("warning")]
    queued = next((body for row, body in working if row.get("queued")), working[0][1])
    failed = sorted(
        (row.get("refusal") != "moderation", n) for n, (row, _) in enumerate(polls) if row["is"] == "Failed"
    )
    return {
        Stage.QUEUED: queued,
        Stage.RUNNING: next((body for row, body in working if not row.get("queued")), queued),
        Stage.DONE: next(body for row, body in polls if row["is"] == "Succeeded"),
        Stage.FAILED: polls[failed[0][1]][1],
        Stage.CANCELLED: next((body for row, body in polls if row["is"] == "Cancelled"), queued),
    }


def _swapped(value: Any, texts: Mapping[Any, Any]) -> Any:
    """Return a body with some texts replaced, whole ones by a value of any type."""
    if isinstance(value, dict):
        return {key: _swapped(part, texts) for key, part in value.items()}
    if isinstance(value, list):
        return [_swapped(part, texts) for part in value]
    if not isinstance(value, str) or value in texts:
        return texts.get(value, value) if isinstance(value, str) else value
    for old, new in texts.items():
        value = value.replace(old, str(new))
    return value


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the values of a body that are neither objects nor lists, with their places; those in lists are left out."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, (*path, key))
    elif not isinstance(value, list):
        yield path, value


def _put(body: Any, path: Path, value: object) -> Any:
    if not path:
        return value
    return {**body, path[0]: _put(body[path[0]], path[1:], value)}
