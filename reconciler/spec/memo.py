"""Memory for pure steps, so that a long-running process computes again only what changed.

Reading, checking and planning a project are pure steps. Each has a name (`("clip", "hero")`) and gets everything that
it depends on as inputs. A step with the same inputs has the same result, so the result is remembered; inputs are always
compared, never assumed unchanged. Two rules make this exact:

- Inputs are compared by identity, or by value if they are str, bytes or int. Equality would be too lenient for values
  that a step returned: in Python `True == 1`, and `Number("0.5") == "0.5"`.
- `intern` is the one place that compares values by equality: a value that was read again is replaced by the object of
  the last round if nothing in it differs, its places in the file included. So a file that was saved without a change,
  and every clip that an edit did not touch, is the same object to all later steps.

Rejected: one key for a whole stage (any edit would lose all of it), hashes of the inputs (they cost more than the
steps), and dependency tracking (the inputs of a step can be read where it is called).

Steps call `reuse` and `intern`; who runs them in a `Memo.round` gives them that memory, and outside a round nothing is
remembered. So a pure function needs no parameter for it, and answers the same with and without.

Memory is bounded: a round forgets what was used neither in it, nor in the round before, nor in the last complete one. A
round that ends with an error is not complete, so a broken file does not discard earlier results.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from decimal import Decimal
from operator import eq
from typing import TypeVar, cast

T = TypeVar("T")

_PLAIN = (str, bytes, int)
_Results = dict[Hashable, tuple[tuple[object, ...], object]]


class Memo:
    """Remembers the results of the last rounds."""

    def __init__(self) -> None:
        self._now: _Results = {}
        self._last: _Results = {}  # the round before, complete or not
        self._complete: _Results = {}  # the last round without an error
        self._grows = True

    def __len__(self) -> int:
        """Return the number of remembered results."""
        return len({*self._now, *self._last, *self._complete})

    def compute(
        self,
        name: Hashable,
        inputs: tuple[object, ...],
        function: Callable[[], T],
        keep: Callable[[T], bool] | None = None,
    ) -> T:
        """Return `function()`, or its earlier result for the same inputs.

        A result for which `keep` is false is not remembered, nor is an exception. `name` must be unique among the
        steps: if two share one, the later result replaces the earlier.
        """
        entry = self._find(name)
        if entry is not None and _alike(entry[0], inputs):
            self._now[name] = entry
            return cast(T, entry[1])
        result = function()
        if self._grows and (keep is None or keep(result)):
            self._now[name] = (inputs, result)
        return result

    def intern(self, name: Hashable, value: T, equal: Callable[[T, T], bool] = eq) -> T:
        """Return the earlier object if it equals `value`, else `value`."""
        entry = self._find(name)
        if entry is not None and (entry[1] is value or equal(cast(T, entry[1]), value)):
            self._now[name] = entry
            return cast(T, entry[1])
        if self._grows:
            self._now[name] = ((), value)
        return value

    @contextmanager
    def round(self, *, grows: bool = True) -> Iterator[None]:
        """Enclose one pass through all steps: `reuse` and `intern` use this memory inside. `grows`: for later rounds,
        new results are remembered, too."""
        self._now, self._grows = {}, grows
        token = _CURRENT.set(self)
        try:
            yield
            self._complete = self._now
        finally:
            _CURRENT.reset(token)
            self._last, self._now = self._now, {}

    def _find(self, name: Hashable) -> tuple[tuple[object, ...], object] | None:
        return self._now.get(name) or self._last.get(name) or self._complete.get(name)


_CURRENT: ContextVar[Memo | None] = ContextVar("memo", default=None)


def reuse(
    name: Hashable, inputs: tuple[object, ...], function: Callable[[], T], keep: Callable[[T], bool] | None = None
) -> T:
    """Return `Memo.compute` of the round that encloses this call; outside a round, `function()`."""
    memo = _CURRENT.get()
    return function() if memo is None else memo.compute(name, inputs, function, keep)


def intern(name: Hashable, value: T, equal: Callable[[T, T], bool] = eq) -> T:
    """Return `Memo.intern` of the round that encloses this call; outside a round, `value`."""
    memo = _CURRENT.get()
    return value if memo is None else memo.intern(name, value, equal)


def _alike(earlier: tuple[object, ...], now: tuple[object, ...]) -> bool:
    if len(earlier) != len(now):
        return False
    for a, b in zip(earlier, now, strict=True):
        if a is not b and not (type(a) is type(b) and type(a) in _PLAIN and a == b):
            return False
    return True


def exactly(a: object, b: object) -> bool:
    """True if two values are equal in type too, and maps in order: for values read from files, as `True == 1`."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return [*a] == [*b] and all(exactly(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(exactly, a, b))
    if isinstance(a, Decimal) and isinstance(b, Decimal):
        return a.as_tuple() == b.as_tuple()
    if is_dataclass(a) and is_dataclass(b):
        return all(exactly(getattr(a, item.name), getattr(b, item.name)) for item in fields(a))
    return exactly(vars(a), vars(b)) if hasattr(a, "__dict__") else a == b
