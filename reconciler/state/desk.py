"""The desk: what one working copy has at its outputs, and which take of a clip it holds. It stays on this machine."""

from __future__ import annotations

from reconciler.records import Binding, Placed
from reconciler.state import history, rows
from reconciler.state.history import Clock, LogEntry
from reconciler.state.sql.port import Sql


class Desk:
    """The bindings and the outputs of a working copy. While the ledger is in the same database, they share its log and
    its transactions."""

    def __init__(self, sql: Sql, clock: Clock) -> None:
        self.sql = sql
        self._clock = clock

    def bind(self, binding: Binding) -> None:
        """Record that a take of a clip holds a key."""
        self._record("bound", rows.values(binding), binding.clip)

    def unbind(self, clip: str, take: int) -> None:
        """Record that a take of a clip is no longer declared."""
        self._record("unbound", {"clip": clip, "take": take}, clip)

    def record_placed(self, record: Placed, clip: str = "") -> None:
        """Record that clipform put a file at an output."""
        self._record("placed", rows.values(record), clip)

    def record_unplaced(self, output: str, clip: str = "") -> None:
        """Record that the file at an output is no longer clipform's, or is gone."""
        self._record("unplaced", {"output": output}, clip)

    def _record(self, kind: str, payload: rows.Payload, clip: str) -> None:
        with self.sql.transaction():
            history.append(self.sql, LogEntry(0, self._clock(), kind, clip, None, payload))
