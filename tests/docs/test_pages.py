"""Pages hold together: links lead somewhere, projects are valid, commands exist, the words are plain."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
import typer
import yaml

from reconciler.cli.app import main
from reconciler.cli.command_line import build
from reconciler.emulator.rulebook import parse_faults
from tests.docs.console import Player, commands
from tests.docs.pages import DOCS, PAGES, ROOT, Block, anchors, blocks, inline_code, links, name, read

LARGEST_README = 8 * 1024
YAML_BLOCKS = [
    pytest.param(page, block, id=f"{name(page)}:{block.line}")
    for page in PAGES
    for block in blocks(read(page))
    if block.language == "yaml"
]


# Links ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert list(_dead(page, read(page))) == []


def test_a_dead_link_is_noticed() -> None:
    text = "[a](nowhere.md) [b](README.md#nowhere) [c](#here) [d](../README.md)\n"
    assert list(_dead(DOCS / "README.md", text)) == ["nowhere.md", "README.md#nowhere", "#here", "../README.md"]


def _dead(page: Path, text: str) -> Iterator[str]:
    """The links that lead nowhere. A page of the site may not lead out of `docs`: the site would not have it."""
    for link in links(text):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        inside = DOCS not in page.parents or DOCS in target.parents
        if not (inside and target.exists()) or (anchor and anchor not in anchors(read(target) if path else text)):
            yield link


def test_every_promise_fault_and_section_of_the_protocol_has_an_anchor() -> None:
    catalogue = yaml.safe_load((ROOT / "tests/reliability/catalogue.yaml").read_text(encoding="utf-8"))
    sections = [
        "s0",
        "s1",
        "s2",
        *(f"s2-{part}" for part in "abcdefghij"),
        "s3",
        *(f"s3-{n}" for n in range(1, 8)),
        "s4",
        "s5",
        "s5-1",
        "s5-2",
        "s5-3",
    ]
    numbers = [number.lower() for number in catalogue] + [f"m{n}" for n in range(1, 13)] + [f"a{n}" for n in range(4)]
    assert {*sections, *numbers} <= anchors(read(DOCS / "design/never-pay-twice.md"))


def test_pages_that_the_code_cites_are_there() -> None:
    for file in [*(ROOT / "reconciler").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]:
        for path, anchor in re.findall(r"\b(docs/[\w/-]+\.md)(?:#([\w-]+))?", file.read_text(encoding="utf-8")):
            assert (ROOT / path).is_file(), f"{file}: {path}"
            assert not anchor or anchor in anchors(read(ROOT / path)), f"{file}: {path}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_of_the_repository_that_a_page_names_are_there(page: Path) -> None:
    named = [code for code in inline_code(read(page)) if re.match(r"(tests|examples|benchmarks|reconciler)/", code)]
    assert [code for code in named if not (ROOT / code).exists()] == []


def test_every_page_is_in_the_map_and_in_the_site() -> None:
    site = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        path = page.relative_to(DOCS).as_posix()
        assert f'"{path}"' in site
        assert path == "README.md" or f"]({path})" in read(DOCS / "README.md"), path


# Size ----------------------------------------------------------------------------------------


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= LARGEST_README


# YAML ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "block"), YAML_BLOCKS)
def test_a_yaml_block_is_valid(
    page: Path, block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if block.verb == "workflow":
        assert yaml.safe_load(block.text)
        return
    if block.text.startswith("faults:"):
        parse_faults(yaml.safe_load(block.text), name(page))
        return
    text = _project(block)
    for variable in re.findall(r"\$\{env\.(\w+)\}", text):
        monkeypatch.setenv(variable, "rehearsal")
    folder = Player(tmp_path).folder("film")
    shutil.copytree(ROOT / "examples" / "film", folder, dirs_exist_ok=True)
    (folder / "clipform.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "brand-assets").mkdir()
    assert main(["-C", str(folder), "validate"]) == 0, capsys.readouterr().err


def _project(block: Block) -> str:
    """The project that a block is, or is part of."""
    if block.verb == "inside":
        value = block.text
        for key in reversed(block.argument.split(".")):
            value = f"{key}:\n" + "".join(f"  {line}\n" for line in value.splitlines())
        return f"version: 1\nclips: {{hero: {{prompt: a lamp}}}}\n{value}"
    return block.text


# Commands ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_and_options_of_a_page_exist(page: Path) -> None:
    assert list(_unknown(read(page))) == []


def test_an_unknown_option_is_noticed() -> None:
    text = (
        "```sh\nclipform plan --since main && clipform apply --maxcost 3\n```\n`clipform sing hero` and `clipform ui`"
    )
    assert list(_unknown(text)) == ["clipform apply --maxcost 3: --maxcost", "clipform sing hero: sing"]


@cache
def _program() -> typer.core.TyperGroup:
    return typer.main.get_group(build())


def _unknown(text: str) -> Iterator[str]:
    typed = [line for block in blocks(text) if block.language == "sh" for line in block.text.splitlines()]
    typed += [line for block in blocks(text) if block.language == "console" for line in commands(block.text)]
    known = _program().commands
    for line in [
        *(line for line in typed if not line.startswith("#")),
        *(code for code in inline_code(text) if code.startswith("clipform ")),
    ]:
        for command in re.findall(r"(?:^|[\s(;&|])(clipform (?:'[^']*'|[^|;&)#>'])*)", line):
            yield from _faults(command.strip(), known)


def _faults(command: str, known: dict[str, click.Command]) -> Iterator[str]:
    words = shlex.split(command)[1:]
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] == "-C" else words[1:]
    if not words or words[0].isupper():
        return
    if words[0] not in known:
        yield f"{command}: {words[0]}"
        return
    if members := getattr(known[words[0]], "commands", None):  # a group
        yield from _faults(shlex.join(words), members)
        return
    options = {
        option for parameter in known[words[0]].params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    common = {"--help", "--json", "--no-color", "-C", "-v", "-q", "--env", "--var"}
    for word in words[1:]:
        option = word.partition("=")[0]
        if re.match(r"--?[a-z]", option) and option not in options | common:
            yield f"{command}: {option}"
