"""A project on disk: find it, read and check it, and plan. Reads only; `session` is what writes.

Every stage collects all of its problems before it stops, so that one run shows them all, before any money is spent.

A process that lives on (`watch`, the page) asks the workspace to `remember`: what an edit did not touch is not worked
out again. Everything is still read, looked at and compared each time; see `spec.memo` for what makes that exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import RLock

from reconciler.artifacts.allowed_paths import Reach
from reconciler.artifacts.hashing import Hasher
from reconciler.artifacts.store import Objects
from reconciler.clock import Clock
from reconciler.diagnostics import ClipformError, Diagnostic, Severity, Source, SpecError
from reconciler.plan import cost
from reconciler.plan.compute import PlanScope, compute
from reconciler.plan.model import Action, LockedResult, Plan, Reason, Step
from reconciler.project import endpoints, plan_notes
from reconciler.project.excerpts import with_excerpts
from reconciler.project.model import Choice, Loaded, Planned
from reconciler.project.orders import ClipInputs, Order, build_orders, clip_orders, drafted_clip
from reconciler.project.pending_repairs import is_due, repaired_snapshot
from reconciler.project.preflight import Preflight, check_store
from reconciler.project.scan import DiskFiles, hash_inputs, scan_disk
from reconciler.project.selectors import Candidate, select
from reconciler.providers import registry
from reconciler.providers.base import Dialect
from reconciler.providers.check import Resolved, resolve
from reconciler.records import Snapshot, State
from reconciler.spec.load import read_project
from reconciler.spec.memo import NOTHING, Memo, Memory, exactly
from reconciler.spec.project import Clip, Project, ProviderConfig
from reconciler.spec.reader import collector_paused
from reconciler.spec.values import LocalMedia
from reconciler.state import lockfile, open, receipts
from reconciler.state.lockfile import LockEntry
from reconciler.state.store import Store

STATE = "state"
LOCK_FILE = lockfile.FILE
_LOCK_LIMIT = 64 << 20
NONE: Mapping[str, str] = {}

Resolution = Resolved | tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class _Lock:
    """A lock file as plans use it: by key, and what they need of that."""

    entries: tuple[LockEntry, ...] = ()
    by_key: Mapping[str, LockEntry] = field(default_factory=dict)
    facts: Mapping[str, LockedResult] = field(default_factory=dict)


def _at_lock(entry: LockEntry) -> LockedResult:
    made = (entry.sha256, entry.task, entry.provider, entry.model, entry.cost_micros, entry.currency)
    return LockedResult(*made, entry.clip, entry.take)


def _lock_of(text: bytes, name: str) -> _Lock:
    entries = lockfile.loads(text.decode("utf-8", "replace"), name)
    by_key = {entry.key: entry for entry in entries}
    return _Lock(entries, by_key, {key: _at_lock(entry) for key, entry in by_key.items()})


class Workspace:
    """One project folder. `env` is what providers' addresses may be read from."""

    def __init__(self, root: Path, clock: Clock, env: Mapping[str, str]) -> None:
        self.root, self.clock, self.env = root, clock, env
        self.files = DiskFiles(root)
        self._inputs: tuple[Reach, Project] | None = None  # as last read
        self._turn = RLock()  # a page asks from several threads; each step is one's own
        self._specs: dict[bool, Memo] = {}  # by whether it is about drafts
        self._records: dict[bool, Memo] = {False: Memory(), True: Memory()}  # few steps: for a single command too

    def remember(self) -> None:
        """From now on, keep what was worked out for the next time. Needs as much memory again as one project takes."""
        self._specs = self._specs or {False: Memory(), True: Memory()}

    def state_dir(self, draft: bool) -> Path:
        """Drafts keep a state of their own, so that they can never touch what was paid for."""
        return self.root / STATE / "drafts" if draft else self.root / STATE

    def objects(self, draft: bool) -> Objects:
        """The artifacts of a state."""
        return Objects(self.state_dir(draft))

    def beyond(self) -> frozenset[str]:
        """The inputs outside the root that the project named when it was last read, sound or not."""
        if self._inputs is None:
            return frozenset()
        reach, project = self._inputs
        media = (item for clip in project.clips for _, item in clip.media())
        return reach.beyond(item.path for item in media if isinstance(item, LocalMedia))

    def hasher(self, project: Project) -> Hasher:
        """Hashes inputs that the project may read, remembering what is unchanged."""
        return Hasher(Reach.of(self.root, self.root / STATE, project.allowed_inputs), self.clock.now)

    @collector_paused()  # of ten thousand clips, all of which stay, it would be a sixth of the time
    def load(self, draft: bool = False) -> Loaded:
        """Read and check everything. Raises SpecError with every diagnostic of the run."""
        memo = self._specs.get(draft, NOTHING)
        with self._turn, memo.round():
            return self._load(draft, memo)

    def _load(self, draft: bool, memo: Memo) -> Loaded:
        def draft_of(clip: Clip) -> Clip:
            return memo.compute(("drafted", clip.name), (clip,), partial(drafted_clip, clip))

        def dialect(config: ProviderConfig) -> Dialect:
            return memo.compute(("dialect", config.alias), (config,), partial(dialect_of, config))

        def resolution(clip: Clip, dialect: Dialect, can_publish: bool) -> Resolution:
            once = partial(resolve, clip, dialect, can_publish=can_publish)
            return memo.compute(("resolved", clip.name), (clip, dialect, can_publish), once)

        def orders_of(inputs: ClipInputs) -> tuple[Order, ...]:
            return memo.compute(("orders", inputs.clip.name), inputs.values(), partial(clip_orders, inputs))

        project = read_project(self.files, env=self.env, memo=memo)
        configs = {a: memo.intern(("provider", a), config, exactly) for a, config in project.providers.items()}
        clips = tuple(map(draft_of, project.clips)) if draft else project.clips
        project = replace(project, providers=configs, clips=clips)
        dialects, problems = dialects_of(project, dialect)
        resolved, found = resolve_clips(project, dialects, resolution)
        hasher = self.hasher(project)
        self._inputs = (hasher.reach, project)
        hashes, missing = hash_inputs(project.clips, hasher)
        unfit = Preflight(hasher.reach.locate, hasher.unchanged, memo).check(project, resolved, dialects, hashes)
        store = check_store(project.publish, self.env)
        problems = [*project.warnings, *self._located([*problems, *found, *missing, *store, *unfit], project)]
        if any(problem.severity is Severity.ERROR for problem in problems):
            raise SpecError(problems)
        orders = build_orders(project, resolved, hashes, orders_of)
        return Loaded(project, orders, dialects, tuple(problems))

    def _located(self, problems: Sequence[Diagnostic], project: Project) -> Iterable[Diagnostic]:
        """In the order of files and places, with the lines they speak of."""
        order = {name: i for i, name in enumerate(project.files)}
        nowhere = Source(project.name, 0, 0)

        def place(item: Diagnostic) -> tuple[int, int, int]:
            source = item.source or nowhere
            return (order.get(source.file, len(order)), source.line, source.column)

        return with_excerpts(sorted(problems, key=place), self.files)

    def snapshot(self, draft: bool) -> Snapshot:
        """What the records say, read only, as the next writer will find them; empty when there is no state yet."""
        directory, memory = self.state_dir(draft), self._records[draft]
        # The stamps before anything is read: what changes meanwhile changes them.
        stamp, bought = open.stamp(directory), receipts.stamp(directory)
        store = Store.read(directory, self.clock.now)
        if store is None:
            records = memory.compute("snapshot", (), Snapshot)
        else:
            with store:
                records = memory.compute("snapshot", (*stamp, *store.mark()), store.snapshot)
        if not is_due(records, directory):
            return records
        return memory.compute("foreseen", (records, *bought), partial(repaired_snapshot, directory, self.clock))

    def lock_entries(self) -> tuple[LockEntry, ...]:
        """The entries of the lock file, none when it is absent. Raises SpecError for one that cannot be read."""
        return self._lock().entries

    def _lock(self) -> _Lock:
        path = self.root / LOCK_FILE
        if not path.exists():
            return _Lock()
        if not path.is_file() or path.stat().st_size > _LOCK_LIMIT:
            raise ClipformError(f"{path.name} is not a lock file", help="restore it from git", code="lock-file")
        text = path.read_bytes()
        return self._records[False].compute("lock", (text,), partial(_lock_of, text, path.name))

    @collector_paused()
    def plan(
        self, choice: Choice, loaded: Loaded, snapshot: Snapshot | None = None, reasons: Mapping[str, str] = NONE
    ) -> Planned:
        """The plan for what a command line asks for. Raises UsageError for a name that means no clip. `reasons`: what a
        look-up said of requests that are in doubt, by key."""
        with self._turn:
            records = self.snapshot(choice.draft) if snapshot is None else snapshot
            lock = _Lock() if choice.draft else self._lock()
        wanted = [order.wanted for order in loaded.orders]
        outputs = [w.output for w in wanted if w.output is not None]
        disk = scan_disk(self.root, self.objects(choice.draft), outputs, records, lock.facts, trust=not choice.refresh)

        def planned(scope: PlanScope) -> Plan:
            return compute(wanted, records, disk, locked=lock.facts, scope=scope)

        scope = PlanScope()
        plan = planned(scope)
        if choice.clips or choice.exclude or choice.force:
            candidates = _candidates(loaded, records, plan)
            forced = select(choice.force, (), candidates) if choice.force else frozenset()
            scope = PlanScope(select(choice.clips, choice.exclude, candidates), forced or frozenset())
            plan = planned(scope)
        doubtful = {key for key, attempt in records.attempts.items() if attempt.state is State.UNCERTAIN}
        plan = plan_notes.with_notes(plan, doubtful, loaded.listing, reasons) if doubtful else plan
        aloud = endpoints.warnings(loaded.project, loaded.dialects, records, plan)
        capped = cost.warnings(plan, loaded.project.budget, records.spent)
        diagnostics = (*loaded.warnings, *aloud, *capped)
        plan = replace(plan, diagnostics=diagnostics, places=endpoints.places(loaded.project, loaded.dialects))
        return Planned(loaded, records, disk, lock.by_key, scope, plan)


def dialect_of(config: ProviderConfig) -> Dialect:
    """Return the dialect of a provider. Raises SpecError for wrong settings."""
    return registry.dialect(config.kind, config.settings)


def dialects_of(
    project: Project, dialect_of: Callable[[ProviderConfig], Dialect] = dialect_of
) -> tuple[dict[str, Dialect], list[Diagnostic]]:
    """Return the dialect of each alias, and the problems of their settings."""
    found: dict[str, Dialect] = {}
    problems: list[Diagnostic] = []
    for alias in {clip.spec.provider for clip in project.clips} | set(project.providers):
        config = project.providers[alias]
        try:
            found[alias] = dialect_of(config)
        except SpecError as error:
            problems += [replace(d, source=d.source or config.where) for d in error.diagnostics]
    return found, problems


def resolve_clips(
    project: Project,
    dialects: Mapping[str, Dialect],
    resolve: Callable[..., Resolution] = resolve,
) -> tuple[dict[str, Resolved], list[Diagnostic]]:
    """Return each clip as its model takes it, and the problems of those that it does not take."""
    found: dict[str, Resolved] = {}
    problems: dict[Diagnostic, None] = {}  # a matrix repeats what its one declaration got wrong
    can_publish = bool(project.publish)
    for clip in project.clips:
        dialect = dialects.get(clip.spec.provider)
        if dialect is None:
            continue
        answer = resolve(clip, dialect, can_publish=can_publish)
        if isinstance(answer, Resolved):
            found[clip.name] = answer
            problems.update(dict.fromkeys(answer.warnings))
        else:
            problems.update(dict.fromkeys(answer))
    return found, list(problems)


def state_words(step: Step) -> frozenset[str]:
    """The words that `is:` knows a step by: its action, its reason, and what people call them."""
    words = {step.action.value, step.reason.value, step.reason.value.replace("_", "-")}
    words |= {"ready"} if step.action is Action.NOOP else {"pending"}
    words |= {"failed"} if step.reason in (Reason.FAILED_BEFORE, Reason.REFUSED) else set()
    words |= {"running"} if step.action is Action.RESUME else set()
    words |= {"changed"} if step.action is Action.REPLACE else set()
    return frozenset(words)


def _candidates(loaded: Loaded, snapshot: Snapshot, plan: Plan) -> list[Candidate]:
    """Every clip that is declared, and those that no longer are but still have files."""
    words: dict[str, set[str]] = {}
    for step in plan.steps:
        words.setdefault(step.clip, set()).update(state_words(step))
    declared = {clip.name for clip in loaded.project.clips}
    found = [
        Candidate(clip.name, clip.declared, clip.spec.tags, clip.depends_on(), frozenset(words.get(clip.name, ())))
        for clip in loaded.project.clips
    ]
    gone = sorted({clip for clip, _ in snapshot.bindings} - declared)
    return found + [Candidate(name, name, states=frozenset(words.get(name, ()))) for name in gone]
