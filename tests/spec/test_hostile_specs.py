"""Specs made to hurt: each ends in a located diagnostic, soon, and never in a traceback (F75-F79)."""

from __future__ import annotations

import sys

import pytest
from spec_kit import problems_of, project_of

from reconciler.diagnostics import SpecError
from reconciler.spec import expand, names, problems, volume
from reconciler.spec.files import Unreadable
from reconciler.spec.load import read_project
from reconciler.spec.patterns import matches
from tests.calls import calls, is_linear
from tests.memory_files import MemoryFiles

START = "version: 1\nclips:\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (START + "  a: " + "[" * 100_000, "clipform.yaml:3:44: error: nested more than 40 levels deep"),
        (START + "  a: " + "{x: " * 100_000, "clipform.yaml:3:158: error: nested more than 40 levels deep"),
        (START + "- " * 100_000, "clipform.yaml:3:79: error: nested more than 40 levels deep"),
        (START + "  a: " + "[" * 1000 + "]" * 1000, "clipform.yaml:3:44: error: nested more than 40 levels deep"),
    ],
    ids=["lists", "maps", "dashes", "closed"],
)
def test_deep_nesting_is_refused_before_the_parser_overflows(text: str, problem: str) -> None:
    assert problems_of(text) == [problem]


def test_alias_bomb_is_counted_not_unfolded() -> None:
    levels = ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    levels += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 10)]
    [problem] = problems_of("version: 1\nclips: {}\n" + "\n".join(levels))
    assert "more than 1,000,000 values, with aliases counted in full" in problem


def test_depth_piled_up_through_aliases_is_refused() -> None:
    levels = ["x0: &x0 [a]"] + [f"x{n}: &x{n} {'[' * 30}*x{n - 1}{']' * 30}" for n in range(1, 100)]
    [problem] = problems_of("version: 1\nclips: {}\n" + "\n".join(levels))
    assert problem == "clipform.yaml:5:39: error: nested more than 40 levels deep"


def test_merge_key_bomb_is_refused_by_its_first_key() -> None:
    lines = ["a0: &a0 {k: v}"] + [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 15)]
    problems = problems_of("version: 1\nclips: {}\n" + "\n".join(lines))
    assert any("merge keys (<<) are not supported" in problem for problem in problems)


def test_a_variable_that_doubles_forty_times_is_refused() -> None:
    lines = ["  v0: " + "x" * 100] + [f'  v{n}: "${{vars.v{n - 1}}}${{vars.v{n - 1}}}"' for n in range(1, 41)]
    [problem] = problems_of("version: 1\nvars:\n" + "\n".join(lines) + "\nclips: {a: {prompt: x}}\n")
    assert "this resolves to 102,400 characters; the limit is 100,000" in problem


def test_a_hundred_thousand_mistakes_in_one_line_are_bounded_work() -> None:
    problems = problems_of(START + f"  a: {{prompt: '{'${' * 100_000}'}}")
    assert problems[:2] == [f"clipform.yaml:3:{column}: error: '${{' is not closed" for column in (16, 18)]
    assert len(problems) == 10_000


def test_a_long_text_times_many_combinations_is_refused() -> None:
    axis = ", ".join(map(str, range(100)))
    axes = f"{{a: [{axis}], b: [{axis}]}}"
    prompt = "'${vars.long} ${matrix.a} ${matrix.b}'"
    text = f"version: 1\nvars: {{long: {'x' * 90_000}}}\nclips:\n  a: {{prompt: {prompt}, matrix: {axes}}}\n"
    assert "the resolved files have more than 64,000,000 characters" in problems_of(text)[-1]


def test_many_values_times_many_combinations_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert volume.MAX_VALUES == 1_000_000
    monkeypatch.setattr(volume, "MAX_VALUES", 20_000)
    axis = ", ".join(map(str, range(1000)))
    options = ", ".join(f"k{n}: v" for n in range(1000))
    [problem] = problems_of(
        START + f"  a: {{prompt: '${{matrix.n}}', matrix: {{n: [{axis}]}}, options: {{{options}}}}}\n"
    )
    assert "the resolved files have more than 20,000 values" in problem


def test_too_many_clips_are_refused_where_the_limit_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (expand, names):
        assert module.MAX_CLIPS == 20_000
        monkeypatch.setattr(module, "MAX_CLIPS", 200)
    text = START + "".join(f"  c{n}: {{prompt: x}}\n" for n in range(201))
    assert problems_of(text) == ["clipform.yaml:203:3: error: a project has at most 200 clips"]


def test_many_conditions_over_many_combinations_are_refused() -> None:
    axes = ", ".join(f"x{n}: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]" for n in range(4))
    excludes = ", ".join("{x0: 1}" for _ in range(10_000))
    [problem] = problems_of(START + f"  a: {{prompt: x, matrix: {{{axes}, exclude: [{excludes}]}}}}\n")
    assert "too many excludes and overrides" in problem


def test_a_misspelt_reference_among_many_takes_as_much_work_as_among_few(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("MAX_SUGGESTIONS", "MAX_COMPARED"):
        monkeypatch.setattr(problems, limit, getattr(problems, limit) // 20)  # all three sizes are past them

    def work(count: int) -> int:
        references = (
            f"  clip-{n}: {{prompt: x, first_frame: '${{clips.clib-{n}.last_frame}}'}}\n" for n in range(count)
        )
        text, found = START + "".join(references), list[str]()
        cost = calls(lambda: found.extend(problems_of(text)))
        assert len(found) == count
        return cost

    assert is_linear(work, 100)


def test_a_chain_through_every_clip_is_no_recursion() -> None:
    count = 2 * sys.getrecursionlimit()
    chained = "".join(f"  c{n}: {{first_frame: '${{clips.c{n + 1}.last_frame}}'}}\n" for n in range(count))
    assert len(project_of(START + chained + f"  c{count}: {{prompt: x}}\n").clips) == count + 1


def test_a_ring_through_every_clip_is_one_problem() -> None:
    count = 2 * sys.getrecursionlimit()
    ring = "".join(f"  c{n}: {{first_frame: '${{clips.c{(n + 1) % count}.last_frame}}'}}\n" for n in range(count))
    [problem] = problems_of(START + ring)
    assert "these clips wait for each other: c0 → c1 → " in problem
    assert len(problem) < 1000


def test_a_prompt_of_ten_megabytes_is_too_long() -> None:
    assert problems_of(START + f"  a: {{prompt: {'x' * 10_000_000}}}") == [
        "clipform.yaml:3:15: error: prompt has 10,000,000 characters; the limit is 100,000"
    ]


def test_a_file_past_the_limit_is_not_parsed() -> None:
    assert problems_of(b"#" * (16 * 1024 * 1024 + 1)) == [
        "clipform.yaml:1:1: error: the file has 16.0 MiB; the limit is 16 MiB"
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("version: 1".encode("utf-16"), "clipform.yaml:1:1: error: the file is UTF-16; it must be UTF-8"),
        (b"version: 1\nclips: {a: \xff}", "clipform.yaml:2:12: error: byte 0xff is not UTF-8"),
        ("é: \ud800".encode("utf-8", "surrogatepass"), "clipform.yaml:1:4: error: byte 0xed is not UTF-8"),
        (b"a: b\r\nc: \x00", "clipform.yaml:2:4: error: character U+0000 is not allowed in a file"),
        ("a: b\u2028c: d".encode(), "clipform.yaml:1:5: error: character U+2028 is not allowed in a file"),
        (
            b'a: "\\ud800"',
            "clipform.yaml:1:7: error: this is not valid YAML: found invalid Unicode character escape code",
        ),
    ],
    ids=["utf-16", "latin-1", "surrogate", "nul", "line separator", "escaped surrogate"],
)
def test_bytes_that_are_no_text_are_told_with_their_place(data: bytes, problem: str) -> None:
    assert problems_of(data)[0] == problem


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    [clip] = project_of(b"\xef\xbb\xbfversion: 1\r\nclips:\r\n  a:\r\n    prompt: x\r\n").clips
    assert (clip.spec.prompt, str(clip.source("prompt"))) == ("x", "clipform.yaml:4:13")


def test_a_literal_secret_is_in_no_diagnostic() -> None:
    text = "version: 1\nproviders:\n  a:\n    kind: x\n    api_key: hunter2\n    kinds: y\nclips: {}\n"
    with pytest.raises(SpecError) as caught:
        project_of(text)
    assert len(caught.value.diagnostics) == 2
    assert "hunter2" not in repr(caught.value.diagnostics)


def test_no_diagnostic_can_steer_a_terminal() -> None:
    with pytest.raises(SpecError) as caught:
        project_of('version: 1\nclips:\n  a: {prompt: x, seed: \'\u202e\'}\n  "b\\e[2J": {}\n  c: {"p\\a": x}\n')
    told = repr([(each.message, each.help, each.excerpt) for each in caught.value.diagnostics])
    assert len(caught.value.diagnostics) == 6
    assert not {"\u202e", "\x1b", "\x07"} & set("".join(each.message for each in caught.value.diagnostics) + told)


def test_a_line_too_long_for_any_screen_is_not_shown() -> None:
    with pytest.raises(SpecError) as caught:
        project_of(START + f"  a: {{seed: x, prompt: {'x' * 5000}}}")
    assert [each.excerpt for each in caught.value.diagnostics] == [None]


def test_a_file_that_cannot_be_read_is_a_diagnostic_where_it_is_included() -> None:
    class Directory(MemoryFiles):
        def read(self, path: str) -> bytes:
            if path == "folder":
                raise Unreadable("is a directory", "name a file or a pattern")
            return super().read(path)

    with pytest.raises(SpecError) as caught:
        read_project(Directory({"clipform.yaml": "version: 1\ninclude: [folder]\n"}))
    [diagnostic] = caught.value.diagnostics
    assert (str(diagnostic.source), diagnostic.message) == ("clipform.yaml:2:11", "folder is a directory")
    assert diagnostic.help == "name a file or a pattern"


def test_a_missing_project_file_is_a_diagnostic() -> None:
    assert problems_of({}) == ["clipform.yaml:1:1: error: clipform.yaml does not exist"]


@pytest.mark.parametrize(
    ("pattern", "path", "named"),
    [
        ("*.yaml", "a.yaml", True),
        ("*.yaml", "b/a.yaml", False),
        ("*.yaml", ".a.yaml", False),
        ("**/*.yaml", "a.yaml", True),
        ("**/*.yaml", "b/c/a.yaml", True),
        ("**/*.yaml", ".git/a.yaml", False),
        ("b/**", "b/c/a.yaml", True),
        ("b/**/c/*.yaml", "b/c/a.yaml", True),
        ("b/[ab].yaml", "b/a.yaml", True),
        ("/".join(["**"] * 50) + "/x", "/".join(["a"] * 50), False),
    ],
)
def test_patterns_name_files(pattern: str, path: str, named: bool) -> None:
    assert matches(pattern, path) is named


ROWS = START + "  shot: {rows: shots.%s, name: 'shot-{id}', prompt: '{prompt}'}\n"


@pytest.mark.parametrize(
    ("kind", "table", "problem"),
    [
        ("csv", "id,prompt\n" + "1,x\n" * 1_000_000, "shots.csv:20002:1: error: a table can have at most 20,000 rows"),
        ("csv", "id,prompt\n1,'" + "x" * 200_000, "shots.csv:2:1: error: this is not a row of a table: field larger"),
        ("csv", "id,prompt\n1,\x1b[2J\n", "shots.csv:2:3: error: character U+001B is not allowed in a file"),
        ("csv", "id" + ",x" * 1_000_000, "shots.csv:1:1: error: two columns are named 'x'"),
        ("csv", 'id,prompt\n1,"' + "\n" * 1_000_000, "shots.csv:2:1: error: this is not a row of a table: "),
        ("jsonl", "[" * 100_000, "shots.jsonl:1:1: error: this line is not JSON"),
        ("jsonl", '{"id": ' + "9" * 100_000 + "}", "shots.jsonl:1:1: error: this row's clip cannot be named"),
        ("jsonl", '{"id": NaN}', "shots.jsonl:1:1: error: this line is not JSON"),
        ("jsonl", '{"id": 1, "id": 2}', "shots.jsonl:1:1: error: two columns are named 'id'"),
    ],
    ids=["rows", "cell", "control", "columns", "lines", "deep", "number", "nan", "twice"],
)
def test_a_table_made_to_hurt_is_refused_soon(kind: str, table: str, problem: str) -> None:
    problems = problems_of({"clipform.yaml": ROWS % kind, f"shots.{kind}": table})
    assert problems[0].startswith(problem)
    assert len(problems) < 5


def test_a_cell_is_never_read_as_anything_but_text() -> None:
    table = 'id,prompt\n1,"${env.HOME} {id} {{id}} $"\n'
    text = ROWS.replace("'{prompt}'", "'{prompt}{id} $${'")
    [clip] = project_of({"clipform.yaml": text % "csv", "shots.csv": table}).clips
    assert clip.spec.prompt == "${env.HOME} {id} {{id}} $1 ${"


def test_a_table_with_a_byte_order_mark_and_windows_line_ends_is_read() -> None:
    [clip] = project_of({"clipform.yaml": ROWS % "csv", "shots.csv": "\ufeffid,prompt\r\n1,a lamp\r\n"}).clips
    assert (clip.name, clip.spec.prompt) == ("shot-1", "a lamp")


def test_names_in_braces_are_replaced_once() -> None:
    looks = "looks: {mia: {prompt: 'Mia {door}'}}\nvars: {x: '{mia}'}\n"
    clips = "  a: {use: [mia], prompt: '{mia}'}\n  b: {use: [mia], prompt: '${vars.x}'}\n"
    a, b = project_of(START.replace("clips:", looks + "clips:") + clips).clips
    assert a.spec.prompt == b.spec.prompt == "Mia {door}"


def test_a_look_named_many_times_is_bounded() -> None:
    looks = f"looks: {{m: {{prompt: {'x' * 90_000}}}}}\n"
    text = START.replace("clips:", looks + "clips:")
    [problem] = problems_of(text + f"  a: {{use: [m], prompt: '{'{m}' * 30_000}'}}\n")
    assert "the prompt with its looks has " in problem
    axis = ", ".join(map(str, range(1000)))
    problems = problems_of(text + f"  a: {{use: [m], prompt: '${{matrix.n}} {{m}}', matrix: {{n: [{axis}]}}}}\n")
    assert "the resolved files have more than 64,000,000 characters" in problems[-1]
