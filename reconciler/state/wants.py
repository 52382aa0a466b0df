"""The orders that are handed to workers, in the database of a shared state, and who carries them out.

An order is of one key. It is open until the key has a result, or until a worker says why it gets none. What may be
bought by it is decided by the attempts (`leases`), not here: to carry out an order twice, or to forget one, costs time
and no money. A document has no secret, no link and no credential; see `project.handed`.

    want       an order, with the account as workers know it; needs: keys whose results must be there first; note: why
               it waits, or how it ended (kind), and the worker that says so (holder)
    want_caps  the caps of the apply that has handed over, which all orders of its run share
    worker     a worker that is alive, with the accounts whose credentials it has
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from reconciler.frozen import dataclass
from reconciler.records import Handed
from reconciler.state.sql.port import Question, Sql, Statement, Values

TABLES = (
    """CREATE TABLE want (key TEXT PRIMARY KEY, run BIGINT NOT NULL, account TEXT NOT NULL,
  clip TEXT NOT NULL, take BIGINT NOT NULL, needs TEXT[] NOT NULL, document TEXT NOT NULL,
  project TEXT NOT NULL DEFAULT current_setting('clipform.project'),
  kind TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '', holder TEXT NOT NULL DEFAULT '',
  handed TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(), changed TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp())""",
    "CREATE INDEX want_open ON want (account) WHERE kind = ''",
    "CREATE INDEX want_handed ON want (handed)",
    "CREATE TABLE want_caps (run BIGINT PRIMARY KEY, caps TEXT NOT NULL)",
    """CREATE TABLE worker (owner TEXT PRIMARY KEY, name TEXT NOT NULL, accounts TEXT[] NOT NULL,
  seen TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp())""",
)
"""Beside the tables of the ledger, which do not know of them."""

ALIVE = 120.0
"""Seconds for which a worker counts as alive after it was seen."""
DONE = "done"
SKIPPED = "skipped"
WITHDRAWN = "withdrawn"

_MADE = "EXISTS (SELECT 1 FROM generation WHERE generation.key = need)"  # by its index: there may be millions
_MET = f"NOT EXISTS (SELECT 1 FROM unnest(needs) AS need WHERE NOT {_MADE})"
_HAND_OVER = """INSERT INTO want (key, run, account, clip, take, needs, document)
VALUES (:key, :run, :account, :clip, :take, :needs, :document) ON CONFLICT (key) DO UPDATE SET
  project = excluded.project, run = excluded.run, account = excluded.account, clip = excluded.clip,
  take = excluded.take, needs = excluded.needs, document = excluded.document, kind = '', note = '', holder = '',
  handed = clock_timestamp(), changed = clock_timestamp()
WHERE want.kind <> ''"""
_LIVE = "worker WHERE seen > clock_timestamp() - make_interval(secs => :alive)"
_HANDED = f"""SELECT key, account, clip, kind, note, holder, extract(epoch FROM handed)::float8,
  extract(epoch FROM changed)::float8, EXISTS (SELECT 1 FROM {_LIVE} AND account = ANY(accounts)), {_MET} FROM want"""


@dataclass(frozen=True, slots=True)
class Want:
    """One order. `run` is the apply that it is part of, `project` whose budget counts: that of the connection that
    hands it over."""

    key: str
    run: int
    account: str
    clip: str
    take: int
    needs: tuple[str, ...]
    document: str
    project: str = ""
    caps: str = ""


_FIELDS = ("key", "run", "account", "clip", "take", "needs", "document", "project")
_CAPS = "coalesce((SELECT caps FROM want_caps WHERE want_caps.run = want.run), '')"


class Wants:
    """The orders of a shared state."""

    def __init__(self, sql: Sql) -> None:
        self.sql = sql

    def hand_over(self, wants: Iterable[Want], run: int, caps: str) -> None:
        """Write the orders of a run, all or none. One that is open stays as it is: it was handed over before."""
        statement = "INSERT INTO want_caps (run, caps) VALUES (:run, :caps) ON CONFLICT DO NOTHING"
        fields = ({**{name: getattr(want, name) for name in _FIELDS}, "needs": [*want.needs]} for want in wants)
        orders = (Statement(_HAND_OVER, values) for values in fields)
        self.sql.batch(Statement(statement, {"run": run, "caps": caps}), *orders)

    def find(self, key: str) -> Want | None:
        """Return the open order of a key, None if there is none."""
        columns = ", ".join((*_FIELDS, _CAPS))
        rows = self.sql.query(f"SELECT {columns} FROM want WHERE key = :key AND kind = ''", {"key": key})
        values = [dict(zip((*_FIELDS, "caps"), row, strict=True)) for row in rows]
        return Want(**{**values[0], "needs": tuple(values[0]["needs"])}) if values else None

    def open_documents(self) -> list[str]:
        """Return the documents of all open orders, those of other projects too."""
        return [str(document) for (document,) in self.sql.query("SELECT document FROM want WHERE kind = ''")]

    def ready(self, accounts: Collection[str], need: str = "") -> list[tuple[str, str]]:
        """Return key and account of each open order of these accounts whose needs are there; with `need`, only those
        that were waiting for that key."""
        where = "AND :need = ANY(needs)" if need else ""
        statement = f"SELECT key, account FROM want WHERE kind = '' AND account = ANY(:accounts) {where} AND {_MET}"
        rows = self.sql.query(f"{statement} ORDER BY handed, key", {"accounts": [*accounts], "need": need})
        return [(str(key), str(account)) for key, account in rows]

    def newest(self) -> str:
        """Return when the newest order was handed over: a change means that there are more."""
        ((time,),) = self.sql.query("SELECT max(handed)::text FROM want")
        return str(time)

    def note(self, key: str, text: str, holder: str) -> None:
        """Say why an order waits, and who says so."""
        values = {"key": key, "note": text, "holder": holder}
        if self.sql.query("SELECT 1 FROM want WHERE key = :key AND (note, holder) <> (:note, :holder)", values):
            self._set("note = :note, holder = :holder", "key = :key AND kind = ''", values)

    def end(self, key: str, kind: str, note: str = "", holder: str = "") -> None:
        """Close an order. Those that need it, and get no result now, are closed with it."""
        with self.sql.transaction():
            values = {"key": key, "kind": kind, "note": note, "holder": holder}
            self._set("kind = :kind, note = :note, holder = :holder", "key = :key AND kind = ''", values)
            if kind != DONE:
                clips = self.sql.query("SELECT clip FROM want WHERE key = :key", values)
                text = f"needs {clips[0][0] if clips else key}, which did not succeed"
                where = "kind = '' AND :key = ANY(needs)"
                for (user,) in self.sql.query(f"SELECT key FROM want WHERE {where}", values):
                    self.end(str(user), SKIPPED, text, holder)

    def _set(self, columns: str, where: str, values: Values) -> None:
        self.sql.batch(Statement(f"UPDATE want SET {columns}, changed = clock_timestamp() WHERE {where}", values))

    def handed(self, keys: Collection[str] | None = None) -> Mapping[str, Handed]:
        """Return what is known of the orders of these keys, or of all open ones."""
        rows = self.sql.query(*self.question(keys))
        return {str(row[0]): Handed(*row) for row in rows}

    @staticmethod
    def question(keys: Collection[str] | None = None) -> Question:
        """Return what `handed` asks."""
        where = "WHERE kind = ''" if keys is None else "WHERE key = ANY(:keys)"
        return f"{_HANDED} {where}", {"keys": [*(keys or ())], "alive": ALIVE}

    # --- workers ------------------------------------------------------------------------------

    def register(self, owner: str, name: str, accounts: Collection[str]) -> None:
        """Say that a worker is alive."""
        values = {"owner": owner, "name": name, "accounts": sorted(accounts)}
        self.sql.batch(
            Statement(
                "INSERT INTO worker (owner, name, accounts) VALUES (:owner, :name, :accounts) ON CONFLICT (owner) "
                "DO UPDATE SET name = excluded.name, accounts = excluded.accounts, seen = clock_timestamp()",
                values,
            ),
            Statement("DELETE FROM worker WHERE seen < clock_timestamp() - interval '1 day'"),
        )

    def leave(self, owner: str) -> None:
        """Say that a worker has ended."""
        self.sql.batch(Statement("DELETE FROM worker WHERE owner = :owner", {"owner": owner}))

    def served(self) -> frozenset[str]:
        """Return the accounts that workers who are alive have credentials of."""
        rows = self.sql.query(f"SELECT DISTINCT unnest(accounts) FROM {_LIVE}", {"alive": ALIVE})
        return frozenset(str(name) for (name,) in rows)
