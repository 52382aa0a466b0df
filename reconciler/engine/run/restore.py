"""Restores what is stored, in batches: one commit takes longer than a copy, so each batch has two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import NamedTuple

from reconciler.diagnostics import ClipformError
from reconciler.engine.control import StepEnded
from reconciler.engine.run.scheduler import Ident
from reconciler.events import EventKind
from reconciler.plan.model import Reason, Step
from reconciler.state.store import Store

BATCH = 32
"""Takes that are recorded at once: so many may have to be placed again after a kill."""

Act = Callable[[Step], object]
End = tuple[EventKind, str, str]


class Acts(NamedTuple):
    """What is done with a step: know its artifact, put it at its output, record that. Each may raise."""

    know: Act
    put: Act
    record: Act


def restore(steps: Sequence[Step], absent: Mapping[Ident, StepEnded], store: Store, acts: Acts) -> dict[Ident, End]:
    """Restore one batch, and return how each step ended. `absent`: why steps have no artifact."""
    ends = {step.ident: end_of(absent[step.ident]) for step in steps if step.ident in absent}

    def each(act: Act) -> None:
        for step in steps:
            if step.ident not in ends:
                try:
                    act(step)
                except (StepEnded, ClipformError) as error:
                    ends[step.ident] = end_of(error)

    try:
        with nullcontext() if store.is_shared else store.transaction():  # others wait for a shared one: files are read
            each(acts.know)
        each(acts.put)
        with store.transaction():
            each(acts.record)
    except ClipformError as error:  # of a commit: nothing of the batch is recorded
        ends = {step.ident: end_of(error) for step in steps} | ends
    return {step.ident: (EventKind.SUCCEEDED, _copied(step), "") for step in steps} | ends


def end_of(error: StepEnded | ClipformError) -> End:
    """Return the end of a step that an error has stopped."""
    return error.kind if isinstance(error, StepEnded) else EventKind.FAILED, error.message, error.help


def _copied(step: Step) -> str:
    """Return where a step's video was copied from, if it was at another output."""
    stays = ", which clipform does not remove" if step.way_out else ""
    return f"copied to {step.output} from {step.previous_output}{stays}" if step.reason is Reason.COPIED else ""
