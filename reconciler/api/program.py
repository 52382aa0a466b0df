"""One project, as a program uses it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypedDict, Unpack

from reconciler.api.access import OnEvent
from reconciler.api.calls import require_named
from reconciler.api.edits import Edits
from reconciler.api.offer import Offer
from reconciler.api.tasks import Tasks
from reconciler.clock import Clock, SystemClock
from reconciler.diagnostics import Diagnostic, Refused, UsageError
from reconciler.events import Summary
from reconciler.frozen import dataclass
from reconciler.money import parse
from reconciler.plan.model import Plan
from reconciler.project import saved_plan
from reconciler.project.model import Choice, Confirm, Planned
from reconciler.project.scan import find_root
from reconciler.spec.project import ProjectOverlay

if TYPE_CHECKING:
    from reconciler.engine.run.apply import ApplyOptions
    from reconciler.project.origins import Inspected
    from reconciler.project.spending import Spending
    from reconciler.project.workspace import Workspace
    from reconciler.state.history import LogEntry
    from reconciler.views.base import StatusRow


class Terms(TypedDict, total=False):
    """On what terms a plan is carried out."""

    max_cost: str | Decimal | None  # "5" or "5 USD": a plan that costs more is refused, nothing is bought beyond it
    on_event: OnEvent
    timeout: float | None  # seconds; then tasks are left at their providers, and a later apply collects them
    locked: bool  # refuse what would ask a provider or change clipform.lock
    detach: bool  # submit and return; a later apply downloads the results
    fail_fast: bool  # stop at the first failure
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
    return Program.find(Path(os.path.realpath(folder)), SystemClock(), os.environ if env is None else env, overlay)


@dataclass(frozen=True, slots=True)
class Validated:
    """A project without errors: how many clips, takes and files it has, and its warnings."""

    clips: int
    takes: int
    files: int
    warnings: tuple[Diagnostic, ...]


class Program(Edits, Tasks):
    """A project. Each call reads its files and records again, so that it may be kept, and used from several threads.

    All methods raise ClipformError: SpecError with a diagnostic for each mistake and its line, StateLocked while
    another process holds the state, Refused for what would have to be allowed first.
    """

    __slots__ = ()

    @classmethod
    def find(cls, folder: Path, clock: Clock, env: Mapping[str, str], overlay: ProjectOverlay) -> Program:
        """As `reconciler.open`, of an absolute folder."""
        return cls(find_root(folder), clock, env, overlay)

    def validate(self) -> Validated:
        """Check all files. Raises SpecError with all errors."""
        loaded = self._access().workspace.recall()
        clips = {wanted.clip for wanted in loaded.wanted}
        return Validated(len(clips), len(loaded.wanted), len(loaded.project.files), loaded.warnings)

    def plan(self, *clips: str, exclude: Sequence[str] = (), draft: bool = False, refresh: bool = False) -> Offer:
        """Return what `apply` would do, and why. `clips` are names, globs and selectors as on the command line, by
        default everything. Raises UsageError for one that matches nothing."""
        choice = Choice(clips, tuple(exclude), draft=draft, refresh=refresh, shows=True)
        return _offer(self._access().workspace, choice)

    def plan_into(self, folder: Path, *clips: str, exclude: Sequence[str] = ()) -> Offer:
        """As `plan`; one that would do anything is saved in `folder`, in a file that its digest names, which somebody
        may approve and apply."""
        from reconciler.engine.run.session import save_plan

        workspace, choice = self._access().workspace, Choice(clips, tuple(exclude), shows=True)
        offer = _offer(workspace, choice)
        if not offer.has_changes:
            return offer
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{offer.digest}.plan"
        planned = save_plan(workspace, choice, file, offer.saved_as())
        saved = saved_plan.read(file)
        return Offer(planned, lambda: saved, file)

    def save_plan(
        self, file: Path, *clips: str, exclude: Sequence[str] = (), draft: bool = False, refresh: bool = False
    ) -> Offer:
        """As `plan`, into a file that somebody may approve and apply. Raises UsageError for any other file."""
        from reconciler.engine.run.session import save_plan

        choice = Choice(clips, tuple(exclude), draft=draft, refresh=refresh, shows=True)
        planned = save_plan(self._access().workspace, choice, file)
        saved = saved_plan.read(file)  # now: what is applied is what was planned here
        return Offer(planned, lambda: saved, file)

    def approved_plan(self, file: Path) -> Offer:
        """Return a saved plan that one of the allowed signers has approved. Raises Refused for any other, and for one
        that is stale."""
        from reconciler.project import approved_plan, policy

        workspace = self._access().workspace
        signers = policy.policy_of(workspace.load().project, self.root, self.env).signers
        approved = approved_plan.approved_plan(file, signers)
        planned = approved_plan.review(workspace, policy.content(file), file.name)
        return Offer(planned, lambda: approved.saved, file)

    def since(self, revision: str, offer: Offer, *, draft: bool = False) -> Plan:
        """Return a plan with what changed since a git revision, whatever state and lock file have. It only explains:
        what is carried out is the plan itself."""
        from reconciler.project.revision import explained

        return explained(self._access().workspace, revision, offer.planned, draft=draft)

    def apply(self, offer: Offer, **terms: Unpack[Terms]) -> Summary:
        """Carry out a plan exactly, once. Raises Refused, with nothing sent, if anything changed since it was made, or
        its `Terms` forbid it.

        In the main thread Ctrl-C stops it as the command is stopped: open requests are waited for and recorded, and
        running tasks are left at their providers. A second one ends the process.
        """
        saved = offer.saved_as()
        return self._carry_out(_options(saved.choice, terms, saved, offer.file), _agreed, terms)

    def apply_confirmed(self, choice: Choice | Path, confirm: Confirm, **terms: Unpack[Terms]) -> Summary:
        """Look up uncertain requests, plan, and carry out what `confirm` agrees to, or a saved plan. `confirm` gets the
        plan before anything is bought, and raises Refused to refuse it."""
        saved = saved_plan.read(choice) if isinstance(choice, Path) else None
        chosen, file = (choice, None) if not isinstance(choice, Path) else (Choice(), choice)
        return self._carry_out(_options(chosen, terms, saved, file), confirm, terms)

    async def plan_async(
        self, *clips: str, exclude: Sequence[str] = (), draft: bool = False, refresh: bool = False
    ) -> Offer:
        """As `plan`, in a thread. Any other call may be made so too, by `asyncio.to_thread`."""
        from asyncio import to_thread

        return await to_thread(partial(self.plan, *clips, exclude=exclude, draft=draft, refresh=refresh))

    async def apply_async(self, offer: Offer, **terms: Unpack[Terms]) -> Summary:
        """As `apply`, in a thread; events arrive in the caller's loop. To cancel it stops it as Ctrl-C stops that, and
        ends when all is recorded."""
        from reconciler.api.threads import in_loop, in_thread

        if "on_event" in terms:
            terms["on_event"] = in_loop(terms["on_event"])
        saved = offer.saved_as()
        options = _options(saved.choice, terms, saved, offer.file)
        return await in_thread(lambda hold: self._carry_out(replace(options, hold=hold), _agreed, terms))

    def look(self, *clips: str, draft: bool = False, whole: bool = False) -> Planned:
        """Return these clips, planned with all others, and the values that they were planned from, for a view. `whole`
        reads the specs of all clips, too."""
        workspace = self._access().workspace
        loaded = workspace.load(draft) if whole else workspace.recall(draft)
        return workspace.plan(Choice(clips, draft=draft, look=True), loaded)

    def status(self, *clips: str, draft: bool = False) -> tuple[StatusRow, ...]:
        """Return the state, cost, age and output of each take."""
        from reconciler.views.status import status

        return tuple(status(self.look(*clips, draft=draft), self.clock.now()))

    def show(self, clip: str, *, draft: bool = False) -> dict[str, object]:
        """Return all that is known of one clip, as `show --json` prints it."""
        from reconciler.views.show import show

        planned = self.look(clip, draft=draft, whole=True)
        names = {step.clip for step in planned.plan.steps}
        if len(names) != 1:
            raise UsageError(f"'{clip}' matches {len(names)} clips", help="choose one of them")
        return show(names.pop(), planned, self.artifacts(draft=draft))[1]

    def artifacts(self, *, draft: bool = False) -> str:
        """Return the folder of the stored videos, relative to the project."""
        return self._access().workspace.objects(draft).root.relative_to(self.root).as_posix()

    def history(self, clip: str | None = None, *, limit: int | None = None, draft: bool = False) -> list[LogEntry]:
        """Return the events of the log, oldest first: the newest `limit` of them, or all. Raises UsageError for a clip
        that neither the log nor the project has."""
        workspace = self._access().workspace
        names = (None,) if clip is None else self.names(clip)
        entries = [entry for name in names for entry in workspace.events(draft, name, limit)]
        if clip is not None and names == (clip,) and not entries:
            require_named(workspace.load(draft), clip)
        return sorted(entries, key=lambda entry: entry.seq)[-(limit or 0) :]

    def inspect(self, *paths: str | Path, pipe: BinaryIO | None = None) -> list[Inspected]:
        """Say of each video file, and of each in a folder, which clip it is, whatever its name; `-` is what `pipe`
        gives."""
        from reconciler.engine.operations.inspect import PIPED, files_at, inspect, received

        with received(pipe) if pipe is not None else nullcontext() as piped:
            listed = ([piped] if str(path) == PIPED and piped else files_at(str(path)) for path in paths)
            looked = inspect(self._access().workspace, [file for files in listed for file in files])
        return [replace(each, file=PIPED) if each.file == str(piped) else each for each in looked]

    def poster(self, clip: str, take: int | None = None) -> bytes:
        """Return a picture of a take that has its video, by default the picked one, as JPEG. Raises UsageError if it
        has none."""
        planned = self.look(clip)
        for step in planned.plan.steps:
            if step.clip == clip and (step.output is not None if take is None else step.take == take):
                with self.posters(planned, [step.key]) as pictures:
                    if step.key in pictures:
                        return pictures[step.key].read_bytes()
        raise UsageError(f"{clip} has no such take with a video")

    @contextmanager
    def posters(
        self, planned: Planned, keys: Sequence[str], *, draft: bool = False, most: int | None = None
    ) -> Iterator[dict[str, Path]]:
        """Yield pictures of those takes that have their videos here, by key, of the first `most`. Without a state they
        are removed afterwards."""
        from reconciler.media.thumbnails import cache_folder, make

        workspace, results = self._access().workspace, planned.snapshot.generations
        objects = workspace.objects(draft)
        hashes = ((key, results[key].sha256) for key in keys if key in results)
        stored = dict(islice(((key, sha256) for key, sha256 in hashes if objects.has(sha256, ".mp4")), most))
        videos = {sha256: objects.path(sha256, ".mp4") for sha256 in stored.values()}
        with cache_folder(workspace.state_dir(draft)) as cache:
            pictures = make(videos, cache, previews=False).posters
            yield {key: pictures[sha256] for key, sha256 in stored.items() if sha256 in pictures}

    def spending(self, *patterns: str) -> Spending:
        """Return every purchase of these clips, by default of all, with its estimate and its cost, as `cost` counts
        them. Clips that the project does not declare any more are found, too."""
        from reconciler.project.spending import spending

        workspace = self._access().workspace
        loaded = workspace.recall()
        spent = spending(workspace, loaded)
        if not patterns:
            return spent
        chosen, paid = set[str](), {each.clip for each in spent.purchases}
        for pattern in patterns:
            former = {name for name in paid if fnmatchcase(name, pattern)}
            try:
                chosen |= {step.clip for step in workspace.plan(Choice((pattern,), look=True), loaded).plan.steps}
            except UsageError:
                if not former:
                    raise
            chosen |= former
        return replace(spent, purchases=tuple(each for each in spent.purchases if each.clip in chosen))

    def settle(self, *, on_event: OnEvent | None = None, trust: bool = False) -> dict[str, str]:
        """Look up at their providers the requests of which nobody knows if they arrived, as `apply` on the command line
        does first. Pays for nothing. Returns, by key, why a request is still uncertain."""
        from reconciler.engine.run.apply import settle_uncertain

        access = self._access(trust)
        with access.session("apply") as session:
            return settle_uncertain(session, access.workspace.load(), access.sink(on_event), access.connect)

    def _carry_out(self, options: ApplyOptions, confirm: Confirm, terms: Terms) -> Summary:
        from reconciler.engine.run.apply import apply

        access = self._access(terms.get("trust", False))
        options = replace(options, agree=access.require_trust)

        def allowed(plan: Plan) -> None:
            _require_currency(terms.get("max_cost"), plan.currency)
            confirm(plan)

        draft = (options.saved.choice if options.saved else options.choice).draft
        with access.session("apply", draft, offline=True) as session:
            return apply(session, options, allowed, access.sink(terms.get("on_event")), access.connect)


def _offer(workspace: Workspace, choice: Choice) -> Offer:
    planned = workspace.plan(choice, workspace.recall(choice.draft))
    return Offer(planned, partial(saved_plan.of, os.urandom(16).hex(), choice, planned))


def _options(choice: Choice, terms: Terms, saved: saved_plan.SavedPlan | None, file: Path | None) -> ApplyOptions:
    from reconciler.engine.run.apply import ApplyOptions

    return ApplyOptions(
        choice,
        saved,
        locked=terms.get("locked", False),
        max_cost=_amount(terms.get("max_cost"))[0],
        detach=terms.get("detach", False),
        fail_fast=terms.get("fail_fast", False),
        timeout=terms.get("timeout"),
        plan_file=file,
    )


def _agreed(plan: Plan) -> None:
    """The plan was the argument: nobody is asked again."""


def _amount(max_cost: str | Decimal | None) -> tuple[Decimal | None, str]:
    """Return the most that may be spent, and its currency if it names one. Raises UsageError for another text."""
    if max_cost is None:
        return None, ""
    number, _, currency = str(max_cost).strip().partition(" ")
    amount = parse(number)
    if amount is None:
        raise UsageError(f"max_cost must be an amount such as 2.50 or 2.50 USD, not '{max_cost}'")
    return amount, currency


def _require_currency(max_cost: str | Decimal | None, currency: str) -> None:
    """Raise Refused for a limit in another currency than the plan's."""
    named = _amount(max_cost)[1]
    if named and currency and named != currency:
        raise Refused(f"max_cost is in {named}, and the plan's prices are in {currency}", code="budget")
