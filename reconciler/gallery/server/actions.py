"""The actions of the page. Each click is compared with the plan that the page showed.

This module never spends money. It passes a valid click to the watch, which compares it with the current plan again,
under the lock.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from reconciler.diagnostics import Refused, Source, UsageError
from reconciler.engine.operations import approve as approvals
from reconciler.engine.operations import edit_spec, undo
from reconciler.frozen import dataclass
from reconciler.gallery.document.cards import bill
from reconciler.gallery.document.model import Value
from reconciler.gallery.server import editor
from reconciler.gallery.server.hub import Hub
from reconciler.plan.model import Plan
from reconciler.plan.subset import Ident, subset
from reconciler.project.saved_plan import subset_fingerprint
from reconciler.project.workspace import Workspace
from reconciler.views import approved, format

Body = Mapping[str, object]


class WatchLoop(Protocol):
    """The requests that a watch accepts from a page, in any thread."""

    def apply(self, clips: tuple[str, ...] | None, steps: frozenset[Ident], mark: str) -> bool:
        """Apply these clips if `mark` still fits the plan. False if a step of them is running or requested already."""

    def skip(self) -> None:
        """Skip the plan on the screen."""

    def stop(self) -> bool:
        """Interrupt the run; False if there is none."""


@dataclass(frozen=True, slots=True)
class PageActions:
    """The actions by name. Each takes the posted JSON object, and raises ClipformError if it refuses the click."""

    hub: Hub
    loop: WatchLoop
    workspace: Workspace
    edit_lock: asyncio.Lock  # one edit of the files at a time

    def actions(self) -> Mapping[str, Callable[[Body], Awaitable[Value]]]:
        """Return the actions that may be posted, by name."""
        actions = (
            self.apply,
            self.skip,
            self.stop,
            self.pick,
            self.retake,
            self.prompt,
            self.rewrite,
            self.use,
            self.approve,
            self.disapprove,
            self.open,
        )
        return {action.__name__: action for action in actions}

    async def apply(self, body: Body) -> Value:
        """Request an apply of the plan and the price that the page showed."""
        clips = _clips(body)
        plan = self.hub.plan
        if plan is None:
            raise Refused("the project has errors", help="fix them first", code="broken")
        mark, part = subset_fingerprint(plan, clips), plan if clips is None else subset(plan, clips)
        confirmed = self.hub.plans.get(_text(body, "revision").partition(".")[0])
        if confirmed is None or subset_fingerprint(confirmed, clips) != mark:
            raise Refused("the plan has changed", help="review it and confirm again", code="stale")
        if not part.has_changes():
            raise Refused("there is nothing to apply", code="nothing")
        _require_price(body.get("cost"), part)
        if not self.loop.apply(clips, frozenset(step.ident for step in part.changes()), mark):
            raise Refused("this is already running or waiting to run", help="wait for it, or stop it", code="busy")
        return {"message": f"Applying {'everything' if clips is None else ', '.join(clips)}."}

    async def skip(self, body: Body) -> Value:
        """Skip the plan, like the key `s`."""
        self.loop.skip()
        return {"message": "Skipped."}

    async def stop(self, body: Body) -> Value:
        """Stop the run, like one Ctrl-C; the watch continues."""
        return {"message": "Stopping." if self.loop.stop() else "Nothing is running."}

    async def pick(self, body: Body) -> Value:
        """Set the picked take of a clip in its YAML."""
        clip, take = _text(body, "clip"), _take(body)
        async with self.edit_lock:
            edit = await asyncio.to_thread(edit_spec.pick, self.workspace, clip, take)
        return {"message": f"{edit.file}: pick of {edit.clip} is now {edit.value}."}

    async def retake(self, body: Body) -> Value:
        """Increase the retake number of a clip in its YAML. This alone costs nothing."""
        clip = _text(body, "clip")
        async with self.edit_lock:
            edit = await asyncio.to_thread(edit_spec.retake, self.workspace, clip)
        return {"message": f"{edit.file}: retake of {edit.clip} is now {edit.value}."}

    async def prompt(self, body: Body) -> Value:
        """Return the prompt of a clip as its YAML has it, to edit it in the page."""
        return asdict(await asyncio.to_thread(edit_spec.prompt, self.workspace, _text(body, "clip")))

    async def rewrite(self, body: Body) -> Value:
        """Change the prompt of a clip in its YAML, from the text that the page was given."""
        arguments = (_text(body, "clip"), _text(body, "before"), _text(body, "text"))
        async with self.edit_lock:
            edit = await asyncio.to_thread(edit_spec.set_prompt, self.workspace, *arguments)
        return {"message": f"{edit.file}: the prompt of {edit.name} is changed."}

    async def use(self, body: Body) -> Value:
        """Write the fields of an earlier version of a take into the YAML, like `undo`."""
        ident, keys = (_text(body, "clip"), _take(body)), (_text(body, "key"), _text(body, "current"))
        async with self.edit_lock:
            done = await asyncio.to_thread(undo.use_version, self.workspace, ident, keys, draft=self.hub.context.draft)
        return {"message": format.undone(done.name, done.steps, done.file, done.fields, done.version.since)}

    async def approve(self, body: Body) -> Value:
        """Approve the key that the page showed of a take, after its draft that the page showed was looked at."""
        clip, take, seen = _text(body, "clip"), _take(body), (_text(body, "key"), _text(body, "seen"))
        async with self.edit_lock:
            lines = await asyncio.to_thread(approvals.approve, self.workspace, [clip], take, "", seen)
        return {"message": approved.added(clip, lines)}

    async def disapprove(self, body: Body) -> Value:
        """Take back the approvals of a clip."""
        clip = _text(body, "clip")
        async with self.edit_lock:
            lines = await asyncio.to_thread(approvals.disapprove, self.workspace, [clip])
        return {"message": approved.removed(clip, lines)}

    async def open(self, body: Body) -> Value:
        """Open the clip's YAML in the user's editor."""
        clip = self.hub.index.clips.get(_text(body, "clip")) if self.hub.index else None
        if clip is None or clip.where is None:
            raise UsageError("no file declares this clip")
        return await asyncio.to_thread(self._open, clip.where)

    def _open(self, source: Source) -> Value:
        root = Path(os.path.realpath(self.workspace.root))
        path, location = Path(os.path.realpath(root / source.file)), f"{source.file}:{source.line}"
        if not path.is_relative_to(root):
            raise UsageError("its file is outside the project")
        arguments = editor.command(path, source.line, self.workspace.env)
        if arguments is None:
            return {"message": location, "place": location, "url": editor.address(path, source.line)}
        editor.start(arguments)
        return {"message": f"Opened {location}.", "place": location}


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise UsageError(f"{name} must be text")
    return value


def _take(body: Body) -> int:
    take = body.get("take")
    if not isinstance(take, int) or isinstance(take, bool) or take < 1:
        raise UsageError("take must be a number from 1")
    return take


def _clips(body: Body) -> tuple[str, ...] | None:
    clips = body.get("clips", [])
    if clips is None:
        return None
    if not isinstance(clips, list) or not clips or not all(isinstance(clip, str) for clip in clips):
        raise UsageError("clips must be a list of names, or null for all")
    return tuple(dict.fromkeys(clips))


def _require_price(confirmed: object, part: Plan) -> None:
    """Raise Refused unless the confirmed price is that of the plan. A click without a price confirms the amount 0."""
    due = bill(part)
    price = {"amount": "0", "currency": due.currency} if confirmed is None else confirmed
    if not isinstance(price, Mapping) or (price.get("amount"), price.get("currency")) != (due.amount, due.currency):
        raise Refused("the price has changed", help="review it and confirm again", code="price")
