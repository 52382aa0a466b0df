"""Keep what a plan needs of each spec file in `state/specs`, so that only files that changed are parsed and checked.

A unit has the takes of one included file as rows: keys, prices, outputs, and the warnings about them. It is used if all
that it was computed from is as it was, which is compared and never assumed (as in `spec.memo`):

- the bytes of the file, which is always read, and its context: the bytes of the project file and the environment's
  file, the variables of the command line, draft or not, the day (prices are dated), the program and its libraries;
- the content of its clips' local inputs, and the key and picked take of each clip of another file that they use.

Everything else is between files: clips of one name or output, too many clips, films (a file with cuts has no unit).
Then, and for any error, all files are read, which reports it. What depends on the environment is computed each time, so
no value of it is in the file.

Nothing is bought by a row: commands that act read every clip (`Workspace.load`). The file may be deleted at any time;
a damaged one is ignored. Rejected: times of files (reading a hundred costs 2 ms), a file for each unit (a sync each),
parse results in place of rows (parsing is a fifth of the time).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TypeVar

from reconciler.artifacts.files import cache_entries, write_cache
from reconciler.artifacts.hashing import Hasher
from reconciler.diagnostics import Diagnostic, Source
from reconciler.frozen import dataclass
from reconciler.plan.model import Wanted
from reconciler.project import program
from reconciler.project.orders import Order
from reconciler.project.spec_rows import Pick, Unit, decoded, encoded
from reconciler.project.tiers import depends_on_time
from reconciler.providers.registry import BUILT_IN
from reconciler.spec.expand import Others
from reconciler.spec.files import Files
from reconciler.spec.matrix import MAX_CLIPS
from reconciler.spec.paths import same_file
from reconciler.spec.problems import gathered
from reconciler.spec.project import Clip, Project, cut_inputs, local_inputs
from reconciler.spec.volume import Volume

T = TypeVar("T")

_RENEWED = 8
"""The file is written again once it lacks more than this part of all takes: encoding all of them takes a while."""

_VOLUME = ""  # the entry with the volume of all units


@dataclass(frozen=True, slots=True)
class CheckedClips:
    """The clips of the files that were read, and what was computed from them."""

    clips: Sequence[Clip]  # as declared, also for drafts
    unread: Sequence[Diagnostic]
    stages: Sequence[Sequence[Diagnostic]]
    hashes: Mapping[str, str]
    orders: Sequence[Order]
    filmed: Collection[str]  # the files that have cuts


class SpecCache:
    """The units that can be used, and the files of a project: each is read once, and is empty if its unit is used.

    `circumstances` are what units depend on beside the files. Before `choose`, only the files of `base` are answered:
    the project file and what is laid over it, on which all units depend.
    """

    def __init__(self, files: Files, file: Path, base: Sequence[str], circumstances: Mapping[str, object]) -> None:
        self._files, self._file, self._base, self._circumstances = files, file, base, circumstances
        self._texts: dict[str, bytes] = {}
        self._paths: dict[str, tuple[str, ...]] = {}
        self._fresh: dict[str, Unit] = {}
        self._volume = Volume()
        self._written: Sequence[int] = ()  # the volume of all units of the file
        self._is_chosen = False
        self.units: dict[str, Unit] = {}

    def read(self, path: str) -> bytes:
        """Return the whole file, see `Files`; nothing of one whose clips are known."""
        if path not in self._texts:
            self._texts[path] = self._files.read(path)
        is_answered = path not in self.units if self._is_chosen else path in self._base
        return self._texts[path] if is_answered else b""

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the files that match a pattern, see `Files`."""
        if pattern not in self._paths:
            self._paths[pattern] = self._files.glob(pattern)
        return self._paths[pattern]

    def choose(self, project: Project, hasher: Hasher) -> None:
        """Use the units that fit the files as they were read, the inputs on disk and each other."""
        self._is_chosen = True
        self._base = (*self._base, *project.modules)
        for path, values in cache_entries(self._file) if is_ordinary(project) else ():
            if path == _VOLUME:
                self._written = values
            elif path in self._texts and isinstance(values, dict) and values.get("key") == self._key(path):
                unit = decoded(values)
                self.units |= {path: unit} if _are_unchanged(unit.inputs, hasher) else {}
        hasher.save()
        while len(fitting := _fit(self.units, self.picks())) < len(self.units):  # a unit falls with those that it uses
            self.units = fitting

    def forget(self) -> None:
        """Use no unit: all files are answered."""
        self.units = {}

    def others(self) -> Others:
        """Return the clips of the units."""
        wanted = [w for unit in self.units.values() for w in unit.wanted]
        looks = frozenset(look.name for w in wanted for look in w.looks)
        inputs = frozenset(chain.from_iterable(unit.inputs for unit in self.units.values()))
        durations = dict(chain.from_iterable(unit.durations.items() for unit in self.units.values()))
        return Others({w.clip: w.declared for w in wanted}, looks, inputs, durations)

    def places(self) -> dict[str, Source]:
        """Return the line of each declaration of the units."""
        known = self.units.items()
        return {name: Source(path, line, 1) for path, unit in known for name, line in unit.lines.items()}

    def providers(self) -> set[str]:
        """Return the providers of the units' clips."""
        return {w.provider for unit in self.units.values() for w in unit.wanted}

    def picks(self) -> dict[str, Pick]:
        """Return the picked take of each clip of the units."""
        return dict(chain.from_iterable(_picks(unit.wanted) for unit in self.units.values()))

    def clashes(self, project: Project) -> bool:
        """True if the clips that were read may be wrong together with the units: reading all files tells."""
        self._volume = Volume(*self._written) if self.units else Volume()
        self._volume.add(project.volume)
        known, clips, cuts = self.units.values(), project.clips, project.cuts
        if not (known and (clips or cuts)):
            return False  # the units were written together
        placed = (path for cut in cuts for path in (cut.spec.output, cut.spec.beside) if path)
        read = chain((clip.spec.output for clip in clips), placed)
        outputs = [*chain(*(unit.outputs for unit in known)), *map(same_file, read)]
        paths = chain(local_inputs(clips), cut_inputs(cuts), *(unit.inputs for unit in known))
        inputs = {same_file(path) for path in paths}
        taken = frozenset(outputs)
        return (
            len(taken) < len(outputs)
            or not taken.isdisjoint(inputs | _folders(taken))
            or not {clip.declared for clip in clips}.isdisjoint(w.declared for unit in known for w in unit.wanted)
            or not Volume().fits(self._volume)
            or self._volume.clips > MAX_CLIPS
        )

    def warnings(self, project: Project, stages: Sequence[Sequence[Diagnostic]]) -> Iterator[list[Diagnostic]]:
        """Yield the diagnostics of each stage in the order of files, those of the units too."""
        files = {clip.declared: clip.file for clip in project.clips}
        for number, stage in enumerate(stages):
            fresh = _grouped(stage, lambda item: files[item.clips[0]])
            known = {path: unit.warnings[number] for path, unit in self.units.items()}
            yield [item for path in project.files for item in (*known.get(path, ()), *fresh.get(path, ()))]

    def wanted(self, project: Project, orders: Sequence[Order]) -> tuple[Wanted, ...]:
        """Return all takes in the order of files."""
        fresh = _grouped(orders, lambda order: order.clip.file)
        known = {path: unit.wanted for path, unit in self.units.items()}
        rows = (known.get(path) or [order.wanted for order in fresh.get(path, ())] for path in project.files)
        return tuple(chain.from_iterable(rows))

    def inputs(self, project: Project) -> frozenset[str]:
        """Return the paths of all local inputs."""
        return frozenset(chain(local_inputs(project.clips), *(unit.inputs for unit in self.units.values())))

    def keep(self, checked: CheckedClips, hasher: Hasher) -> None:
        """Make units of the files that were read and about which nothing has to be said but the stages' warnings."""
        flawed = _flawed(checked.unread)
        picks = self.picks() | dict(_picks(order.wanted for order in checked.orders))
        orders = _grouped(checked.orders, lambda order: order.clip.file)
        files = {clip.declared: clip.file for clip in checked.clips}
        stages = [_grouped(stage, lambda item: files[item.clips[0]]) for stage in checked.stages]
        for path, clips in _grouped(checked.clips, lambda clip: clip.file).items():
            inputs = {name: checked.hashes[name] for name in local_inputs(clips)}
            is_clear = path not in self._base and path not in checked.filmed  # no unit has cuts
            is_sound = flawed.isdisjoint({path, *(clip.declared for clip in clips)})
            # No unit compares tables, lock files and times.
            is_alone = not any(clip.rows or clip.frozen() or depends_on_time(clip) for clip in clips)
            if not (is_clear and is_sound and is_alone) or not _are_unchanged(inputs, hasher):
                continue
            uses = {name: picks[name] for clip in clips for name in clip.depends_on() if files.get(name) != path}
            self._fresh[path] = Unit(
                self._key(path),
                inputs,
                uses,
                tuple(same_file(clip.spec.output) for clip in clips),
                tuple(order.wanted for order in orders[path]),
                tuple(tuple(gathered(stage.get(path, ()))) for stage in stages),
                {clip.declared: clip.where.line for clip in clips if clip.where is not None},
                {clip.name: clip.spec.duration for clip in clips if clip.spec.duration is not None},
            )

    def save(self) -> None:
        """Write the file if it lacks much. Failing is not an error: the next command reads the files again."""
        fresh, known = (sum(len(unit.wanted) for unit in units.values()) for units in (self._fresh, self.units))
        if not self._file.parent.is_dir() or fresh * _RENEWED <= fresh + known:
            return
        volume = [self._volume.values, self._volume.written, self._volume.clips]
        with suppress(OSError):
            write_cache(self._file, {_VOLUME: volume, **self.units, **self._fresh}, encoded)

    @cached_property
    def _context(self) -> dict[str, object]:
        """All that every unit depends on, by name."""
        base = {name: _sha256(self._texts[name]) for name in self._base if name in self._texts}
        return {"program": program.seen(), **self._circumstances, **base}

    @cached_property
    def _start(self) -> str:
        return _sha256(repr(self._context).encode())

    def _key(self, path: str) -> str:
        return _sha256(f"{self._start} {_sha256(self._texts[path])}".encode())


def is_ordinary(project: Project) -> bool:
    """True for a project without other packages' kinds, whose code is not known, and without inputs from elsewhere."""
    return not project.allowed_inputs and all(config.kind in BUILT_IN for config in project.providers.values())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _grouped(items: Iterable[T], name: Callable[[T], str]) -> dict[str, list[T]]:
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(name(item), []).append(item)
    return groups


def _picks(wanted: Iterable[Wanted]) -> Iterator[tuple[str, Pick]]:
    return ((w.clip, (w.key, w.take)) for w in wanted if w.output is not None)


def _folders(paths: Iterable[str]) -> set[str]:
    """Return every folder that one of the paths is in."""
    folders: set[str] = set()
    for path in paths:
        while (path := path.rpartition("/")[0]) and path not in folders:
            folders.add(path)
    return folders


def _fit(units: Mapping[str, Unit], picks: Mapping[str, Pick]) -> dict[str, Unit]:
    """Return the units that were made with these picked takes of other files."""
    return {path: unit for path, unit in units.items() if unit.uses.items() <= picks.items()}


def _flawed(diagnostics: Iterable[Diagnostic]) -> set[str]:
    """Return the files and declarations that these are about."""
    return {name for item in diagnostics for name in (*item.clips, item.source.file if item.source else "")}


def _are_unchanged(inputs: Mapping[str, str], hasher: Hasher) -> bool:
    return all(hasher.unchanged(path, sha256) for path, sha256 in inputs.items())
