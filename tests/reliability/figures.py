"""The figures of the proof: counted in each process, added up, printed as a table with their bars."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

MUTANTS = Path(__file__).parents[2] / "benchmarks" / "MUTANTS.md"
DOUBLE, LOST, TORN, CAP, SECRET, ESCAPE = ("I1",), ("I2", "I3"), ("I4", "I16"), ("I6",), ("I7",), ("I8", "I9")


@dataclass(slots=True)
class Tally:
    """The counts of scenarios and their results. `broken` holds the judge's findings, each with its story."""

    scenarios: Counter[str] = field(default_factory=Counter)
    injected: int = 0
    itself: int = 0
    asking: int = 0
    listed: int = 0
    asking_listed: int = 0
    needless: int = 0
    overshoot: int = 0
    points: set[str] = field(default_factory=set)
    planted: int = 0
    caught: int = 0
    inputs: Counter[str] = field(default_factory=Counter)
    tracebacks: int = 0
    wrong_class: int = 0
    slowest: float = 0.0
    largest: int = 0
    kills: int = 0
    states: int = 0
    scanned: int = 0
    quotients: list[float] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count another's figures with these."""
        self.scenarios += other.scenarios
        self.inputs += other.inputs
        self.points |= other.points
        self.quotients += other.quotients
        self.skipped += other.skipped
        self.broken += other.broken
        for name in (
            "injected", "itself", "asking", "listed", "asking_listed", "needless", "planted", "caught", "tracebacks",
            "wrong_class", "kills", "states", "scanned",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("overshoot", "slowest", "largest"):
            setattr(self, name, max(getattr(self, name), getattr(other, name)))

    def count(self, *promises: str) -> int:
        """Return how many findings break one of these promises."""
        return sum(1 for text in self.broken if text.partition(":")[0] in promises)

    def _of_projects(self, *promises: str) -> int:
        return sum(1 for text in self.broken if text.partition(":")[0] in promises and "[project " in text)

    def rows(self) -> Iterator[tuple[str, str, str, bool]]:
        """Figure, value, bar, whether it is met."""
        total = sum(self.scenarios.values())
        known = {*DOUBLE, *LOST, *TORN, *CAP, *SECRET, *ESCAPE}
        others = sum(1 for text in self.broken if text.partition(":")[0] not in known)
        survived = self.itself + self.asking
        yield "fault points (kinds of effect, by name)", f"{len(self.points):,}", "more than 0", bool(self.points)
        yield "scenarios", f"{total:,}", "more than 0", total > 0
        yield "faults injected", f"{self.injected:,}", "more than 0", self.injected > 0
        yield "survived by itself", f"{self.itself:,} of {total:,}", "", True
        yield "survived by asking", f"{self.asking:,} of {total:,}", "", True
        yield "survived in all", f"{survived:,} of {total:,}", "all", survived == total
        if self.listed:
            bar = "0"
            yield "asking, vendor has a list", f"{self.asking_listed:,} of {self.listed:,}", bar, not self.asking_listed
        for name, promises in (
            ("double submits (I1)", DOUBLE),
            ("lost results (I2, I3)", LOST),
            ("torn or foreign-overwritten files (I4, I16)", TORN),
            ("secrets found (I7)", SECRET),
            ("escapes (I8, I9)", ESCAPE),
        ):
            yield name, f"{self.count(*promises):,}", "0", not self.count(*promises)
        if self.states:
            yield "states of the protocol's model explored", f"{self.states:,}", "more than 0", True
        if self.quotients:
            least, middle, most = min(self.quotients), median(self.quotients), max(self.quotients)
            name = f"estimate ÷ bill of {len(self.quotients):,} random clips (least, median, most)"
            met = least >= 1 and middle <= 1.01
            yield name, f"{least:.4f}, {middle:.4f}, {most:.2f}", "from 1 on, median to 1.01", met
        if rows := mutants():
            yield "mutants killed / tried, by part", ", ".join(rows), "shown", True
        yield "cap overshoot (millionths)", f"{self.overshoot:,}", "0", not (self.overshoot or self.count(*CAP))
        yield "other promises broken (I5, I10 to I14, I18 to I20, tracebacks)", f"{others:,}", "0", not others
        if self.planted:
            yield "planted bugs caught", f"{self.caught} of {self.planted}", "all", self.caught == self.planted
        if self.inputs:
            told = ", ".join(f"{count:,} {name}" for name, count in sorted(self.inputs.items()))
            yield "hostile inputs", told, "more than 0", True
            yield "hostile inputs with a traceback", f"{self.tracebacks}", "0", not self.tracebacks
            yield "hostile replies read as more than they prove", f"{self.wrong_class}", "0", not self.wrong_class
            tried = self.inputs["projects"]
            secrets, touched = (self._of_projects(*each) for each in (SECRET, ESCAPE))
            value = f"{tried:,} / {secrets} / {touched}"
            yield (
                "hostile projects tried / secrets out / files or addresses touched",
                value,
                "any / 0 / 0",
                not (secrets or touched),
            )
            yield "slowest hostile input", f"{self.slowest:.2f} s", "under 10 s", self.slowest < 10
            yield "most memory for one", f"{self.largest / 1e6:,.0f} MB", "under 512 MB", self.largest < 512_000_000
        if self.kills:
            yield "real processes killed (SIGKILL)", f"{self.kills:,}", "more than 0", True
        if self.scanned:
            yield "files searched for canary credentials", f"{self.scanned:,}", "more than 0", True
        yield "needless questions (nothing was bought)", f"{self.needless:,}", "shown", True

    def in_short(self) -> str:
        """What the README says of it."""
        counts = (
            f"{self.count(*DOUBLE):,} double submits",
            f"{self.count(*LOST):,} lost results",
            f"{self.count(*TORN):,} torn or overwritten files",
            f"{self.overshoot:,} over a cap",
            f"{self.count(*SECRET):,} secrets found",
            f"{self.count(*ESCAPE):,} escapes",
            f"{self.caught:,} of {self.planted:,} planted bugs caught",
        )
        total = sum(self.scenarios.values())
        return (
            f"**{total:,} scenarios, {self.kills:,} real processes killed: {', '.join(counts)}.** "
            f"In {self.asking:,} a person was asked, {self.needless:,} times without need; where the vendor lists its "
            f"tasks, in {self.asking_listed:,} of {self.listed:,}."
        )

    def passed(self) -> bool:
        """Return True if every bar is met."""
        return not self.broken and all(met for *_, met in self.rows())

    def table(self) -> str:
        """As Markdown."""
        lines = ["| Figure | Value | Bar | |", "| --- | --: | --- | --- |"]
        lines += [
            f"| {name} | {value} | {bar} | {'met' if met else '**missed**'} |" for name, value, bar, met in self.rows()
        ]
        return "\n".join(lines) + "\n"

    def by_sweep(self) -> str:
        """Return the number of scenarios of each sweep, as Markdown."""
        lines = ["| Sweep | Scenarios |", "| --- | --: |"]
        return (
            "\n".join([*lines, *(f"| {name} | {count:,} |" for name, count in sorted(self.scenarios.items()))]) + "\n"
        )


def mutants(report: Path = MUTANTS) -> list[str]:
    """Return killed / tried of each part, from the report of mutants if there is one."""
    text = report.read_text(encoding="utf-8") if report.exists() else ""
    rows = re.findall(r"^\| (.+?) \| .*? \| (\d+) \| (\d+) \| \d+% \|$", text, re.MULTILINE)
    return [f"{part} {killed} / {tried}" for part, tried, killed in rows]
