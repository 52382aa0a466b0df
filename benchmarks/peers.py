"""The tools that `nothing_to_do` is compared with: each with as many targets, one source each, all up to date.

Every tool is installed into a virtual environment of its own below a folder, by uv. Sources and targets are the same
small files for all; what a tool needs to believe that they are up to date (a log, a lock, a database) is made by the
tool itself, or written in its documented format where its own first run would take many minutes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kit import Case, note

ENVIRONMENT = {"DVC_NO_ANALYTICS": "1"}
"""What keeps a tool off the network."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One tool: the package that installs it (none: it is the system's), its command, and its project."""

    command: tuple[str, ...]
    package: str | None
    write: Callable[[int], dict[str, str]]
    """Returns the text of each file of a project with so many targets."""
    prepare: tuple[tuple[str, ...], ...] = ()
    """Commands that bring the project up to date."""

    @property
    def name(self) -> str:
        """As it is typed."""
        return f"`{' '.join(self.command)}`"


def _ninja(count: int) -> dict[str, str]:
    builds = "".join(f"build out/{n}.txt: copy in/{n}.txt\n" for n in range(count))
    return {"build.ninja": f"rule copy\n  command = cp $in $out\n{builds}"}


def _make(count: int) -> dict[str, str]:
    names = " ".join(f"out/{n}.txt" for n in range(count))
    rules = "".join(f"out/{n}.txt: in/{n}.txt\n\tcp $< $@\n" for n in range(count))
    return {"Makefile": f"all: {names}\n{rules}"}


def _doit(count: int) -> dict[str, str]:
    return {
        "dodo.py": f"""import shutil
DOIT_CONFIG = {{"reporter": "zero"}}
def task_copy():
    for n in range({count}):
        source, target = f"in/{{n}}.txt", f"out/{{n}}.txt"
        copy = (shutil.copyfile, (source, target))
        yield {{"name": str(n), "actions": [copy], "file_dep": [source], "targets": [target]}}
"""
    }


def _snakemake(count: int) -> dict[str, str]:
    return {
        "Snakefile": f"""rule all:
    input: expand("out/{{n}}.txt", n=range({count}))
rule copy:
    input: "in/{{n}}.txt"
    output: "out/{{n}}.txt"
    shell: "cp {{input}} {{output}}"
"""
    }


def _dvc(count: int) -> dict[str, str]:
    stages, locked = ["stages:\n"], ["schema: '2.0'\nstages:\n"]
    for n in range(count):
        content = _content(n).encode()
        command = f"  s{n}:\n    cmd: cp in/{n}.txt out/{n}.txt\n"
        stages.append(f"{command}    deps: [in/{n}.txt]\n    outs:\n    - out/{n}.txt: {{cache: false}}\n")
        file = f"hash: md5, md5: {hashlib.md5(content, usedforsecurity=False).hexdigest()}, size: {len(content)}"
        locked.append(f"{command}    deps:\n    - {{path: in/{n}.txt, {file}}}\n")
        locked.append(f"    outs:\n    - {{path: out/{n}.txt, {file}}}\n")
    return {"dvc.yaml": "".join(stages), "dvc.lock": "".join(locked)}


PEERS = (
    Peer(("ninja",), "ninja==1.13.2", _ninja, (("ninja",),)),
    Peer(("make", "-s"), None, _make),
    Peer(("doit",), "doit==0.37.0", _doit, (("doit",),)),
    Peer(("snakemake", "-n", "--quiet"), "snakemake==9.27.1", _snakemake),
    Peer(
        ("dvc", "status"),
        "dvc==3.67.1",
        _dvc,
        (("dvc", "init", "--no-scm", "--quiet"), ("dvc", "config", "core.check_update", "false")),
    ),
)


def install(names: Sequence[str], environments: Path) -> dict[Peer, Path]:
    """Return the program of each tool, installed if it was not; one that cannot be is left out, with a note."""
    programs = {}
    for peer in PEERS:
        tool = peer.command[0]
        if tool not in names:
            continue
        try:
            programs[peer] = _program(peer, environments / tool)
        except (OSError, subprocess.CalledProcessError) as error:
            note(f"left out: {tool} cannot be installed: {error}")
    return programs


def _program(peer: Peer, environment: Path) -> Path:
    tool = peer.command[0]
    if peer.package is None:
        if (program := shutil.which(tool)) is None:
            raise FileNotFoundError(f"{tool} is not on PATH")
        return Path(program)
    installed = environment / "bin" / tool
    if not installed.exists():
        note(f"install {peer.package}")
        subprocess.run(("uv", "venv", "--quiet", "--clear", str(environment)), check=True)
        into = ("--python", str(environment / "bin" / "python"))
        subprocess.run(("uv", "pip", "install", "--quiet", "--compile-bytecode", *into, peer.package), check=True)
    return installed


def case(peer: Peer, program: Path, folder: Path, count: int) -> Case:
    """Return the command of a tool in a project with so many targets, all up to date."""
    note(f"set up {count:,} targets of {peer.command[0]}")
    for name in ("in", "out"):  # sources first: make compares times
        (folder / name).mkdir(parents=True)
        for n in range(count):
            (folder / name / f"{n}.txt").write_text(_content(n), encoding="utf-8")
    for name, text in peer.write(count).items():
        (folder / name).write_text(text, encoding="utf-8")
    environment = ENVIRONMENT | {"HOME": str(folder)}
    for command in peer.prepare:
        Case(peer.name, (str(program), *command[1:]), folder, environment=environment).run()
    return Case(peer.name, (str(program), *peer.command[1:]), folder, environment=environment)


def _content(number: int) -> str:
    return f"{number}\n"
