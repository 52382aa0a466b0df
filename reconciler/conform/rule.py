"""One rule of the contract, and the cases that it is checked on.

A rule is a function that raises `ContractBroken`. It is checked once, or for each row of a data file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from reconciler.conform.contract import Contract, ContractBroken, Sample
from reconciler.frozen import dataclass

_MAY_BE_EMPTY = ("refused",)


@dataclass(frozen=True, slots=True)
class Rule:
    """A promise in one line, and what an author does if it is broken. `split` returns its cases for a kind."""

    name: str
    promise: str
    remedy: str
    split: Callable[[Contract], Iterator[tuple[str, Callable[[], None]]]]

    def cases(self, contract: Contract) -> Iterator[Case]:
        """Yield what there is to check for a kind."""
        for label, check in self.split(contract):
            yield Case(self, "-".join(filter(None, (contract.kind, label))), check)


@dataclass(frozen=True, slots=True)
class Case:
    """One rule on one row of data. `check` raises ContractBroken."""

    rule: Rule
    label: str
    check: Callable[[], None]

    def __str__(self) -> str:
        return f"{self.rule.name}[{self.label}]"


def once(promise: str, remedy: str) -> Callable[[Callable[[Contract], None]], Rule]:
    """Make a function the check of a rule, for each kind once."""

    def make(check: Callable[[Contract], None]) -> Rule:
        def split(contract: Contract) -> Iterator[tuple[str, Callable[[], None]]]:
            yield "", partial(check, contract)

        return Rule(check.__name__.replace("_", "-"), promise, remedy, split)

    return make


def each(file: str, key: str, promise: str, remedy: str) -> Callable[[Callable[[Sample], None]], Rule]:
    """Make a function the check of a rule, for each row under a key of a data file; without rows it is broken, unless
    the file may be empty."""

    def make(check: Callable[[Sample], None]) -> Rule:
        def split(contract: Contract) -> Iterator[tuple[str, Callable[[], None]]]:
            for sample in contract.samples(file, key):
                yield sample.label, partial(check, sample)
            if file not in _MAY_BE_EMPTY and not contract.load(file).get(key) and not contract.is_local:
                yield "", partial(require, False, f"{file}.yaml has no rows under `{key}`")

        return Rule(check.__name__.replace("_", "-"), promise, remedy, split)

    return make


def require(holds: object, message: str) -> None:
    """Raise ContractBroken unless this holds."""
    if not holds:
        raise ContractBroken(message)


def equal(actual: object, wanted: object, of: str) -> None:
    """Raise ContractBroken unless two values are equal."""
    require(actual == wanted, f"{of}:\n  is     {actual!r:.600}\n  wanted {wanted!r:.600}")
