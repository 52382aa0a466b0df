"""Kind `lumen`: renders of the vendor Lumen, which this example makes up.

    POST /v2/renders          {engine, text, seconds, quality, shape, still}   -> {render: {ref, phase: waiting}}
    GET  /v2/renders/<ref>    {render: {ref, phase: waiting|drawing|ready|broken|stopped, done, movie, why}}
    errors                    {fault: {name, text}} with 400, 401, 402, 404 or 429

A dialect translates and does nothing else: it sends nothing, waits for nothing, and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from reconciler.frozen import dataclass
from reconciler.providers import base
from reconciler.providers.base import Job, Pace, Refusal, Reply
from reconciler.providers.error_codes import REFUSING, Complaint, judge, other_task, poll_trouble, rows, submitted
from reconciler.providers.http_dialect import HttpDialect, stated, value
from reconciler.providers.replies import at, code_text, link, mapping, quoted, task_id, words, working
from reconciler.providers.settings import Settings

# The page's table of faults: each says that nothing was rendered. Any other name proves nothing.
REFUSALS = (
    *rows(Refusal.INPUT, "bad_field", "no_such_engine"),
    *rows(Refusal.MODERATION, "not_allowed"),
    *rows(Refusal.CREDENTIALS, "unknown_key"),
    *rows(Refusal.ACCOUNT, "no_credit"),
    *rows(Refusal.BUSY, "slow_down"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LumenSettings(Settings):
    """What a project may override under `settings:`."""

    submit_path: str = "/v2/renders"
    poll_path: str = "/v2/renders/{task}"
    default_model: str = "lumen-1"
    auth_header: str = "X-Lumen-Key: {api_key}"


class Lumen(HttpDialect[LumenSettings]):
    """The translation of kind `lumen`."""

    kind: ClassVar[str] = "lumen"
    form = LumenSettings
    base_url: ClassVar[str] = "https://api.lumen.example"
    pace: ClassVar[Pace] = Pace(link_life=3600)
    catalogue: ClassVar[str] = "clipform_lumen:models.yaml"

    def body(self, job: Job) -> dict[str, object]:
        """Send the page's fields; `stated` sends a default that costs money as if the clip declared it."""
        return {
            "engine": job.model.name,
            "text": job.prompt,
            "seconds": stated(job, "duration"),
            "quality": stated(job, "resolution"),
            "shape": job.ratio,
            "still": value(job.first_frame),
        }

    def read_submit(self, reply: Reply) -> base.SubmitAnswer:
        """Read the reference; without one only a listed fault is a refusal, and all else is unclear."""
        raw = at(reply.body, "render.ref")
        return submitted(reply, task_id(raw), raw, _complaint(reply))

    def read_poll(self, task: str, reply: Reply) -> base.PollAnswer:
        """Read the phase of a render."""
        complaint, render = _complaint(reply), mapping(at(reply.body, "render"))
        if complaint.code == "no_such_render" and reply.status == 404:
            return base.NotFound(complaint.message)
        if reply.status != 200 or "phase" not in render:
            return poll_trouble(reply, complaint)
        return other_task(task, render.get("ref")) or self._answer(render)

    def _answer(self, render: Mapping[str, object]) -> base.PollAnswer:
        match self._word(render.get("phase")):
            case "ready":
                movie = link(render.get("movie"))
                sent = quoted(render.get("movie"))
                return base.NoOutput(f"ready without a usable link: {sent}") if movie is None else base.Succeeded(movie)
            case "broken":
                code = code_text(at(render, "why.name"))
                refusal = judge(REFUSALS, code) or Refusal.INTERNAL
                return base.Failed(refusal, code, words(at(render, "why.text")), self.settings.failures_free)
            case "stopped":
                return base.Cancelled()
            case phase:
                return working(phase, frozenset({"waiting"}), frozenset({"drawing"}), render.get("done"))


def _complaint(reply: Reply) -> Complaint:
    code, text = code_text(at(reply.body, "fault.name")), words(at(reply.body, "fault.text"))
    return Complaint(code, text, judge(REFUSALS, code) if reply.status in REFUSING else None)
