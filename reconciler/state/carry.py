"""Carries purchases and results from one ledger to another, by marker and by key: what `state push` and `pull` do.

To carry again changes nothing, so a run that was interrupted is repeated.

    source                      target                          then
    an attempt                  none with its marker            recorded, and moved to its state
    an attempt                  the same, behind                moved on
    an attempt                  the same, as far or further     nothing
    an attempt                  another one of its key is open  it waits, and the caller says so: it was bought twice
    a result                    none of its key                 recorded
    a result                    another video of its key        nothing, and the caller says so: both were paid for
    a result                    the user has forgotten it       nothing
    a forgotten result          a mirror has it                 forgotten there, too

Drafts stay where they are: they cost nothing, and each machine makes its own. Runs are not carried: what was bought
counts under the caps of the project, and not under those of an apply that begins later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace

from reconciler.diagnostics import StateError
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.providers.base import LOCAL
from reconciler.records import (
    ABANDONED,
    ADOPTED_AGAIN,
    BLOCKED,
    COUNTS,
    LOOKED_AT_AGAIN,
    MOVES,
    OPEN,
    Artifact,
    Attempt,
    Generation,
    Money,
    State,
)
from reconciler.state import history, rows
from reconciler.state import snapshot as reads
from reconciler.state.history import LogEntry
from reconciler.state.ledger import Ledger
from reconciler.state.sql.port import Sql, Values
from reconciler.state.store import Store

_TAKEN = ("key-open", "task-taken")
_MERGED = {"source": "merge"}


@dataclass(frozen=True, slots=True)
class Carried:
    """What was carried, and what could not be: attempts of a key that has another one open, and results of a key that
    has another video."""

    attempts: list[Attempt] = field(default_factory=list)
    results: list[Generation] = field(default_factory=list)
    waiting: list[Attempt] = field(default_factory=list)
    twice: list[tuple[Generation, Generation]] = field(default_factory=list)  # of the source, of the target


def carry(source: Ledger, target: Ledger, keys: Iterable[str] | None = None, since: int = 0) -> Carried:
    """Carry all that the source has. With `keys` the target is a mirror of the source, of what its own project bought
    and of the results of these keys: each attempt gets the source's state, whatever it was. Of a mirror that has all
    events up to the number `since` only what is newer is compared."""
    carried, values = Carried(), {"since": since}
    chosen = f"{source.sql.own} AND {_NEWER}" if since else source.sql.own
    with source.sql.reading():
        attempts = reads.attempts(source.sql, f"WHERE {chosen} ORDER BY id", values)
        results = _results(source.sql, keys, chosen, values)
        accounts, counted = reads.accounts(source.sql, attempts), reads.counted(source.sql)
        videos = reads.artifacts(source.sql, {result.sha256 for result in results.values()})
    by_marker = {attempt.marker: attempt for attempt in target.attempts()} if attempts else {}
    for attempt in sorted((a for a in attempts if a.kind != LOCAL), key=lambda a: (a.state in OPEN | BLOCKED, a.id)):
        present = by_marker.get(attempt.marker)
        steps = _steps(present, attempt, is_mirror=keys is not None)
        if steps or (present is None and attempt.state is State.SUBMITTING):
            arrived = _arrives(target, attempt, present, steps, accounts.get(attempt.id, ""))
            (carried.attempts if arrived else carried.waiting).append(attempt)
    for result in results.values():
        if result.kind != LOCAL:
            _result(target, result, videos[result.sha256], carried)
    for attempt in attempts if keys is not None else ():
        with target.transaction():
            if _is_forgotten(attempt) and attempt.key not in results and target.generation(attempt.key) is not None:
                history.append(target.sql, _entry(attempt, None, "forgotten", {"key": attempt.key}))
    _count(target, counted)
    return carried


def _is_forgotten(attempt: Attempt) -> bool:
    """True if an attempt gave a result that the user has since allowed to buy again."""
    return attempt.state is State.ABANDONED and attempt.sha256 is not None and attempt.reason != ABANDONED


_NEWER = "id IN (SELECT attempt FROM event WHERE seq > :since AND attempt IS NOT NULL)"


def _results(sql: Sql, keys: Iterable[str] | None, chosen: str, values: Values) -> dict[str, Generation]:
    where = ""
    if keys is not None:
        where = f"WHERE key IN (SELECT key FROM attempt WHERE {chosen})" + (" OR key = ANY(:keys)" if keys else "")
    results = sql.records(Generation, where, {**values, "keys": [*(keys or ())]})
    return {result.key: result for result in results}


def mirror(ledger: Ledger, own: Store) -> Carried:
    """Bring the records of a working copy up to date with the shared ones. Raises StateError, see `require_mirror`."""
    with ledger.sql.reading():
        shared = ledger.id
        require_mirror(own, shared)
        mark = reads.mark(ledger.sql)  # what is newer is compared the next time again
        has_all = mark == own.mirrored and mark[0] > 0
        since = mark[0] if has_all else _seen(ledger.sql, own)
    keys = own.lacking() if since else own.keys()
    carried = Carried() if has_all and not keys else carry(ledger, own, keys, since)
    own.join(shared, mark)
    return carried


def _seen(sql: Sql, copy: Store) -> int:
    """Return the number of the newest event that a mirror has of the shared state. 0, to compare all, if there is none
    such there: a backup was put back; and after a project got another name, which no attempt's events say."""
    number, time = copy.mirrored
    same = "SELECT 1 FROM event WHERE seq = :seq AND time = :time"
    renamed = "NOT EXISTS (SELECT 1 FROM event WHERE seq > :seq AND type = 'relabelled')"
    return number if sql.query(f"{same} AND {renamed}", {"seq": number, "time": time}) else 0


def require_mirror(own: Store, shared: str) -> None:
    """Raise StateError unless a working copy's own records are those of the shared state with this id, or nothing."""
    joined = own.joined
    if joined is not None and joined[0] != shared:
        text = "the records of this machine mirror another shared state"
        raise StateError(text, help="name that one in the project file", code="state-elsewhere")
    if joined is None and any(attempt.kind != LOCAL for attempt in own.attempts()):
        text = "the records of this machine are not in the shared state yet"
        help = f"{command('state', 'push')} carries them there first"
        raise StateError(text, help=help, code="state-not-joined")


def way(start: State, end: State, *, again: bool = False) -> list[State] | None:
    """Return the states on the shortest way between two, without the first; None if no move leads there. `again`: also
    by moves that have a task looked at once more."""
    before: dict[State, State] = {start: start}
    todo = deque([start])
    while todo:
        state = todo.popleft()
        for to in sorted(MOVES.get(state, ())):
            if to not in before and (again or (state not in _ENDED or to is not State.ACCEPTED)):
                before[to] = state
                todo.append(to)
    if end not in before:
        return None
    steps = []
    while end is not start:
        steps.append(end)
        end = before[end]
    return steps[::-1]


_ENDED = ADOPTED_AGAIN | LOOKED_AT_AGAIN


def _steps(present: Attempt | None, attempt: Attempt, *, is_mirror: bool) -> list[State]:
    """Return the moves that bring an attempt to where the source has it; none if that is not further on. No clock
    decides which of two states is the later one: those of two machines differ."""
    if present is None and attempt.state in (State.NOT_SENT, State.REFUSED):
        return []  # nothing was bought
    start = State.SUBMITTING if present is None else present.state
    if is_mirror:
        return way(start, attempt.state, again=True) or []
    forward, back = way(start, attempt.state), way(attempt.state, start)
    if present is not None and forward is None and back is None and attempt.sha256 and not present.sha256:
        return way(start, attempt.state, again=True) or []  # a task that was looked at again, and had a video
    return (forward or []) if present is None or back is None else []


def _arrives(target: Ledger, attempt: Attempt, present: Attempt | None, steps: Sequence[State], account: str) -> bool:
    """Record an attempt, or move it on. False if another one of its key is open, or has its task."""
    try:
        with target.transaction():
            present = present or _begun(target, attempt, account)
            for state in steps:
                _moved(target, present, attempt, state)
                present = replace(present, state=state)
            if attempt.looked is not None:
                history.append(target.sql, _entry(attempt, present.id, "looked", {"date": attempt.looked}))
    except StateError as error:
        if error.code not in _TAKEN:
            raise
        return False
    return True


def _begun(target: Ledger, attempt: Attempt, account: str) -> Attempt:
    ((number,),) = target.sql.query("SELECT coalesce(max(id), 0) + 1 FROM attempt")
    begun = replace(
        attempt, id=number, state=State.SUBMITTING, updated=attempt.created, task=None, money=Money.RESERVED,
        reason="", message="", sha256=None, looked=None,
    )  # fmt: skip
    payload = {**rows.values(begun), "run": 0, "account": account}
    history.append(target.sql, LogEntry(0, attempt.created, "begun", attempt.clip, number, payload))
    return begun


def _moved(target: Ledger, present: Attempt, attempt: Attempt, to: State) -> None:
    """Move an attempt one step; what the last step has is what the source has."""
    is_last = to is attempt.state
    payload = {
        "from": present.state.value,
        "to": to.value,
        "money": (attempt.money if is_last else COUNTS[to]).value,
        "task": attempt.task,
        "reason": attempt.reason if is_last else "",
        "message": attempt.message if is_last else "",
        "cost_micros": attempt.cost_micros,
        "sha256": attempt.sha256,
        "evidence": _MERGED,
    }
    history.append(target.sql, _entry(attempt, present.id, "moved", payload))


def _entry(attempt: Attempt, number: int | None, kind: str, payload: rows.Payload) -> LogEntry:
    return LogEntry(0, attempt.updated, kind, attempt.clip, number, payload)


def _result(target: Ledger, result: Generation, video: Artifact, carried: Carried) -> None:
    present = target.generation(result.key)
    forgotten = (each.sha256 for each in target.attempts(result.key) if _is_forgotten(each))
    if present is None and result.sha256 in forgotten:
        return
    if present is not None:
        if present.sha256 != result.sha256:
            carried.twice.append((result, present))
        return
    target.adopt(result, video, note="merge")
    carried.results.append(result)


def _count(target: Ledger, lines: Mapping[tuple[str, bool], tuple[int, str]]) -> None:
    """Carry the costs that only lock files had."""
    present = reads.counted(target.sql)
    for (key, rehearsal), (micros, currency) in lines.items():
        if (key, rehearsal) not in present:
            about = {"key": key, "rehearsal": rehearsal, "cost_micros": micros, "currency": currency}
            with target.transaction():
                history.append(target.sql, LogEntry(0, 0.0, "counted", "", None, about))
