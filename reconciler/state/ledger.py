"""The ledger: attempts, their results, and what they cost.

Every method that changes something is one transaction: it appends events, which the reducer (`history`) applies.
Moves are compare-and-set on the attempt and its state. Errors are `StateError`s; `Refused` where a rule forbids
spending.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import field, replace

from reconciler.diagnostics import Refused, StateError
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.plan.windows import Window
from reconciler.records import (
    BLOCKED,
    CONSENTS,
    COUNTS,
    OPEN,
    Artifact,
    Attempt,
    Generation,
    LockEntry,
    Money,
    State,
    is_paid_failure,
)
from reconciler.state import budget, history, merge, rows
from reconciler.state import snapshot as reads
from reconciler.state.budget import Caps, NewAttempt, Spent
from reconciler.state.history import Clock, LogEntry
from reconciler.state.merge import Purchase
from reconciler.state.receipts import Receipt
from reconciler.state.sql.port import NONE, Row, Sql, Statement, Values

NEXT = "SELECT coalesce(max(id), 0) + 1 FROM attempt"
_RECEIPTS = {"source": "receipts"}
FORGOTTEN = "state rm"
"""What the log says of moves that make a key free again."""
Allow = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a move records. None leaves the present value; `money` None takes the value of `COUNTS` for the state.

    `evidence` is stored only in the event log, without secrets, prompts and links.
    """

    task: str | None = None
    reason: str = ""
    message: str = ""
    money: Money | None = None
    cost_micros: int | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge of the receipts changed: attempts that were missing (the database is older, or another one),
    attempts that moved, and receipts of purchases that no attempt can hold, which a person must look at."""

    restored: tuple[Attempt, ...] = ()
    moved: tuple[Attempt, ...] = ()
    lost: tuple[Receipt, ...] = ()


class Ledger:
    """What was bought, and what came of it: everything that may be shared between working copies."""

    def __init__(self, sql: Sql, clock: Clock) -> None:
        self.sql = sql
        self._clock = clock
        self._begun: tuple[int, float] = (0, 0.0)  # number and time of the event of the last purchase

    def complete(self) -> None:
        """Give a new database its id. After a crash before this, the next open does it."""
        if self.id:
            return
        with self.transaction():
            if not self.id:
                self._append("store", {"store": os.urandom(16).hex()})

    # Reading

    @property
    def id(self) -> str:
        """Return the random id of this store: a saved plan and each receipt name it."""
        return reads.store_id(self.sql)

    def attempt(self, number: int) -> Attempt:
        """Return one attempt; StateError when there is none of that number."""
        return self._attempts("WHERE id = :id", {"id": number}, f"no attempt has the number {number}")[0]

    def attempts(self, key: str | None = None) -> tuple[Attempt, ...]:
        """Return every attempt of a key, or of all keys, oldest first."""
        return self._attempts("" if key is None else "WHERE key = :key", {"key": key})

    def uncertain(self) -> tuple[Attempt, ...]:
        """Return the attempts of which nobody knows if they were accepted, oldest first."""
        return self._attempts("WHERE state = :state", {"state": State.UNCERTAIN.value})

    def project_attempts(self) -> tuple[Attempt, ...]:
        """Return every attempt of this project, oldest first; a shared state has those of others, too."""
        return self._attempts(f"WHERE {self.sql.own}")

    def makers(self, sha256: str) -> tuple[Attempt, ...]:
        """Return the attempts that gave an artifact, oldest first."""
        return self._attempts("WHERE sha256 = :sha256", {"sha256": sha256})

    def artifact(self, sha256: str) -> Artifact | None:
        """Return the record of an artifact, None if there is none."""
        return next(iter(self.sql.records(Artifact, "WHERE sha256 = :sha256", {"sha256": sha256})), None)

    def generation(self, key: str) -> Generation | None:
        """Return the result of a key, None if there is none."""
        return reads.generation(self.sql, key)

    def unsettled(self, clip: str) -> tuple[Attempt, ...]:
        """Return the attempts of a clip that are open or wait for a decision: each has its own key."""
        attempts = self._attempts("WHERE clip = :clip", {"clip": clip})
        return tuple(a for a in attempts if a.state in OPEN | BLOCKED or is_paid_failure(a))

    def marks(self) -> set[int]:
        """Return the `expires_after` of every attempt without a task: a new attempt needs another one."""
        taskless = "SELECT expires_after FROM attempt WHERE task IS NULL AND expires_after IS NOT NULL"
        return {number for (number,) in self.sql.query(taskless)}

    def account(self, attempt: Attempt) -> str:
        """Return the account that an attempt was bought with (`NewAttempt.account`); empty when unknown."""
        clip = "clip = :clip" if attempt.clip else "clip IS NULL"  # the log has an index of clips
        where = f"WHERE {clip} AND attempt = :attempt AND type = 'begun'"
        begun = history.read(self.sql, where, {"clip": attempt.clip, "attempt": attempt.id})
        return str(begun[0].payload.get("account", "")) if begun else ""

    def events(self, clip: str | None = None, limit: int | None = None) -> list[LogEntry]:
        """Return the log in order, of everything or of one clip, all of it or the newest `limit`."""
        where = "" if clip is None else "WHERE clip = :clip"
        bound = "" if limit is None else "LIMIT :limit"
        return history.read(self.sql, f"{where} ORDER BY seq DESC {bound}", {"clip": clip, "limit": limit})[::-1]

    def spent(self, run: int | None = None) -> dict[str, Spent]:
        """Return the sums by currency, of everything or of one run."""
        return budget.spent(self.sql, run)

    def spent_in(self, window: Window, currency: str, *, rehearsing: bool) -> int:
        """Return the millionths that a cap counts now; `rehearsing` as in `budget.spent_in`."""
        return budget.spent_in(self.sql, window, currency, self._clock(), rehearsing=rehearsing)

    def unpriced(self, run: int) -> int:
        """Return how many attempts of a run are owed, or may become so, without a known price."""
        return budget.unpriced(self.sql, run)

    def in_doubt(self, run: int) -> int:
        """Return how many attempts of a run may cost money although nobody knows if they were accepted."""
        return budget.in_doubt(self.sql, run)

    # Buying

    def start_run(self, command: str, by: str = "") -> int:
        """Log that an apply begins, and who began it; return its number for its attempts. Only when there is something
        to do."""
        return self._append("run", {"command": command, "by": by}).seq

    def begin(self, new: NewAttempt, caps: Caps | None = None, allow: Allow = lambda: None) -> Attempt:
        """Write the intent before anything is sent: guard, attempt and reservation in one transaction.

        `allow` is asked within it, and raises if the purchase is not allowed. Raises Refused over the caps, StateError
        `key-open` when the key has an open or blocked attempt.
        """
        with self.transaction():
            now = self._clock()
            self._require_room(new, caps, now)
            allow()
            if caps is not None:
                budget.guard(self.sql, new, caps, now)
            return self._write_intent(new, self._clock(), self._claim(new), last=True)

    def _require_room(self, new: NewAttempt, caps: Caps | None, now: float) -> None:
        """Raise an error if something that others did forbids a purchase: nothing, where nobody shares the ledger."""

    def _claim(self, new: NewAttempt) -> Sequence[Statement]:
        """Return what is written beside a new attempt, so that others see whose it is."""
        return ()

    def move(self, attempt: Attempt, to: State, facts: Facts | None = None) -> Attempt:
        """Move an attempt from the state of the given record; StateError `state-moved` if it moved since."""
        return self._change(attempt, self._moved(attempt, to, facts or Facts(), None))

    def look(self, attempt: Attempt, date: float) -> None:
        """Record when an uncertain attempt was first looked for, in UTC seconds of the provider's clock."""
        self._append("looked", {"date": date}, attempt)

    def fetched(
        self, attempt: Attempt, artifact: Artifact, generation: Generation, facts: Facts | None = None
    ) -> Attempt:
        """Record a durable artifact, its generation, READY if it was not yet, and FETCHED, in one transaction."""
        return self._change(attempt, *self._result(attempt, artifact, generation, facts))

    def _result(
        self, attempt: Attempt, artifact: Artifact, generation: Generation, facts: Facts | None
    ) -> list[LogEntry]:
        facts, ready = facts or Facts(cost_micros=generation.cost_micros), replace(attempt, state=State.READY)
        return [
            *(() if attempt.state is State.READY else (self._moved(attempt, State.READY, Facts(), None),)),
            self._entry("artifact", rows.values(artifact), attempt),
            self._entry("generation", {**rows.values(generation), "note": ""}, attempt),
            self._moved(ready, State.FETCHED, facts, artifact.sha256),
        ]

    def adopt(self, generation: Generation, artifact: Artifact, clip: str = "", note: str = "") -> None:
        """Record a durable artifact as a key's result without an attempt (import, restore from the lock file)."""
        video = self._entry("artifact", rows.values(artifact), clip=clip)
        result = self._entry("generation", {**rows.values(generation), "note": note}, clip=clip)
        self.sql.batch(*history.appended(self.sql, video, result))

    def abandon(self, attempt: Attempt, word: str, evidence: Mapping[str, object] | None = None) -> Attempt:
        """Record the user's decision that ends an attempt, a key of `CONSENTS`."""
        reason, message = CONSENTS[word]
        with self.transaction():
            about = {"attempt": attempt.id, "key": attempt.key, **(evidence or {})}
            self.note(f"resolve --{word}", attempt.clip, about)
            return self.move(attempt, State.ABANDONED, Facts(reason=reason, message=message, evidence=evidence or {}))

    def recover_orphans(self, except_kinds: Collection[str] = ()) -> tuple[Attempt, ...]:
        """Make attempts whose submitter died UNCERTAIN, and return them; called under the lock at the start.

        Attempts of `except_kinds` (free and repeatable, such as drafts) stay SUBMITTING: the caller closes them.
        """
        facts = Facts(reason="interrupted", message="clipform stopped before it knew whether the request was accepted")
        with self.transaction():
            return tuple(
                attempt if attempt.kind in except_kinds else self.move(attempt, State.UNCERTAIN, facts)
                for attempt in self._orphans()
            )

    def _orphans(self) -> tuple[Attempt, ...]:
        """Return the attempts whose submitter is dead: the caller alone holds the lock."""
        return self._attempts("WHERE state = :state", {"state": State.SUBMITTING.value})

    def merge(self, lines: Iterable[Receipt]) -> Merged:
        """Record what the receipts have and this database lacks (see `merge`); called under the lock at the start."""
        with self.transaction():
            findings = merge.decide(lines, self.attempts())
            void = tuple(self.move(attempt, State.NOT_SENT, Facts(evidence=_RECEIPTS)) for attempt in findings.void)
            decided = tuple(self._abandon(attempt, word, None) for attempt, word in findings.decided)
            restored = tuple(self._restore(purchase) for purchase in findings.missing)
            accepted = tuple(
                self.move(attempt, State.ACCEPTED, Facts(task=task, evidence=_RECEIPTS))
                for attempt, task in findings.accepted
            )
        return Merged(restored, accepted + void + decided, tuple(findings.lost))

    def _restore(self, purchase: Purchase) -> Attempt:
        line = purchase.intent
        about = {name: getattr(line, name) for name in ("endpoint", "account", "expires_after")}
        new = NewAttempt(line.marker, **line.take_provenance(), **about)
        attempt = self._write_intent(new, line.time)
        if purchase.consent:
            return self._abandon(attempt, purchase.consent, purchase.task)
        if purchase.task is not None:
            return self.move(attempt, State.ACCEPTED, Facts(task=purchase.task, evidence=_RECEIPTS))
        text = "this request is in the receipts, but not in the database: it may have been accepted"
        return self.move(attempt, State.UNCERTAIN, Facts(reason="restored", message=text, evidence=_RECEIPTS))

    def _abandon(self, attempt: Attempt, word: str, task: str | None) -> Attempt:
        if attempt.state is State.SUBMITTING:
            attempt = self.move(attempt, State.UNCERTAIN, Facts(task=task, evidence=_RECEIPTS))
        return self.abandon(attempt, word, _RECEIPTS)

    # Outputs and the rest

    def count(self, line: LockEntry) -> None:
        """Record what a line of the lock file says was bought: it counts also when it is replaced."""
        about = {name: rows.clean(value) for name, value in line.take_provenance(sha256=line.sha256).items()}
        self._append("counted", {**about, "rehearsal": line.rehearsal}, clip=line.clip)

    def drop_artifact(self, sha256: str) -> None:
        """Delete an artifact and its generations from the records, before its file is deleted."""
        self._append("artifact-dropped", {"sha256": sha256})

    def forget(self, key: str) -> None:
        """Forget the result of a key, with the user's consent: it may be bought again. What was paid stays on record.

        Raises StateError `key-open` while a request of it is open or waits for a decision.
        """
        reason, _ = CONSENTS["resubmit"]
        evidence = {"source": FORGOTTEN}
        with self.transaction():
            attempts = self.attempts(key)
            if any(attempt.state in OPEN | BLOCKED for attempt in attempts):
                raise StateError("a request of this key is not settled, so it is not forgotten", code="key-open")
            self.note(FORGOTTEN, attempts[-1].clip if attempts else "", {"key": key})
            for attempt in attempts:
                if attempt.state is State.DONE:  # over: nobody holds it
                    for to in (State.ACCEPTED, State.STALLED, State.ABANDONED):
                        message = "its result was forgotten by the user"
                        facts = Facts(reason=reason, message=message, money=attempt.money, evidence=evidence)
                        attempt = Ledger._change(self, attempt, self._moved(attempt, to, facts, None))
            self._append("forgotten", {"key": key})

    def relabel(self, old: str, new: str) -> None:
        """Count in a shared ledger as bought by the one project what the other one bought."""
        self._append("relabelled", {"old": old, "new": new})

    def require_unused(self, plan: str) -> None:
        """Raise Refused, code `plan-used`, for a saved plan that was applied to this store."""
        if self.sql.query("SELECT 1 FROM plan WHERE id = :plan", {"plan": plan}):
            help = f"{command('plan', '--out', 'FILE')} makes a new one"
            raise Refused("this plan was already applied", help=help, code="plan-used")

    def consume_plan(self, plan: str) -> None:
        """Record that a saved plan is applied; `require_unused` raises from then on.

        Put this and the first intent into one `transaction()`: both or neither.
        """
        with self.transaction():
            self.require_unused(plan)
            self._append("plan-consumed", {"plan": plan})

    def note(self, fact: str, clip: str = "", about: Mapping[str, object] | None = None) -> None:
        """Log a fact that changes no table, such as a consent; without secrets and links."""
        self._append("note", {**(about or {}), "what": fact}, clip=clip)

    def settle_on(self, server: str) -> None:
        """Record that these records are whole, on the database server of this name."""
        self._append("settled", {"server": server})

    def transaction(self) -> AbstractContextManager[None]:
        """Run several calls as one transaction, also nested. Never await inside."""
        return self.sql.transaction()

    def _append(self, kind: str, payload: rows.Payload, attempt: Attempt | None = None, clip: str = "") -> LogEntry:
        return history.append(self.sql, self._entry(kind, payload, attempt, clip))

    def _entry(self, kind: str, payload: rows.Payload, attempt: Attempt | None = None, clip: str = "") -> LogEntry:
        number, name = (attempt.id, attempt.clip) if attempt else (None, clip)
        return LogEntry(0, self._clock(), kind, name, number, payload)

    def _change(self, attempt: Attempt, *entries: LogEntry) -> Attempt:
        """Append events about an attempt that exists, and return it as it is then."""
        return self._write(attempt, entries)[1]

    def _write(
        self,
        attempt: Attempt,
        entries: Iterable[LogEntry],
        first: Sequence[Statement] = (),
        then: Sequence[Statement] = (),
        *,
        last: bool = False,
    ) -> tuple[list[list[Row]], Attempt]:
        """Append events about an attempt between other statements, all at once. Returns the rows of each statement, and
        the attempt as it is then."""
        newest = Statement(rows.select(Attempt, "WHERE id = :id"), {"id": attempt.id})
        statements = [*first, *history.appended(self.sql, *entries), *then, newest]
        *answers, [record] = self.sql.batch(*statements, last=last)
        return answers, reads.attempt(record)

    def _moved(self, attempt: Attempt, to: State, facts: Facts, sha256: str | None) -> LogEntry:
        payload = {
            "from": attempt.state.value,
            "to": to.value,
            "money": (facts.money or COUNTS[to]).value,
            "task": rows.clean(facts.task),
            "reason": rows.clean(facts.reason),
            "message": rows.clean(facts.message),
            "cost_micros": facts.cost_micros,
            "sha256": sha256,
            "evidence": dict(facts.evidence),
        }
        return self._entry("moved", payload, attempt)

    def _write_intent(
        self, new: NewAttempt, created: float, claim: Sequence[Statement] = (), *, last: bool = False
    ) -> Attempt:
        # Not by an identity: the event must hold the number, since the tables follow from the log alone.
        ((number,),) = self.sql.query(NEXT)
        about = {name: getattr(new, name) for name in ("marker", "document", "endpoint", "expires_after")}
        about |= new.take_provenance(task=None)
        attempt = Attempt(id=number, state=State.SUBMITTING, created=created, updated=created, **about)
        begun = self._entry("begun", {**rows.values(attempt), "run": new.run, "account": new.account}, attempt)
        answers, attempt = self._write(attempt, [begun], then=claim, last=last)
        self._begun = (answers[0][0][0], begun.time)
        return attempt

    def _attempts(self, where: str, values: Values = NONE, missing: str = "") -> tuple[Attempt, ...]:
        attempts = reads.attempts(self.sql, f"{where} ORDER BY id", values)
        if missing and not attempts:
            raise StateError(missing, code="no-attempt")
        return attempts
