"""List the versions of takes: every result that a take of a clip was made for or has held, oldest first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.frozen import dataclass
from reconciler.records import Generation, Snapshot
from reconciler.state.history import LogEntry


@dataclass(frozen=True, slots=True)
class Version:
    """One result of a take. `number` counts from 1, `since` is when it was ordered or first placed.

    `result` is None once `gc` deleted its video. `document` is the identity document of the key; empty where only the
    lock file knew it.
    """

    clip: str
    take: int
    number: int
    key: str
    document: str
    since: float
    result: Generation | None
    is_current: bool = False


def versions(events: Iterable[LogEntry], snapshot: Snapshot) -> dict[tuple[str, int], tuple[Version, ...]]:
    """Return the versions of each take by clip and take, from the log (oldest first) and the records.

    A request without a result is not one. A take keeps its versions under the name that its clip had.
    """
    orders: dict[tuple[str, int], dict[str, tuple[float, str]]] = {}
    held: set[tuple[str, int, str]] = set()
    for entry in events:
        if entry.type not in ("begun", "bound"):
            continue
        clip, take, key = str(entry.payload["clip"]), int(str(entry.payload["take"])), str(entry.payload["key"])
        since, document = orders.setdefault((clip, take), {}).get(key, (entry.time, ""))
        orders[clip, take][key] = (since, document or str(entry.payload.get("document") or ""))
        if entry.type == "bound":
            held.add((clip, take, key))
    listed = {ident: _listed(ident, keys, held, snapshot) for ident, keys in orders.items()}
    return {ident: takes for ident, takes in listed.items() if takes}


def before(events: Iterable[LogEntry], ident: tuple[str, int], key: str) -> str | None:
    """Return the key of the version that `undo` goes back to from `key`; None if that is the first one.

    As in an editor, going back forgets what came after: after versions 1, 2, 3, back to 2 and then 4, the version
    before 4 is 2. The version before one that the take never held is the newest."""
    bound = (entry.payload for entry in events if entry.type == "bound")
    stack: list[str] = []
    for held in (str(payload["key"]) for payload in bound if (payload["clip"], payload["take"]) == ident):
        stack[stack.index(held) if held in stack else len(stack) :] = [held]
    at = stack.index(key) if key in stack else len(stack)
    return stack[at - 1] if at else None


def _listed(
    ident: tuple[str, int],
    keys: Mapping[str, tuple[float, str]],
    held: set[tuple[str, int, str]],
    snapshot: Snapshot,
) -> tuple[Version, ...]:
    bound = snapshot.bindings.get(ident)
    results = [key for key in keys if key in snapshot.generations or (*ident, key) in held]
    return tuple(
        Version(
            *ident,
            number,
            key,
            keys[key][1],
            keys[key][0],
            snapshot.generations.get(key),
            bound is not None and bound.key == key,
        )
        for number, key in enumerate(results, 1)
    )
