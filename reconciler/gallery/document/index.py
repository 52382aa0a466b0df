"""A plan, indexed by what its cards look up. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from reconciler.gallery.document import media
from reconciler.gallery.document.model import FilmPiece, Video
from reconciler.plan.model import Action, Step
from reconciler.plan.subset import Subsets
from reconciler.project.model import Planned
from reconciler.project.orders import Order
from reconciler.project.pace import slots
from reconciler.project.review import NOTHING_TO_REVIEW, Review
from reconciler.records import Generation, LockEntry
from reconciler.spec.cut_fields import PieceDecl
from reconciler.spec.project import Clip, Cut
from reconciler.spec.values import frames


@dataclass(frozen=True)
class PlanIndex:
    """Look-up tables over a plan, each computed on first use."""

    planned: Planned
    review: Review = NOTHING_TO_REVIEW

    @cached_property
    def steps(self) -> dict[tuple[str, int], Step]:
        """The step of each declared take, by clip and take."""
        return {step.ident: step for step in self.planned.plan.steps if step.ident == (step.clip, step.take)}

    @cached_property
    def others(self) -> dict[str, Step]:
        """One step of each film, and of each clip that is not declared: the removal of its file, else its task."""
        steps: dict[str, Step] = {}
        for step in self.planned.plan.steps:
            if step.clip not in self.clips and (step.clip not in steps or step.action is Action.REMOVE):
                steps[step.clip] = step
        return steps

    @cached_property
    def seams(self) -> dict[str, str]:
        """What the plan says about the frozen seam of a clip that no longer fits, by clip."""
        about = (item.message.partition(": ") for item in self.planned.plan.diagnostics if item.code == "seam")
        return {clip: text for clip, _, text in about}

    @cached_property
    def clips(self) -> dict[str, Clip]:
        """The declared clips, by name."""
        return {clip.name: clip for clip in self.planned.loaded.project.clips}

    @cached_property
    def films(self) -> dict[str, Cut]:
        """The declared films, by name."""
        return {cut.name: cut for cut in self.planned.loaded.project.cuts}

    @cached_property
    def users(self) -> dict[str, list[str]]:
        """The clips and films that depend on each clip or film, by its name."""
        users: dict[str, list[str]] = defaultdict(list)
        needs = [(clip.name, clip.depends_on()) for clip in self.planned.loaded.project.clips]
        for name, needed in [*needs, *((cut.name, cut.needs()) for cut in self.films.values())]:
            for need in needed:
                users[need].append(name)
        return users

    @cached_property
    def subsets(self) -> Subsets:
        """The part of the plan for each clip and its dependencies."""
        return Subsets(self.planned.plan)

    @cached_property
    def slots(self) -> dict[str, int]:
        """How many tasks of each provider run side by side."""
        return slots(self.planned.loaded.project, self.planned.loaded.dialects)

    @cached_property
    def available(self) -> frozenset[str]:
        """SHA-256 of the artifacts whose bytes are in the store or at an output."""
        locked, disk = self.planned.locked, self.planned.disk
        artifacts = self.planned.snapshot.artifacts.keys() | {entry.sha256 for entry in locked.values()}
        return disk.objects | {fact.sha256 for fact in disk.outputs.values() if fact.sha256 in artifacts}

    @cached_property
    def results_by_sha256(self) -> dict[str, Generation]:
        """A result for each artifact, for artifacts whose key is no longer in the plan."""
        return {result.sha256: result for result in self.planned.snapshot.generations.values()}

    def picked(self, name: str) -> Step | None:
        """Return the step of a clip's picked take, or of a film; None if it is not in this plan."""
        clip = self.clips.get(name)
        return self.steps.get((name, clip.spec.pick if clip else 1))

    @cached_property
    def stills(self) -> dict[str, str]:
        """The address of each picture that a film shows, by path."""
        return {path: f"media/input/{name}" for name, path in media.stills(self.planned).items()}

    def pieces(self, film: str) -> tuple[FilmPiece, ...]:
        """Return the pieces of a film; none of one that is not declared."""
        cut = self.films.get(film)
        return tuple(self._piece(piece, cut.spec.fps) for piece in cut.spec.sequence) if cut else ()

    def _piece(self, piece: PieceDecl, fps: int) -> FilmPiece:
        step = self.picked(piece.source) if piece.source else None
        video = self.shown(step)[0] if step is not None else None
        draft = self.drawn(*step.ident) if step is not None and video is None else None
        first, dissolve = (frames(seconds, fps) / fps for seconds in (piece.start, piece.dissolve))
        length = None if piece.seconds is None else frames(piece.seconds, fps) / fps
        seconds = next((one.seconds for one in (video, draft) if one is not None), 0)
        last = seconds if length is None and seconds else None
        return FilmPiece(
            clip=piece.source,
            text=piece.title or piece.still or "",
            still=self.stills.get(piece.still or ""),
            first=round(first, 3),
            last=last if length is None else round(first + length, 3),
            dissolve=round(dissolve, 3),
            shown=video,
            draft=draft,
        )

    def order(self, step: Step) -> Order | None:
        """Return the order of a take; None if it is not declared."""
        return self.planned.loaded.by_ident.get((step.clip, step.take))

    def result(self, key: str | None) -> Generation | None:
        """Return the result of a key, from the state, else from the lock file (as in a fresh clone)."""
        if not key:
            return None
        entry = self.planned.locked.get(key)
        return self.planned.snapshot.generations.get(key) or (_locked(entry) if entry else None)

    def media(self, sha256: str | None) -> Video | None:
        """Return a stored video; None if it is not available."""
        if sha256 is None or sha256 not in self.available:
            return None
        return media.video(sha256, self.planned.snapshot.artifacts.get(sha256))

    def drawn(self, clip: str, take: int) -> Video | None:
        """Return the newest draft of a take; None without one, and on a page of drafts."""
        artifact = self.review.drafts.get((clip, take))
        return None if artifact is None else media.video(artifact.sha256, artifact)

    def shown(self, step: Step) -> tuple[Video | None, Generation | None]:
        """Return the video that represents a clip, and its result: the file at the output, else the artifact of the
        current key, else that of the previous key."""
        file = self.planned.disk.outputs.get(step.output) if step.output is not None else None
        results = [result for result in map(self.result, (step.key, step.previous_key)) if result is not None]
        for sha256 in (file.sha256 if file else None, step.sha256, *(result.sha256 for result in results)):
            video = self.media(sha256)
            if video is not None:
                match = next((result for result in results if result.sha256 == video.sha256), None)
                return video, match or self.results_by_sha256.get(video.sha256)
        return None, None


def _locked(entry: LockEntry) -> Generation:
    return Generation(entry.key, entry.sha256, "", **entry.provenance(), origin="locked")
