"""Checks with the first task of a run that was sent frames that its provider has not ignored them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reconciler.engine.attempt.context import AttemptContext
from reconciler.events import EventKind
from reconciler.providers.base import Succeeded, Working
from reconciler.providers.capabilities import ShowsFrames
from reconciler.records import State


@asynccontextmanager
async def checked(context: AttemptContext) -> AsyncIterator[None]:
    """Submit a clip with frames in this block. It holds back the other such submits to its provider until the first
    task has shown its frames: if the vendor ignores them, each further clip would be paid in vain."""
    dialect, alias, control = context.provider.dialect, context.provider.alias, context.control
    framed = context.order is not None and context.order.clip.spec.first_frame is not None
    if not framed or alias in control.framed or not isinstance(dialect, ShowsFrames) or not dialect.shows_frames:
        yield
        return
    if control.framing[alias].locked():
        context.say_waiting(f"waits until {control.framer[alias]} shows its frames")
    async with control.framing[alias]:
        control.framer[alias] = context.step.name
        yield
        attempt = context.newest()
        if alias in control.framed or attempt is None or attempt.state is not State.ACCEPTED or attempt.task is None:
            return
        answer = await context.provider.transport.poll(attempt.task, context.job)
        if isinstance(answer, Working | Succeeded):
            control.framed.add(alias)
            if answer.without_frames:
                _stop(context)


def _stop(context: AttemptContext) -> None:
    alias = context.provider.alias
    text = f"the task of {context.step.name} shows none of the frames that were sent to {alias}"
    context.say(EventKind.NOTE, message=f"{text}; see the settings frame_style and shows_frames")
    context.control.stopped.setdefault(alias, f"{text}; nothing more is submitted to it in this run")
