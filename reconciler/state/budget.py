"""Sums what was spent, and checks every intent against the caps before it is written.

Amounts are whole millionths of a currency. The guard runs inside the intent's own transaction, which holds the write
lock of its database from its beginning (`Sql.transaction`), so reading the sums first is as safe as a `WHERE` in the
insert, and the error can name the cap.
"""

from __future__ import annotations

from reconciler import money
from reconciler.diagnostics import Refused
from reconciler.frozen import dataclass
from reconciler.plan.windows import Window
from reconciler.records import UNDECIDED, TakeProvenance
from reconciler.spec.environment import is_local
from reconciler.state.schema import texts
from reconciler.state.sql.port import Question, Sql

SPANS = {"day": "a day", "run": "an apply", "total": "in all"}
"""What a cap of a shared state counts, in words."""


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds on settled + reserved, in millionths of one currency; None: no such bound.

    `run_micros` and `run_clips` bound what began in one apply (`NewAttempt.run`), `total_micros` everything, of which
    `unrecorded_micros` was spent beside this currency's sums; it is negative where these have rehearsals. What is sent
    to an address of this machine is bounded with `rehearsed_micros`, too.
    """

    currency: str
    run_micros: int | None = None
    total_micros: int | None = None
    unrecorded_micros: int = 0
    rehearsed_micros: int = 0
    run_clips: int | None = None
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Spent:
    """Sums in millionths: `settled` is owed, `reserved` may become so. `clips`: attempts that cost money."""

    settled: int = 0
    reserved: int = 0
    clips: int = 0

    @property
    def micros(self) -> int:
        """Return what counts against a cap."""
        return self.settled + self.reserved


@dataclass(frozen=True, slots=True)
class NewAttempt(TakeProvenance):
    """A purchase order to be written. `cost_micros` is the most that it can cost; None: no price is known.

    `marker` is unique for ever: it identifies the attempt in receipts and in a provider's list. `run` is of
    `Store.start_run`. `account` identifies the account that buys and is not secret. `endpoint` is the base URL that the
    request is sent to. `expires_after` is the number that was drawn to recognise its task. A shared store also bounds
    with `slots` what the account has under way (0: nothing), and begins its purchases `spacing` seconds apart;
    `patience` is how many seconds its answer may take; `permit` names the place without whose receipt its request is
    never sent; `after` is the newest attempt of the key that the decision to buy rests on (0: none; None: any).
    """

    marker: str
    document: str = ""
    run: int = 0
    account: str = ""
    endpoint: str = ""
    expires_after: int | None = None
    slots: int = 0
    patience: float = 0.0
    spacing: float = 0.0
    permit: str = ""
    after: int | None = None


def spent(sql: Sql, run: int | None = None) -> dict[str, Spent]:
    """Return the sums by currency, of everything that the project bought or of one run."""
    return {
        currency: Spent(money.MICROS * int(settled) + int(more), money.MICROS * int(reserved) + int(rest), int(clips))
        for currency, settled, more, reserved, rest, clips in sql.query(*sums(sql, run))
    }


def sums(sql: Sql, run: int | None = None) -> Question:
    """Return the question that `spent` asks, with its values."""
    where = f"WHERE {sql.own}" if run is None else f"WHERE {sql.own} AND run = :run"
    columns = f"currency, {_sum('settled')}, {_sum('reserved')}, sum(clips)"
    return f"SELECT {columns} FROM ledger {where} GROUP BY currency", {"run": run}


def _sum(column: str) -> str:
    """Return the sums of whole amounts and of their millionths: one sum of all might be too large for SQLite."""
    amount = f"CASE WHEN {column} > 0 THEN {column} ELSE 0 END"
    return f"sum({amount} / {money.MICROS}), sum({amount} % {money.MICROS})"


def unpriced(sql: Sql, run: int) -> int:
    """Return how many attempts of a run are owed, or may become so, without a known price."""
    return _count(sql, run, "cost_micros IS NULL AND money <> 'released'")


def in_doubt(sql: Sql, run: int) -> int:
    """Return how many attempts of a run may cost money although nobody knows if they were accepted."""
    return _count(sql, run, f"coalesce(cost_micros, 1) > 0 AND state IN ({texts(UNDECIDED)})")


def _count(sql: Sql, run: int, where: str) -> int:
    ((count,),) = sql.query(f"SELECT count(*) FROM attempt WHERE {sql.own} AND run = :run AND {where}", {"run": run})
    return int(count)


def spent_in(sql: Sql, window: Window, currency: str, now: float, *, rehearsing: bool) -> int:
    """Return the millionths that a cap counts at a time; rehearsals count for others only (`rehearsing`)."""
    sums = sql.query(*_in_window(sql, window, currency, now))
    counted = sum(int(micros or 0) for endpoint, micros in sums if rehearsing or not is_local(endpoint))
    return counted + window.unrecorded


def _in_window(sql: Sql, window: Window, currency: str, now: float) -> Question:
    clips = {f"clip{number}": clip for number, clip in enumerate(sorted(window.clips or ()))}
    of_clips = "" if window.clips is None else f"AND clip IN ({', '.join(f':{name}' for name in clips) or 'NULL'})"
    where = f"{sql.own} AND money <> 'released' AND currency = :currency AND created >= :since {of_clips}"
    values = {"currency": currency, "since": window.since(now), **clips}
    return f"SELECT endpoint, sum(cost_micros) FROM attempt WHERE {where} GROUP BY endpoint", values


def questions(sql: Sql, new: NewAttempt, caps: Caps, now: float) -> list[Question]:
    """Return what `guard` asks, with its values."""
    windows = [_in_window(sql, window, caps.currency, now) for window in caps.windows if window.counts(new.clip)]
    return [sums(sql, new.run), sums(sql), *windows] if new.cost_micros != 0 else []


def guard(sql: Sql, new: NewAttempt, caps: Caps, now: float) -> None:
    """Raise Refused unless `new` fits under `caps` at the time `now`. What costs nothing always fits."""
    if new.cost_micros == 0:
        return
    windows = [window for window in caps.windows if window.counts(new.clip)]
    money_bound = caps.run_micros is not None or caps.total_micros is not None or windows
    if money_bound and new.cost_micros is None:
        raise Refused(f"clip '{new.clip}' has no known price, and there is a budget", code="unpriced")
    if money_bound and new.currency != caps.currency:
        text = f"clip '{new.clip}' is priced in {new.currency}, the budget is in {caps.currency}"
        raise Refused(text, code="budget-currency")
    run = spent(sql, new.run)
    cost = new.cost_micros or 0
    _under(new, caps, cost + run.get(caps.currency, Spent()).micros, caps.run_micros, "this apply")
    total = spent(sql).get(caps.currency, Spent()).micros + caps.unrecorded_micros
    total += caps.rehearsed_micros if is_local(new.endpoint) else 0
    _under(new, caps, cost + total, caps.total_micros, "the project")
    for window in windows:
        already = spent_in(sql, window, caps.currency, now, rehearsing=is_local(new.endpoint))
        _under(new, caps, cost + already, window.micros, f"what {window.name} counts")
    if caps.run_clips is not None and sum(sums.clips for sums in run.values()) >= caps.run_clips:
        raise Refused(f"the budget allows {caps.run_clips} paid clip(s) in this apply", code="budget")


def _under(new: NewAttempt, caps: Caps, sum_micros: int, cap: int | None, scope: str) -> None:
    if cap is not None and sum_micros > cap:
        total = money.text(money.from_micros(sum_micros), caps.currency)
        over = f"would bring {scope} to {total}, over the budget of {money.plain(money.from_micros(cap))}"
        raise Refused(f"clip '{new.clip}' {over}", code="budget")
