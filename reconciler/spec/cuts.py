"""Reads the section `cuts`, and checks cuts with each other and with the clips that they show."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice

from reconciler.diagnostics import Source
from reconciler.spec.cut_fields import CutDecl, PieceDecl
from reconciler.spec.expand import Expanded
from reconciler.spec.graph import in_order
from reconciler.spec.interpolate import NameScope, Resolver
from reconciler.spec.matrix import declared_name
from reconciler.spec.paths import DEFAULT_OUTPUT, output_path, same_file
from reconciler.spec.problems import Problems, listed, shown
from reconciler.spec.project import Clip, Cut, cut_inputs, local_inputs
from reconciler.spec.reader import Fields, MappingEntry, Scalar
from reconciler.spec.relations import MAX_CIRCLES, circles
from reconciler.spec.scalars import NAME, Unfit
from reconciler.spec.shape import checked, place
from reconciler.spec.values import frames


def read_cuts(
    files: Iterable[tuple[Fields, Mapping[str, str]]], resolver: Resolver, problems: Problems
) -> Mapping[str, Cut | None]:
    """Return every cut by name, None for one that cannot be read. `files` come with the variables that they have."""
    cuts: dict[str, Cut | None] = {}
    places: dict[str, Source] = {}
    for file, variables in files:
        for name, entry in file.map_at("cuts").entries.items():
            if name in cuts:
                message = f"cut {shown(name)} is already declared at {places[name]}"
                problems.error("duplicate-clip", message, entry.key.where, "rename one of the two")
                continue
            places[name] = entry.key.where
            cuts[name] = _read(name, entry, NameScope(variables), resolver, problems)
    return cuts


def _read(name: str, entry: MappingEntry, scope: NameScope, resolver: Resolver, problems: Problems) -> Cut | None:
    where = entry.key.where
    if not NAME.fullmatch(name):
        message = f"{shown(name)} cannot be the name of a cut"
        problems.error("clip-name", message, where, "use up to 100 letters, digits, - and _")
        return None
    if not isinstance(entry.value, Fields):
        return None  # reported when the file was checked
    default = MappingEntry(Scalar("output", True, where), Scalar(DEFAULT_OUTPUT, True, where))
    node = Fields({"output": default, **entry.value.entries}, entry.value.where)
    errors = problems.errors
    raw = resolver.resolve(node, NameScope(scope.vars, clip=name))
    if raw is None or problems.errors > errors:
        return None
    spec = checked(CutDecl, raw, node, problems, ("cuts", name))
    if spec is None:
        return None
    try:
        spec = spec.model_copy(update={"output": output_path(spec.output)})
    except Unfit as unfit:
        problems.error("bad-clip", f"output {unfit.message}", place(node, ("output",)), unfit.help)
        return None
    return Cut(name, spec, where, partial(place, node))


def check_cuts(
    read: Mapping[str, Cut | None], expanded: Expanded, durations: Mapping[str, int], problems: Problems
) -> tuple[Cut, ...]:
    """Run all checks of cuts; return them in order, each after those that it shows. `durations` are those of clips that
    are not among the expanded ones."""
    errors = problems.errors
    by_name = {name: cut for name, cut in read.items() if cut is not None}
    cuts = tuple(by_name.values())
    names: dict[str, Collection[str]] = {"clip": expanded.names, "cut": read}
    instances = {declared: name for name, declared in reversed(expanded.names.items())}
    for cut in cuts:
        if cut.name in expanded.names.values():
            message = f"{shown(cut.name)} is the name of a clip too"
            problems.error("duplicate-clip", message, cut.where, "rename one of the two")
        for index, piece in enumerate(cut.spec.sequence):
            _check_piece(cut, index, piece, problems)
            if not piece.source:
                continue
            sort, name = ("clip" if piece.clip else "cut"), piece.source
            where = cut.source(("sequence", index, sort))
            if sort == "clip" and name not in expanded.names and name in instances:
                message = f"{shown(name)} has several clips, one for each combination of its matrix"
                problems.error("unknown-clip", message, where, f"name one, such as {instances[name]}")
            elif sort == "cut" or declared_name(name) not in expanded.unclear:
                _check_source(sort, name, where, names, problems)
        _check_sounds(cut, problems)
    stated = {clip.name: clip.spec.duration for clip in expanded.clips if clip.spec.duration is not None}
    _check_lengths(cuts, {**durations, **stated}, problems)
    _check_outputs(cuts, expanded.clips, problems)
    selves = ([cut.name, cut.name] for cut in cuts if cut.name in {piece.cut for piece in cut.spec.sequence})
    for circle in islice(chain(selves, circles({cut.name: cut.needs() for cut in cuts})), MAX_CIRCLES):
        first = by_name[circle[0]]
        index = next(i for i, piece in enumerate(first.spec.sequence) if piece.cut == circle[1])
        message = f"a cut cannot show itself: {' → '.join(circle)}"
        problems.error("circle", message, first.source(("sequence", index, "cut")), "remove one of these pieces")
    if problems.errors > errors:
        return ()
    return tuple(by_name[name] for name in in_order({cut.name: cut.needs() for cut in cuts}))


def _check_piece(cut: Cut, index: int, piece: PieceDecl, problems: Problems) -> None:
    """Check the times of a piece, as far as the YAML says how long it is."""
    fps, field, text, help = cut.spec.fps, "out", "", "make it longer"
    if piece.seconds is not None and frames(piece.seconds, fps) <= 0:
        field = field if piece.title is None else "for"
        text = f"the piece is shorter than a frame of {fps} a second"
        if piece.seconds < 0:
            text = f"the piece ends at {piece.out:f} s, before its first frame at {piece.start:f} s"
            help = "set out later than in"
    elif piece.transition is not None:
        field, help = "transition", "make it shorter"
        lengths = [one.seconds for one in cut.spec.sequence[max(0, index - 1) : index + 1] if one.seconds is not None]
        if index == 0:
            text, help = "the first piece has no piece before it", "remove the transition"
        elif frames(piece.dissolve, fps) == 0:
            text, help = f"the dissolve is shorter than a frame of {fps} a second", "make it longer"
        elif lengths and 2 * piece.dissolve > min(lengths):
            text = f"a dissolve of {piece.dissolve:f} s is longer than half of a piece of {min(lengths):f} s"
    if text:
        problems.error("bad-cut", text, cut.source(("sequence", index, field)), help)


def _check_sounds(cut: Cut, problems: Problems) -> None:
    """Check that each sound begins with a piece of the cut."""
    for index, sound in enumerate(cut.spec.audio):
        name, names = sound.at[0], cut.needs()
        if name and name not in names:
            message = f"at names {shown(name)}, which this cut does not show{problems.did_you_mean(name, names)}"
            problems.error("unknown-clip", message, cut.source(("audio", index, "at")), f"it shows {listed(names)}")


def _check_lengths(cuts: Sequence[Cut], durations: Mapping[str, int], problems: Problems) -> None:
    """Warn of pieces that end after their clip. Only a warning: the video may be another, and cutting costs nothing."""
    for cut in cuts:
        for index, piece in enumerate(cut.spec.sequence):
            duration = durations.get(piece.clip or "", 0)
            if piece.out is not None and 0 < duration < piece.out:
                message = f"the piece ends at {piece.out:f} s, and {piece.clip} lasts {duration} s"
                help = "set out to no more than that, or leave it out for all of the clip"
                problems.warn("beyond-end", message, cut.source(("sequence", index, "out")), help)


def _check_source(
    sort: str, name: str, where: Source, names: Mapping[str, Collection[str]], problems: Problems
) -> None:
    """Check that a clip or a cut exists. `names` has those of each sort."""
    other = "cut" if sort == "clip" else "clip"
    if name in names[sort]:
        return
    if name in names[other]:
        problems.error("unknown-clip", f"{shown(name)} is a {other}", where, f"write {other}: {name}")
        return
    meant = problems.did_you_mean(name, names[sort])
    problems.error("unknown-clip", f"unknown {sort} {shown(name)}{meant}", where)


def _check_outputs(cuts: Sequence[Cut], clips: Sequence[Clip], problems: Problems) -> None:
    taken = {same_file(clip.spec.output): f"clip {clip.name}" for clip in clips if "output" not in clip.faulty}
    for cut in cuts:
        output = same_file(cut.spec.output)
        inside = next((folder for folder in _folders(output) if folder in taken), None)
        within = next((path for path in taken if path.startswith(f"{output}/")), None)
        if (other := taken.get(output)) is not None:
            message = f"cut {cut.name} and {other} share the output {shown(cut.spec.output)}"
        elif inside is not None:
            message = f"output {shown(cut.spec.output)} is inside the output of {taken[inside]}"
        elif within is not None:
            message = f"the output of {taken[within]} is inside {shown(cut.spec.output)}"
        else:
            taken[output] = f"cut {cut.name}"
            continue
        problems.error("shared-output", message, cut.source(("output",)), "change one")
    inputs = {same_file(path) for path in chain(local_inputs(clips), cut_inputs(cuts))}
    for cut in cuts:
        if cut.spec.beside and same_file(cut.spec.beside) in inputs:
            message = f"as: beside would put the subtitles at {shown(cut.spec.beside)}, which the project is made from"
            help = "keep that file in another folder, or under another name"
            problems.error("shared-output", message, cut.source(("subtitles", "as")), help)
        for sort, path, location in cut.files():
            if (maker := taken.get(same_file(path))) is not None:
                message = f"{shown(path)} is the output of {maker}, so it cannot be a file of cut {cut.name}"
                help = "name another file" if sort != "audio" else "name the clip in the sequence, or another file"
                problems.error("output-as-input", message, cut.source(location), help)


def _folders(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path
