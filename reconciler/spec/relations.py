"""Check the relations between clips: shared outputs, references to missing clips, circles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from reconciler.diagnostics import Source
from reconciler.spec.expand import Expanded
from reconciler.spec.matrix import declared_name
from reconciler.spec.other_names import KINDS, declaration
from reconciler.spec.paths import same_file
from reconciler.spec.problems import Problems, shown
from reconciler.spec.project import Clip, ProviderConfig
from reconciler.spec.reader import Fields, Scalar
from reconciler.spec.values import DRAFT, ClipMedia, LocalMedia

MAX_CIRCLES = 20
"""Limit of reported circles: many entangled clips have very many of them."""


def check_relations(expanded: Expanded, problems: Problems) -> None:
    """Run all checks between clips."""
    _check_outputs(expanded.clips, problems)
    _check_references(expanded, problems)
    _check_circles(expanded.clips, problems)


def check_providers(clips: Sequence[Clip], aliases: Mapping[str, ProviderConfig], problems: Problems) -> None:
    """Report clips whose provider is not declared."""
    for clip in clips:
        if clip.spec.provider not in aliases:
            wanted = clip.spec.provider
            same_kind = next((alias for alias, config in aliases.items() if config.kind == wanted), None)
            meant = f"; did you mean {shown(same_kind)}?" if same_kind else problems.did_you_mean(wanted, aliases)
            help = "declare it under providers"
            help += f":\n{declaration(wanted)}" if wanted in KINDS and not same_kind else ""
            problems.error(
                "unknown-provider",
                f"unknown provider {shown(wanted)}{meant}",
                clip.source("provider"),
                help,
                clip.declared,
            )


def read_moves(main: Fields, expanded: Expanded, problems: Problems) -> dict[str, str]:
    """Return the present name of each clip that `moved` names, through several moves; reports names that are wrong."""
    names = {*expanded.names, *expanded.names.values(), *expanded.unclear}
    moved: dict[str, Scalar] = {}
    for item in main.list_at("moved"):
        entries = item.entries if isinstance(item, Fields) else {}
        former, present = (entries[key].value if key in entries else None for key in ("from", "to"))
        if not isinstance(former, Scalar) or not isinstance(present, Scalar):
            continue
        if former.text in names:
            help = "rename that clip, or remove this entry"
            problems.error("moved", f"clip {shown(former.text)} still exists", former.where, help)
        elif former.text in moved or present.text in (other.text for other in moved.values()):
            name = former if former.text in moved else present
            problems.error("moved", f"another entry moves a clip {_way(name is former)} {shown(name.text)}", name.where)
        else:
            moved[former.text] = present
    for former_name, place in moved.items():
        trail = [former_name]
        while trail[-1] in moved and len(trail) <= len(moved):
            trail.append(moved[trail[-1]].text)
        if trail[-1] not in names:
            meant = problems.did_you_mean(place.text, names)
            problems.error("unknown-clip", f"unknown clip {shown(place.text)}{meant}", place.where)
        moved[former_name] = replace(place, text=trail[-1])
    ends = {name: place.text for name, place in moved.items()}
    return ends | {name + DRAFT: end + DRAFT for name, end in ends.items() if end + DRAFT in names}


def _way(is_former: bool) -> str:
    return "from" if is_former else "to"


def _check_outputs(every: Sequence[Clip], problems: Problems) -> None:
    clips = [clip for clip in every if "output" not in clip.faulty]
    taken: dict[str, Clip] = {}
    reported: dict[tuple[Source | None, str], str] = {}  # the message for a place and its first clip
    for clip in clips:
        first = taken.setdefault(same_file(clip.spec.output), clip)
        if first is not clip:
            output, other = clip.spec.output, first.spec.output
            alias = "" if other == output else f" (as {shown(other)}, the same file on some systems)"
            message = f"clips {first.name} and {clip.name} share the output {shown(output)}{alias}"
            siblings = clip.declared == first.declared or clip.source("output") == first.source("output")
            help = "include ${clip.name} or every ${matrix.…} in it" if siblings else "change one"
            where = clip.source("output")
            message = reported.setdefault((where, first.name), message)
            problems.error("shared-output", message, where, help, clip.declared)
    for clip in clips:
        folder, _, _ = same_file(clip.spec.output).rpartition("/")
        while folder:
            if folder in taken:
                message = f"output {shown(clip.spec.output)} is inside the output of clip {taken[folder].name}"
                problems.error("shared-output", message, clip.source("output"), "change one")
            folder, _, _ = folder.rpartition("/")
    _check_inputs(every, taken, problems)


def _check_inputs(clips: Sequence[Clip], outputs: Mapping[str, Clip], problems: Problems) -> None:
    """Warn about clips that use another clip's output as a file: they would not wait for it."""
    for clip in clips:
        for field, media in clip.media():
            maker = outputs.get(same_file(media.path)) if isinstance(media, LocalMedia) else None
            if maker:
                message = f"{field} is the output of clip {maker.name}, but clip {clip.name} does not wait for it"
                help = f"write ${{clips.{maker.name}.video}}"
                problems.warn("output-as-input", message, clip.source(field), help)


def _check_references(expanded: Expanded, problems: Problems) -> None:
    instances = {declared: name for name, declared in reversed(expanded.names.items())}  # the first of each
    for clip in expanded.clips:
        for field, media in clip.media():
            if not isinstance(media, ClipMedia) or declared_name(media.clip) in expanded.unclear:
                continue
            where = clip.source(field)
            if media.clip == clip.name:
                problems.error("circle", f"clip {clip.name} refers to itself", where, "name another clip, or a file")
            elif media.clip not in expanded.names and media.clip in instances:
                message = f"{shown(media.clip)} has several clips, one for each combination of its matrix"
                problems.error("unknown-clip", message, where, f"name one, such as {instances[media.clip]}")
            elif media.clip not in expanded.names:
                meant = problems.did_you_mean(media.clip, expanded.names)
                problems.error("unknown-clip", f"unknown clip {shown(media.clip)}{meant}", where)


def _check_circles(clips: Sequence[Clip], problems: Problems) -> None:
    by_name = {clip.name: clip for clip in clips}
    for circle in islice(circles({clip.name: clip.depends_on() for clip in clips}), MAX_CIRCLES):
        first = by_name[circle[0]]
        uses = (field for field, media in first.media() if isinstance(media, ClipMedia) and media.clip == circle[1])
        field = next(uses, "draft")
        message = f"these clips wait for each other: {' → '.join(_shortened(circle))}"
        problems.error("circle", message, first.source(field), "remove one of these references")


def _shortened(circle: list[str]) -> list[str]:
    return circle if len(circle) <= 10 else [*circle[:6], f"({len(circle) - 9} more)", *circle[-3:]]


def circles(graph: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield circles of two or more clips, each once, closed (`a, b, a`). Iterative: a chain may contain every clip."""
    done: set[str] = set()
    for root in graph:
        path: dict[str, None] = {}  # the clips from the root to this one, in order
        ahead = [(root, False)]
        while ahead:
            name, leaving = ahead.pop()
            if leaving:
                del path[name]
                done.add(name)
            elif name in path:
                steps = list(path)
                circle = steps[steps.index(name) :]
                if len(circle) > 1:
                    yield [*circle, name]
            elif name not in done and name in graph:
                path[name] = None
                ahead.append((name, True))
                ahead += [(needed, False) for needed in graph[name]]
