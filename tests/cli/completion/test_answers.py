"""What may stand at the cursor, asked as the shells' scripts ask. Nothing is written; a broken project will do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.cli.completion import STATES, AnswerKind, _bash, _split_words, answer
from reconciler.plan.model import Action, Reason, Step
from reconciler.project.candidates import state_words
from reconciler.spec.names import names
from tests.cli.completion.test_shells import SPEC
from tests.memory_files import MemoryFiles
from tests.program.start import run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def offered(*words: str) -> list[str]:
    return [name for name, _ in answer(words).candidates]


def test_revisions_are_those_of_the_repository(here: Path) -> None:
    assert offered("plan", "changed:") == ["changed:HEAD"]  # no repository, no error
    git = ["git", "-C", str(here), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run([*git, *words], check=True, timeout=100)
    for words in (["branch", "review"], ["tag", "v1.0"]):
        subprocess.run([*git, *words], check=True, timeout=100)
    names = ["main", "review", "v1.0"]
    assert sorted(offered("status", "changed:")) == ["changed:HEAD", *(f"changed:{name}" for name in names)]
    assert sorted(offered("plan", "--since", "")) == ["HEAD", *names]
    assert offered("report", "--since", "re") == ["review"]


COMBINATIONS = [f"social[ratio={ratio},lang={lang}]" for ratio in ("16:9", "9:16") for lang in ("en", "zh")]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["pl"], ["plan"]),
        (["--json", "--no-color", "pl"], ["plan"]),
        (["state"], ["state"]),
        (["state", "s"], ["show"]),
        (["--json", "state", "list", "--in"], ["--in-flight"]),
        (["state", "list", "h"], []),
        (["state", "--no"], ["--no-color"]),
        (["plan", ""], ["hero", "intro", "social"]),
        (["plan", "h"], ["hero"]),
        (["plan", "soc"], ["social", *COMBINATIONS]),
        (["plan", "social[ratio=9"], ["social[ratio=9:16]", *COMBINATIONS[2:]]),
        (["plan", "social[l"], ["social[lang=en]", "social[lang=zh]"]),
        (["plan", "+social[l"], ["+social[lang=en]", "+social[lang=zh]"]),
        (["show", "social[ratio=9"], COMBINATIONS[2:]),
        (["plan", "pa"], ["path:renders/*", "path:out/intro.mp4"]),
        (["plan", "model:"], ["model:animatic"]),
        (["apply", "pro"], ["provider:draft"]),
        (["apply", "--exclude", "pro"], ["provider:draft"]),
        (["plan", "ch"], ["changed:HEAD"]),
        (["show", "pro"], []),
        (["resolve", "is:b"], ["is:blocked"]),
        (["cancel", "social[lang=e"], ["social[lang=en]"]),
        (["retake", "in"], ["intro", "intro#1", "intro#2", "intro#3"]),
        (["retake", "intro#"], ["intro#1", "intro#2", "intro#3"]),
        (["undo", "intro#2"], ["intro#2"]),
        (["undo", "her"], ["hero"]),
        (["undo", ""], ["hero", "intro", *COMBINATIONS]),
        (["show", "intro#"], []),
        (["plan", "hero", ""], ["intro", "social"]),  # what stands there already is not offered again
        (["plan", "+he"], ["+hero"]),
        (["show", "s"], COMBINATIONS),  # one clip is meant: a declaration of four is none
        (["show", "hero", ""], []),
        (["pick", "intro", ""], ["1", "2", "3"]),
        (["pick", "hero", ""], ["1"]),
        (["plan", "tag:"], ["tag:night"]),
        (["plan", "is:r"], ["is:ready", "is:running", "is:restore", "is:remove"]),
        (["apply", "--force", "in"], ["intro"]),
        (["apply", "--max-cost", "h"], []),
        (["apply", "--max-cost", "5", "h"], ["hero"]),
        (["apply", "--max-cost=5", "h"], ["hero"]),
        (["apply", "--detailed"], []),
        (["plan", "--de"], ["--detailed-exitcode"]),
        (["plan", "--", "--de"], []),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["models", "--kind", "j"], ["jiekou", "jimmyai"]),
        (["explain", "durat"], ["duration"]),
        (["nonsense", ""], []),
    ],
)
def test_a_word_is_completed_like_this(words: list[str], names: list[str], here: Path) -> None:
    assert offered(*words) == names


def test_an_export_is_of_a_film_in_a_format_and_looks_select(here: Path) -> None:
    text = "version: 1\nlooks: {mia: {prompt: x}}\nclips: {hero: {prompt: a, use: [mia]}}\n"
    (here / "clipform.yaml").write_text(f"{text}cuts: {{film: {{sequence: [{{clip: hero}}]}}}}\n", encoding="utf-8")
    assert offered("export", "") == ["film"]
    assert offered("export", "film", "--as", "") == ["otio", "premiere", "fcpx", "edl"]
    assert offered("plan", "lo") == ["look:mia"]


def test_without_a_word_every_command_is_offered(here: Path) -> None:
    assert offered() == offered("")
    assert {"apply", "plan", "watch"} <= set(offered())


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["-C", ""], AnswerKind.FOLDERS),
        (["plan", "--out", ""], AnswerKind.FILES),
        (["import", "hero", "--file", "x"], AnswerKind.FILES),
        (["init", ""], AnswerKind.FOLDERS),
        (["apply", "saved.pl"], AnswerKind.FILES),  # no clip begins so: a saved plan may
        (["apply", "he"], AnswerKind.WORDS),
    ],
)
def test_files_are_left_to_the_shell(words: list[str], kind: AnswerKind, here: Path) -> None:
    assert answer(words).kind is kind


def test_the_project_named_before_the_command_is_the_one_that_is_read(
    here: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "clipform.yaml").write_text("clips: {elsewhere: {}}", encoding="utf-8")
    assert offered("-C", str(other), "plan", "") == ["elsewhere"]


MILLIONS = ", ".join(f"a{axis}: [{', '.join(map(str, range(50)))}]" for axis in range(9))
BROKEN = {
    "a clip of nonsense": ("clips:\n  hero: {prompt: [1, 2], nope: 3}\n  intro: 7\n", ["hero", "intro"]),
    "a text that is no YAML": ("clips:\n  hero: {prompt: 'a\n  intro:\n    prompt: [\n", ["hero", "intro"]),
    "a matrix of nothing": ("clips:\n  social: {matrix: {lang: []}}\n", ["social"]),
    "a matrix of millions": (f"clips:\n  social: {{matrix: {{{MILLIONS}}}}}\n", ["social"]),
    "a name that is none": ('clips:\n  "x y": {}\n  hero: {}\n', ["hero"]),
    "a file that is not there": ("include: [gone.yaml]\nclips:\n  hero: {}\n", ["hero"]),
    "nothing": ("", []),
    "clips that are no map": ("clips: [hero]\n", []),
    "bytes": ("\x00\x01", []),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_of_a_broken_project_what_can_be_read_is_offered(case: str, here: Path) -> None:
    text, found = BROKEN[case]
    (here / "clipform.yaml").write_text(text, encoding="utf-8")
    assert offered("plan", "") == found


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=60)
def test_no_text_of_a_project_is_a_reason_to_fail(text: str) -> None:
    assert isinstance(names(MemoryFiles({"clipform.yaml": text}), "clipform.yaml"), tuple)


def test_names_of_included_files_come_with_their_tags_and_variables() -> None:
    files = MemoryFiles(
        {
            "clipform.yaml": "vars: {city: [no]}\ndefaults: {takes: 2}\ninclude: [./shots/*.yaml, ../out.yaml]\n",
            "shots/a.yaml": "vars: {a: x}\ndefaults: {tags: [sea]}\n"
            "clips: {one: {}, two: {matrix: {n: ['${vars.a}', y]}}}",
        }
    )
    found = names(files, "clipform.yaml")
    selectors = ("tag:sea", "path:renders/*")
    assert [(clip.name, clip.selectors, clip.takes) for clip in found] == [
        ("one", selectors, 2),
        ("two[n=x]", selectors, 2),
        ("two[n=y]", selectors, 2),
    ]


def test_the_clips_of_a_table_have_the_names_of_its_rows() -> None:
    text = 'version: 1\nclips:\n  spot: {rows: ./shots.csv, name: "spot-{id}", tags: [t]}\n'
    text += '  lost: {rows: no.csv, name: "{id}"}\n'
    files = MemoryFiles({"clipform.yaml": text, "shots.csv": "id;x\n1;a\n\n2;b\n"})
    assert [(clip.name, clip.declared, clip.selectors[0]) for clip in names(files, "clipform.yaml")] == [
        ("spot-1", "spot", "tag:t"),
        ("spot-2", "spot", "tag:t"),
    ]


def test_the_states_offered_are_words_that_is_knows() -> None:
    known = {w for action in Action for reason in Reason for w in state_words(Step("a", 1, action, reason, "k"))}
    assert set(STATES) <= known


def ask(folder: Path, *words: str, shell: str = "zsh", **env: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "_CLIPFORM_COMPLETE": shell, **env}
    return run(words, real="LC_ALL" in env, cwd=folder, env=environment, check=False)


def test_nothing_is_written_and_nothing_is_said_on_stderr(here: Path) -> None:
    for words in (
        ["plan", ""],
        ["pick", "intro", ""],
        ["-C", "/nowhere", "plan", ""],
        ["-C"],
        ["--directory="],
        ["\x1b["],
    ):
        done = ask(here, *words)
        assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in here.iterdir()] == ["clipform.yaml"]


def test_a_name_is_given_as_utf_8_also_where_the_locale_has_only_ascii(here: Path) -> None:
    (here / "clipform.yaml").write_text("clips: {a: {matrix: {city: [上海]}}}", encoding="utf-8")
    done = ask(here, "show", "a[city=上", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (done.stdout, done.stderr) == ("words\na[city=上海]\n", "")


@pytest.mark.parametrize(
    ("line", "value", "quote"),
    [
        ("clipform plan he", "he", ""),
        ("clipform plan ", "", ""),
        ("clipform  plan 'a b", "a b", "'"),
        ('clipform plan "a\\"b', 'a"b', '"'),
        ("clipform plan a\\[b\\ c", "a[b c", ""),
        ("clipform plan a'[b]'c", "a[b]c", ""),
        ("clipform plan a\\", "a", ""),
    ],
)
def test_the_word_at_the_cursor_is_read_as_the_shell_would(line: str, value: str, quote: str) -> None:
    last = _split_words(line)[-1]
    assert (last.value, last.quote) == (value, quote)


@given(
    st.text(
        st.characters(codec="utf-8", categories=["L", "N", "P", "S"], include_characters=" "), min_size=1, max_size=20
    )
)
@settings(deadline=None, max_examples=100)
def test_what_bash_is_told_means_the_name_again(name: str) -> None:
    """Whatever part of a name was typed bare, and wherever bash breaks words."""
    whole = _split_words(f"clipform {_split_words('x ')[-1].reply(name, ' ')}")[-1]
    assert whole.value == name


def test_an_answer_for_bash_begins_where_bash_replaces(here: Path) -> None:
    assert _bash("clipform plan social[ratio=16:9,lang=e") == "words\nen\\]\n"
    assert _bash("clipform plan social[ratio=16:9,lang=e", " ") == "words\nsocial\\[ratio=16:9,lang=en\\]\n"
    assert _bash("clipform plan 'social[ratio=16:9,lang=e") == "words\nsocial[ratio=16:9,lang=en]\n"


def test_options_before_the_command_are_those_of_every_command() -> None:
    assert {name for name, _ in answer(["-"]).candidates} >= {"-C", "--json", "--no-color", "-v", "-q"}
