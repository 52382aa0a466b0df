"""Translate kind `draft`: a free animatic rendered on this machine instead of a paid clip.

`media.draft_renderer` takes the same requests as any vendor, so that the engine has no special case. The one
difference: the renderer keeps no tasks, so a poll carries the whole scene again, and a render that was lost with its
process is rendered again. Nothing is billed: rendering twice costs a few seconds.

Body of both requests, all fields always present:

    key, marker, label, take    identity (the task id is made from marker, else key); label and take are drawn
    mode, prompt, seed          mode is `Mode`'s word
    lead                        characters of the prompt that other clips begin with too: the caption puts them last
    duration                    whole seconds
    resolution, ratio           words of the catalogue; `adaptive` is the ratio of the first picture
    camera_fixed, audio, return_last_frame      booleans
    first_frame, last_frame     null or {scheme, value, sha256}
    images, videos, audios      lists of {scheme, value, sha256}

Replies: submit gives 200 {"id"}; poll gives 200 {"id", "status": queued | running | succeeded | failed, "progress",
"video", "last_frame", "error", "code"}. An error status carries {"error"}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from reconciler.providers import base
from reconciler.providers.base import Job, MediaRef, Model, Pace, Refusal, Reply, Request
from reconciler.providers.catalogue import shipped
from reconciler.providers.replies import mapping


class Draft:
    """The translation of kind `draft`."""

    kind: ClassVar[str] = "draft"
    base_url: ClassVar[str] = "draft:"
    # The renderer waits a moment for a render before it replies, so polls may follow one another closely.
    pace: ClassVar[Pace] = Pace(
        first_poll=0.0, poll_min=0.05, poll_max=0.05, requests_per_second=1000.0, concurrency=8, timeout=3600.0
    )
    default_model: ClassVar[str] = "animatic"

    @property
    def models(self) -> Sequence[Model]:
        """The one model, `animatic`."""
        return shipped("draft/models.yaml")

    def submit(self, job: Job) -> Request:
        """Send the scene; the renderer replies with its id at once."""
        return Request("POST", "/render", body=_scene(job))

    def read_submit(self, reply: Reply) -> base.SubmitAnswer:
        """Read 200 with an id as accepted; 400 names the fault of the scene."""
        body = mapping(reply.body)
        task = body.get("id")
        match reply.status:
            case 200 if isinstance(task, str) and task:
                return base.Accepted(task)
            case 400:
                return base.Rejected(Refusal.INPUT, "bad-scene", _text(body, "error"))
            case 429 | 503:
                return base.Rejected(Refusal.BUSY, "busy", _text(body, "error"), _retry_after(reply))
        return base.Unknown(f"the draft renderer answered {reply.status}")

    def poll(self, task: str, job: Job | None) -> Request:
        """Ask for the render, and send the scene: the renderer starts a render that it does not have."""
        return Request("GET", f"/render/{task}", body=None if job is None else _scene(job))

    def read_poll(self, task: str, reply: Reply) -> base.PollAnswer:
        """Read the task's status from a reply with status 200 about this task; any other reply is trouble."""
        body = mapping(reply.body)
        if reply.status == 404:
            return base.NotFound(_text(body, "error"))
        if reply.status != 200:
            return base.PollTrouble(f"the draft renderer answered {reply.status}", _retry_after(reply))
        if body.get("id") != task:
            return base.PollTrouble("the reply is about another render")
        return _answer(body)


def _answer(body: Mapping[str, object]) -> base.PollAnswer:
    """Return the answer of a valid reply about this render."""
    progress = body.get("progress")
    percent = progress if isinstance(progress, int) and 0 <= progress <= 100 else None
    match body.get("status"):
        case "queued":
            return base.Working(queued=True, progress=percent)
        case "running":
            return base.Working(progress=percent)
        case "succeeded":
            video, last = body.get("video"), body.get("last_frame")
            if not isinstance(video, str) or not video:
                return base.NoOutput("the render has no file")
            return base.Succeeded(video, last if isinstance(last, str) and last else None)
        case "failed":
            code = _text(body, "code") or "internal"
            refusal = Refusal.INPUT if code == "input" else Refusal.INTERNAL
            return base.Failed(refusal, code, _text(body, "error"))
        case status:
            return base.Working(progress=percent, warning=f"unknown status {status!r}")


def _scene(job: Job) -> dict[str, object]:
    """Return the body of a render request, with the kind's defaults filled in."""
    [animatic] = shipped("draft/models.yaml")
    defaults = {**animatic.defaults, **job.model.defaults}
    return {
        "key": job.key,
        "marker": job.marker,
        "label": job.label,
        "take": job.take,
        "retake": job.retake,
        "mode": job.mode.value,
        "prompt": job.prompt,
        "lead": job.lead,
        "seed": job.seed,
        "duration": job.duration if job.duration is not None else defaults["duration"],
        "resolution": job.resolution or defaults["resolution"],
        "ratio": job.ratio or defaults["ratio"],
        "family": job.model.pixels or animatic.pixels,
        "camera_fixed": bool(job.camera_fixed),
        "audio": bool(job.audio),
        "return_last_frame": bool(job.return_last_frame),
        "first_frame": _ref(job.first_frame),
        "last_frame": _ref(job.last_frame),
        "images": [_ref(ref) for ref in job.images],
        "videos": [_ref(ref) for ref in job.videos],
        "audios": [_ref(ref) for ref in job.audios],
    }


def _ref(ref: MediaRef | None) -> dict[str, str] | None:
    return None if ref is None else {"scheme": ref.scheme, "value": ref.value, "sha256": ref.sha256}


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _retry_after(reply: Reply) -> float | None:
    wait = reply.headers.get("retry-after", "")
    return float(wait) if wait.isascii() and wait.isdigit() else None
