"""Parses and replays the scripted sessions of `test_scripts`."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from reconciler.cli.app import main
from tests.reliability.simulator.videos import tiny


@dataclass(frozen=True)
class Command:
    """One command with the comment lines above it, its output and its exit code."""

    comments: tuple[str, ...]
    line: str
    output: tuple[str, ...] = ()
    code: int = 0


@dataclass(frozen=True)
class Session:
    """A script: its commands, comment lines at the end, and the files of its start by path."""

    commands: tuple[Command, ...]
    files: tuple[tuple[str, str], ...] = ()


def parse(text: str) -> Session:
    """Raises ValueError for a line that is none of the kinds there are."""
    head, *rest = re.split(r"^-- (\S+) --\n", text, flags=re.MULTILINE)
    files = tuple(zip(rest[::2], rest[1::2], strict=True))
    commands: list[Command] = []
    comments: list[str] = []
    for number, line in enumerate(head.splitlines(), 1):
        if line.startswith("#") or not line:
            comments.append(line)
        elif line.startswith("$ "):
            commands.append(Command(tuple(comments), line[2:]))
            comments = []
        elif commands and not comments and line.startswith("|"):
            commands[-1] = replace(commands[-1], output=(*commands[-1].output, line[1:].removeprefix(" ")))
        elif commands and not comments and (code := re.fullmatch(r"\[(\d+)\]", line)):
            commands[-1] = replace(commands[-1], code=int(code[1]))
        else:
            raise ValueError(f"line {number} is no part of a script: {line!r}")
    return Session(tuple(commands), files)


def render(session: Session) -> str:
    """The text of a session."""
    lines: list[str] = []
    for command in session.commands:
        lines += [*command.comments, f"$ {command.line}"]
        lines += [f"| {line}".rstrip() for line in command.output]
        lines += [f"[{command.code}]"] if command.code else []
    lines += [""] if session.files else []
    return "\n".join(lines) + "\n" + "".join(f"-- {name} --\n{text}" for name, text in session.files)


def replay(session: Session, folder: Path) -> Session:
    """Run every command in `folder` and return the session as it went."""
    for name, text in session.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return replace(session, commands=tuple(_run(command, folder) for command in session.commands))


def _run(command: Command, folder: Path) -> Command:
    out = io.StringIO()
    words = shlex.split(command.line)
    with _in(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = main(words[1:]) if words[0] == "clipform" else _tool(words)
    lines = filtered(out.getvalue(), folder).splitlines()
    return replace(command, output=tuple(line.rstrip() for line in lines), code=code)


@contextlib.contextmanager
def _in(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


_FILTERS = (
    (r"(?<=about )\d+(\.\d+)? s|(?<=About )\d+(\.\d+)? s|(?<= in )\d+(\.\d+)? s", "TIME"),
    (r"(took +)\d\S* s", r"\1TIME"),
    (r"objects/[0-9a-f]{2}/", "objects/XX/"),
    (r"(?<=free  )\d+ (s|min) {2,}", "AGE  "),
    (r"AGE +OUTPUT$", "AGE  OUTPUT"),  # as wide as the ages below it
    (r"\b(v1:)?[0-9a-f]{64}\b", r"\1SHA"),
    (r"v1:[0-9a-f]{10}\b", "v1:KEY"),
    (r"\b[0-9a-f]{12}(?=\.|\b)", "SHA12"),
    (r"\b[0-9a-f]{24}\b", "TASK"),
    (r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ| \d\d:\d\d(:\d\d)? UTC)", "WHEN"),
    (r"^\d{4}-\d\d-\d\d \d\d:\d\d(?=  )", "WHEN"),
    (r"(?<=made )\d{4}-\d\d-\d\d", "DAY"),
    (r"(?<=  )\d+ d$", "AGE"),
    (r'"age_days": \d+', '"age_days": 0'),
    (r'"(elapsed|expected|expected_seconds|age_seconds)": [\d.]+', r'"\1": 0'),
    (r"\d+\.\d\d MB", "SIZE"),
    (r"content [0-9a-f]{12}", "content SHA12"),
)


def filtered(text: str, folder: Path) -> str:
    """The output without what differs from run to run."""
    text = text.replace(str(folder), "DIR")
    for pattern, name in _FILTERS:
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return text


def _tool(words: list[str]) -> int:
    name, *arguments = words
    return TOOLS[name](*arguments) or 0


def _sed(old: str, new: str, path: str) -> None:
    """Replace a text that must be there."""
    text = Path(path).read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path}"
    Path(path).write_text(text.replace(old, new), encoding="utf-8")


def _show(path: str) -> None:
    sys.stdout.write(Path(path).read_text(encoding="utf-8"))


def _list(path: str = ".") -> None:
    """Every file below a folder, but the state's own."""
    for file in sorted(Path(path).rglob("*")):
        if file.is_file() and "state" not in file.parts:
            sys.stdout.write(f"{file.as_posix()}\n")


def _write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def _remove(path: str) -> None:
    target = Path(path)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink()


def _fifo(path: str) -> None:
    os.mkfifo(path)
    assert stat.S_ISFIFO(os.stat(path).st_mode)


def _move(old: str, new: str) -> None:
    Path(new).parent.mkdir(parents=True, exist_ok=True)
    os.replace(old, new)


def _draw(path: str) -> None:
    """A picture of one colour."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 36), "teal").save(path)


def _sparse(path: str, size: str) -> None:
    """A file that seems to be large."""
    with Path(path).open("wb") as file:
        file.truncate(int(size))


def _video(path: str, seconds: str) -> None:
    """A small video, which differs with its length."""
    Path(path).write_bytes(tiny(int(seconds)))


TOOLS: dict[str, Callable[..., int | None]] = {
    "replace": _sed,
    "cat": _show,
    "ls": _list,
    "write": _write,
    "rm": _remove,
    "mv": _move,
    "draw": _draw,
    "video": _video,
    "sparse": _sparse,
    "mkfifo": _fifo,
    "mkdir": lambda path: Path(path).mkdir(parents=True),
    "symlink": lambda target, path: Path(path).symlink_to(target),
}
