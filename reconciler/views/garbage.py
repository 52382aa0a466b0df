"""Show what `gc` would delete, as text and for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from reconciler import money
from reconciler.artifacts.store import Stored
from reconciler.project.versions import Version
from reconciler.views import format

if TYPE_CHECKING:  # a project without a shared cache loads nothing of it
    from reconciler.artifacts.shelf import SharedFile

    Shared = SharedFile

Item = tuple[Stored, Version | None]


def lines(items: Sequence[Item]) -> Iterator[str]:
    """Yield a line for each object, and one for all."""
    for stored, version in items:
        size = megabytes(stored.size)
        if version is None or version.result is None:
            sort = "frame" if stored.suffix == ".png" else "video that no version names"
            yield f"- {stored.sha256[:12]}{stored.suffix} ({sort}): {size}"
            continue
        result = version.result
        price = "price unknown" if result.cost_micros is None else _money(result.cost_micros, result.currency)
        made = f", made {format.utc(result.created)[:10]}" if result.created else ""
        yield f"- {version.clip} take {version.take} version {version.number}: {price}{made}, {size}"
    yield f"In all {total_size(items)}. {_again(items)}"


def shared_lines(files: Sequence[SharedFile]) -> Iterator[str]:
    """Yield a line for each file of the shared cache."""
    return (f"- {file.name}: {megabytes(file.size)}" for file in files)


def total_size(items: Sequence[Item]) -> str:
    """Return the size of all."""
    return megabytes(sum(stored.size for stored, _ in items))


def files(items: Sequence[object]) -> str:
    """Return how many there are."""
    return f"{len(items)} stored file{'' if len(items) == 1 else 's'}"


def deleted(items: Sequence[Item], pieces: Sequence[int]) -> str:
    """Return what was deleted; `pieces` has the sizes of pieces of films, in bytes."""
    text = f"Deleted {files(items)}, {total_size(items)}." if items else "" if pieces else "Nothing to delete."
    count = f"{len(pieces)} piece{'' if len(pieces) == 1 else 's'} that no film shows now"
    note = f"Deleted {count}, {megabytes(sum(pieces))}; made again for free if a film needs them." if pieces else ""
    return "\n".join(filter(None, (text, note)))


def paid(items: Sequence[Item]) -> dict[str, int]:
    """Return what the results cost, in millionths by currency."""
    sums: dict[str, int] = {}
    for _, version in items:
        if version is not None and version.result is not None and version.result.cost_micros:
            currency = version.result.currency
            sums[currency] = sums.get(currency, 0) + version.result.cost_micros
    return sums


def document(items: Sequence[Item]) -> list[dict[str, object]]:
    """Return the objects as a JSON document."""
    return [
        {
            "sha256": stored.sha256,
            "bytes": stored.size,
            "clip": version.clip if version else None,
            "take": version.take if version else None,
            "version": version.number if version else None,
            "created": format.utc(version.result.created) if version and version.result else None,
            "cost": _cost(version),
        }
        for stored, version in items
    ]


def _cost(version: Version | None) -> dict[str, str] | None:
    result = version.result if version is not None else None
    if result is None or result.cost_micros is None:
        return None
    amount: Decimal = money.from_micros(result.cost_micros) or Decimal(0)
    return {"amount": format.plain_decimal(amount), "currency": result.currency}


def _again(items: Sequence[Item]) -> str:
    sums = [_money(micros, currency) for currency, micros in sorted(paid(items).items())]
    return f"They cost {' and '.join(sums)}, and would be paid for again." if sums else "Nothing of it was paid for."


def _money(micros: int, currency: str) -> str:
    return money.text(money.from_micros(micros), currency)


def megabytes(size: int) -> str:
    """Return a number of bytes for a person."""
    return f"{size / 1_000_000:.2f} MB"
