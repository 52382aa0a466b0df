"""Translate kind `fal`: a queue in front of many owners' models, each with an input of its own (`forms`).

Sources: fal's documents and client code, read in November 2026; nothing was tried with a key. Every submit carries the
two headers without which fal runs a request again, or has another model answer it. The queue checks nothing at the
submit, so `models.yaml` has every field. `COMPLETED` says only that a task has ended: its result says how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from reconciler.frozen import dataclass
from reconciler.providers import base
from reconciler.providers.base import Job, Mode, Pace, PollTrouble, Refusal, Reply, Request
from reconciler.providers.capabilities import CancelRefused, Coverage, Listed, TaskPage
from reconciler.providers.error_codes import Complaint, other_task, poll_trouble, submitted
from reconciler.providers.fal import forms
from reconciler.providers.fal.addresses import place_of, task_of
from reconciler.providers.http_dialect import HttpDialect, present
from reconciler.providers.replies import at, code_text, first_words, link, mapping, path_text, quoted, task_id, working
from reconciler.providers.settings import Settings, setting

HISTORY = "api.fal.ai"
"""The host of the history of requests; the key is fal's there too."""
ONCE = (("X-Fal-No-Retry", "1"), ("x-app-fal-disable-fallback", "1"))
"""Run a request once, and by the model that it names."""
MOST_ENDPOINTS = 50
"""Models that one request to the history may name."""
LONGEST_RUN = 3600
"""Seconds for which a request runs at most, once it has begun (assumed)."""
LATE = 900
"""Seconds after its end by which the history shows a request (assumed)."""

QUEUED, RUNNING = frozenset({"IN_QUEUE"}), frozenset({"IN_PROGRESS"})
CANCELLED = frozenset({"client_cancelled", "client_disconnected"})

# Of a submit. 408 and 409 are not listed: fal's own client sends again on them, so they prove nothing.
STATUSES: Mapping[int, Refusal] = {
    **dict.fromkeys((400, 404, 405, 413, 415, 422), Refusal.INPUT),
    401: Refusal.CREDENTIALS,
    403: Refusal.CREDENTIALS,
    429: Refusal.BUSY,
}
ACCOUNT_WORDS = ("exhausted balance", "user is locked")

# Of a result: a failure by one of these is fal's or the runner's, and is never charged.
FREE = frozenset(
    {
        "internal_server_error",
        "downstream_service_error",
        "downstream_service_unavailable",
        "generation_timeout",
        "request_timeout",
        "startup_timeout",
    }
)
OUTCOMES: Mapping[str, Refusal] = {
    "content_policy_violation": Refusal.MODERATION,
    "file_download_error": Refusal.INTERNAL,  # the link may have been down for a moment
}
_UNCLEAR = frozenset({401, 403, 404, 408, 409, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class FalSettings(Settings):
    """Settings: facts that the documents leave open, and the deadline of a start."""

    submit_path: str = "/{model}"
    poll_path: str = setting("Not used: the reply to a submit gives the address.", "/{task}")
    default_model: str = "bytedance/seedance-2.0/fast/text-to-video"
    auth_header: str = "Authorization: Key {api_key}"
    start_timeout: int = setting(
        "Seconds in which a request must begin to run, else it fails for free: X-Fal-Request-Timeout.", 3600
    )
    link_life: int = setting("Seconds for which result links are valid: fal's default for files.", 604_800)
    list_complete: bool = setting(
        "True if a request that the history does not show, after all that it may take, was not accepted. The "
        "documents do not say so.",
        False,
    )


class Fal(HttpDialect[FalSettings]):
    """The translation of kind `fal`."""

    kind: ClassVar[str] = "fal"
    form = FalSettings
    base_url: ClassVar[str] = "https://queue.fal.run"
    pace: ClassVar[Pace] = Pace(poll_min=5, poll_max=15, concurrency=10, timeout=3600, link_life=604_800)
    catalogue: ClassVar[str] = "fal/models.yaml"
    also_reserved: ClassVar[frozenset[str]] = frozenset({"num_frames"})  # it overrides the duration
    list_size: ClassVar[int] = 100
    lists_per_second: ClassVar[float] = 0.0
    echoes: ClassVar[frozenset[str]] = frozenset({"prompt", "duration", "seed", "expires_after", "media"})

    def body(self, job: Job) -> dict[str, object]:
        """Send the model's own input, without a wrapper."""
        return forms.body_of(job)

    @cached_property
    def reserved(self) -> frozenset[str]:
        """The names of the inputs of all models."""
        jobs = (Job(model, Mode.TEXT, "") for model in self.models)
        return self.also_reserved.union(*map(forms.body_of, jobs))

    def submit(self, job: Job) -> Request:
        """Send the request once, to the address of its model."""
        fixed = forms.form_of(job.model).fixed
        body = {**fixed, **present(job.options), **present(self.body(job))}
        path = "/".join(map(path_text, job.model.name.split("/")))
        headers = (*ONCE, ("X-Fal-Request-Timeout", str(self.settings.start_timeout)))
        return Request("POST", self.settings.submit_path.replace("{model}", path), body=body, headers=headers)

    def read_submit(self, reply: Reply) -> base.SubmitAnswer:
        """Read the id and the addresses. Without usable addresses the task is followed in the history."""
        body = mapping(reply.body)
        raw = body.get("request_id")
        request = task_id(raw)
        task = None if request is None else task_id(task_of(request, body, reply.base_url or self.base_url))
        return submitted(reply, task, raw, _complaint(reply))

    # --- polls ------------------------------------------------------------------------------

    def poll(self, task: str, job: Job | None) -> Request:
        """Ask for the status at its recorded address."""
        status = place_of(task).status
        return Request("GET", status) if status else self._history(0, place_of(task).request)

    def read_poll(self, task: str, reply: Reply) -> base.PollAnswer:
        """Read a status alone: a task that has ended counts as working until its result is read."""
        answer = self._status(task, reply)
        return base.Working() if isinstance(answer, Request) else answer

    def read_step(self, task: str, asked: Request, reply: Reply) -> base.PollAnswer | Request:
        """Read a status, then the result of a task that has ended; the history, where the queue knows neither."""
        place = place_of(task)
        if asked.host:
            return self._from_history(place.request, asked, reply)
        step = self._status if asked.path == place.status else _result
        answer = step(task, reply)
        return self._history(0, place.request) if isinstance(answer, base.NotFound) else self._lasting(answer)

    def _lasting(self, answer: base.PollAnswer | Request) -> base.PollAnswer | Request:
        if not isinstance(answer, base.Succeeded):
            return answer
        return replace(answer, life=float(self.settings.link_life))

    def _status(self, task: str, reply: Reply) -> base.PollAnswer | Request:
        complaint, body, place = _complaint(reply), mapping(reply.body), place_of(task)
        word = self._word(body.get("status"))
        if reply.status == 404 and word == "NOT_FOUND":
            return base.NotFound("the queue does not know it")
        if not 200 <= reply.status < 300 or word is None:
            return poll_trouble(reply, complaint)
        if (trouble := other_task(place.request, body.get("request_id"))) is not None:
            return trouble
        if word == "COMPLETED":
            return Request("GET", place.result)
        if word == "FAILED":
            return base.Failed(Refusal.INTERNAL, complaint.code or "FAILED", complaint.message, False)
        if word in ("CANCELED", "CANCELLED"):
            return base.Cancelled(complaint.message)
        return working(word, QUEUED, RUNNING)

    # --- the history of requests --------------------------------------------------------------

    @property
    def list_filters(self) -> Sequence[tuple[tuple[str, str], ...]]:
        """The models, in groups that one request may name."""
        names = [model.name for model in self.models]
        groups = (names[start : start + MOST_ENDPOINTS] for start in range(0, len(names), MOST_ENDPOINTS))
        return tuple(tuple(("endpoint_id", name) for name in group) for group in groups)

    def _history(self, group: int, request: str) -> Request:
        # Without a start the history shows a day.
        more = (("request_id", request), ("start", "2025-01-01T00:00:00Z"))
        asked = self.list_tasks()
        return replace(asked, query=(*asked.query, *self.list_filters[group], *more))

    def list_tasks(self, tasks: Sequence[str] = (), page: int = 1) -> Request:
        """Ask for the requests of a day with their inputs; the cursor of a page leads to the next."""
        query = (("expand", "payloads"), ("limit", str(self.list_size)))
        return Request("GET", "/v1/models/requests/by-endpoint", query, host=HISTORY)

    def read_list(self, reply: Reply) -> TaskPage | PollTrouble:
        """Read a page of requests. One without its input may be any of its model's."""
        items = at(reply.body, "items")
        if reply.status != 200 or not isinstance(items, list):
            return poll_trouble(reply, _complaint(reply))
        rows = [(task, mapping(item)) for item in items if (task := task_id(mapping(item).get("request_id")))]
        cursor = at(reply.body, "next_cursor")
        has_more = at(reply.body, "has_more") is True and isinstance(cursor, str)
        return TaskPage(tuple(self._listed(*row) for row in rows), more=(("cursor", str(cursor)),) if has_more else ())

    def _listed(self, task: str, item: Mapping[str, object]) -> Listed:
        model = next((model for model in self.models if model.name == item.get("endpoint_id")), None)
        sent, created = item.get("json_input"), _time(item.get("sent_at"))
        answer = self._ended(item)
        if model is None or not isinstance(sent, Mapping):
            return Listed(path_text(task), answer, created, {"model": model.name} if model else {})
        echo, media = forms.fields_of(model, sent), forms.media_of(model, sent)
        return Listed(path_text(task), answer, created, echo, media)

    def listed_name(self, task: str) -> str:
        """Return the id of the request: the history does not show the queue's addresses."""
        return place_of(task).request

    @property
    def coverage(self) -> Coverage | None:
        """The history's coverage, if the settings declare it complete. A request that waits or runs may not be listed,
        so that absence proves nothing until it would have begun, ended and appeared."""
        longest = self.settings.start_timeout + LONGEST_RUN + LATE
        return Coverage(longest, 86_400) if self.settings.list_complete else None

    def _from_history(self, request: str, asked: Request, reply: Reply) -> base.PollAnswer | Request:
        page = self.read_list(reply)
        if isinstance(page, PollTrouble):
            return page
        answer = next((row.answer for row in page.tasks if row.task == request), None)
        if answer is not None:
            return answer
        asked_for = next(n for n, names in enumerate(self.list_filters) if names[0] in asked.query)
        if asked_for + 1 < len(self.list_filters):
            return self._history(asked_for + 1, request)
        return base.NotFound("neither the queue nor the history knows it")

    def _ended(self, item: Mapping[str, object]) -> base.PollAnswer:
        """Read how a request of the history has ended; its result is the output that a result's address had."""
        code = item.get("status_code")
        if not item.get("ended_at") or type(code) is not int:
            return base.Working()
        answer = self._lasting(_result("", Reply(code, item.get("json_output"))))
        if isinstance(answer, base.Succeeded | base.Failed | base.Cancelled | base.NoOutput):
            return answer
        if 200 <= code < 300:
            return base.NoOutput("the history does not keep its result")
        free = code >= 500
        return base.Failed(Refusal.INTERNAL if free else Refusal.INPUT, str(code), "it failed", free)

    def marks(self, job: Job) -> range:
        """Return the numbers for `end_user_id`, where the model has it: the history shows the request's own."""
        return range(1, 2**31) if forms.form_of(job.model).is_marked else range(0)

    # --- cancel -------------------------------------------------------------------------------

    def cancel(self, task: str) -> Request:
        """Return the request that takes a waiting task out of the queue."""
        return Request("PUT", place_of(task).cancel)

    def read_cancel(self, reply: Reply) -> base.Cancelled | CancelRefused | base.NotFound | PollTrouble:
        """Read a success, which the next poll has to confirm."""
        if 200 <= reply.status < 300:
            return base.Cancelled()
        word = first_words(at(reply.body, "status"), str(_complaint(reply)))
        if reply.status == 404 and word:
            return base.NotFound(word)
        return CancelRefused(word) if reply.status == 400 else poll_trouble(reply, _complaint(reply))


def _result(task: str, reply: Reply) -> base.PollAnswer:
    """Read the result of a task that has ended: the model's own status and body are passed on."""
    complaint = _complaint(reply)
    if 200 <= reply.status < 300 and isinstance(reply.body, Mapping) and not complaint.code:
        url = link(at(reply.body, "video.url"))
        return base.Succeeded(url) if url else base.NoOutput(f"no usable link: {quoted(reply.body.get('video'))}")
    if reply.status == 499 or complaint.code in CANCELLED:
        return base.Cancelled(complaint.message)
    if complaint.code in FREE or complaint.code.startswith("runner_"):
        return base.Failed(Refusal.INTERNAL, complaint.code, complaint.message, free=True)
    if reply.status == 404:
        return base.NotFound("its result is no longer kept")
    is_error = 400 <= reply.status < 500 and reply.status not in _UNCLEAR
    if complaint.code and (is_error or complaint.code in OUTCOMES):
        free = reply.headers.get("x-fal-billable-units", "").strip() in ("0", "0.0")
        return base.Failed(OUTCOMES.get(complaint.code, Refusal.INPUT), complaint.code, complaint.message, free)
    return poll_trouble(reply, complaint)


def _complaint(reply: Reply) -> Complaint:
    """Read `{detail: [{type, msg, loc}]}`, `{detail: text, error_type}` or a header. `input` repeats the prompt."""
    detail = at(reply.body, "detail")
    fault = mapping(detail[0]) if isinstance(detail, list) and detail else {}
    named = reply.headers.get("x-fal-error-type", "") or at(reply.body, "error_type")
    code, message = code_text(fault.get("type")) or code_text(named), first_words(fault.get("msg"), detail)
    if where := ".".join(map(str, loc)) if isinstance(loc := fault.get("loc"), list) else "":
        message = first_words(f"{where}: {message}")
    if not (code or message) or 200 <= reply.status < 300 and detail is None:
        return Complaint(code, first_words(at(reply.body, "error"))) if code else Complaint()
    refusal = STATUSES.get(reply.status)
    if reply.status == 403 and any(words in message.casefold() for words in ACCOUNT_WORDS):
        refusal = Refusal.ACCOUNT
    return Complaint(code or (f"http {reply.status}" if refusal else ""), message, refusal)


def _time(value: object) -> float | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.timestamp() if moment and moment.tzinfo else None
