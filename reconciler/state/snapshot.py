"""Reads the state: everything that planning needs, in one transaction and one select per table.

Selecting whole tables is fast: one by one, ten thousand rows take seconds.
The caller is inside `Sql.reading`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from reconciler.plan.cost import is_purchase
from reconciler.records import (
    BLOCKED,
    OPEN,
    Artifact,
    Attempt,
    Binding,
    Generation,
    Holder,
    Placed,
    RecordTable,
    Snapshot,
    State,
)
from reconciler.spec.environment import is_local
from reconciler.state import budget, history
from reconciler.state.rows import Columns, reader, select
from reconciler.state.schema import texts
from reconciler.state.sql.port import NONE, Asks, Question, Row, Sql, Values, damaged

TIMINGS = 50
"""How many past generations of a model count for an estimate."""


def snapshot(
    sql: Sql, desk: Sql, keys: Collection[str] | None = None, owner: str = "", beside: Sequence[Question] = ()
) -> Snapshot:
    """Return the state: of the ledger, and of the desk; of the ledger only what concerns `keys`, if they are given.
    `owner` is this working copy (`leases.Member`), `beside` what else is asked of a database that is far away. Raises
    StateDamaged for a row that cannot be a record."""
    try:
        return _snapshot(sql, desk, keys, owner, beside)
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(f"a row holds what it cannot hold ({error})") from error


def _snapshot(sql: Sql, desk: Sql, keys: Collection[str] | None, owner: str, beside: Sequence[Question]) -> Snapshot:
    bindings, placed = desk.columns(Binding), desk.records(Placed)
    of_keys, values = "", NONE
    if keys is not None:  # beside these, what is under way: a provider that no clip uses any more may be needed
        of_keys, values = "WHERE key = ANY(:keys)", {"keys": sorted({*keys, *bindings["key"]})}
    going = f" OR {sql.own} AND state IN ({texts(OPEN | BLOCKED)})" if of_keys else ""
    of_artifacts = f"WHERE sha256 IN (SELECT sha256 FROM generation {of_keys})" if of_keys else ""
    of_attempts = f"{of_keys}{going} ORDER BY id"
    if isinstance(sql, Asks):
        tails = ((Generation, of_keys), (Artifact, of_artifacts), (Attempt, of_attempts))
        of_records = [(select(kind, tail), values) for kind, tail in tails]
        sql.ask(*of_records, *_questions(sql, owner, of_all=keys is None), *beside, last=True)
    generations = _by_time(sql.columns(Generation, of_keys, values))
    results = RecordTable[str, Generation](generations["key"], generations, reader(Generation))
    artifacts = sql.columns(Artifact, of_artifacts, values)
    attempts = sql.records(Attempt, of_attempts, values)
    rehearsed, booked = _booked(attempts)
    return Snapshot(
        store=store_id(sql),
        sequence=sequence(sql),
        generations=results,
        artifacts=RecordTable(artifacts["sha256"], artifacts, reader(Artifact)),
        attempts={attempt.key: attempt for attempt in attempts},  # the newest comes last and stays
        bindings=RecordTable(zip(bindings["clip"], bindings["take"], strict=True), bindings, reader(Binding)),
        placed={record.output: record for record in placed},
        timings=_timings(generations) if keys is None else _newest_timings(sql),
        spent={currency: sums.micros for currency, sums in budget.spent(sql).items()},
        rehearsed=_rehearsed(sql) if sql.project else rehearsed,
        booked=booked,
        counted=counted(sql),
        rehearsals=rehearsals(attempts, results),
        holders=_holders(sql, owner) if sql.project else {},
    )


def _by_time(generations: Columns) -> Columns:
    """Return the results, the oldest first; faster than `ORDER BY`, as they mostly are written in this order."""
    created = generations["created"]
    order = sorted(range(len(created)), key=created.__getitem__)
    if order == list(range(len(created))):
        return generations
    return {name: [cells[place] for place in order] for name, cells in generations.items()}


def _questions(sql: Sql, owner: str, *, of_all: bool) -> list[Question]:
    """Return what is asked beside the records themselves."""
    asked: list[Question] = [(_STORE, NONE), (_SEQUENCE, NONE), budget.sums(sql), (_counted(sql), NONE)]
    return [*asked, (_endpoints(sql), NONE), (_HELD, {"owner": owner}), *([] if of_all else [(_TIMES, NONE)])]


_HELD = f"""SELECT id, holder, project, provider, account, state, extract(epoch FROM begun)::float8,
  extract(epoch FROM lease_until)::float8, lease_until > clock_timestamp(), owner = :owner
FROM attempt WHERE state IN ({texts(OPEN | BLOCKED)})"""


def _holders(sql: Sql, owner: str) -> Mapping[int, Holder]:
    """Return `Snapshot.holders`."""
    return {
        number: Holder(name, project, provider, account, State(state), *lease)
        for number, name, project, provider, account, state, *lease in sql.query(_HELD, {"owner": owner})
    }


def rehearsals(attempts: Iterable[Attempt], generations: Mapping[str, Generation]) -> frozenset[str]:
    """Return the keys whose results were made at an address of this machine, and none elsewhere. A file that
    the user imported does not count."""
    local = cache(is_local)
    makers = [attempt for attempt in attempts if attempt.sha256 is not None]
    real = {maker.key for maker in makers if not local(maker.endpoint)}
    return frozenset(m.key for m in makers if m.key not in real and _is_generated(generations.get(m.key), m))


def _is_generated(generation: Generation | None, maker: Attempt) -> bool:
    return generation is None or (generation.sha256 == maker.sha256 and generation.origin == "generated")


def _booked(attempts: Iterable[Attempt]) -> tuple[Mapping[str, int], Mapping[tuple[str, bool], int]]:
    """Return `Snapshot.rehearsed` and `Snapshot.booked`."""
    local, rehearsed, booked = cache(is_local), defaultdict[str, int](int), defaultdict[tuple[str, bool], int](int)
    for attempt in attempts:
        if is_purchase(attempt) and attempt.cost_micros:
            is_here = local(attempt.endpoint)
            booked[attempt.key, is_here] += attempt.cost_micros
            rehearsed[attempt.currency] += attempt.cost_micros if is_here else 0
    return rehearsed, booked


def _endpoints(sql: Sql) -> str:
    where = f"WHERE {sql.own} AND money <> 'released' GROUP BY currency, endpoint"
    return f"SELECT currency, endpoint, sum(cost_micros) FROM attempt {where}"


def _rehearsed(sql: Sql) -> Mapping[str, int]:
    """Return `Snapshot.rehearsed` of one project among several."""
    sums = defaultdict[str, int](int)
    for currency, endpoint, micros in sql.query(_endpoints(sql)):
        sums[currency] += int(micros or 0) if is_local(endpoint) else 0
    return sums


_TIMES = f"""SELECT kind, model, elapsed FROM generation WHERE elapsed > 0 AND origin = 'generated'
ORDER BY created DESC LIMIT {20 * TIMINGS}"""


def _newest_timings(sql: Sql) -> Mapping[tuple[str, str], tuple[float, ...]]:
    """Return `Snapshot.timings` from the newest results of all."""
    seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
    for kind, model, elapsed in sql.query(_TIMES)[::-1]:
        seconds[kind, model].append(elapsed)
    return {model: tuple(times[-TIMINGS:]) for model, times in seconds.items()}


def _counted(sql: Sql) -> str:
    return f"SELECT name, value FROM meta WHERE {sql.own} AND name LIKE 'counted %'"


def counted(sql: Sql) -> Mapping[tuple[str, bool], tuple[int, str]]:
    """Return `Snapshot.counted`."""
    purchases = {}
    for name, value in sql.query(_counted(sql)):
        _, rehearsal, key = str(name).split(" ", 2)
        micros, _, currency = str(value).partition(" ")
        purchases[key, rehearsal == "1"] = (int(micros), currency)
    return purchases


def attempts(sql: Sql, tail: str, values: Values = NONE) -> tuple[Attempt, ...]:
    """Return attempts; `tail` is the end of the SQL statement."""
    try:
        return tuple(sql.records(Attempt, tail, values))
    except KeyError as error:
        raise damaged(f"an attempt's state is {error}") from error


def attempt(row: Row) -> Attempt:
    """Return an attempt from its columns."""
    try:
        record: Attempt = reader(Attempt)(*row)
    except KeyError as error:
        raise damaged(f"an attempt's state is {error}") from error
    return record


def generation(sql: Sql, key: str) -> Generation | None:
    """Return the result of a key, None if there is none."""
    return next(iter(sql.records(Generation, "WHERE key = :key", {"key": key})), None)


def accounts(sql: Sql, attempts: Collection[Attempt]) -> Mapping[int, str]:
    """Return the account that each attempt was bought with (`NewAttempt.account`); empty when unknown."""
    if not attempts:
        return {}
    if sql.project:
        numbers = {"numbers": [attempt.id for attempt in attempts]}
        return dict(sql.query("SELECT id, account FROM attempt WHERE id = ANY(:numbers)", numbers))
    begun = history.read(sql, "WHERE type = 'begun'")
    return {entry.attempt: str(entry.payload.get("account", "")) for entry in begun if entry.attempt is not None}


def artifacts(sql: Sql, sha256s: Collection[str]) -> Mapping[str, Artifact]:
    """Return the records of artifacts by their content."""
    if not sha256s:
        return {}
    where = "WHERE sha256 = ANY(:sha256s)" if sql.project else ""
    return {artifact.sha256: artifact for artifact in sql.records(Artifact, where, {"sha256s": sorted(sha256s)})}


def mark(sql: Sql) -> tuple[int, float]:
    """Return the number of the newest event, and its time; 0 and 0 when there is none."""
    newest = sql.query("SELECT seq, time FROM event ORDER BY seq DESC LIMIT 1")
    return newest[0] if newest else (0, 0.0)


_STORE = "SELECT value FROM meta WHERE name = 'store'"
_SEQUENCE = "SELECT coalesce(max(seq), 0) FROM event"


def store_id(sql: Sql) -> str:
    """Return the random id of this store; empty when it was never completed."""
    ids = sql.query(_STORE)
    return str(ids[0][0]) if ids else ""


def sequence(sql: Sql) -> int:
    """Return the number of the newest event, 0 when there is none."""
    ((newest,),) = sql.query(_SEQUENCE)
    return int(newest)


def _timings(generations: Columns) -> Mapping[tuple[str, str], tuple[float, ...]]:
    seconds: dict[tuple[str, str], deque[float]] = defaultdict(lambda: deque(maxlen=TIMINGS))
    cells = zip(*(generations[name] for name in ("elapsed", "origin", "kind", "model")), strict=True)
    for elapsed, origin, kind, model in cells:
        if elapsed > 0 and origin == "generated":
            seconds[kind, model].append(elapsed)
    return {model: tuple(times) for model, times in seconds.items()}
