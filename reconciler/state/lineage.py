"""Notices a shared database that lacks what it once had, and brings it back before anything is bought.

A database that was restored from a backup, or whose standby was promoted before it had the last commits, has lost
purchases that are paid for. To buy by such records is to buy again. So before its first purchase, and with each later
one, a process compares them with what was seen of them:

- the newest event that the mirror of this working copy has (`Store.mirrored`), and the one that was noted in the bucket
  of the team with the last permit (`meta/high/<store>`), by number and time: another event of that number is another
  history;
- the server's identity and timeline: another one begins when a standby is promoted or a backup is rolled forward.

If anything is missing, the mirror of this copy and all receipts of the team from a day before are merged first. Each
process that has seen more than the database has does so by itself: to merge twice changes nothing, and no purchase
comes between, because each one compares again inside its own transaction. Without a bucket nobody has the receipts of
the others: a copy that has seen more then buys nothing until `state push` has carried what it has.
"""

from __future__ import annotations

from reconciler.diagnostics import Refused
from reconciler.next_command import command
from reconciler.state import snapshot as reads
from reconciler.state.carry import carry
from reconciler.state.history import Clock
from reconciler.state.ledger import Ledger
from reconciler.state.sql.port import Question, Sql
from reconciler.state.store import Store

Mark = tuple[int, float]
"""The number of an event and its time; 0 and 0: none."""

DAY = 86_400.0
BEHIND = "state-behind"
"""The code of an error for records that lack what was seen of them."""

_SERVER = "(SELECT system_identifier FROM pg_control_system()) || ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8)"
_LOOK = f"""SELECT {_SERVER}, (SELECT value FROM meta WHERE name = 'server'), :seq = 0 OR EXISTS (
  SELECT 1 FROM event WHERE seq = :seq AND time = :time)"""
_LATEST = "SELECT extract(epoch FROM max(begun))::float8 FROM attempt"
"""The newest purchase by the database's clock: that of a machine may run ahead by more than a day, and what was bought
after a backup would then be older than it."""
_TEXT = "the shared state lacks purchases that it had: it was restored from a backup, or failed over"


def require_whole(sql: Sql, seen: Mark) -> None:
    """Raise Refused, code `BEHIND`, if the records lack an event that was seen, or are on another server now."""
    ((server, before, has_event),) = sql.query(*question(seen))
    if not has_event or before not in (None, server):
        help = f"run this in each working copy before any of them applies:\n{command('state', 'push')}"
        raise Refused(_TEXT, help=help, code=BEHIND)


def question(seen: Mark) -> Question:
    """Return what `require_whole` asks, with its values."""
    return _LOOK, {"seq": seen[0], "time": seen[1]}


def is_whole(sql: Sql, *seen: Mark) -> bool:
    """True if the records have the events that were seen, and are on the server where they were."""
    try:
        for mark in seen:
            require_whole(sql, mark)
    except Refused:
        return False
    return True


def acknowledge(ledger: Ledger) -> None:
    """Record that the records are whole, on this server."""
    ((server, before, _),) = ledger.sql.query(*question((0, 0.0)))
    if server != before:
        ledger.settle_on(server)


def catch_up(store: Store, clock: Clock, last: Mark = (0, 0.0)) -> Mark:
    """Bring back what the records lack, and return the mark of their newest event. `last`: what this process saw.

    Raises Refused, code `BEHIND`, if nobody can say what is missing, ArtifactError if the bucket cannot be asked.
    """
    team, seen = store.team, [last, store.mirrored]
    if team is not None:
        seen.append(team.high(store.id))
        if not is_whole(store.sql, *seen):
            ((latest,),) = store.sql.query(_LATEST)  # None: it has no purchase at all
            times = [time for number, time in (reads.mark(store.sql), *seen) if number]
            lines = team.newer(min([latest or 0.0, *times]) - DAY)
            with store.transaction():
                mirror, ledger = Store(store.desk.sql, clock), Ledger(store.sql, clock)
                if mirror.joined is not None:
                    carry(mirror, ledger)
                store.merge(lines)
                acknowledge(ledger)
    else:
        for mark in seen:
            require_whole(store.sql, mark)
    acknowledge(store)
    return reads.mark(store.sql)
