"""What the pages show, and the streams that tell them what is new. Lives in the server's loop and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from reconciler.diagnostics import ClipformError, Diagnostic, SpecError
from reconciler.events import Event, EventKind, Summary
from reconciler.gallery.document import cards as model
from reconciler.gallery.document import detail, media
from reconciler.gallery.document.index import Known
from reconciler.gallery.document.media import Value
from reconciler.gallery.server.sse import Stream, encoded
from reconciler.plan.model import Plan
from reconciler.project.model import Planned
from reconciler.state.history import LogEntry
from reconciler.views import encode

_UNDER_WAY: Final = frozenset({EventKind.WAITING, EventKind.SUBMITTED, EventKind.RUNNING, EventKind.FETCHED})
_OVER: Final = frozenset({EventKind.SUCCEEDED, EventKind.FAILED, EventKind.SKIPPED, EventKind.BLOCKED, EventKind.LEFT})
_REMEMBERED: Final = 32
"""Plans that a click may still be about."""

Ident = tuple[str, int]


@dataclass(frozen=True, slots=True)
class PageContext:
    """What the page is about. `now` gives UTC seconds."""

    project: str
    draft: bool
    now: Callable[[], float]


class Hub:
    """The newest look at the project, with what a run says, and everybody who wants to know."""

    def __init__(self, place: PageContext) -> None:
        self.place = place
        self.known: Known | None = None
        self.shelf = media.Shelf({}, {}, {})
        self.problems: tuple[Diagnostic, ...] = ()
        self.session: Value | None = None
        self.plans: dict[str, Plan] = {}  # by mark, the newest last
        self.looks = 0
        self.changed = asyncio.Event()  # a step of a run ended, or a file was saved meanwhile: there is more to see
        self.unread = False  # it was a file that was saved
        self._cards: list[Value] = []
        self._head: Value = {}
        self._running: dict[Ident, Value] = {}
        self._run: Value | None = None
        self._ended: set[str] = set()  # clips whose step ended since the pages were told
        self._streams: set[Stream] = set()
        self._refresh([])

    # --- told ---------------------------------------------------------------------------------

    def looked(self, planned: Planned, *, mended: bool = True) -> None:
        """Everything as it is now."""
        self.looks += 1
        self.known = Known(planned)
        self.problems = () if mended else self.problems
        self.shelf = media.shelf(planned)
        mark = model.plan_mark(planned.plan)
        self.plans.pop(mark, None)
        self.plans[mark] = planned.plan
        if len(self.plans) > _REMEMBERED:
            del self.plans[next(iter(self.plans))]
        self._refresh(model.cards(self.known))

    def edited(self) -> None:
        """A file was saved, and nobody has looked."""
        self.unread = True
        self.changed.set()

    def broken(self, error: ClipformError) -> None:
        """The project cannot be read: the cards stay what they were."""
        self.looks += 1
        alone = (Diagnostic(error.code, error.message, help=error.help),)
        self.problems = error.diagnostics if isinstance(error, SpecError) else alone
        self._refresh(self._cards)

    def meter(self, figures: Mapping[str, object]) -> None:
        """What the session has cost, and whether a plan waits."""
        spent = figures["spent"]
        assert isinstance(spent, Mapping)
        rest = {name: figures[name] for name in ("currency", "cap", "offer")}
        self.session = {"spent": spent["amount"], "unpriced": spent["unpriced"], **rest}
        self._refresh(self._cards)

    def event(self, event: Event) -> None:
        """Something happened in a run."""
        ident = (event.clip, event.take)
        match event.kind:
            case EventKind.STARTED:
                self._run = {"total": event.total or 0, "done": 0}
                self._refresh(self._cards)
            case EventKind.NOTE:
                self.said("note", event.message, event.help)
            case EventKind.ENDED:
                self._over()
            case kind if kind in _UNDER_WAY:
                self._running[ident] = _running(event, self._running.get(ident))
                self._tell("progress", {"id": event.clip, "take": event.take, "running": self._running[ident]})
            case kind if kind in _OVER:
                self._running.pop(ident, None)
                self._ended.add(event.clip)
                if self._run is not None:
                    self._run = {**self._run, "done": int(str(self._run["done"])) + 1}
                self.changed.set()

    def ended(self, summary: Summary) -> None:
        """A run is over."""
        self._over()
        counts = {kind.value: len(summary.having(kind)) for kind in sorted(_OVER) if summary.having(kind)}
        words = ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing was done"
        text = f"Interrupted: {words}." if summary.interrupted else f"Done: {words}."
        self.said("done", text, summary=encode.summary(summary))

    def said(self, kind: str, text: str, help: str = "", *, summary: Value | None = None) -> None:
        """A word for whoever looks."""
        self._tell("message", {"kind": kind, "text": text, "help": help, "summary": summary})

    def _over(self) -> None:
        self._ended |= {clip for clip, _ in self._running}
        self._running.clear()
        self._run = None
        self._refresh(self._cards)

    # --- asked --------------------------------------------------------------------------------

    def document(self) -> Value:
        """Everything."""
        running = self._by_clip()
        return self._head | {"cards": [model.with_running(card, running) for card in self._cards]}

    def detail(self, name: str, events: Sequence[LogEntry]) -> Value | None:
        """One clip whole; None when there is none of that name."""
        return None if self.known is None else detail.detail(name, self.known, events, self._by_clip())

    @property
    def plan(self) -> Plan | None:
        """The plan on the page; None while there is none, or the project is broken."""
        return self.known.planned.plan if self.known and not self.problems else None

    @contextmanager
    def listening(self) -> Iterator[Stream]:
        """A stream that begins with everything."""
        stream = Stream()
        whole = self.document()
        cards = whole.pop("cards")
        order = [card["id"] for card in self._cards]
        told = {"revision": whole["revision"], "head": whole, "cards": cards, "removed": [], "order": order}
        stream.put(encoded("document", told))
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    def close(self) -> None:
        """No more streams."""
        for stream in self._streams:
            stream.close()

    # --- telling ------------------------------------------------------------------------------

    def _refresh(self, cards: list[Value]) -> None:
        """Tell what is another since the last time."""
        place, plan = self.place, self.known.planned.plan if self.known else Plan(())
        setting = model.DocumentContext(place.project, True, place.draft, place.now(), self.session, self.problems)
        head = model.head(plan, setting, cards) | {"run": self._run}
        patch = model.patch(self._cards, cards)
        touched = {card["id"] for card in patch.cards} | self._ended
        running = self._by_clip()
        shown = [model.with_running(card, running) for card in cards if card["id"] in touched]
        same = {**self._head, "generated": ""} == {**head, "generated": ""}
        self._cards, self._head, self._ended = cards, head, set()
        if shown or not same or patch.removed or patch.order is not None:
            told = {"cards": shown, "removed": patch.removed, "order": patch.order}
            self._tell("document", {"revision": head["revision"], "head": head, **told})

    def _tell(self, name: str, value: object) -> None:
        if self._streams:
            data = encoded(name, value)
            for stream in self._streams:
                stream.put(data)

    def _by_clip(self) -> dict[str, Value]:
        """What a run says of each clip: of its first take that is under way."""
        found: dict[str, Value] = {}
        for (clip, _), running in self._running.items():
            found.setdefault(clip, running)
        return found


def _running(event: Event, before: Value | None) -> Value:
    """What is known of a step that is under way; an event says only what is new."""
    known = before or {"progress": None, "elapsed": 0.0, "expected": None}
    told = {"progress": event.progress, "elapsed": event.elapsed, "expected": event.expected}
    rounded = {name: round(v, 1) if isinstance(v, float) else v for name, v in told.items() if v is not None}
    return {**known, **rounded, "phase": event.kind.value}
