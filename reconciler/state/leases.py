"""A store whose purchases several machines make at once: who may carry out an attempt, and until when.

The rules, each kept inside the write lock of the database (`sql.postgres`), whose clock alone counts:

- The process that begins an attempt holds it, by a lease, and renews that while it lives; so one that was killed or
  frozen loses it, and nothing must be unlocked.
- Every move first takes or renews the lease. An attempt that somebody else holds is not moved: `HeldElsewhere`.
- Only an attempt whose lease is over is taken over, and its fence grows by one. What the former holder still wants to
  write then fails, even if it is only now that it wakes up: it has the old fence.
- A working copy may go on with its own attempts at once: its kernel lock says that the process before is dead.
- The lease of a new attempt is longer than its request can take to leave and to be answered, and the sender sends
  nothing after `DEADLINE`; so a request whose lease is over is over, too. Once it was accepted, its lease is as short
  as any other: another one goes on soon if its sender dies.
- A task id is recorded for an attempt in doubt, also if another holds it, and so is that its request was not sent: both
  are the truth about a purchase, and its sender alone knows it.
- Slots and caps are counted after the lock was taken, in a statement of their own (`sql.postgres`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from reconciler import money
from reconciler.diagnostics import Refused, StateError
from reconciler.frozen import dataclass
from reconciler.records import BLOCKED, OPEN, UNDECIDED, Artifact, Attempt, Generation, Snapshot, State
from reconciler.state import accounts, budget, lineage, shared_schema
from reconciler.state.budget import SPANS, Caps, NewAttempt
from reconciler.state.history import Clock, LogEntry
from reconciler.state.ledger import NEXT, Allow, Facts, Ledger, Merged
from reconciler.state.receipts import Receipt
from reconciler.state.rows import select
from reconciler.state.schema import texts
from reconciler.state.sql.port import NONE, Asks, Question, Sql, Statement, Values
from reconciler.state.store import DEADLINE, LEASE, Store
from reconciler.state.wants import Wants

LOOK = 1.0
"""Seconds between two looks at what others hold: one look for all of it."""

_GOING = f"state IN ({texts(OPEN | BLOCKED)})"
_SPENT = "CASE WHEN :answered = 1 THEN 'epoch' ELSE lease_until END"
_LATER = f"greatest({_SPENT}, clock_timestamp() + make_interval(secs => :lease))"
_RENEW = (
    f"UPDATE attempt SET lease_until = {_LATER} WHERE id = :id AND owner = :owner AND fence = :fence RETURNING fence"
)
_TAKE = """UPDATE attempt SET owner = :owner, holder = :holder, fence = fence + 1,
  lease_until = clock_timestamp() + make_interval(secs => :lease)
WHERE id = :id AND (owner = :owner OR lease_until <= clock_timestamp()) RETURNING fence"""
_BEGUN = """UPDATE attempt SET owner = :owner, holder = :holder, fence = 1, permit = :permit,
  lease_until = clock_timestamp() + make_interval(secs => :lease) WHERE marker = :marker"""
_ELSEWHERE = "owner <> :owner AND lease_until > clock_timestamp()"
_BUSY = f"SELECT marker FROM attempt WHERE {_GOING} AND {_ELSEWHERE}"
_NEWEST = "SELECT coalesce(max(id), 0) FROM attempt WHERE key = :key"
_CAPS = """SELECT cap.project, per, cap.currency, micros, (
  SELECT coalesce(sum(cost_micros), 0) FROM attempt WHERE money <> 'released' AND attempt.currency = cap.currency
    AND (cap.project = '' OR attempt.project = cap.project)
    AND CASE per WHEN 'day' THEN begun >= date_trunc('day', clock_timestamp(), 'UTC')
      WHEN 'run' THEN run = :run AND :run > 0 ELSE true END
) FROM cap WHERE cap.project IN ('', :project)"""


class HeldElsewhere(StateError):
    """Another machine carries out this attempt."""


def _held_by(name: str, attempt: Attempt) -> HeldElsewhere:
    return HeldElsewhere(f"{name} carries out attempt {attempt.id} of {attempt.clip}", code="elsewhere")


@dataclass(frozen=True, slots=True)
class Member:
    """A working copy among others: `owner` is a digest of it, `name` is for people."""

    owner: str
    name: str


class SharedStore(Store):
    """The store of one working copy among several; see above."""

    is_shared = True
    wants: Wants | None = None
    """The orders of workers, for a project that hands over to them."""

    def __init__(self, sql: Sql, clock: Clock, desk: Sql, member: Member) -> None:
        self._id = ""
        super().__init__(sql, clock, desk)
        self.member, self.owner = member, member.owner
        self._me = {"owner": member.owner, "holder": member.name, "lease": LEASE, "answered": False}
        self._held: dict[int, int] = {}  # the fence of each attempt that this process holds
        self._elsewhere: dict[int, str] = {}  # who holds each attempt that was asked about
        self._looked = float("-inf")
        self._seen: lineage.Mark | None = None  # the newest event that this process saw when the records were whole
        self._spoken: dict[
            str, tuple[float, str]
        ] = {}  # when it was asked last who speaks for an account, and who does
        self._paused: dict[str, tuple[float, float]] = {}  # when an account was asked for a pause last, and its end

    @property
    def id(self) -> str:
        """Return the random id of the shared state, which stays what it is: it is asked once."""
        self._id = self._id or super().id
        return self._id

    def of_project(self, sql: Sql) -> SharedStore:
        """Return the store of the same member over another connection, whose project counts what is bought."""
        other = SharedStore(sql, self._clock, self.desk.sql, self.member)
        other._held, other.team = self._held, self.team
        return other

    def begin(self, new: NewAttempt, caps: Caps | None = None, allow: Allow = lambda: None) -> Attempt:
        """Write the intent as `Ledger.begin`, and hold it. Raises NotYet while the account has no room.

        The records must be whole: what they lost since they were seen last is brought back first (`lineage`).
        """
        self._seen = self._seen or lineage.catch_up(self, self._clock)
        try:
            attempt = super().begin(new, caps, allow)
        except Refused as error:
            if error.code != lineage.BEHIND:
                raise
            self._seen = lineage.catch_up(self, self._clock, self._seen)
            attempt = super().begin(new, caps, allow)
        self._held[attempt.id], self._seen = 1, self._begun
        if self.team is not None:
            self.team.latest = self._seen
        return attempt

    def _require_room(self, new: NewAttempt, caps: Caps | None, now: float) -> None:
        seen = self._seen or (0, 0.0)
        self._ask(new, caps, now, seen)
        shared_schema.require_usable(self.sql)  # another one may have migrated it since this process began
        lineage.require_whole(self.sql, seen)
        self._require_newest(new)
        accounts.require_turn(self.sql, new)
        self._require_caps(new)

    def _claim(self, new: NewAttempt) -> Sequence[Statement]:
        about = {"marker": new.marker, "permit": new.permit, "lease": max(LEASE, DEADLINE + new.patience)}
        return [*accounts.turn(new), Statement(_BEGUN, {**self._me, **about})]

    def move(self, attempt: Attempt, to: State, facts: Facts | None = None) -> Attempt:
        """Move an attempt as `Ledger.move`. Raises HeldElsewhere, unless it says what became of a request in doubt."""
        task = facts.task if facts is not None else None
        try:
            return super().move(attempt, to, facts)
        except StateError as error:
            is_known = task is not None or to is State.NOT_SENT
            if error.code not in ("elsewhere", "state-moved", "state-unreachable") or facts is None or not is_known:
                raise
            newest = self.attempt(attempt.id)
            if newest.marker != attempt.marker:
                raise  # the database was restored, and has given the number to another one
            if newest.state is to or (task is not None and newest.task == task):
                return newest  # the commit whose outcome was not known had happened
            if newest.state is State.UNCERTAIN:
                return Ledger._change(self, newest, self._moved(newest, to, facts, None))
            if newest.state is not attempt.state:
                raise
            # Its commit may still be under way: then it is seen the next time, behind the lock.
            return (
                self.move(newest, to, facts) if error.code == "state-unreachable" else super().move(newest, to, facts)
            )

    def fetched(
        self, attempt: Attempt, artifact: Artifact, generation: Generation, facts: Facts | None = None
    ) -> Attempt:
        """Record a durable artifact, and close the attempt: where the video is placed concerns each working copy."""
        closed = self._moved(replace(attempt, state=State.FETCHED), State.DONE, Facts(), None)
        return self._change(attempt, *self._result(attempt, artifact, generation, facts), closed)

    def merge(self, lines: Iterable[Receipt]) -> Merged:
        """Record what the receipts of this working copy have, as `Ledger.merge`; what is held elsewhere waits."""
        with self.transaction():
            if isinstance(self.sql, Asks):
                self.sql.ask((_BUSY, self._me), (select(Attempt, " ORDER BY id"), {"key": None}))
            busy = {marker for (marker,) in self.sql.query(_BUSY, self._me)}
            return super().merge([line for line in lines if line.marker not in busy])

    def _beside(self) -> Sequence[Question]:
        return ((shared_schema.PRESENT, NONE), *(() if self.wants is None else (self.wants.question(),)))

    def _whole(self, records: Snapshot) -> Snapshot:
        shared_schema.require_usable(self.sql)
        return records if self.wants is None else replace(records, handed=self.wants.handed())

    def holder(self, attempt: Attempt) -> str:
        """Return who else carries out an attempt now; empty if nobody does. One look a second serves all questions."""
        if attempt.id in self._held or attempt.state not in OPEN | {State.UNCERTAIN}:
            return ""
        if attempt.id not in self._elsewhere or abs(self._clock() - self._looked) >= LOOK:
            numbers = [*self._elsewhere.keys() | {attempt.id}]
            where = f"id = ANY(:ids) AND {_GOING} AND {_ELSEWHERE}"
            rows = self.sql.query(f"SELECT id, holder FROM attempt WHERE {where}", {**self._me, "ids": numbers})
            self._elsewhere, self._looked = dict(rows), self._clock()
        return self._elsewhere.get(attempt.id, "")

    def pause(self, account: str, seconds: float) -> None:
        """Stop all machines for so many seconds at an account; said once for each pause."""
        now = self._clock()
        if now + seconds > self._paused.get(account, (0.0, 0.0))[1] + LOOK:
            accounts.pause(self.sql, account, seconds)
            self._paused[account] = (now, now + seconds)

    def paused(self, account: str) -> float:
        """Return how many seconds of a pause of an account remain, whichever machine was asked for it; one look a
        second serves all questions."""
        now, (looked, end) = self._clock(), self._paused.get(account, (float("-inf"), 0.0))
        if abs(now - looked) >= LOOK:
            end = now + accounts.paused(self.sql, account)
            self._paused[account] = (now, end)
        return max(0.0, end - now)

    def speaker(self, account: str) -> str:
        """Return who else speaks for an account whose tokens exclude each other; empty once this process does."""
        now, (asked, name) = self._clock(), self._spoken.get(account, (float("-inf"), ""))
        if abs(now - asked) >= (LOOK if name else LEASE / 4):
            name = accounts.speak(self.sql, account, self._me)
            self._spoken[account] = (now, name)
        return name

    def renew(self) -> None:
        """Go on holding what this process holds."""
        if self._held:
            where = f"id = ANY(:ids) AND owner = :owner AND {_GOING}"
            values = {**self._me, "ids": [*self._held]}
            self.sql.batch(Statement(f"UPDATE attempt SET lease_until = {_LATER} WHERE {where}", values))

    def drop_artifact(self, sha256: str) -> None:
        """Raise StateError: to forget a result would let everybody buy it again."""
        raise StateError("a result that others may use is not forgotten", code="state-rule")

    def close(self) -> None:
        """Give back what this working copy holds, so that others need not wait, and close the databases. A request
        that may still be under way is left to its lease."""
        with suppress(StateError):
            self._give_back()
        self._held.clear()
        super().close()

    def _give_back(self) -> None:
        if self._held or self._spoken:
            with self.transaction():
                accounts.fall_silent(self.sql, self._me)
                where = f"owner = :owner AND {_GOING} AND state <> '{State.SUBMITTING}'"
                self.sql.execute(f"UPDATE attempt SET lease_until = clock_timestamp() WHERE {where}", self._me)

    def in_doubt_at(self, place: str) -> tuple[Attempt, ...]:
        """Return the requests that nobody holds and whose fate the receipts at a place may prove."""
        going = f"state IN ({texts(UNDECIDED)}) AND permit = :place"
        return self._unheld(f"WHERE {going} AND NOT ({_ELSEWHERE})", {**self._me, "place": place})

    def _orphans(self) -> tuple[Attempt, ...]:
        """Return the requests whose sender is dead, or holds them no more."""
        return self._unheld(f"WHERE state = '{State.SUBMITTING}' AND NOT ({_ELSEWHERE})", self._me)

    def _unheld(self, where: str, values: Values) -> tuple[Attempt, ...]:
        """Return attempts but those that this process is carrying out."""
        return tuple(attempt for attempt in self._attempts(where, values) if attempt.id not in self._held)

    def _change(self, attempt: Attempt, *entries: LogEntry) -> Attempt:
        """Append events about an attempt that this process holds, or takes over. Raises HeldElsewhere."""
        try:
            (((fence,),), *_), changed = self._write(attempt, entries, [self._hold(attempt, entries)])
        except HeldElsewhere:
            self._held.pop(attempt.id, None)
            ((name,),) = self.sql.query("SELECT holder FROM attempt WHERE id = :id", {"id": attempt.id})
            raise _held_by(name, attempt) from None
        if changed.state in OPEN | BLOCKED:
            self._held[attempt.id] = int(fence)
        else:
            self._held.pop(attempt.id, None)
        return changed

    def _hold(self, attempt: Attempt, entries: Sequence[LogEntry]) -> Statement:
        """Return what renews the lease of an attempt, or takes it over if it is over."""
        fence = self._held.get(attempt.id)
        answered = any(entry.payload.get("to") == State.ACCEPTED for entry in entries)
        values = {**self._me, "id": attempt.id, "fence": fence, "answered": answered}
        return Statement(_TAKE if fence is None else _RENEW, values, otherwise=_held_by("somebody else", attempt))

    def _ask(self, new: NewAttempt, caps: Caps | None, now: float, seen: lineage.Mark) -> None:
        """Ask what a purchase must know, all at once: over a long line each question by itself takes a round trip. The
        lock is taken before, and each question sees what was committed then."""
        if isinstance(self.sql, Asks):
            self.sql.ask(
                (shared_schema.PRESENT, NONE),
                lineage.question(seen),
                (_NEWEST, {"key": new.key}),
                *accounts.questions(new),
                (_CAPS, {"run": new.run}),
                *(budget.questions(self.sql, new, caps, now) if caps is not None else ()),
                (NEXT, {}),
            )

    def _require_newest(self, new: NewAttempt) -> None:
        """Raise StateError `elsewhere` if somebody has begun the key since it was decided to buy it. That it is not
        open says nothing: while one waited for a slot, or was frozen, another may have made and closed it."""
        if new.after is not None:
            ((newest,),) = self.sql.query(_NEWEST, {"key": new.key})
            if newest != new.after:
                raise StateError(f"somebody else has asked for {new.clip} meanwhile", code="elsewhere")

    def _require_caps(self, new: NewAttempt) -> None:
        """Raise Refused over a cap that is set in the database, which no project file can raise."""
        if new.cost_micros == 0:
            return
        for project, per, currency, micros, spent in self.sql.query(_CAPS, {"run": new.run}):
            scope = f"the cap of {project or 'all projects'} {SPANS[per]}"
            if new.cost_micros is None or new.currency != currency:
                raise Refused(f"clip '{new.clip}' has no known price in {currency}, and there is {scope}", code="cap")
            if int(spent) + new.cost_micros > micros:
                most = money.text(money.from_micros(micros), currency)
                raise Refused(f"clip '{new.clip}' would exceed {scope}, {most}", code="cap")
