"""Webhooks: which address vendors call, and what a call means for the attempt of a shared state.

A call is a hint that one look may be worth it, and nothing else. The address ends in `/hook/<account>/<token>`: the
token is a digest of the attempt's marker with a secret that is on no machine but those that send and those that serve.
The address, without tokens, and the time of a call are in the shared database; the secret is not.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping

from reconciler.diagnostics import UsageError
from reconciler.records import BLOCKED, OPEN
from reconciler.state.schema import texts
from reconciler.state.sql.port import Sql

SECRET = "CLIPFORM_HOOKS_SECRET"
LIFE = 120
"""Seconds for which an address counts as served after each `register`."""
_SHORTEST = 16
_VALUE = ":url || ' ' || extract(epoch FROM clock_timestamp() + make_interval(secs => :life))::bigint"
_REGISTER = f"""INSERT INTO meta (name, value) VALUES ('hooks', {_VALUE})
ON CONFLICT (project, name) DO UPDATE SET value = excluded.value"""
_SERVED = "split_part(value, ' ', 2)::bigint > extract(epoch FROM clock_timestamp())"
_CALLED = """UPDATE attempt SET called = clock_timestamp()
WHERE id = :id AND (called IS NULL OR called < clock_timestamp() - interval '1 second')"""


def secret_of(env: Mapping[str, str]) -> bytes:
    """Return the secret of the environment; empty without one. Raises UsageError for one that can be guessed."""
    secret = env.get(SECRET, "")
    if secret and len(secret) < _SHORTEST:
        raise UsageError(f"{SECRET} is shorter than {_SHORTEST} characters", help="choose a long random one")
    return secret.encode()


def token(secret: bytes, marker: str) -> str:
    """Return the last part of the address that is called about an attempt."""
    return hmac.new(secret, marker.encode(), hashlib.sha256).hexdigest()


def register(sql: Sql, url: str) -> None:
    """Say to all who send that calls to this address are received, for the next `LIFE` seconds."""
    with sql.transaction():
        sql.execute(_REGISTER, {"url": url, "life": LIFE})


def withdraw(sql: Sql, url: str) -> None:
    """Say that no calls to this address are received any more."""
    with sql.transaction():
        statement = f"DELETE FROM meta WHERE name = 'hooks' AND {sql.own} AND split_part(value, ' ', 1) = :url"
        sql.execute(statement, {"url": url})


def served(sql: Sql) -> str:
    """Return the address that receives calls now; empty if there is none."""
    rows = sql.query(f"SELECT split_part(value, ' ', 1) FROM meta WHERE name = 'hooks' AND {sql.own} AND {_SERVED}")
    return str(rows[0][0]) if rows else ""


def awaited(sql: Sql, secret: bytes) -> dict[tuple[str, str], int]:
    """Return the number of each attempt that is not over, by account and token."""
    rows = sql.query(f"SELECT id, account, marker FROM attempt WHERE state IN ({texts(OPEN | BLOCKED)})")
    return {(account, token(secret, marker)): number for number, account, marker in rows}


def call(sql: Sql, number: int) -> None:
    """Note that the vendor of an attempt has called; again only after a second."""
    with sql.transaction():
        sql.execute(_CALLED, {"id": number})


def calls(sql: Sql, numbers: Collection[int]) -> dict[int, float]:
    """Return when the vendors of attempts called last, by the database's clock; only of those who did."""
    statement = "SELECT id, extract(epoch FROM called)::float8 FROM attempt WHERE id = ANY(:ids) AND called IS NOT NULL"
    return dict(sql.query(statement, {"ids": [*numbers]})) if numbers else {}
