"""The loop: look, show what is new, act or wait. It holds the state only while it acts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial

from reconciler.diagnostics import ClipformError, Diagnostic, SpecError, UsageError
from reconciler.engine.connections.providers import Connect
from reconciler.engine.run.apply import ApplyOptions, Run
from reconciler.engine.run.session import Session, end_unwanted_drafts, look, open_session
from reconciler.engine.run.signals import signals
from reconciler.engine.run.warm_workers import WarmWorkers
from reconciler.plan.model import Plan
from reconciler.project.model import Choice, Loaded, Planned
from reconciler.project.saved_plan import fingerprint, subset_fingerprint
from reconciler.project.workspace import Workspace
from reconciler.records import from_micros
from reconciler.views import format
from reconciler.views.format import plain_decimal
from reconciler.watch.decide import (
    Allowance,
    Apply,
    Cause,
    Click,
    Rest,
    WatchMemory,
    buying,
    decide,
    edited,
    is_free,
    is_ours,
    trying,
)
from reconciler.watch.display import Page, Screen, Screens
from reconciler.watch.page_requests import Clicks
from reconciler.watch.wait import EventWaiter
from reconciler.watch.watched_paths import ways


@dataclass(frozen=True, slots=True)
class WatchContext:
    """What a watch is about and works with. `keyboard`: a terminal's descriptor, None where nobody can press a key.
    `page` is shown what the view is shown, and `clicks` are what comes from it."""

    workspace: Workspace
    choice: Choice
    terms: Allowance
    view: Screen
    connect: Connect
    keyboard: int | None = None
    page: Page | None = None
    clicks: Clicks = field(default_factory=Clicks)


class Watch:
    """One session."""

    def __init__(self, setting: WatchContext) -> None:
        self.on = setting
        self.view = setting.view if setting.page is None else Screens(setting.view, setting.page)
        self.memory = WatchMemory()
        self.outputs: set[str] = set()  # of every plan so far
        self.shown: tuple[str, tuple[Diagnostic, ...]] | None = None  # the last plan on the screen
        self.metered = ""
        self.complaint: tuple[object, ...] = ()  # what is wrong with the project now, as it was told
        self.runs: list[int] = []  # of this session, in the store
        self.unpriced = 0
        self.newer: Loaded | None = None  # what an edit during an apply made of the project
        self.shop = WarmWorkers()

    def run(self) -> int:
        """Until the user ends it; the exit code. Raises ClipformError when it cannot go on."""
        on = self.on
        cause: Cause | Click = Cause.EDIT
        on.workspace.remember()
        ours = partial(is_ours, outputs=self.outputs)
        with self.shop, EventWaiter(on.workspace.root, on.keyboard, ours, on.clicks) as ears:
            while cause not in (Cause.QUIT, Cause.STOP):
                cause = self._turn(ears, cause)
        return 130 if cause is Cause.STOP else 0

    def _turn(self, ears: EventWaiter, cause: Cause | Click) -> Cause | Click:
        """One look and what follows from it; why to look again."""
        planned = self._look(ears, cause)
        if planned is None:
            return self._wait(ears)
        plan, mark = planned.plan, fingerprint(planned.plan)
        if cause is Cause.EDIT:
            self.memory = edited(self.memory, plan)
        match self._decide(cause, plan, mark):
            case Apply() as what:
                if cause is Cause.EDIT:
                    self._show(ears, plan, mark)
                return self._act(ears, cause, what)
            case Rest() as rest:
                self._rest(ears, plan, mark, rest)
        return self._wait(ears)

    # --- looking ----------------------------------------------------------------------------

    def _decide(self, cause: Cause | Click, plan: Plan, mark: str) -> Apply | Rest:
        about = subset_fingerprint(plan, cause.clips) if isinstance(cause, Click) else mark
        return decide(cause, plan, about, self.on.terms, self.memory)

    def _look(self, ears: EventWaiter, cause: Cause | Click) -> Planned | None:
        """The plan as everything is now; None, and told, while the project cannot be read."""
        try:
            planned = self._planned(ears)
        except ClipformError as error:
            if isinstance(error, UsageError) and self.shown is None:
                raise  # a name that never meant a clip is a wrong command line
            self._complain(error, again=isinstance(cause, Click) or cause in (Cause.APPLY, Cause.SKIP))
            return None
        self._looked(planned)
        for step in planned.plan.steps:
            self.outputs |= {path for path in (step.output, step.previous_output) if path is not None}
        return planned

    def _planned(self, ears: EventWaiter) -> Planned:
        """Load and plan. Again, when the project names files that nobody listened to: they may have changed since."""
        workspace, choice = self.on.workspace, self.on.choice

        def news() -> bool:
            return ears.attend(ways(workspace.root, workspace.beyond()))

        try:
            planned = workspace.plan(choice, workspace.load(choice.draft))
        except ClipformError:
            if news():
                return self._planned(ears)
            raise
        return self._planned(ears) if news() else planned

    def _complain(self, error: ClipformError, *, again: bool) -> None:
        """What is wrong, once; the plan that was good stays what it was."""
        found = (error.message, *(error.diagnostics if isinstance(error, SpecError) else ()))
        if found != self.complaint or again:
            self.view.error(error)
        if self.on.page is not None:
            self.on.page.broken(error)
        self.complaint = found

    def _looked(self, planned: Planned) -> None:
        if self.on.page is not None:
            self.on.page.looked(planned)

    # --- showing ----------------------------------------------------------------------------

    def _show(self, ears: EventWaiter, plan: Plan, mark: str) -> bool:
        """Show a plan that is not the one on the screen; whether it was new."""
        mended, self.complaint = bool(self.complaint), ()
        new = (mark, plan.diagnostics)
        if new == self.shown:
            if mended:
                self.view.note("Mended: the plan is the one above.", {"event": "mended"})
            return False
        ears.forget_keys()
        self.view.plan(plan)
        self.shown = new
        return True

    def _rest(self, ears: EventWaiter, plan: Plan, mark: str, rest: Rest) -> None:
        """Show where we stand: the plan if it is new, a word to whoever pressed a key, and the meter."""
        if rest.message:
            self.view.note(rest.message, {"event": "key"})
        new = self._show(ears, plan, mark)
        self.memory = replace(self.memory, offered=mark if rest.offer else "")
        line = self._meter(plan, rest)
        if new or line != self.metered:
            self.view.note(line, self._figures(plan, rest))
            self.metered = line

    def _meter(self, plan: Plan, rest: Rest) -> str:
        """The session's cost, and what a key press would do."""
        cap = self.on.terms.cap
        of = "" if cap is None else f" of {format.money(cap, plan.currency) if cap else '0'}"
        line = f"Session: {format.total(self.memory.spent, self.unpriced, plan.currency)}{of}."
        if not plan.has_changes() or not rest.offer:
            return f"{line} Watching."
        line += f" Waiting: {self._waiting(plan)}."
        if self.on.keyboard is None:
            return f"{line} No terminal to confirm at: {'the page does it' if self.on.page else 'clipform apply'}."
        return f"{line} [a] apply  [s] skip  [q] quit"

    def _waiting(self, plan: Plan) -> str:
        making = plan.generating()
        if making:
            return f"{format.clips(len(making))}, {format.total(plan.total(), plan.unpriced(), plan.currency)}"
        asked = [step for step in plan.changes() if not is_free(step, Allowance())]
        return f"{len(asked or plan.changes())} to {(asked or plan.changes())[0].action.value}"

    def _figures(self, plan: Plan, rest: Rest) -> dict[str, object]:
        """The meter for programs; amounts as text, as everywhere."""
        cap = self.on.terms.cap
        return {
            "event": "meter",
            "spent": {"amount": plain_decimal(self.memory.spent), "unpriced": self.unpriced},
            "waiting": {"amount": plain_decimal(plan.total()), "unpriced": plan.unpriced()},
            "cap": None if cap is None else plain_decimal(cap),
            "currency": plan.currency or None,
            "offer": rest.offer and plan.has_changes(),
        }

    # --- acting -----------------------------------------------------------------------------

    def _act(self, ears: EventWaiter, cause: Cause | Click, what: Apply) -> Cause | Click:
        """Carry a part of the plan out, under the lock and as it is decided there."""
        try:
            with open_session(self.on.workspace, "watch", self.on.choice.draft) as session:
                session = replace(session, shop=self.shop)
                planned = look(session, self.on.choice)
                mark = fingerprint(planned.plan)
                self._looked(planned)
                again = self._decide(cause, planned.plan, mark)
                self.memory = trying(self.memory, again.plan if isinstance(again, Apply) else what.plan)
                if isinstance(again, Apply):
                    self._show(ears, planned.plan, mark)
                    self._carry_out(session, ears, planned, again)
        except ClipformError as error:
            self.memory = trying(self.memory, what.plan)
            self.view.error(error)
        return ears.after()

    def _wait(self, ears: EventWaiter) -> Cause | Click:
        """The next thing that happens; meanwhile what a draft needs is awake."""
        if (self.on.choice.draft or self.runs) and not ears.stopped:
            self.shop.rest()
        return ears.wait()

    def _carry_out(self, session: Session, ears: EventWaiter, planned: Planned, what: Apply) -> None:
        on, store = self.on, session.store
        self.runs.append(store.start_run("watch"))
        self.newer = None
        options = ApplyOptions(on.choice, max_cost=self._left(), run=self.runs[-1])
        hold = partial(self._hold, ears, planned.loaded, what)
        run = Run(session, replace(planned, plan=what.plan), options, self.view, on.connect, hold)
        try:
            run.require_allowed()
            summary = run.execute()
        finally:
            self.view.close()
            sums = (spent.micros for run in self.runs for spent in store.spent(run).values())
            self.memory = buying(replace(self.memory, spent=from_micros(sum(sums))), what.plan)
        self.unpriced += summary.unpriced
        if on.clicks.stopped:  # nothing begins again by itself
            self.memory = trying(self.memory, planned.plan)
        newer: Loaded | None = self.newer  # set by an edit meanwhile
        if newer is None or ears.stopped:
            self.view.summary(summary)
        else:
            end_unwanted_drafts(store, newer)
            self.view.note("An edit came in: it goes first.", {"event": "overtaken"})

    def _left(self) -> Decimal | None:
        """What the session may still spend."""
        cap = self.on.terms.cap
        return None if cap is None else max(Decimal(0), cap - self.memory.spent)

    @contextmanager
    def _hold(self, ears: EventWaiter, loaded: Loaded, what: Apply, interrupt: Callable[[], None]) -> Iterator[None]:
        """Signals and pages end a run, and so does an edit that changes what is wanted, where nothing was paid for."""
        loop = asyncio.get_running_loop()

        def stop() -> None:
            ears.stopped = True
            interrupt()

        def heard() -> None:
            if self._outdated(loaded):
                interrupt()

        def leave() -> None:
            ears.restore()
            self.view.close()

        def tell() -> None:
            if not what.patient:
                loop.call_soon_threadsafe(heard)
            elif self.on.page is not None:
                self.on.page.edited()

        def clicked() -> None:
            loop.call_soon_threadsafe(interrupt)

        steps = [step.ident for step in what.plan.changes()]
        with signals(stop, leave), ears.telling(tell), self.on.clicks.running(steps, clicked):
            yield

    def _outdated(self, loaded: Loaded) -> bool:
        """Whether an edit changed a key: a comment, or a spec that cannot be read, is no reason to start anew."""
        try:
            newer = self.on.workspace.load(self.on.choice.draft)
        except ClipformError:
            return False
        if {order.wanted.key for order in newer.orders} == {order.wanted.key for order in loaded.orders}:
            return False
        self.newer = newer
        return True
