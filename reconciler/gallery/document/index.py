"""A plan with what its cards are looked up by, made once for all of them. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from reconciler.gallery.document import media
from reconciler.gallery.document.media import Value
from reconciler.plan.model import Action, Step
from reconciler.plan.subset import Subsets
from reconciler.project.model import Planned
from reconciler.project.orders import Order
from reconciler.records import Generation, LockEntry
from reconciler.spec.project import Clip


@dataclass(frozen=True)
class Known:
    """What is known when a page is made. Everything is computed when first asked for."""

    planned: Planned

    @cached_property
    def steps(self) -> dict[tuple[str, int], Step]:
        """The step of each declared take."""
        return {step.ident: step for step in self.planned.plan.steps if step.ident == (step.clip, step.take)}

    @cached_property
    def others(self) -> dict[str, Step]:
        """A step of each clip that is no longer declared: its file first, else a task that is still under way."""
        found: dict[str, Step] = {}
        for step in self.planned.plan.steps:
            if step.clip not in self.clips and (step.clip not in found or step.action is Action.REMOVE):
                found[step.clip] = step
        return found

    @cached_property
    def clips(self) -> dict[str, Clip]:
        """The clips that are declared, by name."""
        return {clip.name: clip for clip in self.planned.loaded.project.clips}

    @cached_property
    def users(self) -> dict[str, list[str]]:
        """Who takes frames of whom."""
        found: dict[str, list[str]] = defaultdict(list)
        for clip in self.planned.loaded.project.clips:
            for need in clip.depends_on():
                found[need].append(clip.name)
        return found

    @cached_property
    def portions(self) -> Subsets:
        """What would be done for a clip alone."""
        return Subsets(self.planned.plan)

    @cached_property
    def at_hand(self) -> frozenset[str]:
        """The artifacts whose bytes are here."""
        return media.at_hand(self.planned)

    @cached_property
    def makers(self) -> dict[str, Generation]:
        """A generation of each artifact, for one that is shown under a key which nobody holds any more."""
        return {made.sha256: made for made in self.planned.snapshot.generations.values()}

    def order(self, step: Step) -> Order | None:
        """What is wanted of a take; None when it is no longer declared."""
        return self.planned.loaded.by_ident.get((step.clip, step.take))

    def made(self, key: str | None) -> Generation | None:
        """What is known of a key's result: by the records, else by the lock file (as in a fresh clone)."""
        if not key:
            return None
        entry = self.planned.locked.get(key)
        return self.planned.snapshot.generations.get(key) or (_locked(entry) if entry else None)

    def media(self, sha256: str | None) -> Value | None:
        """A Media of the page; None when there is no such video here."""
        if sha256 is None or sha256 not in self.at_hand:
            return None
        return media.video(sha256, self.planned.snapshot.artifacts.get(sha256))

    def shown(self, step: Step) -> tuple[Value | None, Generation | None]:
        """What a clip shows, and who made it: what lies at its output, else its own artifact, else what it held."""
        fact = self.planned.disk.outputs.get(step.output) if step.output is not None else None
        own, before = self.made(step.key), self.made(step.previous_key)
        mine = [made for made in (own, before) if made is not None]
        for sha in (fact.sha256 if fact else None, step.sha256, *(made.sha256 for made in mine)):
            found = self.media(sha)
            if sha is not None and found is not None:
                return found, next((made for made in mine if made.sha256 == sha), self.makers.get(sha))
        return None, None


def _locked(entry: LockEntry) -> Generation:
    return Generation(entry.key, entry.sha256, "", **entry.provenance(), origin="locked")
