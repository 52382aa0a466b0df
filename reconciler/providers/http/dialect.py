"""Translate kind `http` by the map in its settings (`wire`).

Nothing is assumed of the vendor: a code that the settings do not list proves nothing, so that an unclear answer is
asked about (without a list) or looked up (with one), and never sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from reconciler.diagnostics import Diagnostic, SpecError
from reconciler.providers import base
from reconciler.providers.base import Dialect, Job, Pace, PollTrouble, Refusal, Reply, Request
from reconciler.providers.capabilities import CancelRefused, Listed, TaskPage
from reconciler.providers.catalogue import catalogue
from reconciler.providers.error_codes import REFUSING, Complaint, other_task, poll_trouble, submitted
from reconciler.providers.http.wire import REFUSALS, HttpSettings, body_of, holes, place
from reconciler.providers.http_dialect import HttpDialect, fill, present
from reconciler.providers.replies import (
    code_text,
    first,
    integer,
    link,
    mapping,
    quoted,
    task_id,
    words,
    working,
)
from reconciler.providers.settings import read

MARK = "mark"
"""The placeholder, and the member of `list.echo`, of the number that is drawn for one request."""


class HttpVendor(HttpDialect[HttpSettings]):
    """A vendor that the project describes."""

    kind: ClassVar[str] = "http"
    form = HttpSettings
    base_url: ClassVar[str] = ""
    pace: ClassVar[Pace] = Pace()
    catalogue: ClassVar[str] = ""

    def __init__(self, settings: HttpSettings) -> None:
        self.settings = settings
        self.models = catalogue((), settings.models)

    @property
    def default_model(self) -> str:
        """The model of clips that name none: the first, if the settings name none."""
        return self.settings.default_model or self.models[0].name

    @cached_property
    def reserved(self) -> frozenset[str]:
        """The names in the template; those of a map one by one."""
        return frozenset(_names(self.settings.request))

    def body(self, job: Job) -> dict[str, object]:
        """Send the template with the clip's values."""
        return body_of(self.settings.request, job)

    def submit(self, job: Job) -> Request:
        """Return the request with the headers of the settings."""
        body = _merged(present(job.options), self.body(job))
        request = fill("POST", self.settings.submit_path, {"model": job.model.name}, body)
        return replace(request, headers=tuple(self.settings.headers.items()))

    def read_submit(self, reply: Reply) -> base.SubmitAnswer:
        """Read the task id at its place."""
        raw = place(self.settings.id, reply.body)
        return submitted(reply, task_id(raw), raw, self._complaint(reply))

    def read_poll(self, task: str, reply: Reply) -> base.PollAnswer:
        """Read the state, and what belongs to it."""
        complaint, state = self._complaint(reply), place(self.settings.state, reply.body)
        if reply.status != 200 or state is None:
            missing = {complaint.code, f"http {reply.status}"} & {*self.settings.not_found}
            return base.NotFound(complaint.message) if missing else poll_trouble(reply, complaint)
        return other_task(task, place(self.settings.id, reply.body)) or self._answer(state, reply.body, complaint)

    def _answer(self, word: object, body: object, complaint: Complaint) -> base.PollAnswer:
        wire = self.settings
        match wire.states.get(word) if isinstance(word, str) else None:
            case "succeeded":
                return self._result(body)
            case "failed":
                refusal = REFUSALS.get(str(wire.refusals.get(complaint.code)), Refusal.INTERNAL)
                return base.Failed(refusal, complaint.code or str(word), complaint.message, wire.failures_free)
            case "cancelled":
                return base.Cancelled(complaint.message)
        queued = frozenset(name for name, state in wire.states.items() if state == "queued")
        running = frozenset(name for name, state in wire.states.items() if state == "running")
        return working(word, queued, running, place(wire.progress, body))

    def _result(self, body: object) -> base.Succeeded | base.NoOutput:
        video, frame = (_link(place(path, body)) for path in (self.settings.video, self.settings.last_frame))
        if video is None:
            sent = quoted(place(self.settings.video, body))
            return base.NoOutput(f"the task succeeded without a usable link: {sent}")
        return base.Succeeded(video, frame, seed=integer(place(self.settings.seed, body)))

    def _complaint(self, reply: Reply) -> Complaint:
        code = code_text(place(self.settings.error_code, reply.body))
        message = words(place(self.settings.error_message, reply.body))
        listed = self.settings.refusals.get(code) or self.settings.refusals.get(f"http {reply.status}")
        refusal = REFUSALS[listed] if listed and reply.status in REFUSING else None
        is_error = not 200 <= reply.status < 300
        return Complaint(code or (f"http {reply.status}" if is_error else ""), message, refusal)


class _WithList(HttpVendor):
    def marks(self, job: Job) -> range:
        """Return the numbers of which one is sent, if the request has a place for it and the list shows it."""
        wire = self.settings
        is_shown = wire.list is not None and MARK in wire.list.echo and MARK in holes(wire.request)
        return wire.marks if is_shown else range(0)

    @property
    def list_size(self) -> int:
        """The most tasks on a page."""
        return self.settings.list.size if self.settings.list else 0

    def list_tasks(self, tasks: Sequence[str] = (), page: int = 1) -> Request:
        """Ask for a page of all tasks: nothing is known of a filter by ids."""
        path = self.settings.list.path if self.settings.list else ""
        return fill("GET", path, {"page": str(page)})

    def read_list(self, reply: Reply) -> TaskPage | PollTrouble:
        """Read the tasks of a page, each as a poll shows it."""
        wire = self.settings.list
        entries = place(wire.tasks, reply.body) if wire else None
        if wire is None or reply.status != 200 or not isinstance(entries, list):
            return poll_trouble(reply, self._complaint(reply))
        tasks = tuple(self._listed(entry) for entry in entries if task_id(place(self.settings.id, entry)))
        return TaskPage(tasks, integer(place(wire.total, reply.body)))

    def _listed(self, entry: object) -> Listed:
        wire = self.settings.list
        task = task_id(place(self.settings.id, entry)) or ""
        places = wire.echo.items() if wire else ()
        echo = {"expires_after" if name == MARK else name: place(path, entry) for name, path in places}
        facts = {name: value for name, value in echo.items() if isinstance(value, str | int)}
        answer = self.read_poll(task, Reply(200, entry))
        return Listed(task, answer, _time(place(wire.created, entry)) if wire else None, facts)


class _WithCancel(HttpVendor):
    def cancel(self, task: str) -> Request:
        """Return the request that cancels a queued task."""
        wire = self.settings.cancel
        return fill(wire.method if wire else "", wire.path if wire else "", {"task": task})

    def read_cancel(self, reply: Reply) -> base.Cancelled | CancelRefused | base.NotFound | PollTrouble:
        """Believe a success only; a task that still runs is polled on."""
        if 200 <= reply.status < 300:
            return base.Cancelled()
        complaint = self._complaint(reply)
        if 400 <= reply.status < 500 and reply.status not in (401, 403, 408, 429):
            return CancelRefused(str(complaint))
        return poll_trouble(reply, complaint)


class _WithBoth(_WithList, _WithCancel):
    pass


def create(settings: Mapping[str, object]) -> Dialect:
    """Return the dialect of a vendor, with the features that its settings describe. Raises SpecError."""
    wire = read(HttpSettings, settings or {"name": ""})
    if not wire.models:
        help = "models: {NAME: {durations: [5], resolutions: [720p]}}"
        raise SpecError([Diagnostic("no-models", "kind http needs a table of models", help=help)])
    features = (wire.list is not None, wire.cancel is not None)
    kinds = {(False, False): HttpVendor, (True, False): _WithList, (False, True): _WithCancel, (True, True): _WithBoth}
    return kinds[features](wire)


def _names(template: Mapping[str, object], within: str = "") -> Iterator[str]:
    for name, value in template.items():
        if isinstance(value, Mapping):
            yield from _names(value, f"{within}{name}.")
        else:
            yield f"{within}{name}"


def _merged(options: Mapping[str, object], body: Mapping[str, object]) -> dict[str, object]:
    """Return a clip's options with the body over them, map by map."""
    merged = dict(options)
    for name, value in body.items():
        inner = merged.get(name)
        both = isinstance(inner, Mapping) and isinstance(value, Mapping)
        merged[name] = _merged(mapping(inner), mapping(value)) if both else value
    return merged


def _time(value: object) -> float | None:
    """Return Unix seconds of a number or of ISO 8601 with a zone; None for anything else."""
    number = integer(value)
    if number is not None:
        return float(number)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.timestamp() if moment and moment.tzinfo else None


def _link(value: object) -> str | None:
    return link(first(value) if isinstance(value, list) else value)
