"""Read a project from disk, check it, and plan. Only an engine session writes.

Every stage collects all of its problems before it stops, so that one run reports them all before any money is spent.

A long-running process (`watch`, the page) tells the workspace to `remember`: results that an edit does not affect are
reused. Inputs are still read and compared each time; see `spec.memo`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache, partial
from pathlib import Path
from threading import RLock
from typing import TypeVar

from reconciler.artifacts.allowed_paths import AllowedPaths
from reconciler.artifacts.hashing import Hasher
from reconciler.artifacts.store import Objects
from reconciler.clock import Clock
from reconciler.diagnostics import Severity, SpecError, StateError, StateUnreachable
from reconciler.plan import approvals, cost, cuts, prices, remedies
from reconciler.plan.approvals import NO_APPROVALS, ApprovalBook, Approvals
from reconciler.plan.cascades import with_causes
from reconciler.plan.compute import PlanScope, compute
from reconciler.plan.model import Demand, Disk, Plan, Reason, Wanted, drawn_elsewhere
from reconciler.plan.moves import lines_renamed, renamed_bindings, with_renamed
from reconciler.plan.rehearsals import is_rehearsal
from reconciler.plan.timing import run_seconds
from reconciler.project import capped, demands, endpoints, lock_lines, policy, root_files, shared_state
from reconciler.project.candidates import candidates
from reconciler.project.cut_files import check_cut_files
from reconciler.project.leads import with_leads
from reconciler.project.located import NO_PLACES, located
from reconciler.project.lock_lines import NO_LINES, output_paths
from reconciler.project.model import Choice, Loaded, Planned, read_later
from reconciler.project.open_seams import warnings as seam_warnings
from reconciler.project.orders import Beyond, Order, build_orders, drafted_clip
from reconciler.project.own_state import require_own
from reconciler.project.pace import slots
from reconciler.project.past import clips_changed_since
from reconciler.project.pending_repairs import is_due, repaired_snapshot
from reconciler.project.plan_warnings import of_purchases
from reconciler.project.preflight import Preflight, check_addresses, check_stores
from reconciler.project.renamed import movable
from reconciler.project.resolve_clips import dialects_of, resolve_clips
from reconciler.project.scan import DiskFiles, hash_inputs, scan_outputs, shared_artifacts, stored_artifacts
from reconciler.project.seams import NO_SEAMS, seams_of
from reconciler.project.selectors import select
from reconciler.project.spec_cache import CheckedClips, SpecCache, is_ordinary
from reconciler.providers.base import LOCAL, Dialect
from reconciler.records import BLOCKED, OPEN, Attempt, LockEntry, Snapshot, State
from reconciler.spec.expand import NO_OTHERS
from reconciler.spec.files import PROJECT_FILE, EditedFiles, Files
from reconciler.spec.graph import closure
from reconciler.spec.load import read_partly
from reconciler.spec.memo import Memo, exactly, intern, reuse
from reconciler.spec.problems import shared
from reconciler.spec.project import NO_OVERLAY, Project, ProjectOverlay, cut_inputs
from reconciler.spec.reader import collector_paused
from reconciler.spec.values import JsonValue
from reconciler.spec.vendor_drafts import without_drafts
from reconciler.state import disk, lockfile, open, receipts
from reconciler.state.history import LogEntry
from reconciler.state.lock import is_free
from reconciler.state.paths import APPROVALS, DATABASE, DRAFTS, LOCK_FILE, RECEIPTS, SEAMS, SPECS, STATE
from reconciler.state.store import Store

T = TypeVar("T")

NONE: Mapping[str, str] = {}


@lru_cache(maxsize=4)  # the same object on the same day: the memory of a round compares by identity
def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)


class Workspace:
    """One project folder. `env` has the variables that addresses and credentials may name."""

    def __init__(self, root: Path, clock: Clock, env: Mapping[str, str], overlay: ProjectOverlay = NO_OVERLAY) -> None:
        self.root, self.clock, self.env, self.overlay = root, clock, env, overlay
        self.files: Files = DiskFiles(root)
        self._outside = frozenset[str]()  # inputs, as last read
        self._asking: tuple[Project, Mapping[str, Dialect], frozenset[str], set[str]] | None = None
        self.planned: Planned | None = None  # the last plan
        self.seen: disk.Seen = {}  # inputs and records
        self.stamps: list[int] = []  # of the outputs, as the last plan saw them
        self.shares_state = False  # it was asked for records that others change, too
        self.unshared = False  # the shared cache lacks what was paid for here
        self.as_of: float | None = None  # a shared state could not be reached: what is shown is of then
        self._is_own = False  # the state was checked
        self.permit: Callable[[], None] = lambda: None  # asks before a shared database is; raises Refused
        self._turn = RLock()  # the page calls from several threads; each step runs alone
        self._specs: dict[bool, Memo] = {}  # by draft
        self._records: dict[bool, Memo] = {False: Memo(), True: Memo()}  # few steps, so also for a single command

    def remember(self) -> None:
        """Keep results for the next load from now on. This doubles the memory of a project."""
        self._specs = self._specs or {False: Memo(), True: Memo()}

    def require_own(self) -> None:
        """Raise StateError for a state that came with the project; checked once in a command, in a watch each time."""
        if not self._is_own:
            require_own(self.root)
            self._is_own = not self._specs

    def edited(self, path: str, text: str) -> Workspace:
        """Return the same project with another content of one file, which is not written."""
        workspace = Workspace(self.root, self.clock, self.env, self.overlay)
        workspace.files, workspace.permit = EditedFiles(self.files, path, text), self.permit
        return workspace

    def state_dir(self, draft: bool) -> Path:
        """Return the state folder. Drafts have their own, so that they never touch paid results."""
        return self.root / STATE / DRAFTS if draft else self.root / STATE

    def objects(self, draft: bool) -> Objects:
        """Return the artifact store of a state."""
        return Objects(self.state_dir(draft))

    def beyond(self) -> frozenset[str]:
        """Return the inputs outside the project root, from the last read even if it had errors."""
        return self._outside

    def demands(self, *also: str) -> tuple[Demand, ...]:
        """Return what the project asks for beyond the ordinary, as last loaded: for the providers that clips use, those
        that requests in progress may need, and those of the aliases `also`. Raises SpecError."""
        if self._asking is None:
            self.load()
        assert self._asking is not None  # `load` sets it
        project, dialects, outside, providers = self._asking
        used = {*also, *providers}
        everything = self._may_need_others(project, dialects, used)
        return demands.demands(project, dialects, outside, project.providers if everything else used)

    def _may_need_others(self, project: Project, dialects: Mapping[str, Dialect], used: Collection[str]) -> bool:
        """True if a request in progress was not sent to where one of these aliases points."""
        if all(config.kind == LOCAL for alias, config in project.providers.items() if alias not in used):
            return False
        if project.state:
            return True  # to ask the database is one of the things that are asked for
        try:
            attempts = self.snapshot(False).attempts.values()
        except StateError:
            return True
        pending = (a for a in attempts if a.state in OPEN | BLOCKED and a.kind != LOCAL)
        sites = map(endpoints.Site.of, pending)
        return not all(site.alias in used and endpoints.declares(project, dialects, site) for site in sites)

    def hasher(self, project: Project) -> Hasher:
        """Return a hasher for the inputs that the project may read; it reuses the hashes of unchanged files."""
        return Hasher(AllowedPaths.of(self.root, self.root / STATE, project.allowed_inputs), self.clock.now)

    @collector_paused()  # with ten thousand clips, which all stay, collection takes a sixth of the time
    def load(self, draft: bool = False) -> Loaded:
        """Read and check the project. Raises SpecError with all diagnostics."""
        with self._turn, self._specs[draft].round() if self._specs else nullcontext():
            return self._load(draft)

    @collector_paused()
    def recall(self, draft: bool = False) -> Loaded:
        """As `load`, for a command that buys nothing: it gets rows, and clips are read when one is asked for.

        Those that were read to make rows are not kept: ten thousand take as much memory as all the rest."""
        base = (PROJECT_FILE, self.overlay.file) if self.overlay.environment else (PROJECT_FILE,)
        circumstances = {"day": str(self.today()), "variables": self.overlay.vars}
        cache = SpecCache(self.files, self.state_dir(draft) / SPECS, base, circumstances)
        memory = Memo()  # of what the first pass reads: a large project file is parsed once
        with self._turn:
            self.require_own()
            with memory.round():
                project, _ = read_partly(cache, self.overlay)
            if project is None:
                return self._load(draft)
            hasher = self.hasher(project)
            cache.choose(project, hasher)
            self.seen = hasher.seen | self.seen
            with memory.round(grows=False):
                try:
                    loaded = self._load(draft, cache)
                except SpecError:
                    if not cache.units:
                        raise
                    cache.forget()  # all files are read, and all problems reported
                    loaded = self._load(draft, cache)
        if is_ordinary(project):
            rows = cache.wanted(loaded.project, loaded.orders)
            loaded = read_later(loaded, rows, cache.inputs(loaded.project), partial(self.load, draft))
        cache.save()  # last: the memory of the clips is free then
        return loaded

    def _load(self, draft: bool, cache: SpecCache | None = None) -> Loaded:
        self.require_own()
        readable, unread = read_partly(cache or self.files, self.overlay, cache.others() if cache else NO_OTHERS)
        if readable is None or (cache is not None and cache.clashes(readable)):
            raise SpecError(shared(unread, {}))
        readable = replace(readable, clips=tuple(without_drafts(readable.clips))) if draft else readable
        project = readable
        configs = {a: intern(("provider", a), config, exactly) for a, config in project.providers.items()}
        used = {clip.spec.provider for clip in project.clips}
        is_drawn = draft or any(config.kind == LOCAL for alias, config in configs.items() if alias in used)
        clips = with_leads(project.clips) if is_drawn else tuple(project.clips)
        if draft:
            clips = tuple(reuse(("drafted", clip.name), (clip,), partial(drafted_clip, clip)) for clip in clips)
        project = replace(project, providers=configs, clips=clips)
        dialects, problems = dialects_of(project)
        resolved, mismatches = resolve_clips(project, dialects)
        hasher = self.hasher(project)
        is_inside = not project.allowed_inputs
        self._outside = frozenset() if is_inside else hasher.allowed.outside_root(project.inputs())
        hashes, missing = hash_inputs(project, hasher)
        self.seen = hasher.seen | self.seen
        unfit = Preflight(hasher.allowed.locate, hasher.unchanged).check(project, resolved, dialects, hashes)
        stages = (mismatches, unfit)
        if cache is not None:
            mismatches, unfit = cache.warnings(project, stages)
        files = (*missing, *unfit, *check_cut_files(project.cuts, hashes, hasher))
        store = (*check_addresses(project, self.env), *check_stores(project, self.env))
        problems += prices.currency_faults(project.providers.values(), project.budget)
        places = cache.places() if cache else NO_PLACES
        problems = located(self.files, [*unread, *problems, *mismatches, *store, *files], project, places)
        if any(problem.severity is Severity.ERROR for problem in problems):
            raise SpecError(problems)
        if not draft:
            used |= cache.providers() if cache else set()
            self._asking = (replace(project, clips=()) if is_inside else project, dialects, self._outside, used)
        picks = cache.picks() if cache else {}
        held = NO_SEAMS if draft else seams_of(project, picks, self.lock_entries)
        orders = build_orders(project, resolved, hashes, self.today(), Beyond(picks, held, self.clock.now()))
        if cache is not None:
            filmed = {cut.where.file for cut in project.cuts}
            cache.keep(CheckedClips(readable.clips, unread, stages, hashes, orders, filmed), hasher)
        films = cuts.wanted(project.cuts, self._rows(project, orders, cache), hashes, f"{DRAFTS}/" if draft else "")
        by_content = {hashes[path]: path for path in cut_inputs(project.cuts)}
        problems += located(self.files, [*seam_warnings(orders, self.state_dir(False) / SEAMS)], project)
        return Loaded(project, orders, dialects, tuple(problems), cuts=films, cut_files=by_content)

    def _rows(self, project: Project, orders: Sequence[Order], cache: SpecCache | None) -> Sequence[Wanted]:
        """Return the takes of all clips, if cuts need them."""
        if not project.cuts:
            return ()
        return tuple(order.wanted for order in orders) if cache is None else cache.wanted(project, orders)

    def today(self) -> date:
        """Return the day in UTC, by which prices are dated."""
        return _day(int(self.clock.now() // 86400))

    def snapshot(self, draft: bool, keys: Collection[str] | None = None) -> Snapshot:
        """Return the records as the next writer will have them; empty without a state. Reads only. Of a shared state it
        is what concerns `keys`, if they are given (`Store.snapshot`)."""
        self.require_own()
        if self.shared(draft):
            with self._store(draft) as store:
                return store.snapshot(keys)
        directory, memory = self.state_dir(draft), self._records[draft]
        # Stamps are taken first: a change during the read then changes them.
        stamp, bought = open.stamp(directory), receipts.stamp(directory)
        stamped = ((str(directory / DATABASE), stamp), (str(directory / RECEIPTS), bought))
        self.seen = {path: (path, values) for path, values in stamped} | self.seen
        local = Store.read(directory, self.clock.now)
        if local is None:
            records = memory.compute("snapshot", (), Snapshot)
        else:
            with local:
                records = memory.compute("snapshot", (*stamp, *local.mark()), local.snapshot)
        if not is_due(records, directory):
            return records
        return memory.compute("foreseen", (records, *bought), partial(repaired_snapshot, directory, self.clock))

    def events(self, draft: bool, clip: str | None = None, limit: int | None = None) -> list[LogEntry]:
        """Return the log in order, as `Store.events` does; empty without a state."""
        with self._store(draft) as store:
            return store.events(clip, limit)

    def attempts(self, key: str | None = None) -> tuple[Attempt, ...]:
        """Return every attempt of a key, or of the project, oldest first; none without a state."""
        with self._store(False) as store:
            return store.project_attempts() if key is None else store.attempts(key)

    def _store(self, draft: bool) -> Store:
        """Return the store, to read it; an empty one without a state, and without a connection the mirror."""
        self.require_own()
        directory, clock = self.state_dir(draft), self.clock.now
        try:
            store = shared_state.read_store(self.root, directory, clock, self.shared(draft))
        except StateUnreachable as error:
            store = shared_state.mirror_of(directory, clock, error, write=False)
        self.as_of = store.joined[1] if store is not None and store.is_offline and store.joined else None
        return store or Store.copy(directory, clock)

    def shared(self, draft: bool) -> Mapping[str, JsonValue]:
        """Return the section `state`, once the user has agreed to it; empty if there is none, and for drafts.

        Raises SpecError, and Refused if the user does not agree.
        """
        if draft or (self._asking is None and not shared_state.may_share(self.files, self.overlay)):
            return {}
        values = (self.load().project if self._asking is None else self._asking[0]).state
        if values:
            self.shares_state = True
            self.permit()
        return values

    def lock_entries(self) -> tuple[LockEntry, ...]:
        """Return the entries of the lock file, none if it is absent. Raises SpecError if it cannot be read."""
        return self._lock(lockfile.loads, ())

    def _lock(self, parse: Callable[[str, str], T], missing: T) -> T:
        text = root_files.text_of(self.root, LOCK_FILE, self.seen)
        if text is None:
            return missing
        sha256 = hashlib.sha256(text.encode()).hexdigest()  # the text itself would be kept
        return self._records[False].compute(("lock", parse), (sha256,), partial(parse, text, LOCK_FILE))

    def approval_book(self) -> ApprovalBook:
        """Return what the file of approvals has now. Raises ClipformError."""
        text = root_files.text_of(self.root, APPROVALS, self.seen) or ""
        return self._records[False].compute("approvals", (text,), partial(approvals.parse, text))

    def approvals(self, project: Project) -> Approvals:
        """Return what is approved now, if the project asks for it. Raises ClipformError."""
        if project.approval.required == "no":
            return NO_APPROVALS
        rule, lines = project.approval, self.approval_book().approvals
        return self._records[False].compute("approved", (rule, lines), partial(Approvals.of, rule, lines))

    def _scope(self, choice: Choice, loaded: Loaded, records: Snapshot, plan: Plan) -> PlanScope:
        """Return what a choice selects of a whole plan. Raises UsageError for a pattern that matches no clip."""
        selectable = candidates(loaded, records, plan)
        since = partial(clips_changed_since, self.root, current=loaded, draft=choice.draft)
        forced = select(choice.force, (), selectable, since) if choice.force else None
        selected = select(choice.clips, choice.exclude, selectable, since)
        if selected is not None and choice.shows and (films := selected & {w.clip for w in loaded.cuts}):
            shows = closure(films, {c.name: c.needs for c in selectable})  # a film is made with what it shows
            allowed = select((), choice.exclude, selectable, since)
            selected |= shows.keys() if allowed is None else shows.keys() & allowed
        return PlanScope(selected, forced or frozenset())

    @collector_paused()
    def plan(
        self, choice: Choice, loaded: Loaded, snapshot: Snapshot | None = None, reasons: Mapping[str, str] = NONE
    ) -> Planned:
        """Return the plan for a command line. Raises UsageError for a pattern that matches no clip. `reasons` has the
        results of look-ups of uncertain requests, by key."""
        with self._turn:
            records = self.snapshot(choice.draft, [w.key for w in loaded.wanted]) if snapshot is None else snapshot
            lines = NO_LINES if choice.draft else self._lock(lock_lines.parse, NO_LINES)
            approved = NO_APPROVALS if choice.draft else self.approvals(loaded.project)
        wanted = loaded.wanted
        moved, clips = loaded.project.moved, {w.clip for w in wanted}
        renamed, locked = renamed_bindings(records, moved, clips), lines_renamed(lines, moved, clips)
        records = with_renamed(records, renamed)
        outputs = output_paths(wanted, locked)
        stored = stored_artifacts(self.objects(choice.draft), records.artifacts, locked)
        shared = shared_artifacts(loaded.project, choice, records, locked, stored)
        self.stamps = []
        facts = scan_outputs(self.root, outputs, records.placed, self.stamps, trust=not choice.refresh)
        disk = Disk(facts, stored, shared, movable(self.root, loaded, records, locked, facts))

        def planned(scope: PlanScope) -> Plan:
            return compute(
                wanted, records, disk, locked=locked, scope=replace(scope, approvals=approved, now=self.clock.now())
            )

        scope = PlanScope()
        plan = planned(scope)
        if choice.clips or choice.exclude or choice.force:
            scope = self._scope(choice, loaded, records, plan)
            chosen = tuple(step for step in plan.steps if scope.selects(step.clip))
            plan = replace(plan, steps=chosen, unbind=()) if choice.look else planned(scope)
        if snapshot is None and any(step.reason is Reason.INTERRUPTED for step in plan.steps):
            plan = plan if is_free(self.state_dir(choice.draft)) else drawn_elsewhere(plan)
        uncertain = {key for key, attempt in records.attempts.items() if attempt.state is State.UNCERTAIN}
        plan = remedies.with_look_ups(plan, uncertain, loaded.listing, reasons) if uncertain else plan
        addresses = endpoints.warnings(loaded.project, loaded.dialects, records, plan)
        spent = cost.spent_so_far(records, locked, rehearsing=is_rehearsal(plan, wanted))
        caps, store = capped.windows_of(loaded, records, locked), partial(self._store, choice.draft)
        stale = shared_state.offline_warning(self.as_of)
        faults = root_files.faults(self.approval_book()) if approved.rule.required != "no" else ()
        bought = of_purchases(plan, loaded, self.env, self.today())
        broken = [] if choice.draft else policy.objections(plan, loaded.project, self.root, self.env)
        noted = located(self.files, [*bought, *broken], loaded.project)
        over = capped.warnings(plan, loaded, caps, spent, store)
        diagnostics = (*loaded.warnings, *faults, *stale, *addresses, *over, *noted)
        asked = () if choice.draft else self.demands()
        places = endpoints.places(loaded.project, loaded.dialects, self.env)
        seconds = run_seconds(plan.steps, slots(loaded.project, loaded.dialects))
        names = tuple(dict.fromkeys((old.clip, new.clip) for old, new in renamed if scope.selects(new.clip)))
        plan = replace(plan, diagnostics=diagnostics, demands=asked, places=places, expected=seconds, moved=names)
        plan = with_causes(plan, wanted, records.bindings, None if choice.draft else loaded.project.chain_warning)
        self.planned = Planned(loaded, records, disk, locked, scope, plan, spent, renamed)
        return self.planned
