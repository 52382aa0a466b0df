"""What all machines observe of one account at a provider: its slots, its rate, its pauses, and who speaks for it.

Everything is by the database's clock, and what is counted before a purchase is read after the write lock was taken, in
a statement of its own (`sql.postgres`): so the last slot is given once, and no two submits have the same turn.
"""

from __future__ import annotations

from reconciler.diagnostics import StateError
from reconciler.records import State
from reconciler.state.budget import NewAttempt
from reconciler.state.schema import texts
from reconciler.state.sql.port import Question, Sql, Statement, Values

LATE = 0.1
"""Seconds before its turn from which on a submit may begin: it still takes as long to leave. The turn after it is not
earlier for that, so the rate holds."""

_BUSY = f"""SELECT holder, count(*) FROM attempt WHERE account = :account
  AND (state IN ({texts(frozenset({State.SUBMITTING, State.ACCEPTED}))})
    OR state IN ({texts(frozenset({State.UNCERTAIN, State.STALLED}))}) AND begun > clock_timestamp() - interval '1 day')
GROUP BY holder ORDER BY holder"""
"""What is under way at an account; after a day nothing is, even if nobody has decided about it."""
_WAIT = """SELECT extract(epoch FROM resume_at - clock_timestamp()), extract(epoch FROM next_at - clock_timestamp())
FROM account WHERE name = :account"""
_NEXT = """INSERT INTO account (name, next_at) VALUES (:account, clock_timestamp() + make_interval(secs => :spacing))
ON CONFLICT (name) DO UPDATE
  SET next_at = greatest(account.next_at, clock_timestamp()) + make_interval(secs => :spacing)"""
_PAUSE = """INSERT INTO account (name, resume_at) VALUES (:account, clock_timestamp() + make_interval(secs => :seconds))
ON CONFLICT (name) DO UPDATE SET resume_at = greatest(account.resume_at, excluded.resume_at)"""
_SPEAK = """INSERT INTO account (name, owner, holder, lease_until)
VALUES (:account, :owner, :holder, clock_timestamp() + make_interval(secs => :lease))
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, holder = excluded.holder, lease_until = excluded.lease_until
  WHERE account.owner = :owner OR account.lease_until <= clock_timestamp()
RETURNING name"""


class NotYet(StateError):
    """An account has no room for one more now; `wait` is how many seconds to wait before another try."""

    def __init__(self, message: str, code: str, wait: float = 1.0) -> None:
        super().__init__(message, code=code)
        self.wait = wait


def require_turn(sql: Sql, new: NewAttempt) -> None:
    """Require that an account has room for a purchase, within the transaction that begins it.

    Raises NotYet: `paused` while its provider wants no requests, `no-turn` before the next one, `no-slot` while as many
    as allowed are under way.
    """
    if not new.account:
        return
    resume, turn = next(iter(sql.query(_WAIT, {"account": new.account})), (0.0, 0.0))
    if resume > 0:
        raise NotYet(f"{new.provider} is busy", "paused", float(resume))
    if turn > LATE:
        raise NotYet(f"waits for its turn at {new.provider}", "no-turn", float(turn))
    users = sql.query(_BUSY, {"account": new.account}) if new.slots else []
    if sum(count for _, count in users) >= new.slots > 0:
        names = ", ".join(f"{name} {count}" for name, count in users)
        raise NotYet(f"all {new.slots} slots of {new.provider} are taken ({names})", "no-slot")


def turn(new: NewAttempt) -> list[Statement]:
    """Return what takes the turn of a purchase."""
    is_spaced = new.account and new.spacing > 0
    return [Statement(_NEXT, {"account": new.account, "spacing": new.spacing})] if is_spaced else []


def questions(new: NewAttempt) -> tuple[Question, ...]:
    """Return what `require_turn` asks, with its values."""
    about = {"account": new.account}
    return ((_WAIT, about), *(((_BUSY, about),) if new.slots else ())) if new.account else ()


def pause(sql: Sql, account: str, seconds: float) -> None:
    """Stop all machines for so many seconds, as the provider asks."""
    sql.batch(Statement(_PAUSE, {"account": account, "seconds": seconds}))


def paused(sql: Sql, account: str) -> float:
    """Return how many seconds of a pause remain; 0 without one."""
    resume, _ = next(iter(sql.query(_WAIT, {"account": account})), (0.0, 0.0))
    return max(0.0, float(resume))


def speak(sql: Sql, account: str, me: Values) -> str:
    """Take or keep the lease of the one who speaks for an account. Returns who else has it, empty if it is ours."""
    with sql.transaction():
        if sql.query(_SPEAK, {**me, "account": account}):
            return ""
        ((name,),) = sql.query("SELECT holder FROM account WHERE name = :account", {"account": account})
        return str(name)


def fall_silent(sql: Sql, me: Values) -> None:
    """Give back every account that we speak for, within a transaction."""
    sql.execute("UPDATE account SET lease_until = 'epoch' WHERE owner = :owner", me)
