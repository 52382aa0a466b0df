"""Identifies the database, and defines the rules that it enforces itself, whatever the program does.

The rules are generated from `records`, so that code and database cannot disagree. A change of `MOVES`, `OPEN` or
`BLOCKED` therefore needs a migration that replaces them; a test compares a fresh database with this text.
"""

from __future__ import annotations

from reconciler import money
from reconciler.records import BLOCKED, MOVES, OPEN, State

APPLICATION_ID = 0x636C6970  # "clip"
VERSION = 6  # of the schema; the database's `user_version`
MOST = 9 * 10**18  # a sum stops there: beyond 2^63 SQLite refuses the row, and with it a paid result


def rules() -> tuple[str, ...]:
    """Return every trigger and partial index, as statements."""
    return (_one_open(), _task_once(), _begin(), _moves(), *_append_only(), _spends(), _respends())


def indexes() -> tuple[str, ...]:
    """Return the indexes for what a run asks with each clip: to read all attempts each time would be quadratic."""
    return (
        "CREATE INDEX attempt_made ON attempt (sha256) WHERE sha256 IS NOT NULL",
        "CREATE INDEX attempt_marked ON attempt (expires_after) WHERE task IS NULL AND expires_after IS NOT NULL",
    )


def replace_moves() -> tuple[str, ...]:
    """Return the statements that bring the rule of an older schema up to `MOVES`."""
    return ("DROP TRIGGER attempt_moves", _moves())


def replace_task_once() -> tuple[str, ...]:
    """Return the statements that bring the rule of an older schema up to date."""
    return ("DROP INDEX task_once", _task_once())


def replace_books() -> tuple[str, ...]:
    """Return the statements that bring amounts out of bounds, and the triggers that sum them, up to date.

    Such an attempt costs what was reserved for it. Its event stays as it is: the reducer reads it in the same way.
    """
    reserved = (
        "SELECT json_extract(payload, '$.cost_micros') FROM event WHERE event.attempt = attempt.id AND type = 'begun'"
    )
    where = f"WHERE cost_micros NOT BETWEEN 0 AND {money.LIMIT * money.MICROS - 1}"
    return (
        f"UPDATE attempt SET cost_micros = ({reserved}) {where}",
        f"UPDATE attempt SET cost_micros = NULL {where}",
        f"UPDATE generation SET cost_micros = NULL {where}",
        *("DROP TRIGGER attempt_spends", "DROP TRIGGER attempt_respends"),
        *(_spends(), _respends()),
    )


def texts(states: frozenset[State]) -> str:
    """Return states as a list of SQL."""
    return ", ".join(f"'{state.value}'" for state in sorted(states))


def _one_open() -> str:
    """Forbid to buy a key with an open or blocked attempt, even for a bug or two processes."""
    return f"CREATE UNIQUE INDEX one_open ON attempt (key) WHERE state IN ({texts(OPEN | BLOCKED)})"


def _task_once() -> str:
    """Forbid two attempts with one task. By provider and address: each of them may number its tasks from 1."""
    return "CREATE UNIQUE INDEX task_once ON attempt (provider, endpoint, task) WHERE task IS NOT NULL"


def _begin() -> str:
    return """CREATE TRIGGER attempt_begins BEFORE INSERT ON attempt WHEN NEW.state <> 'submitting'
BEGIN SELECT RAISE(ABORT, 'illegal move: an attempt begins as submitting'); END"""


def legal_moves() -> str:
    """Return the condition for a move that the table of states lists."""
    return " OR ".join(
        f"(OLD.state = '{old.value}' AND NEW.state IN ({texts(new)}))" for old, new in sorted(MOVES.items())
    )


def _moves() -> str:
    return f"""CREATE TRIGGER attempt_moves BEFORE UPDATE OF state ON attempt WHEN NOT ({legal_moves()})
BEGIN SELECT RAISE(ABORT, 'illegal move: the table of states does not list it'); END"""


def _append_only() -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event "
        "BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    )


def _spends() -> str:
    return f"""CREATE TRIGGER attempt_spends AFTER INSERT ON attempt BEGIN
INSERT INTO ledger (run, currency) VALUES (NEW.run, NEW.currency) ON CONFLICT DO NOTHING;
{_book("NEW", "+")}
END"""


def _respends() -> str:
    return f"""CREATE TRIGGER attempt_respends AFTER UPDATE OF money, cost_micros ON attempt BEGIN
{_book("OLD", "-")}
{_book("NEW", "+")}
END"""


def _book(row: str, sign: str) -> str:
    """Update the sums of a run: adding up all attempts for each new one would be quadratic."""
    amount = f"coalesce({row}.cost_micros, 0)"
    return f"""UPDATE ledger SET
  settled = max(0, min({MOST}, settled {sign} CASE {row}.money WHEN 'settled' THEN {amount} ELSE 0 END)),
  reserved = max(0, min({MOST}, reserved {sign} CASE {row}.money WHEN 'reserved' THEN {amount} ELSE 0 END)),
  clips = clips {sign} ({row}.money <> 'released' AND coalesce({row}.cost_micros, 1) > 0)
WHERE run = {row}.run AND currency = {row}.currency;"""
