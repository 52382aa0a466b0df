"""The receipts of a team, in its bucket: what purchases leave behind, whatever becomes of a machine or the database.

    receipts/<marker>            the intent: created only if it is absent, and the permit to send the request
    receipts/<marker>.<event>    accepted · void · resubmit · abandon, as in the file of the machine (`state.receipts`)
    meta/high/<store>            the newest event of the shared state at the last permit: `lineage` compares it

A successor that finds an attempt whose lease is over creates `receipts/<marker>` itself, as a `void`. Of the two only
one succeeds: the sender, and the request may have been sent; or the successor, and it never will be. So a kill between
the commit and the request is settled by proof, and no person is asked.

Each object is one line. The requests are made in threads, so a slow bucket delays neither the other purchases nor the
commit of an answer; only the permit is waited for.
"""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from reconciler.artifacts.shelf import AT_ONCE, DAMAGED, UNREACHABLE, Shelf
from reconciler.diagnostics import ArtifactError, ClipformError, StateError
from reconciler.state.receipts import Receipt, parse

_CLOSED = "its time was over, and another machine has closed it"


class BucketReceipts:
    """The copies of one process; see `state.receipts.SharedReceipts`. Close it: what is on its way is waited for."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.place = f"{shelf.bucket.endpoint} {shelf.bucket.scheme}://{shelf.bucket.name}/{shelf.bucket.prefix}"
        self.latest = (0, 0.0)
        self._pool = ThreadPoolExecutor(AT_ONCE, "receipts")
        self._permits: dict[str, Future[str]] = {}
        self._down: ArtifactError | None = None

    def require_open(self) -> None:
        """Raise StateError once the bucket could not be reached: without a permit nothing is sent."""
        if self._down is not None:
            text = f"{self._down.message}, and without a receipt there nothing is sent"
            raise StateError(text, help=self._down.help, code=UNREACHABLE)

    def try_again(self) -> None:
        """Forget that the bucket could not be reached: a process that lives for days tries again."""
        self._down = None

    def keep(self, event: str, marker: str, line: bytes, store: str) -> None:
        """Begin to write a copy of a line, of the state with this id."""
        if event == "intent":
            high = json.dumps(self.latest).encode()
            self._permits[marker] = self._pool.submit(self._permit, marker, line, store, high)
        else:
            self._pool.submit(self._copy, f"receipts/{marker}.{event}", line)

    def permission(self, marker: str) -> Future[str]:
        """Return what gives the reason why a request must not be sent, empty if it may."""
        return self._permits.pop(marker)

    def settled(self, marker: str, void: bytes) -> tuple[Receipt, ...]:
        """Return what is there about a request in doubt, after a `void` was created if there is no intent.

        Raises ArtifactError.
        """
        name = f"receipts/{marker}"
        self._shelf.require_set_up()
        self._shelf.create(name, void)
        texts = [self._shelf.small(each) for each in (name, f"{name}.accepted", f"{name}.void")]
        return parse(b"".join(text for text in texts if text is not None))

    def high(self, store: str) -> tuple[int, float]:
        """Return the newest event that was noted of a shared state; 0 and 0 if there is none. Raises ArtifactError."""
        self._shelf.require_set_up()
        content = self._shelf.small(f"meta/high/{store}")
        if content is None:
            return 0, 0.0
        try:
            number, time = json.loads(content)
            return int(number), float(time)
        except (ValueError, TypeError, RecursionError):
            text = f"meta/high/{store} in the shared cache is damaged"
            raise ArtifactError(text, help="remove that object", code=DAMAGED) from None

    def newer(self, since: float) -> tuple[Receipt, ...]:
        """Return all that was written since a time (UTC seconds), in order. Raises ArtifactError."""
        listed = [(time, name) for name, (_, time) in self._shelf.listing("receipts").items() if time >= since]
        contents = self._pool.map(lambda entry: self._shelf.small(f"receipts/{entry[1]}"), sorted(listed))
        return parse(b"\n".join(content for content in contents if content is not None))

    def close(self) -> None:
        """Wait for what is on its way."""
        self._pool.shutdown()

    def _permit(self, marker: str, line: bytes, store: str, high: bytes) -> str:
        name = f"receipts/{marker}"
        try:
            self._shelf.require_set_up()
            self._shelf.write(f"meta/high/{store}", high)  # before anything is paid for that a backup may lack
            if self._shelf.create(name, line):
                return ""
            # An answer may have been lost, and the request tried again: then the object is our own.
            present = parse(self._shelf.small(name) or b"")
            return "" if [receipt.event for receipt in present] == ["intent"] else _CLOSED
        except ArtifactError as error:
            self._down = error
            return error.message

    def _copy(self, name: str, line: bytes) -> None:
        with suppress(ClipformError):
            self._shelf.create(name, line)
