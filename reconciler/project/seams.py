"""Find what the frozen seams of a project hold on to. Pure.

A frozen seam keeps the key of the version whose frame was sent, so the key of its clip is the one that it was bought
under, and no edit of the other clip changes it. The lock file has these versions, for git: `clipform freeze` and every
apply write them. Without one, as before the first purchase, the seam follows the other clip.

Rejected: the SHA-256 of the frame in the key, with a record that the new key is the same as the old one. Every reader
of keys (records, shared states, other clips' keys, `recover`) would have to know that record, and one that has lost
it would buy again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from reconciler.frozen import dataclass
from reconciler.plan.moves import present_name
from reconciler.records import LockEntry, Seam
from reconciler.spec.project import Clip, Project

Held = Mapping[str, Seam]
"""The versions that the frozen seams of one clip hold on to, by field."""

NOTHING: Held = {}


@dataclass(frozen=True, slots=True)
class Seams:
    """The versions that frozen seams hold on to, by clip. `former`: lines of clips that are not declared any more."""

    by_clip: Mapping[str, Held]
    former: tuple[LockEntry, ...] = ()

    def of(self, clip: Clip) -> Held:
        """Return what the frozen seams of a clip hold on to."""
        return self.by_clip.get(clip.name, NOTHING)


NO_SEAMS = Seams({})


def seams_of(project: Project, others: Iterable[str], read: Callable[[], Iterable[LockEntry]]) -> Seams:
    """Return what the frozen seams of a project hold on to. `others` are clips that are not read, and `read` gives the
    lines of the lock file, which are needed only if a seam is frozen."""
    frozen = {clip.name: seams for clip in project.clips if (seams := clip.frozen())}
    if not frozen:
        return NO_SEAMS
    names = {*others, *(clip.name for clip in project.clips)}
    held: dict[str, dict[str, Seam]] = {}
    former: list[LockEntry] = []
    for line in sorted(read(), key=lambda line: line.output is not None):  # the picked take's counts most
        name = line.clip if line.clip in names else present_name(line.clip, project.moved)
        if line.seams and name not in names:
            former.append(line)
        for seam in line.seams:
            source = seam.clip if seam.clip in names else present_name(seam.clip, project.moved)
            target = frozen.get(name, {}).get(seam.field)
            if target is not None and (source == target or source not in names):  # else it names another clip now
                held.setdefault(name, {})[seam.field] = seam
    return Seams(held, tuple(former))
