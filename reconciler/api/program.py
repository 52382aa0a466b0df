"""One project, as a program uses it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from reconciler.api.offer import Offer
from reconciler.api.trust_memory import TrustMemory, untrusted
from reconciler.clock import Clock, SystemClock
from reconciler.diagnostics import Diagnostic, Refused, UsageError
from reconciler.events import Event, Summary
from reconciler.frozen import dataclass
from reconciler.money import parse
from reconciler.project import saved_plan
from reconciler.project.model import Choice
from reconciler.project.scan import find_root
from reconciler.project.workspace import Workspace
from reconciler.spec.project import ProjectOverlay, ProviderConfig

if TYPE_CHECKING:
    from reconciler.engine.ports import Transport
    from reconciler.engine.run.signals import Hold
    from reconciler.project.origins import Inspected
    from reconciler.project.spending import Spending
    from reconciler.providers.base import Dialect, Pace
    from reconciler.state.history import LogEntry
    from reconciler.views.base import StatusRow

OnEvent = Callable[[Event], object]
"""What is called with each event of a run, in the thread that runs it. What it raises is ignored."""


class Terms(TypedDict, total=False):
    """On what terms a plan is carried out."""

    max_cost: str | Decimal  # "5" or "5 USD": a plan that costs more is refused, and nothing is bought beyond it
    on_event: OnEvent
    timeout: float  # seconds; then tasks are left running at their providers, and a later apply collects them
    trust: bool  # agree to what the project asks for beyond the ordinary, as --trust does


def open(
    folder: str | Path = ".",
    *,
    environment: str = "",
    variables: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
) -> Program:
    """Return the project of a folder or of a folder above it. Reads nothing else yet.

    `environment` and `variables` are what `--env` and `--var` are to the commands; `env` has the variables that the
    project may name, by default those of the process. Raises ClipformError if there is no project.
    """
    overlay = ProjectOverlay(tuple((variables or {}).items()), environment)
    root = find_root(Path(os.path.realpath(folder)))
    return Program(root, SystemClock(), os.environ if env is None else env, overlay)


@dataclass(frozen=True, slots=True)
class Program:
    """A project. Each call reads its files and records again, so that it may be kept, and used from several threads.

    All methods raise ClipformError: SpecError with a diagnostic for each mistake and its line, StateLocked while
    another process holds the state, Refused for what would have to be allowed first.
    """

    root: Path
    clock: Clock
    env: Mapping[str, str]
    overlay: ProjectOverlay = ProjectOverlay()

    def validate(self) -> tuple[Diagnostic, ...]:
        """Check all files, and return the warnings. Raises SpecError with all errors."""
        return self._workspace().recall().warnings

    def plan(self, *clips: str, exclude: Sequence[str] = (), draft: bool = False, refresh: bool = False) -> Offer:
        """Return what `apply` would do, and why. `clips` are names, globs and selectors as on the command line, by
        default everything. Raises UsageError for one that matches nothing."""
        choice = Choice(clips, tuple(exclude), draft=draft, refresh=refresh, shows=True)
        return self._offer(self._workspace(), choice)

    def plan_into(self, folder: Path, *clips: str, exclude: Sequence[str] = ()) -> Offer:
        """As `plan`; one that would do anything is saved in `folder`, in a file that its digest names, which somebody
        may approve and apply."""
        from reconciler.engine.run.session import save_plan

        workspace, choice = self._workspace(), Choice(clips, tuple(exclude), shows=True)
        offer = self._offer(workspace, choice)
        if not offer.has_changes:
            return offer
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{offer.digest}.plan"
        planned = save_plan(workspace, choice, file, offer.saved)
        return Offer(saved_plan.read(file), planned.plan, file)

    def _offer(self, workspace: Workspace, choice: Choice) -> Offer:
        planned = workspace.plan(choice, workspace.recall(choice.draft))
        return Offer(saved_plan.of(secrets.token_hex(16), choice, planned), planned.plan)

    def save_plan(self, file: Path, *clips: str, exclude: Sequence[str] = ()) -> Offer:
        """As `plan`, into a file that somebody may approve and apply. Raises UsageError for any other file."""
        from reconciler.engine.run.session import save_plan

        planned = save_plan(self._workspace(), Choice(clips, tuple(exclude), shows=True), file)
        return Offer(saved_plan.read(file), planned.plan, file)

    def approved_plan(self, file: Path) -> Offer:
        """Return a saved plan that one of the allowed signers has approved. Raises Refused for any other, and for one
        that is stale."""
        from reconciler.project import approved_plan

        workspace = self._workspace()
        policy = approved_plan.policy_of(workspace.load().project, self.root, self.env)
        approved = approved_plan.approved_plan(file, policy.signers)
        planned = approved_plan.review(workspace, approved_plan.content(file), file.name)
        return Offer(approved.saved, planned.plan, file)

    def apply(self, offer: Offer, **terms: Unpack[Terms]) -> Summary:
        """Carry out a plan exactly, once. Raises Refused, with nothing sent, if anything changed since it was made, or
        its `Terms` forbid it.

        In the main thread Ctrl-C stops it as the command is stopped: open requests are waited for and recorded, and
        running tasks are left at their providers. A second one ends the process.
        """
        return self._apply(offer, None if _has_signals() else _nothing, terms)

    async def plan_async(
        self, *clips: str, exclude: Sequence[str] = (), draft: bool = False, refresh: bool = False
    ) -> Offer:
        """As `plan`, in a thread."""
        return await asyncio.to_thread(partial(self.plan, *clips, exclude=exclude, draft=draft, refresh=refresh))

    async def apply_async(self, offer: Offer, **terms: Unpack[Terms]) -> Summary:
        """As `apply`, in a thread; events arrive in the caller's loop. To cancel it stops it as Ctrl-C stops that, and
        ends when all is recorded."""
        stop, on_event = _Stop(), terms.pop("on_event", None)
        if on_event is not None:
            terms["on_event"] = _in_loop(on_event)
        running = asyncio.ensure_future(asyncio.to_thread(self._apply, offer, stop.hold, terms))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            stop.request()
            await asyncio.wait([running])
            raise

    def status(self, *clips: str, draft: bool = False) -> tuple[StatusRow, ...]:
        """Return the state, cost, age and output of each take."""
        from reconciler.views.status import status

        workspace = self._workspace()
        planned = workspace.plan(Choice(clips, draft=draft, look=True), workspace.recall(draft))
        return tuple(status(planned, self.clock.now()))

    def show(self, clip: str, *, draft: bool = False) -> dict[str, object]:
        """Return all that is known of one clip, as `show --json` prints it."""
        from reconciler.views.show import show

        workspace = self._workspace()
        planned = workspace.plan(Choice((clip,), draft=draft, look=True), workspace.load(draft))
        names = {step.clip for step in planned.plan.steps}
        if len(names) != 1:
            raise UsageError(f"'{clip}' matches {len(names)} clips", help="choose one of them")
        return show(names.pop(), planned, workspace.objects(draft).root.relative_to(self.root).as_posix())[1]

    def history(self, clip: str | None = None, *, limit: int | None = None, draft: bool = False) -> list[LogEntry]:
        """Return the events of the log, oldest first: the newest `limit` of them, or all."""
        return self._workspace().events(draft, clip, limit)

    def inspect(self, *paths: Path) -> list[Inspected]:
        """Say of each video file which clip it is, whatever its name."""
        from reconciler.engine.operations.inspect import inspect

        return inspect(self._workspace(), paths)

    def poster(self, clip: str, take: int | None = None) -> bytes:
        """Return a picture of a take that has its video, by default the picked one, as JPEG. Raises UsageError if it
        has none."""
        from reconciler.media.thumbnails import cache_folder, make

        workspace = self._workspace()
        planned = workspace.plan(Choice((clip,), look=True), workspace.recall())
        for step in planned.plan.steps:
            result = planned.snapshot.generations.get(step.key)
            is_it = step.output is not None if take is None else step.take == take
            if step.clip == clip and is_it and result and workspace.objects(False).has(result.sha256, ".mp4"):
                video = {result.sha256: workspace.objects(False).path(result.sha256, ".mp4")}
                with cache_folder(workspace.state_dir(False)) as cache:
                    return make(video, cache, previews=False).posters[result.sha256].read_bytes()
        raise UsageError(f"{clip} has no such take with a video")

    def spending(self) -> Spending:
        """Return every purchase with its estimate and its cost, as `cost` counts them."""
        from reconciler.project.spending import spending

        workspace = self._workspace()
        return spending(workspace, workspace.recall())

    def settle(self, *, on_event: OnEvent | None = None, trust: bool = False) -> dict[str, str]:
        """Look up at their providers the requests of which nobody knows if they arrived, as `apply` on the command line
        does first. Pays for nothing. Returns, by key, why a request is still uncertain."""
        from reconciler.engine.run.apply import settle_uncertain
        from reconciler.engine.run.session import open_session

        workspace = self._workspace(trust=trust)
        with open_session(workspace, "apply") as session:
            connect = partial(self._connect, workspace, trust)
            hold = None if _has_signals() else _nothing
            return settle_uncertain(session, workspace.load(), _Events(on_event), connect, hold)

    def _apply(self, offer: Offer, hold: Hold | None, terms: Terms) -> Summary:
        from reconciler.engine.run.apply import ApplyOptions, apply
        from reconciler.engine.run.session import open_session

        most, trust = _limit(terms.get("max_cost"), offer.plan.currency), terms.get("trust", False)
        workspace, saved = self._workspace(trust=trust), offer.saved
        options = ApplyOptions(saved.choice, saved, max_cost=most, timeout=terms.get("timeout"), hold=hold)
        options = replace(options, agree=workspace.permit, plan_file=offer.file)
        events, connect = _Events(terms.get("on_event")), partial(self._connect, workspace, trust)
        with open_session(workspace, "apply", saved.choice.draft, offline=True) as session:
            return apply(session, options, _agreed, events, connect)

    def _workspace(self, *, trust: bool = False) -> Workspace:
        workspace = Workspace(self.root, self.clock, self.env, self.overlay)
        workspace.permit = partial(self._require_trust, workspace, trust)
        return workspace

    def _connect(
        self, workspace: Workspace, trust: bool, config: ProviderConfig, dialect: Dialect, pace: Pace, **_: bool
    ) -> Transport:
        from reconciler.transport.client import connect

        self._require_trust(workspace, trust, (config.alias,))
        return connect(config, dialect, pace, self.clock, self.env)

    def _require_trust(self, workspace: Workspace, trust: bool, aliases: Iterable[str] = ()) -> None:
        memory = TrustMemory(self.env)
        if missing := memory.missing(self.root, workspace.demands(*aliases)):
            if not trust:
                raise untrusted(missing)
            memory.add(self.root, missing)


class _Events:
    """The sink of a run that nobody watches, or one function does."""

    def __init__(self, on_event: OnEvent | None) -> None:
        self._on_event = on_event

    def emit(self, event: Event) -> None:
        if self._on_event is not None:
            with suppress(Exception):
                self._on_event(event)

    def close(self) -> None:
        pass


class _Stop:
    """Interrupts a run from another thread."""

    def __init__(self) -> None:
        self._turn, self._is_requested = threading.Lock(), False
        self._interrupt: Callable[[], object] | None = None

    @contextmanager
    def hold(self, interrupt: Callable[[], None]) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        with self._turn:
            self._interrupt = partial(loop.call_soon_threadsafe, interrupt)
            if self._is_requested:
                interrupt()
        try:
            yield
        finally:
            with self._turn:
                self._interrupt = None

    def request(self) -> None:
        """Stop the run now, or as soon as it begins."""
        with self._turn:
            self._is_requested = True
            if self._interrupt is not None:
                self._interrupt()


def _in_loop(on_event: OnEvent) -> OnEvent:
    """Return what calls a function in the loop of this thread, from any other."""
    loop = asyncio.get_running_loop()

    def call(event: Event) -> None:
        loop.call_soon_threadsafe(on_event, event)

    return call


def _agreed(plan: object) -> None:
    """The plan was the argument: nobody is asked again."""


def _nothing(interrupt: Callable[[], None]) -> nullcontext[None]:
    return nullcontext()


def _has_signals() -> bool:
    """True where Ctrl-C is Python's own and arrives in this thread: a program that handles it itself keeps it."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _limit(max_cost: str | Decimal | None, currency: str) -> Decimal | None:
    """Return the most that may be spent. Raises UsageError for another text, and Refused for another currency."""
    if max_cost is None:
        return None
    number, _, named = str(max_cost).strip().partition(" ")
    amount = parse(number)
    if amount is None:
        raise UsageError(f"max_cost must be an amount such as 2.50 or 2.50 USD, not '{max_cost}'")
    if named and currency and named != currency:
        raise Refused(f"max_cost is in {named}, and the plan's prices are in {currency}", code="budget")
    return amount
