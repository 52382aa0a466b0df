"""What pure steps answered the last time, so that a process that lives on does again only what changed.

Reading, checking and planning a project are pure steps, each with a name (`("clip", "hero")`) and with everything that
it depends on given to it. A step that is given the same again answers the same, so its answer may be remembered; that
nothing changed is never supposed, always seen. Two rules make this exact:

- What is given is compared by identity, or by value where it is plain text, bytes or a whole number. Equality would be
  too lenient for what came out of a step: in Python `True == 1`, and `Number("0.5") == "0.5"`.
- `same` is the one place where values are compared by equality: what was read anew becomes the object of last time if
  nothing in it differs, its places in the file included. So a file that was saved without a change, and every clip
  that an edit left as it was, is the same object to all later steps.

Refused: one key for a whole stage (any edit would lose all of it), hashes of what is given (they cost more than the
steps), and dependency tracking (what a step depends on is what it is given, and can be read where it is called).

Bounded: a round forgets what neither it nor the round before it, nor the last whole one, has used. A round that ends
with an error is not whole, so that a broken file does not cost everything that was known.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import TypeVar, cast

T = TypeVar("T")

_PLAIN = (str, bytes, int)
_Known = dict[Hashable, tuple[tuple[object, ...], object]]


class Memo:
    """The memory of one chain of steps: a value that is passed along. The base remembers nothing and costs nothing."""

    def step(
        self, name: Hashable, given: tuple[object, ...], make: Callable[[], T], worth: Callable[[T], bool] | None = None
    ) -> T:
        """What `make` returns, or what it returned for the same. An answer that is not `worth` it is not remembered,
        nor is an error. `name` is the step's own: of two that share one, the last is remembered."""
        return make()

    def same(self, name: Hashable, value: T, equal: Callable[[T, T], bool] | None = None) -> T:
        """The value of last time if it is equal, else this one."""
        return value

    @contextmanager
    def round(self) -> Iterator[None]:
        """All steps from start to end, once."""
        yield


NOTHING = Memo()
"""For a process that goes through the steps once."""


class Memory(Memo):
    """Remembers the last rounds."""

    def __init__(self) -> None:
        self._now: _Known = {}
        self._last: _Known = {}  # the round before, whole or not
        self._whole: _Known = {}  # the last that ended well

    def __len__(self) -> int:
        """How many answers are kept."""
        return len({*self._now, *self._last, *self._whole})

    def step(
        self, name: Hashable, given: tuple[object, ...], make: Callable[[], T], worth: Callable[[T], bool] | None = None
    ) -> T:
        """See `Memo.step`."""
        known = self._find(name)
        if known is not None and _alike(known[0], given):
            self._now[name] = known
            return cast(T, known[1])
        made = make()
        if worth is None or worth(made):
            self._now[name] = (given, made)
        return made

    def same(self, name: Hashable, value: T, equal: Callable[[T, T], bool] | None = None) -> T:
        """See `Memo.same`."""
        known = self._find(name)
        if known is not None:
            before = cast(T, known[1])
            if before is value or (equal(before, value) if equal else before == value):
                self._now[name] = known
                return before
        self._now[name] = ((), value)
        return value

    @contextmanager
    def round(self) -> Iterator[None]:
        """See `Memo.round`."""
        self._now = {}
        try:
            yield
            self._whole = self._now
        finally:
            self._last, self._now = self._now, {}

    def _find(self, name: Hashable) -> tuple[tuple[object, ...], object] | None:
        return self._now.get(name) or self._last.get(name) or self._whole.get(name)


def _alike(before: tuple[object, ...], now: tuple[object, ...]) -> bool:
    if len(before) != len(now):
        return False
    pairs = zip(before, now, strict=True)
    return all(a is b or (type(a) is type(b) and type(a) in _PLAIN and a == b) for a, b in pairs)


def exactly(a: object, b: object) -> bool:
    """Equal in type too, and in the order of maps: for values that were read, where `True == 1` would be wrong."""
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
