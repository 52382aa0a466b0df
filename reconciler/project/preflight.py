"""Check local media before anything is sent: the kind of file, the model's limits, a way to send it.

A vendor would refuse such media only after an upload and a submit. Only headers are read, each content once. The draft
renderer takes files of any size, so for it only pictures are read and types checked, which loads no codec of videos.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.diagnostics import ClipformError, Diagnostic, MediaError
from reconciler.frozen import dataclass
from reconciler.providers import media_routes
from reconciler.providers.base import Dialect, MediaLimits, Model
from reconciler.providers.check import Resolved
from reconciler.providers.limits import MediaFacts, check_media, check_total
from reconciler.providers.media_routes import Hosting, MediaKind, NoRoute, Route, hosting_of
from reconciler.providers.registry import DESCRIBED
from reconciler.spec import environment
from reconciler.spec.memo import reuse
from reconciler.spec.project import Clip, Project
from reconciler.spec.values import DataMedia, LocalMedia

if TYPE_CHECKING:
    from reconciler.media.headers import MediaType


@dataclass(frozen=True, slots=True)
class _Look:
    """A file's type and facts, or why it cannot be read."""

    kind: MediaType | None
    facts: MediaFacts
    fault: str = ""


_NO_HOSTING = Hosting()


def _sent_to(settled: Resolved | None) -> Model | None:
    """Return the model that files are sent to; None for drafts and faulty clips, whose files must only be readable."""
    return settled.model if settled and "file" not in settled.model.image_schemes else None


class Preflight:
    """The check of one project's files.

    `locate` resolves a path. `unchanged` tells if a file still has the hashed content: only then are the facts
    of its header kept for the next round.
    """

    def __init__(self, locate: Callable[[str], Path], unchanged: Callable[[str, str], bool]) -> None:
        self._locate, self._unchanged = locate, unchanged
        self._seen: dict[tuple[str, bool], _Look] = {}  # by content
        self._unsure: set[str] = set()  # content that changed while it was read

    def check(
        self,
        project: Project,
        resolved: Mapping[str, Resolved],
        dialects: Mapping[str, Dialect],
        hashes: Mapping[str, str],
    ) -> Sequence[Diagnostic]:
        """Return every problem once. `hashes` has the readable files; the others have been reported."""
        store = bool(project.publish)
        hosting = {a: reuse(("hosting", a), (d, store), partial(hosting_of, d, store)) for a, d in dialects.items()}
        problems: dict[Diagnostic, None] = {}
        for clip in project.clips:
            files = [item.path for _, item in clip.media() if isinstance(item, LocalMedia)]
            if not files:
                continue
            model = _sent_to(resolved.get(clip.name))
            host = hosting.get(clip.spec.provider, _NO_HOSTING)
            given = (clip, model, host, *(hashes.get(path) for path in files))
            look = partial(self._problems, clip, model, host, hashes)
            faults = reuse(("files", clip.name), given, look, keep=lambda _: self._unsure.isdisjoint(hashes.values()))
            problems.update(dict.fromkeys(replace(fault, clips=(clip.declared,)) for fault in faults))
        return tuple(problems)

    def _problems(
        self, clip: Clip, model: Model | None, hosting: Hosting, hashes: Mapping[str, str]
    ) -> tuple[Diagnostic, ...]:
        return tuple(self._clip(clip, model, hosting, hashes))

    def _clip(
        self, clip: Clip, model: Model | None, hosting: Hosting, hashes: Mapping[str, str]
    ) -> Iterator[Diagnostic]:
        sound: dict[str, MediaFacts] = {}  # by field
        for name, item in clip.media():
            if isinstance(item, LocalMedia) and item.path in hashes:
                look = self._look(item.path, hashes[item.path], facts=model is not None)
                problem = _misfit(clip, name, item.path, look)
                if problem is None:
                    sound[name] = look.facts
                else:
                    yield problem
        if model is not None:
            yield from _unsendable(clip, model, hosting, sound)

    def _look(self, path: str, sha256: str, *, facts: bool) -> _Look:
        if (sha256, facts) not in self._seen:
            header, name = partial(_header, self._locate(path), path, facts=facts), ("header", sha256, facts)
            self._seen[sha256, facts] = reuse(name, (), header, keep=lambda _: self._sure(path, sha256))
        return self._seen[sha256, facts]

    def _sure(self, path: str, sha256: str) -> bool:
        """True if the file still has this content: an editor may have saved after it was hashed."""
        if self._unchanged(path, sha256):
            return True
        self._unsure.add(sha256)
        return False


def check_addresses(project: Project, env: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield each provider address that names a variable which is not set."""
    for config in project.providers.values():
        if config.spec.kind == DESCRIBED and not config.spec.base_url:
            text = f"provider {config.alias}: kind {DESCRIBED} has no address of its own"
            yield Diagnostic("no-address", text, config.where, "add base_url: https://…")
        try:
            environment.resolved(config.spec.base_url or "", f"providers.{config.alias}.base_url", env)
        except ClipformError as error:
            yield Diagnostic(error.code, error.message, config.fields.get("base_url"), error.help)


def check_stores(project: Project, env: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield what is wrong with a project's publish and cache sections."""
    if not (project.publish or project.cache):
        return
    from reconciler.artifacts.buckets import bucket_of
    from reconciler.artifacts.publish import Publisher

    try:
        if project.publish:
            Publisher(project.publish, env)
        if project.cache:
            bucket_of(project.cache, "cache.remote", env)
    except ClipformError as error:
        yield Diagnostic(error.code, error.message, None, error.help)


def _unsendable(clip: Clip, model: Model, hosting: Hosting, files: Mapping[str, MediaFacts]) -> Iterator[Diagnostic]:
    """Yield what a model does not take of files, each alone and all of a kind together, and files with no route."""
    given = sum(len(item.url) for _, item in clip.media() if isinstance(item, DataMedia))
    room = media_routes.room(model, clip.spec.prompt)
    free = None if room is None else room - given
    kinds: dict[MediaKind, list[MediaFacts]] = {}
    for name, facts in files.items():
        media_kind = media_routes.kind_of(name)
        kinds.setdefault(media_kind, []).append(facts)
        yield from check_media(name, facts, media_routes.limits(model, media_kind), clip.source(name))
        route = media_routes.choose(model, media_kind, facts.bytes or 0, hosting, free)
        if isinstance(route, NoRoute):
            yield Diagnostic("media-not-sendable", f"{name}: {route.message}", clip.source(name), route.help)
        elif route is Route.DATA and free is not None:
            free -= media_routes.encoded(facts.bytes or 0)
    for media_kind, together in kinds.items():
        yield from _together(clip, media_kind, together, media_routes.limits(model, media_kind))


def _together(
    clip: Clip, media_kind: MediaKind, facts: Sequence[MediaFacts], most: MediaLimits
) -> Iterator[Diagnostic]:
    """Yield what is wrong with all files of a kind together. A single file that is too long is reported once."""
    if len(facts) > 1 or most.max_seconds is None:
        field = f"references.{media_kind}s"
        source = clip.fields.get(field) or clip.source(f"{field}[0]")
        yield from check_total(field, facts, most, source)


def _misfit(clip: Clip, name: str, path: str, look: _Look) -> Diagnostic | None:
    """Return why a file cannot be used at all: it is unreadable or of another kind. None if it can."""
    source, wanted = clip.source(name), media_routes.kind_of(name)
    if look.kind is None:
        return Diagnostic(
            "media-unreadable", f"{name}: {path} {look.fault}", source, "export it again, or use another file"
        )
    if look.kind.kind != wanted:
        nouns = {MediaKind.IMAGE: "a picture", MediaKind.VIDEO: "a video", MediaKind.AUDIO: "an audio file"}
        message = f"{name} needs {nouns[wanted]}, but {path} is {nouns[MediaKind(look.kind.kind)]} ({look.kind.format})"
        return Diagnostic("media-kind", message, source, "use another file")
    return None


def _header(path: Path, name: str, *, facts: bool) -> _Look:
    from reconciler.media.headers import read_header

    try:
        return _Look(*read_header(path, name, facts=facts))
    except MediaError as error:
        return _Look(None, MediaFacts(), error.message.removeprefix(f"{name} "))
