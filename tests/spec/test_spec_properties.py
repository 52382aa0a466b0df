"""What holds for any spec: nothing but a project or diagnostics comes out, and clips do not depend on their order."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from spec_kit import Case, cases, project_of, values_of

from reconciler.diagnostics import Source, SpecError
from reconciler.spec.project import Clip, Project

PIECES = st.sampled_from(
    [
        *(
            "version: 1\n",
            "clips:\n",
            "  a:\n",
            "  b: ",
            "    prompt: x\n",
            "    duration: 5\n",
            "defaults:\n",
            "vars:\n",
        ),
        *(
            "include: [",
            "*.yaml",
            "providers:\n",
            "  s: {kind: x}\n",
            "${vars.x}",
            "${clips.a.last_frame}",
            "${",
            "$${",
        ),
        *("matrix: {a: [1, 2]}\n", "overrides:\n", "- when: {a: 1}\n", "  set: {pick: 2}\n", "&a ", "*a", "<<: *a\n"),
        *("[", "]", "{", "}", ", ", ": ", "- ", "\n", "  ", "'", '"', "|\n", "#", "!t ", "\t", "---\n", "%", "\ufeff"),
        *("\u202e", "\x00", "é", "🎬", "seed: 010\n", "    options: {a: 1.5}\n", "    output: ../x\n", "env", "null"),
    ]
)


def read_or_told(data: bytes) -> Project | SpecError:
    """The project, or its problems, of which there are some and each has a place that is there."""
    try:
        return project_of(data)
    except SpecError as error:
        assert error.diagnostics
        for diagnostic in error.diagnostics:
            assert diagnostic.message
            assert diagnostic.source and diagnostic.source.line >= 1 and diagnostic.source.column >= 1
        return error


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(b"")
@example(b"\xff\xfe")
@example(b"- a")
@example(b"text")
def test_any_bytes_are_a_project_or_diagnostics(data: bytes) -> None:
    read_or_told(data)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_heap_of_yaml_pieces_is_a_project_or_diagnostics(text: str) -> None:
    read_or_told(text.encode("utf-8"))


@settings(deadline=None)
@given(st.sampled_from(cases()), st.integers(0, 2000), st.integers(0, 20), PIECES)
def test_a_spec_cut_or_damaged_anywhere_is_a_project_or_diagnostics(
    case: Case, where: int, length: int, piece: str
) -> None:
    text = case.files["clipform.yaml"]
    at = where % (len(text) + 1)
    read_or_told((text[:at] + piece + text[at + length :]).encode("utf-8", "replace"))


VALUES = {
    "provider": ("studio", "a b"),
    "model": ("m", "''"),
    "duration": ("5", "-1", "010", "", "$${x", "[5]"),
    "resolution": ("720p", "9p"),
    "ratio": ("16:9", "{a: 1}"),
    "seed": ("-1", "7"),
    "audio": ("yes", "1"),
    "tags": ("[a, b]", "a", "[[a]]", ""),
    "description": ("'{a}'", "${vars.v}", "${vars.none}", "${matrix.n}"),
    "tier": ("flex", "fast"),
    "needed_by": ("96h", "soon"),
    "protect": ("no",),
    "takes": ("2", "0"),
    "draft": ("vendor",),
}


@settings(deadline=None)
@given(
    st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()}),
    st.sampled_from([{"seed": "9", "tags": "[c]"}, {"duration": ""}, {}]),
    st.sampled_from(["", "matrix: {n: [1, 2]}", "overrides: [{set: {seed: 3}}]", "promt: x"]),
)
def test_a_default_is_read_as_if_each_clip_had_it(defaults: dict[str, str], fields: dict[str, str], more: str) -> None:
    def read(defaults: dict[str, str], fields: dict[str, str], others: dict[str, str]) -> tuple[object, ...]:
        head = "version: 1\nvars: {v: w}\nproviders: {studio: {kind: ark}}\n"
        above = "".join(f"  {name}: {value}\n" for name, value in defaults.items())
        clips = "".join(
            f"  {clip}:\n    prompt: mist\n    {more}\n"
            + "".join(f"    {name}: {value}\n" for name, value in written.items())
            for clip, written in {"a": fields, "b": others}.items()
        )
        read = read_or_told(f"{head}defaults:\n{above}clips:\n{clips}".encode())
        if isinstance(read, SpecError):
            return tuple(sorted({item.message for item in read.diagnostics}))
        return (*((clip.name, clip.spec, clip.draft, sorted(clip.fields)) for clip in read.clips), read.volume)

    assert read(defaults, fields, {}) == read({}, defaults | fields, defaults)


CLIPS = st.dictionaries(
    st.from_regex(r"[a-z]{1,3}-", fullmatch=True),
    st.sampled_from(
        [
            "prompt: x",
            "prompt: '${vars.v}', duration: 5",
            "prompt: y, matrix: {lang: [en, zh]}",
            "first_frame: a.png, tags: [t]",
            "prompt: z, takes: 3, pick: 2, options: {a: 1.50}",
        ]
    ),
    max_size=6,
)


@settings(deadline=None)
@given(CLIPS, st.randoms(use_true_random=False))
def test_a_clip_is_the_same_wherever_it_stands(clips: dict[str, str], random: st.random.Random) -> None:
    shuffled = list(clips.items())
    random.shuffle(shuffled)
    assert meanings(clips) == meanings(dict(shuffled))


def meanings(clips: dict[str, str]) -> dict[str, list[object]]:
    """Every clip's fields but the places in the file."""
    lines = "".join(f"  {name}: {{{fields}}}\n" for name, fields in clips.items())
    project = project_of(f"version: 1\nvars: {{v: text}}\ndefaults: {{ratio: 1:1}}\nclips:\n{lines}")
    return {clip.name: values(clip) for clip in project.clips}


def values(clip: Clip) -> list[object]:
    """Every field of a clip but the places in the file."""
    return [clip.name, clip.declared, clip.matrix, *values_of(clip.spec).values()]


@settings(deadline=None)
@given(CLIPS)
def test_every_text_that_leaves_the_reader_is_a_plain_one(clips: dict[str, str]) -> None:
    """No marker type of the reader may reach records, keys or pickles."""
    lines = "".join(f"  {name}: {{{fields}}}\n" for name, fields in clips.items())
    project = project_of(f"version: 1\nvars: {{v: text}}\ndefaults: {{ratio: 1:1, model: m}}\nclips:\n{lines}")
    for clip in project.clips:
        texts = [text for value in values(clip) for text in strings(value)]
        assert {type(text).__name__ for text in texts} <= {"str", "Number"}


def strings(given: object) -> list[str]:
    """Every text inside a value."""
    match given:
        case str():
            return [given]
        case dict():
            return [text for item in given.items() for text in strings(item)]
        case tuple() | list():
            return [text for item in given for text in strings(item)]
        case _:
            return []


@settings(deadline=None)
@given(st.sampled_from([case for case in cases() if case.expected.startswith("== clips")]))
def test_every_field_that_was_written_knows_where(case: Case) -> None:
    files = case.files
    for clip in project_of(files).clips:
        for place in clip.fields.values():
            assert isinstance(place, Source)
            lines = files[place.file].split("\n")
            assert len(lines[place.line - 1]) >= place.column - 1
