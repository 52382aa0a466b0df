"""Which command runs a test: `make quick`, `make test` or `make check`, each with all that the one before it runs.

The table is `tiers.yaml`: a folder, a file, a test or one case of it (its node id below `tests/`), and why it is not
run sooner. The longest name that a test has in the table decides; a test without one is quick. `pytest` without
`--tier` runs whatever it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import yaml

TESTS = Path(__file__).parent
TIERS = ("quick", "test", "check")


@cache
def table() -> Mapping[str, str]:
    """The tier of each name in the file."""
    text = (TESTS / "tiers.yaml").read_text(encoding="utf-8")
    tiers: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)
    return {name: tier for tier, reasons in tiers.items() for name in reasons}


def tier_of(test: str, tiers: Mapping[str, str]) -> str:
    """The tier of a node id below `tests/`, or of a file or folder."""
    return next((tiers[name] for name in _names(test) if name in tiers), TIERS[0])


def runs(tier: str, test: str, tiers: Mapping[str, str]) -> bool:
    """Whether the tier's command runs a test."""
    return TIERS.index(tier_of(test, tiers)) <= TIERS.index(tier)


def skips(tier: str, path: str, tiers: Mapping[str, str]) -> bool:
    """Whether the tier's command runs nothing of a file or folder, so that it need not be read."""
    inside = (name for name in tiers if name.startswith((f"{path}/", f"{path}::")))
    return not any(runs(tier, name, tiers) for name in (path, *inside))


def unused(tests: Iterable[str], tiers: Mapping[str, str]) -> list[str]:
    """Tests and cases of the table that are in none of the files of these tests: they were renamed."""
    ids = {name for test in tests for name in _names(test)}
    return [name for name in tiers if "::" in name and name.partition("::")[0] in ids and name not in ids]


def _names(test: str) -> Iterator[str]:
    """The id itself, then what it is in, from the inside out."""
    path, _, function = test.partition("::")
    if function:
        yield test
        yield f"{path}::{function.partition('[')[0]}"
    parts = path.split("/")
    yield from ("/".join(parts[:end]) for end in range(len(parts), 0, -1))
