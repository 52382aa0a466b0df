"""`clipform.lock`: the same text for the same entries, and a located problem for everything else."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics import SpecError, StateError, StateNewer
from reconciler.plan.locked import facts_of
from reconciler.project import lock_lines
from reconciler.records import LockEntry, Seam
from reconciler.state import lockfile
from reconciler.state.lockfile import dumps, loads, write

HERO = LockEntry(
    **{"clip": "hero", "take": 1, "key": "v1:aa", "sha256": "ab" * 32, "suffix": ".mp4"},
    **{"provider": "studio", "kind": "ark", "model": "m1", "task": "t1", "seed": 7},
    **{"cost_micros": 500_000, "currency": "USD"},
)  # type: ignore[arg-type]
INTRO = LockEntry(
    "cd" * 32, ".mp4", clip="片段[lang=en]", take=2, key="v1:bb", provider="draft", kind="draft", model="draft"
)

TEXT = f"""{{
  "hero#1": {{"key": "v1:aa", "sha256": "{"ab" * 32}", "suffix": ".mp4", "provider": "studio", "kind": "ark", \
"model": "m1", "task": "t1", "seed": 7, "cost": "0.50", "currency": "USD"}},
  "片段[lang=en]#2": {{"key": "v1:bb", "sha256": "{"cd" * 32}", "suffix": ".mp4", "provider": "draft", \
"kind": "draft", "model": "draft"}},
  "version": 1
}}
"""

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ENTRIES = st.lists(
    st.builds(
        LockEntry,
        clip=_text.filter(bool),
        take=st.integers(1, 99),
        key=_text,
        sha256=st.sampled_from(["ab" * 32, "cd" * 32]),
        suffix=st.sampled_from([".mp4", ".png"]),
        provider=_text,
        kind=_text,
        model=_text,
        task=st.none() | _text,
        seed=st.none() | st.integers(),
        cost_micros=st.none() | st.integers(0, 10**15),
        currency=_text,
        rehearsal=st.booleans(),
        output=st.none() | st.sampled_from(["renders/hero.mp4", "片段/teaser-16x9.mp4"]),
        seams=st.lists(
            st.builds(Seam, st.sampled_from(["first_frame", "last_frame"]), _text, _text, st.just("ef" * 32)),
            unique_by=lambda seam: seam.field,
        ).map(lambda seams: tuple(sorted(seams, key=lambda seam: seam.field))),
    ),
    unique_by=lambda entry: (entry.clip, entry.take),
    max_size=5,
)


def test_the_text_is_this() -> None:
    assert dumps([INTRO, HERO]) == TEXT
    assert loads(TEXT) == (HERO, INTRO)
    assert dumps([]) == '{\n  "version": 1\n}\n'


@given(ENTRIES)
def test_what_is_written_is_read_in_whatever_order_it_came(entries: list[LockEntry]) -> None:
    text = dumps(entries)
    assert dumps(reversed(entries)) == text
    assert dumps(loads(text)) == text
    assert set(loads(text)) == set(entries)


@given(ENTRIES.filter(bool), st.data())
def test_a_line_in_the_usual_form_is_read_as_any_other_json(entries: list[LockEntry], data: st.DataObject) -> None:
    """Also one with another character somewhere: there is a short way for lines that `dumps` writes."""
    text = dumps(entries)
    at = data.draw(st.integers(0, len(text) - 1))
    edited = text[:at] + data.draw(st.sampled_from('"#,:{}0-.\\\n\tz')) + text[at + data.draw(st.integers(0, 1)) :]
    short = _outcome(edited)
    facts_are_those_of_the_entries(edited)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lockfile, "_LINE", re.compile("(?!)"))
        assert _outcome(edited) == short


ODD = (
    *(('"seed": 7', f'"seed": {value}') for value in ("07", "-0", "-7", "1.0", "true", "7 ", "9" * 30)),
    *(('"0.50"', value) for value in ('"00.50"', '"0.5"', '"1e3"', '"0.0000000001"', '""', "0.5")),
    ("ab" * 32, "AB" * 32),
    (".mp4", ".mov"),
    ("hero#1", "hero#0000001"),
    ('"currency": "USD"', '"rehearsal": false'),
    ('"currency": "USD"', '"currency": "USD", "key": "v1:cc"'),
    ('"currency": "USD"', '"output": "../hero.mp4"'),
    ('"studio"', '"stu\tdio"'),
    ('"studio"', '"stu\\u0064io"'),
    ("片段[lang=en]#2", "hero#1"),
)


@pytest.mark.parametrize(("old", "new"), ODD)
def test_what_is_odd_in_a_line_is_read_as_in_any_other_json(
    old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = _outcome(TEXT.replace(old, new))
    facts_are_those_of_the_entries(TEXT.replace(old, new))
    monkeypatch.setattr(lockfile, "_LINE", re.compile("(?!)"))
    assert _outcome(TEXT.replace(old, new)) == short


def facts_are_those_of_the_entries(text: str) -> None:
    """A text that has facts is a sound one, and they are what its entries say."""
    facts = lockfile.facts(text)
    if facts is None:
        return
    assert lockfile.text_of(facts) == text
    lines = {entry.key: entry for entry in loads(text)}
    assert len(lines) == len(loads(text))
    assert {key: path for key, output in facts.outputs.items() if (path := lockfile._output(output))} == {
        key: line.output for key, line in lines.items() if line.output
    }
    assert replace(facts, outputs={}, written=()) == replace(facts_of(lines), outputs={})


@given(ENTRIES, st.data())
def test_facts_of_a_text_are_those_of_its_entries(entries: list[LockEntry], data: st.DataObject) -> None:
    """Of lines in the usual form they are seen without reading any, however the text was damaged."""
    usual = [replace(e, key=f"v1:{n}", seams=(), clip=f"c{n}") for n, e in enumerate(entries)]
    usual = [replace(e, **{name: getattr(e, name) or "x" for name in ("provider", "kind", "model")}) for e in usual]
    usual = [replace(e, task=e.task or None) for e in usual]
    text = dumps(usual)
    assert lockfile.facts(text) is not None or "\\" in text
    facts_are_those_of_the_entries(text)
    at = data.draw(st.integers(0, len(text) - 1))
    facts_are_those_of_the_entries(text[:at] + data.draw(st.sampled_from(["", "\n", "x"])) + text[at + 1 :])
    facts_are_those_of_the_entries(text[:at])


def test_texts_with_two_lines_for_a_take_or_a_key_or_a_newer_version_have_no_facts() -> None:
    assert lockfile.facts(TEXT) is not None
    second = TEXT.splitlines(keepends=True)[1]
    assert lockfile.facts(TEXT.replace(second, second + second)) is None
    assert lockfile.facts(TEXT.replace("v1:bb", "v1:aa")) is None
    assert lockfile.facts(TEXT.replace('"version": 1', '"version": 2')) is None


def test_no_line_is_read_for_facts_and_for_a_key_without_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lock_lines.parse(TEXT, "clipform.lock")
    with monkeypatch.context() as patch:
        patch.setattr(lockfile, "loads", None)
        assert lines.get("v1:cc") is None and "v1:aa" in lines and [*lines] == ["v1:aa", "v1:bb"]
        assert facts_of(lines).costs == {"v1:aa": (500_000, "USD")}
    assert lines["v1:aa"] == HERO and dict(lines) == {"v1:aa": HERO, "v1:bb": INTRO}


def _outcome(text: str) -> object:
    try:
        return loads(text)
    except (SpecError, StateNewer) as error:
        return str(error), error.diagnostics if isinstance(error, SpecError) else ()


@given(ENTRIES, st.data())
def test_a_clip_more_or_less_is_one_line(entries: list[LockEntry], data: st.DataObject) -> None:
    if entries:
        gone = data.draw(st.sampled_from(entries))
        fewer = dumps(entry for entry in entries if entry is not gone).split("\n")
        lines = dumps(entries).split("\n")
        assert any(lines[:at] + lines[at + 1 :] == fewer for at in range(len(lines)))


def _line(name: str, text: str) -> str:
    return TEXT.replace('  "version"', f'  "{name}": {text},\n  "version"')


FIELDS = TEXT.split("\n")[1].split(": ", 1)[1].rstrip(",")

# the text, the line of the problem, a word of the message
PROBLEMS = [
    (f"<<<<<<< HEAD\n{TEXT}", 1, "merge conflict"),
    (TEXT.replace('  "version"', '=======\n  "version"'), 4, "merge conflict"),
    (_line("hero#1", FIELDS), 4, "duplicate"),
    (_line("hero", FIELDS), 4, "CLIP#NUMBER"),
    (_line("hero#x", FIELDS), 4, "CLIP#NUMBER"),
    (_line("a#1", "7"), 4, "'key'"),
    (_line("a#1", FIELDS.replace('"v1:aa"', "7")), 4, "'key'"),
    (_line("a#1", FIELDS.replace("abab", "../.")), 4, "artifact"),
    (_line("a#1", FIELDS.replace(".mp4", ".exe")), 4, "artifact"),
    (_line("a#1", FIELDS.replace('"0.50"', "1")), 4, "decimal"),
    (_line("a#1", FIELDS.replace('"0.50"', '"1e9"')), 4, "decimal"),
    (_line("a#1", FIELDS.replace('"t1"', "[]")), 4, "'task'"),
    (_line("a#1", FIELDS.replace(": 7", ": true")), 4, "'seed'"),
    (TEXT.replace("},\n", "}\n", 1), 3, "not JSON"),
    ("", 1, "not JSON"),
    ("[]", 1, "one JSON object"),
    ('{"a#1": 0.5}', 1, "not in clipform's format"),
    ("[" * 100_000, 1, "too deep"),
    ("9" * 10_000, 1, "not in clipform's format"),
]


@pytest.mark.parametrize(("text", "line", "word"), PROBLEMS)
def test_a_problem_is_located(text: str, line: int, word: str) -> None:
    with pytest.raises(SpecError) as error:
        loads(text)
    problem = error.value.diagnostics[0]
    assert problem.source is not None
    assert (problem.source.line, word in problem.message) == (line, True), problem


def test_all_problems_are_reported_at_once() -> None:
    text = _line("a#1", "7").replace('"hero#1"', '"hero"')
    with pytest.raises(SpecError) as error:
        loads(text)
    assert len(error.value.diagnostics) == 2


def test_a_newer_version_is_refused() -> None:
    with pytest.raises(StateNewer, match="version 2"):
        loads(TEXT.replace('"version": 1', '"version": 2'))


def test_the_file_is_written_whole_and_only_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "clipform.lock"
    for entries, changed in [([HERO], True), ([HERO], False), ([HERO, INTRO], True), ([], True)]:
        before = path.stat().st_ino if path.exists() else 0
        assert write(path, entries) is changed
        assert (path.stat().st_ino != before) is changed
        assert loads(path.read_text("utf-8")) == tuple(entries)
    assert [entry.name for entry in tmp_path.iterdir()] == ["clipform.lock"]


def test_a_lock_file_that_cannot_be_written_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "clipform.lock").mkdir()
    with pytest.raises(StateError, match=r"cannot write clipform\.lock"):
        write(tmp_path / "clipform.lock", [HERO])
    with pytest.raises(StateError):
        write(Path("/proc/clipform.lock"), [HERO])


def test_branches_that_add_clips_apart_merge_by_themselves() -> None:
    """What git's three-way merge sees: each side adds a line at a place of its own."""
    clips = [replace(INTRO, clip=name) for name in "bdf"]
    base = dumps(clips).split("\n")
    ours = dumps([*clips, replace(HERO, clip="a")]).split("\n")
    theirs = dumps([*clips, replace(HERO, clip="g")]).split("\n")
    assert [line for line in ours if line not in base] + [line for line in theirs if line not in base] != []
    merged = [*ours[:-3], theirs[-4], *ours[-3:]]
    assert [entry.clip for entry in loads("\n".join(merged))] == ["a", "b", "d", "f", "g"]
    assert all(line.endswith(",") for line in itertools.islice(merged, 1, len(merged) - 3))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "{]",
        '{"a"}',
        '{"a":}',
        '{"a": 1,}',
        '{"a": 1 "b": 2}',
        "{'a': 1}",
        "{1: 2}",
        '{"version": 1}}',
        "{} {}",
    ]
    + [
        '{"version": 1.5}',
        '{"version": NaN}',
        "\ufeff{}",
        "{\u00a0}",
        f'{{"a": {"[" * 100_000}',
        '"a"',
        '{\n\n"a": 1,, "b": 2}',
    ],
)
def test_what_is_not_one_object_of_json_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        loads(text)
    [problem] = caught.value.diagnostics
    try:
        json.loads(text)
        line = 1
    except json.JSONDecodeError as error:
        line = error.lineno
    except RecursionError:
        line = 1
    assert (problem.code, problem.source and problem.source.line) == ("lock-syntax", line)


def test_any_layout_of_the_json_is_read() -> None:
    members = json.loads(TEXT)
    for indent, separators in [(None, (",", ":")), (None, (" ,", "\t:\r\n")), (7, (",", ": "))]:
        assert loads(f" \n{json.dumps(members, indent=indent, separators=separators)}\n ") == (HERO, INTRO)
    assert loads("{}") == loads('{ "version" : 1 }') == ()


@pytest.mark.parametrize(
    "seams", [[], "x", {"first_frame": {}}, {"first_frame": {"clip": "a", "key": "v1:a", "sha256": "x"}}]
)
def test_a_seam_that_names_no_video_is_a_problem(seams: object) -> None:
    members = json.loads(TEXT)
    members["hero#1"]["seams"] = seams
    with pytest.raises(SpecError) as error:
        loads(json.dumps(members))
    assert "'seams' must have" in error.value.diagnostics[0].message
