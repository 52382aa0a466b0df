"""What is clicked, held against what was on the page when it was clicked.

Nothing is paid for here. A click that stands goes to the watch, which holds it against the plan of that moment once
more, under the lock.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reconciler.diagnostics import ClipformError, Refused, Source, UsageError
from reconciler.engine.operations import edit_spec
from reconciler.gallery.document.cards import bill
from reconciler.gallery.document.media import Value
from reconciler.gallery.server import editor
from reconciler.gallery.server.hub import Hub
from reconciler.plan.model import Plan
from reconciler.plan.subset import subset
from reconciler.project.saved_plan import subset_fingerprint
from reconciler.project.workspace import Workspace

Ident = tuple[str, int]
Body = Mapping[str, object]


class Loop(Protocol):
    """The watch, as a page meets it; from any thread."""

    def apply(self, clips: tuple[str, ...] | None, steps: frozenset[Ident], mark: str) -> bool:
        """Carry this out if it is still what `mark` names; False for what is under way or asked for already."""

    def skip(self) -> None:
        """Do nothing about the plan on the screen."""

    def stop(self) -> bool:
        """Interrupt what goes on; False when nothing does."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Answers clicks. Raises ClipformError for those that are refused."""

    hub: Hub
    loop: Loop
    workspace: Workspace
    turn: asyncio.Lock  # one edit of the files at a time

    def actions(self) -> Mapping[str, Callable[[Body], Awaitable[Value]]]:
        """What may be posted, by name."""
        return {
            "apply": self.apply,
            "skip": self.skip,
            "stop": self.stop,
            "pick": self.pick,
            "retake": self.retake,
            "open": self.open,
        }

    async def apply(self, body: Body) -> Value:
        """Ask for what the page showed, at the price that it showed."""
        clips = _clips(body)
        plan = self.hub.plan
        if plan is None:
            raise Refused("the project has errors", help="mend them first", code="broken")
        mark, about = subset_fingerprint(plan, clips), plan if clips is None else subset(plan, clips)
        seen = self.hub.plans.get(_text(body, "revision").partition(".")[0])
        if seen is None or subset_fingerprint(seen, clips) != mark:
            raise Refused("the plan is another one by now", help="look at it, and confirm again", code="stale")
        if not about.has_changes():
            raise Refused("there is nothing to apply", code="nothing")
        _same_price(body.get("cost"), about)
        if not self.loop.apply(clips, frozenset(step.ident for step in about.changes()), mark):
            raise Refused("this is being made already", help="wait for it, or stop it", code="busy")
        return {"message": f"Applying {'everything' if clips is None else ', '.join(clips)}."}

    async def skip(self, body: Body) -> Value:
        """As the key."""
        self.loop.skip()
        return {"message": "Skipped."}

    async def stop(self, body: Body) -> Value:
        """As one Ctrl-C, but the watch goes on."""
        return {"message": "Stopping." if self.loop.stop() else "Nothing is running."}

    async def pick(self, body: Body) -> Value:
        """Choose a take: a number in the YAML."""
        take = body.get("take")
        if not isinstance(take, int) or isinstance(take, bool) or take < 1:
            raise UsageError("take must be a number from 1")
        clip = _text(body, "clip")
        async with self.turn:
            edit = await asyncio.to_thread(edit_spec.pick, self.workspace, clip, take)
        return {"message": f"{edit.file}: pick of {edit.clip} is now {edit.value}."}

    async def retake(self, body: Body) -> Value:
        """Ask for another variation: a number in the YAML. Pays nothing by itself."""
        clip = _text(body, "clip")
        async with self.turn:
            edit = await asyncio.to_thread(edit_spec.retake, self.workspace, clip)
        return {"message": f"{edit.file}: retake of {edit.clip} is now {edit.value}."}

    async def open(self, body: Body) -> Value:
        """Show the clip's YAML in the user's editor."""
        clip = self.hub.known.clips.get(_text(body, "clip")) if self.hub.known else None
        if clip is None or clip.where is None:
            raise UsageError("no file declares this clip")
        return await asyncio.to_thread(self._open, clip.where)

    def _open(self, where: Source) -> Value:
        root = Path(os.path.realpath(self.workspace.root))
        path, place = Path(os.path.realpath(root / where.file)), f"{where.file}:{where.line}"
        if not path.is_relative_to(root):
            raise UsageError("its file is outside the project")
        arguments = editor.command(path, where.line, self.workspace.env)
        if arguments is None:
            return {"message": place, "place": place, "url": editor.address(path, where.line)}
        editor.start(arguments)
        return {"message": f"Opened {place}.", "place": place}


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a text")
    return value


def _clips(body: Body) -> tuple[str, ...] | None:
    clips = body.get("clips", [])
    if clips is None:
        return None
    if not isinstance(clips, list) or not clips or not all(isinstance(clip, str) for clip in clips):
        raise UsageError("clips must be a list of names, or null for all")
    return tuple(dict.fromkeys(clips))


def _same_price(told: object, about: Plan) -> None:
    """What was confirmed is what it costs. No price is one only where there is nothing to pay that is known."""
    due = bill(about.steps, about.currency)
    given = {"amount": "0", "currency": due["currency"]} if told is None else told
    if not isinstance(given, Mapping) or any(given.get(name) != due[name] for name in ("amount", "currency")):
        raise Refused("the price is another one by now", help="look at it, and confirm again", code="price")


def status_of(error: ClipformError) -> int:
    """The HTTP status of a refusal."""
    return 400 if isinstance(error, UsageError) else 409
