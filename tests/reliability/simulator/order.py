"""The order of effects around a purchase, checked in a trace of a single clip (never-pay-twice#s3-5, #s3-7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

WINDOW = (
    "receipts", "pwrite in receipts", "posix_fallocate in receipts", "sync in receipts", "store.move", "commit",
)  # fmt: skip
"""What may stand between a reply and the record of its answer: the record."""


def broken(trace: Sequence[str]) -> Iterator[str]:
    """The rules that a trace of one process breaks."""
    intent = committed = False
    answered = False
    for name in trace:
        if name == "store.begin after":
            committed, intent = True, False
        elif name == "receipts.intent after":
            intent = True
        elif name == "vendor.submit before":
            if not (committed and intent):
                yield "order: a request went out before its intent was on record"
            committed = intent = False
        elif name == "vendor.submit after":
            answered = True
        elif answered and name == "store.move after":
            answered = False
        elif answered and not name.startswith(WINDOW):
            yield f"order: {name} stands between a reply and its record"
            answered = False
