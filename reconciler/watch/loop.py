"""The watch loop: plan, show what is new, act or wait. It holds the state only while it acts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field, replace
from decimal import Decimal
from functools import partial

from reconciler import money
from reconciler.diagnostics import ClipformError, SpecError, StateError, UsageError
from reconciler.engine.connections.providers import Connect
from reconciler.engine.run.apply import ApplyOptions, Run
from reconciler.engine.run.session import Session, end_unwanted_drafts, look, open_session
from reconciler.engine.run.signals import signals
from reconciler.engine.run.warm_workers import WarmWorkers
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.plan.model import Plan
from reconciler.project.model import Choice, Loaded, Planned
from reconciler.project.saved_plan import fingerprint, subset_fingerprint
from reconciler.project.shared_state import user_and_machine
from reconciler.project.workspace import Workspace
from reconciler.state import disk
from reconciler.state.paths import DATABASE
from reconciler.views import format
from reconciler.views.base import Screen
from reconciler.views.format import plain_decimal
from reconciler.watch.decide import (
    Allowance,
    Apply,
    Cause,
    Click,
    Wait,
    WatchMemory,
    decide,
    is_free,
    record_bought,
    record_edit,
    record_tried,
)
from reconciler.watch.display import Page, Screens
from reconciler.watch.page_requests import PageRequests
from reconciler.watch.wait import EventWaiter
from reconciler.watch.watched_paths import is_own, names_to_watch


@dataclass(frozen=True, slots=True)
class WatchContext:
    """The project, options and outputs of a watch. `keyboard`: the descriptor of a terminal to read keys from, None
    without one. `page` receives the same calls as `view`; its clicks arrive in `requests`."""

    workspace: Workspace
    choice: Choice
    allowance: Allowance
    view: Screen
    connect: Connect
    keyboard: int | None = None
    page: Page | None = None
    requests: PageRequests = field(default_factory=PageRequests)


class Watch:
    """One session."""

    def __init__(self, context: WatchContext) -> None:
        self.context = context
        self.view = context.view if context.page is None else Screens(context.view, context.page)
        self.memory = WatchMemory()
        self.outputs: set[str] = set()  # of all plans so far
        self.on_screen: tuple[object, ...] | None = None  # the plan: fingerprint, diagnostics and demands
        self.meter = ""  # the last running total on the screen
        self.errors: tuple[object, ...] = ()  # the errors of the project on the screen
        self.runs: list[int] = []  # numbers of this session's runs in the store
        self.unpriced = 0
        self.newer: Loaded | None = None  # the project after an edit during an apply
        self.workers = WarmWorkers()
        self.state: tuple[tuple[int, ...], ...] = ((), ())  # device and inode of the folder and its database, once seen

    def run(self) -> int:
        """Run until the user ends it, and return the exit code. Raises ClipformError if it cannot continue."""
        context = self.context
        cause: Cause | Click = Cause.EDIT
        context.workspace.remember()
        ignored = partial(is_own, outputs=self.outputs)
        with self.workers, EventWaiter(context.workspace.root, context.keyboard, ignored, context.requests) as events:
            while cause not in (Cause.QUIT, Cause.STOP):
                cause = self._step(events, cause)
        return 130 if cause is Cause.STOP else 0

    def _step(self, events: EventWaiter, cause: Cause | Click) -> Cause | Click:
        """Plan once and act or wait; return the reason for planning again."""
        planned = self._refresh(events, cause)
        if planned is None:
            return self._wait(events)
        plan, mark = planned.plan, fingerprint(planned.plan)
        if cause is Cause.EDIT:
            self.memory = record_edit(self.memory, plan)
        match self._decide(cause, plan, mark):
            case Apply() as apply:
                if cause is Cause.EDIT:
                    self._show(events, plan, mark)
                return self._act(events, cause, apply)
            case Wait() as wait:
                self._show_waiting(events, plan, mark, wait)
        return self._wait(events)

    # --- planning ---------------------------------------------------------------------------

    def _decide(self, cause: Cause | Click, plan: Plan, mark: str) -> Apply | Wait:
        relevant = subset_fingerprint(plan, cause.clips) if isinstance(cause, Click) else mark
        return decide(cause, plan, relevant, self.context.allowance, self.memory)

    def _refresh(self, events: EventWaiter, cause: Cause | Click) -> Planned | None:
        """Return the current plan; None, after showing the errors, if the project cannot be read."""
        try:
            self._require_state()
            planned = self._planned(events)
        except ClipformError as error:
            if isinstance(error, UsageError) and self.on_screen is None:
                raise  # an unknown name on the command line
            self._show_errors(error, repeat=isinstance(cause, Click) or cause in (Cause.APPLY, Cause.SKIP))
            return None
        self._refresh_page(planned)
        for step in planned.plan.steps:
            self.outputs |= {path for path in (step.output, step.previous_output) if path is not None}
        return planned

    def _require_state(self) -> None:
        """Raise StateError if the state of this session is gone: it alone knew what runs at a provider."""
        if self.context.choice.draft:
            return
        folder = self.context.workspace.state_dir(draft=False)
        present = tuple(disk.stamp(path)[:2] for path in (folder, folder / DATABASE))
        if any(before not in ((), now) for before, now in zip(self.state, present, strict=True)):
            text = "the state folder is gone" if not present[0] else "another state is where this session's was"
            help = f"put it back; or end this, run {command('recover')}, and look at the provider for tasks in progress"
            raise StateError(text, help=help, code="state-gone")
        self.state = present

    def _planned(self, events: EventWaiter) -> Planned:
        """Load and plan. Repeat if the project names files that were not watched: they may have changed meanwhile."""
        workspace, choice = self.context.workspace, self.context.choice

        def newly_watched() -> bool:
            return events.watch_paths(names_to_watch(workspace.root, workspace.beyond()))

        try:
            planned = workspace.plan(choice, workspace.load(choice.draft))
        except ClipformError:
            if newly_watched():
                return self._planned(events)
            raise
        return self._planned(events) if newly_watched() else planned

    def _show_errors(self, error: ClipformError, *, repeat: bool) -> None:
        """Show the errors of the project, once unless `repeat`. The last good plan stays valid."""
        errors = (error.message, *(error.diagnostics if isinstance(error, SpecError) else ()))
        if errors != self.errors or repeat:
            self.view.error(error)
            self.context.view.note(f"Watching. {self._end}", {"event": "key"})
        self.meter = ""
        if self.context.page is not None:
            self.context.page.broken(error)
        self.errors = errors

    def _refresh_page(self, planned: Planned) -> None:
        if self.context.page is not None:
            self.context.page.refreshed(planned)

    # --- showing ----------------------------------------------------------------------------

    def _show(self, events: EventWaiter, plan: Plan, mark: str) -> bool:
        """Show a plan unless it is on the screen; true if it was shown."""
        fixed, self.errors = bool(self.errors), ()
        new = (mark, plan.diagnostics, plan.demands)
        if new == self.on_screen:
            if fixed:
                still = "The plan above still applies." if plan.has_changes() else "There is nothing to apply."
                self.view.note(f"Fixed. {still}", {"event": "mended"})
            return False
        events.forget_keys()
        self.view.plan(plan)
        self.on_screen = new
        return True

    def _show_waiting(self, events: EventWaiter, plan: Plan, mark: str, wait: Wait) -> None:
        """Show the answer to a key or a click, the plan if it is new, and the running total."""
        if wait.message:
            self.view.note(wait.message, {"event": "key"})
        new = self._show(events, plan, mark)
        self.memory = replace(self.memory, offered=mark if wait.offer else "")
        line = self._total_line(plan, wait)
        if new or line != self.meter:
            self.view.note(line, self._figures(plan, wait))
            self.meter = line

    def _total_line(self, plan: Plan, wait: Wait) -> str:
        """Return the session's cost, and what a key would do, as a line of text."""
        cap = self.context.allowance.cap
        of = "" if cap is None else f" of {money.text(cap, plan.currency) if cap else '0'}"
        line = f"Session: {format.total(self.memory.spent, self.unpriced, plan.currency)}{of}."
        if not plan.has_changes() or not wait.offer:
            return f"{line} Watching. {self._end}"
        line += f" Waiting: {self._waiting(plan)}."
        if self.context.keyboard is None:
            instead = "use the page" if self.context.page else f"run {command('apply')}"
            return f"{line} No terminal to confirm at: {instead}."
        return f"{line} [a] apply  [s] skip  [q] quit"

    @property
    def _end(self) -> str:
        return "Ctrl-C quits" if self.context.keyboard is None else "[q] quit"

    def _waiting(self, plan: Plan) -> str:
        generating = plan.generating()
        if generating:
            clips = {step.clip for step in generating}
            return f"{format.clips(len(clips), len(generating))}, {format.plan_total(plan)}"
        unconfirmed = [step for step in plan.changes() if not is_free(step, Allowance())] or plan.changes()
        return f"{len(unconfirmed)} to {unconfirmed[0].action.value}"

    def _figures(self, plan: Plan, wait: Wait) -> dict[str, object]:
        """Return the running total for programs; amounts are decimal text."""
        cap = self.context.allowance.cap
        return {
            "event": "meter",
            "spent": {"amount": plain_decimal(self.memory.spent), "unpriced": self.unpriced},
            "waiting": {"amount": plain_decimal(plan.total()), "unpriced": plan.unpriced()},
            "cap": None if cap is None else plain_decimal(cap),
            "currency": plan.currency or None,
            "offer": wait.offer and plan.has_changes(),
        }

    # --- acting -----------------------------------------------------------------------------

    def _act(self, events: EventWaiter, cause: Cause | Click, apply: Apply) -> Cause | Click:
        """Take the lock, plan and decide again, and apply the part of the plan that this decision allows."""
        try:
            self._require_state()
            with open_session(self.context.workspace, "watch", self.context.choice.draft) as session:
                self._require_state()
                session = replace(session, shop=self.workers)
                planned = look(session, self.context.choice)
                mark = fingerprint(planned.plan)
                self._refresh_page(planned)
                decision = self._decide(cause, planned.plan, mark)
                self.memory = record_tried(self.memory, (decision if isinstance(decision, Apply) else apply).plan)
                if isinstance(decision, Apply):
                    self._show(events, planned.plan, mark)
                    self._carry_out(session, events, planned, decision)
        except ClipformError as error:
            self.memory = record_tried(self.memory, apply.plan)
            self.view.error(error)
        self.meter = ""  # what the run printed is below it
        return events.after()

    def _wait(self, events: EventWaiter) -> Cause | Click:
        """Wait for the next event; meanwhile the workers for drafts stay warm."""
        if (self.context.choice.draft or self.runs) and not events.stopped:
            self.workers.rest()
        return events.wait()

    def _carry_out(self, session: Session, events: EventWaiter, planned: Planned, apply: Apply) -> None:
        context, store = self.context, session.store
        self.runs.append(store.start_run("watch", user_and_machine()))
        self.newer = None
        options = ApplyOptions(context.choice, max_cost=self._remaining_budget(), run=self.runs[-1])
        hold = partial(self._hold, events, planned.loaded, apply)
        run = Run(session, replace(planned, plan=apply.plan), options, self.view, context.connect, hold)
        try:
            run.require_allowed()
            summary = run.execute()
        finally:
            self.view.close()
            sums = (spent.micros for run in self.runs for spent in store.spent(run).values())
            self.memory = record_bought(replace(self.memory, spent=money.from_micros(sum(sums))), apply.plan)
        self.unpriced += summary.unpriced
        if context.requests.stopped:  # nothing restarts without a click
            self.memory = record_tried(self.memory, planned.plan)
        newer: Loaded | None = self.newer  # set by an edit during the run
        if newer is None or events.stopped:
            self.view.summary(summary)
        else:
            end_unwanted_drafts(store, newer)
            self.view.note("The spec changed; planning again first.", {"event": "overtaken"})

    def _remaining_budget(self) -> Decimal | None:
        cap = self.context.allowance.cap
        return None if cap is None else max(Decimal(0), cap - self.memory.spent)

    @contextmanager
    def _hold(self, events: EventWaiter, loaded: Loaded, apply: Apply, interrupt: Callable[[], None]) -> Iterator[None]:
        """Interrupt the run on a signal or a page's stop, and, if no step is paid, on an edit that changes a key."""
        loop = asyncio.get_running_loop()

        def stop() -> None:
            events.stopped = True
            interrupt()

        def stop_if_outdated() -> None:
            if self._outdated(loaded):
                interrupt()

        def restore_terminal() -> None:
            events.restore()
            self.view.close()

        def on_edit() -> None:
            if not apply.patient:
                loop.call_soon_threadsafe(stop_if_outdated)
            elif self.context.page is not None:
                self.context.page.edited()

        def on_stop_click() -> None:
            loop.call_soon_threadsafe(interrupt)

        steps = [step.ident for step in apply.plan.changes()]
        with (
            signals(stop, restore_terminal),
            events.reporting_edits(on_edit),
            self.context.requests.running(steps, on_stop_click),
        ):
            yield

    def _outdated(self, loaded: Loaded) -> bool:
        """True if an edit changed a key. A comment, or a spec that cannot be read, does not restart a run."""
        try:
            newer = self.context.workspace.load(self.context.choice.draft)
        except ClipformError:
            return False
        if {order.wanted.key for order in newer.orders} == {order.wanted.key for order in loaded.orders}:
            return False
        self.newer = newer
        return True
