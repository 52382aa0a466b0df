"""The state that pages show, and the event streams to them. Used in the server's event loop only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from reconciler.diagnostics import ClipformError, Diagnostic, SpecError
from reconciler.events import Event, EventKind, Summary
from reconciler.frozen import dataclass
from reconciler.gallery.document import cards as builder
from reconciler.gallery.document import detail, media
from reconciler.gallery.document.index import PlanIndex
from reconciler.gallery.document.model import Card, Detail, Head, Running, SessionTotal, Value, encoded, members
from reconciler.gallery.server.sse import Stream, wire_event
from reconciler.plan.model import Plan
from reconciler.project.model import Planned
from reconciler.project.review import Review
from reconciler.state.history import LogEntry
from reconciler.views import encode

_IN_PROGRESS: Final = frozenset({EventKind.WAITING, EventKind.SUBMITTED, EventKind.RUNNING, EventKind.FETCHED})
_FINAL: Final = frozenset({EventKind.SUCCEEDED, EventKind.FAILED, EventKind.SKIPPED, EventKind.BLOCKED, EventKind.LEFT})
_NO_CARDS: Final = builder.Patch([], [], None)
_WINDOW: Final = 200
"""The number of cards in one event, at most. A page with more clips has an index of them, and asks for the other cards
as it shows them: ten thousand cards would be 12 MB in the browser."""
_MAX_PLANS: Final = 32
"""The newest plans that a click may refer to."""

Ident = tuple[str, int]


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The number of steps in the current run, and of those that ended."""

    total: int
    done: int


class Hub:
    """The newest plan with the progress of the current run, and the streams of all pages. `now` returns UTC seconds."""

    def __init__(self, context: builder.DocumentContext, now: Callable[[], float]) -> None:
        self.context, self.now = context, now
        self.index: PlanIndex | None = None
        self.media = media.MediaIndex({}, {}, {})
        self.problems: tuple[Diagnostic, ...] = ()
        self.session: SessionTotal | None = None
        self.plans: dict[str, Plan] = {}  # by mark, the newest last
        self.refreshes = 0
        self.changed = asyncio.Event()  # a step of the run ended, or a file was saved during it: plan again
        self.unread = False  # a file was saved
        self._list = builder.CardList()
        self._running: dict[Ident, Running] = {}
        self._run: RunProgress | None = None
        self._sent_run: RunProgress | None = None  # the last one that was sent to the pages
        self._ended: set[str] = set()  # clips with a step that ended since the last update of the pages
        self._streams: set[Stream] = set()
        self._head = self._new_head()

    # --- updates ------------------------------------------------------------------------------

    def refreshed(self, planned: Planned, review: Review, *, fixed: bool = True) -> None:
        """Show a new plan. `fixed`: it was read without errors, so earlier problems are gone."""
        self.refreshes += 1
        self.index = PlanIndex(planned, review)
        self.problems = () if fixed else self.problems
        self.media = media.media_index(planned, review.drafts.values())
        former, self._list = self._list, builder.card_list(self.index)
        self.plans.pop(self._list.mark, None)
        self.plans[self._list.mark] = planned.plan
        if len(self.plans) > _MAX_PLANS:
            del self.plans[next(iter(self.plans))]
        self._publish(builder.patch(former.cards, self._list.cards))

    def edited(self) -> None:
        """Note that a file was saved and not yet read."""
        self.unread = True
        self.changed.set()

    def broken(self, error: ClipformError) -> None:
        """Show the errors of a project that cannot be read; the cards stay as they are."""
        self.refreshes += 1
        single = (Diagnostic(error.code, error.message, help=error.help),)
        self.problems = error.diagnostics if isinstance(error, SpecError) else single
        self._publish()

    def meter(self, figures: Mapping[str, object]) -> None:
        """Show the session's running total, as the watch reports it."""
        match figures:
            case {
                "spent": {"amount": str(amount), "unpriced": int(unpriced)},
                "currency": str() | None as currency,
                "cap": str() | None as cap,
                "offer": bool(offer),
            }:
                self.session = SessionTotal(amount, unpriced, currency, cap, offer)
                self._publish()

    def event(self, event: Event) -> None:
        """Show an event of a run."""
        ident = (event.clip, event.take)
        match event.kind:
            case EventKind.STARTED:
                self._run = RunProgress(event.total or 0, 0)
                self._publish()
            case EventKind.WAITING if event.needs:
                pass  # its card shows what apply will do, until it begins
            case EventKind.NOTE:
                self.message("note", event.message, event.help)
            case EventKind.ENDED:
                self._end_run()
            case kind if kind in _IN_PROGRESS:
                self._running[ident] = _updated(self._running.get(ident, Running()), event)
                progress = {"id": event.clip, "take": event.take, "running": self._running[ident]}
                self._send("progress", encoded(progress))
            case kind if kind in _FINAL:
                self._running.pop(ident, None)
                self._ended.add(event.clip)
                if self._run is not None:
                    self._run = replace(self._run, done=self._run.done + 1)
                self.changed.set()

    def ended(self, summary: Summary) -> None:
        """Show the summary of a run."""
        self._end_run()
        counts = {kind.value: len(summary.having(kind)) for kind in sorted(_FINAL) if summary.having(kind)}
        outcome = ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing was done"
        text = f"Interrupted: {outcome}." if summary.interrupted else f"Done: {outcome}."
        self.message("done", text, summary=encode.summary(summary))

    def message(self, kind: str, text: str, help: str = "", *, summary: Value | None = None) -> None:
        """Show a message on every page."""
        self._send("message", encoded({"kind": kind, "text": text, "help": help, "summary": summary}))

    def _end_run(self) -> None:
        self._ended |= {clip for clip, _ in self._running}
        self._running.clear()
        self._run = None
        self._publish()

    # --- queries ------------------------------------------------------------------------------

    def document(self) -> bytes:
        """Return the JSON of the Document with all progress."""
        return self._with_cards(self._live_head())

    def _with_cards(self, values: Value) -> bytes:
        """Return the JSON of an object with these members and all cards, whose own is there already if nothing runs."""
        if progress := self._by_clip():
            return encoded(values | {"cards": [builder.with_running(card, progress) for card in self._list.cards]})
        return encoded(values)[:-1] + b',"cards":' + self._list.json + b"}"

    def cards(self, names: Collection[str]) -> Value:
        """Return the cards of these clips, without those that are gone."""
        wanted, progress = frozenset(names), self._by_clip()
        return {"cards": [builder.with_running(card, progress) for card in self._list.cards if card.id in wanted]}

    def search(self, text: str) -> Value:
        """Return the names of the clips that contain a text."""
        return {"ids": builder.containing(text, self._list.cards)}

    def detail(self, name: str, events: Sequence[LogEntry]) -> Detail | None:
        """Return the Detail of a clip; None if no clip has that name."""
        return None if self.index is None else detail.detail(name, self.index, events, self._by_clip())

    @property
    def plan(self) -> Plan | None:
        """The plan on the page; None before the first one, and while the project has errors."""
        return self.index.planned.plan if self.index and not self.problems else None

    @contextmanager
    def listening(self) -> Iterator[Stream]:
        """Open a stream; its first event is the whole Document, with an index if it has many clips."""
        stream = Stream()
        stream.put(wire_event("document", self._whole()))
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    def _whole(self) -> bytes:
        update: Value = {"revision": self._head.revision, "head": self._live_head(), "removed": []}
        if len(self._list.cards) <= _WINDOW:
            return self._with_cards(update | {"order": [card.id for card in self._list.cards]})
        progress = self._by_clip()
        cards = [builder.with_running(card, progress) for card in self._list.cards]
        return encoded(update | {"order": None, "index": builder.clip_index(cards), "cards": cards[:_WINDOW]})

    def close(self) -> None:
        """End all streams."""
        for stream in self._streams:
            stream.close()

    # --- streams ------------------------------------------------------------------------------

    def _publish(self, patch: builder.Patch = _NO_CARDS) -> None:
        """Replace the head, and send what differs from the last update; `patch`: the cards that differ."""
        head = self._new_head()
        touched = {card.id for card in patch.cards} | self._ended
        progress = self._by_clip()
        changed = [builder.with_running(card, progress) for card in self._list.cards if card.id in touched]
        same = (replace(head, generated=self._head.generated), self._run) == (self._head, self._sent_run)
        self._head, self._sent_run, self._ended = head, self._run, set()
        if self._streams and (changed or not same or patch.removed or patch.order is not None):
            self._send("document", self._whole() if len(changed) > _WINDOW else self._update(changed, patch))

    def _update(self, changed: Sequence[Card], patch: builder.Patch) -> bytes:
        update = {"cards": changed, "removed": patch.removed, "order": patch.order}
        return encoded({"revision": self._head.revision, "head": self._live_head(), **update})

    def _new_head(self) -> Head:
        plan = self.index.planned.plan if self.index else Plan(())
        context = replace(self.context, now=self.now(), session=self.session, problems=self.problems)
        return builder.head(plan, context, self._list)

    def _live_head(self) -> Value:
        return members(self._head) | {"run": self._sent_run}

    def _send(self, name: str, json: bytes) -> None:
        data = wire_event(name, json)
        for stream in self._streams:
            stream.put(data)

    def _by_clip(self) -> dict[str, Running]:
        """Return the progress of each clip: that of its first take in progress."""
        progress: dict[str, Running] = {}
        for (clip, _), running in self._running.items():
            progress.setdefault(clip, running)
        return progress


def _updated(running: Running, event: Event) -> Running:
    """Return the progress after an event, which states only what is new."""
    return Running(
        progress=running.progress if event.progress is None else event.progress,
        elapsed=running.elapsed if event.elapsed is None else round(event.elapsed, 1),
        expected=running.expected if event.expected is None else round(event.expected, 1),
        phase=event.message if event.kind is EventKind.WAITING else event.kind.value,
    )
