"""Show what `inspect` says of files, as text and for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler import money
from reconciler.media.fingerprints import PARTS
from reconciler.project.origins import SAME_PICTURES, Inspected, Origin
from reconciler.views import format


def lines(looked: Iterable[Inspected]) -> Iterator[str]:
    """Yield a line for each file, and one for each take that it is."""
    for each in looked:
        if not each.how:
            yield f"{each.file}: not from this project{f' ({each.problem})' if each.problem else ''}"
            continue
        how = f"{each.how}, {each.distance} of {PARTS} differ" if each.how == SAME_PICTURES else each.how
        yield f"{each.file}: {how}{f' ({each.problem})' if each.problem else ''}"
        yield from (f"  {_line(origin)}" for origin in each.origins)


def _line(origin: Origin) -> str:
    maker = origin.made
    price = "" if maker.cost_micros is None else money.text(money.from_micros(maker.cost_micros), maker.currency)
    facts = (
        f"{origin.clip}#{origin.take}",
        "draft" if origin.draft else f"{maker.model} at {maker.provider}",
        origin.key,
        maker.task and f"task {maker.task}",
        price,
        origin.created and format.utc(origin.created),
        origin.commit and f"commit {origin.commit}",
    )
    return "  ".join(fact for fact in facts if fact)


def data(each: Inspected) -> dict[str, object]:
    """Return what is said of a file as JSON values."""
    return {
        "file": each.file,
        "how": each.how or None,
        "distance": each.distance,
        "problem": each.problem or None,
        "matches": [_origin(origin) for origin in each.origins],
    }


def _origin(origin: Origin) -> dict[str, object]:
    maker = origin.made
    cost = None if maker.cost_micros is None else format.plain_decimal(money.from_micros(maker.cost_micros))
    return {
        "clip": origin.clip,
        "take": origin.take,
        "key": origin.key,
        "sha256": origin.sha256,
        "draft": origin.draft,
        "provider": maker.provider,
        "kind": maker.kind,
        "model": maker.model,
        "task": maker.task,
        "seed": maker.seed,
        "cost": cost and {"amount": cost, "currency": maker.currency},
        "created": format.utc(origin.created) if origin.created else None,
        "commit": origin.commit or None,
    }
