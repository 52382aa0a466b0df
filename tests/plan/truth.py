"""The truth table: every combination of what is known of a key, what the take holds, and what lies at its output.

Built here, rendered for people in `truth_table.txt`. One clip `hero` wants the key `v1:want` at `out/hero.mp4`; what it
may hold instead is `v1:else`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from reconciler.plan.model import Cost, Disk, OutputFact, Plan, Wanted
from reconciler.records import Binding, Generation, Placed, Snapshot, State
from tests.plan.world import World, attempt, film

WANT, ELSE, PATH = "v1:want", "v1:else", "out/hero.mp4"
MINE = "a film of the user's"
_REASONS = {State.REFUSED: ("bad input", "busy"), State.FAILED: ("moderation", "internal")}
_ARTIFACT = {State.FETCHED, State.DONE}


@dataclass(frozen=True)
class Known:
    """What is on record about the wanted key."""

    name: str
    state: State | None = None
    reason: str = ""
    generation: bool = False
    object: bool = False
    lock: bool = False

    @property
    def film(self) -> bool:
        """Whether anybody knows which picture it is."""
        return self.generation or self.lock


def knowledge() -> Iterator[Known]:
    """All that may be known."""
    yield Known("nothing")
    for state in State:
        for reason in _REASONS.get(state, ("",)):
            made = state in _ARTIFACT
            yield Known(f"{state.value} ({reason})" if reason else state.value, state, reason, made, made)
    yield Known("done, artifact lost", State.DONE, generation=True)
    yield Known("done, collected by gc", State.DONE)
    yield Known("imported, no attempt", generation=True, object=True)
    yield Known("imported, artifact lost", generation=True)
    yield Known("abandoned, then imported", State.ABANDONED, generation=True, object=True)
    yield Known("uncertain, then imported", State.UNCERTAIN, generation=True, object=True)
    yield Known("lock file, at hand", lock=True, object=True)
    yield Known("lock file, not here", lock=True)


HELD = ("nothing", "this key", "another key")
FILES = ("absent", "this picture", "another of ours", "the user's")
DECLARED = ("wanted", "wanted and protected", "not picked", "no longer declared")


@dataclass(frozen=True)
class Row:
    """One situation of the table."""

    declared: str
    free: bool
    known: Known
    held: str
    file: str

    def world(self) -> World:
        key = {"this key": WANT, "another key": ELSE}.get(self.held)
        output = None if self.declared == "not picked" else PATH
        bindings = {("hero", 1): Binding("hero", 1, key, output)} if key else {}
        content = {"this picture": film(WANT), "another of ours": film(ELSE), "the user's": MINE}.get(self.file)
        placed = film(ELSE) if self.file == "the user's" else content
        return World(
            () if self.declared == "no longer declared" else (self._wanted(output),),
            Snapshot(
                generations={WANT: Generation(WANT, film(WANT), "", provider="p", kind="k", model="m")}
                if self.known.generation
                else {},
                attempts={WANT: self._attempt()} if self.known.state else {},  # type: ignore[dict-item]  # not None here
                bindings=bindings,
                placed={PATH: Placed(PATH, placed, 1, 1, 1)} if placed else {},
            ),
            Disk(
                {PATH: OutputFact(True, content)} if content else {},
                frozenset({film(WANT)} if self.known.object else ()),
            ),
            {WANT: film(WANT)} if self.known.lock else {},
        )

    def _wanted(self, output: str | None) -> Wanted:
        provider, kind = ("draft", "draft") if self.free else ("studio", "ark")
        protect = self.declared == "wanted and protected"
        return Wanted("hero", 1, WANT, "", provider, kind, "m", output, (), protect, self.free, Cost(None))

    def _attempt(self) -> object:
        provider = "draft" if self.free else "studio"
        return attempt(1, WANT, State(self.known.state), reason=self.known.reason, provider=provider, task="t1")

    def plan(self) -> Plan:
        return self.world().plan()

    def cell(self) -> str:
        """What is planned, in one word or two for each step."""
        steps = self.plan().steps
        return " + ".join(f"{s.action.value} {s.reason.value}" for s in steps) or "-"


def rows() -> list[Row]:
    """The whole table. A picture that nobody knows lies nowhere, and a take that is not picked has no file."""
    found = []
    for declared, free, known, held, file in product(DECLARED, (False, True), knowledge(), HELD, FILES):
        if file == "this picture" and not known.film:
            continue
        if declared == "not picked" and file != "absent":
            continue
        found.append(Row(declared, free, known, held, file))
    return found


def render() -> str:
    """The table for people: rows that say the same are drawn together."""
    cells = {(r.declared, r.free, r.known.name, r.held, r.file): r.cell() for r in rows()}
    lines = ["# What is planned for a take, whatever is known. Written by `pytest --update`, reviewed like code.", ""]
    for declared in DECLARED:
        files = FILES[:1] if declared == "not picked" else FILES
        head = ("known of its key", "the take holds", *(f"file: {file}" for file in files))
        drawn = []
        for free in (False, True):
            lookup = {
                known.name: tuple(tuple(cells.get((declared, free, known.name, h, f), "") for f in files) for h in HELD)
                for known in knowledge()
            }
            drawn.append(_aligned([head, *_grouped(lookup)]))
        paid, free_ones = drawn
        lines += [f"== {declared}, paid{' or free' if paid == free_ones else ''}", "", *paid, ""]
        lines += [f"== {declared}, free", "", *free_ones, ""] if paid != free_ones else []
    return "\n".join(lines)


def _grouped(lookup: dict[str, tuple[tuple[str, ...], ...]]) -> Iterator[tuple[str, ...]]:
    """`lookup`: by what is known, one line of cells for each thing that the take may hold."""
    alike: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for name, found in lookup.items():
        alike.setdefault(found, []).append(name)
    for found, names in alike.items():
        helds: dict[tuple[str, ...], list[str]] = {}
        for held, line in zip(HELD, found, strict=True):
            helds.setdefault(line, []).append(held)
        for line, which in helds.items():
            what = "any" if len(which) == len(HELD) else " or ".join(which)
            yield names[0], what, *line
            yield from ((f"  or {name}", "") for name in names[1:] if line is list(helds)[-1])


def _aligned(table: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in table if i < len(row)) for i in range(len(table[0]))]
    return [" | ".join(c.ljust(width) for c, width in zip(row, widths, strict=False)).rstrip(" |") for row in table]
