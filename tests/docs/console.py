"""Runs the console blocks of a page, from top to bottom, each in its folder, and returns the page with their output."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from reconciler.cli.app import main
from tests.cli.script_kit import filtered
from tests.docs.pages import ROOT, Block, blocks
from tests.emulator.process import emulator
from tests.program.start import start
from tests.watch.terminal import on_terminal

EXAMPLES = ROOT / "examples"
ADDRESS = "http://127.0.0.1:8790"
MEDIA = "http://127.0.0.1:8791"
FAST = ("--latency", "0.1", "--no-render")

_IGNORED = shutil.ignore_patterns("state", "renders", "drafts", "clipform.lock")
_TASK = r"\bcgt-\d{14}-[0-9a-f]{8}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
_LOOSE = (
    (r"SQLite \d+\.\d+\.\d+", "SQLite VERSION"),
    (r"\d+(\.\d+)? (GB|TB) free", "SPACE free"),
    (r"(?<=  )\d+ (s|min)(?=  )", "AGE"),
    (r"(about|took|for) \d+(\.\d+)? (s|min)\b", r"\1 TIME"),
    (r"\d+ pictures? made", "PICTURES made"),
    (r"\b\d{10}\.\d+\b", "SECONDS"),
    (r"(?<=\S) {2,}", "  "),
)


class Player:
    """The folders of one page, and the emulator that its commands ask."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running = contextlib.ExitStack()
        self._address = ADDRESS
        self._code = 0

    def close(self) -> None:
        """End the emulator."""
        self._running.close()

    def page(self, text: str) -> str:
        """The page as it is after its blocks ran: a block whose output is the same but for times stays as it is."""
        played, at = "", 0
        for block in blocks(text):
            if block.verb == "file":
                self._write(block)
            elif block.verb == "run" and block.language == "console":
                fresh = self._console(block)
                shown = block.text if loose(fresh) == loose(block.text) else fresh
                played += text[at : block.start] + shown
                at = block.start + len(block.text)
            elif block.verb == "start":
                self._start(shlex.split(block.text)[2:], self.folder(block.argument))
        return played + text[at:]

    def _write(self, block: Block) -> None:
        folder, _, rest = block.argument.partition("/")
        target = self.folder(folder) / rest
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.text.replace(ADDRESS, self._address), encoding="utf-8")

    def folder(self, name: str) -> Path:
        """A folder of the page, which is made when it is named first."""
        folder = self._home / name
        if not folder.exists():
            example = EXAMPLES / name
            if example.is_dir() and name != "film":  # pages begin a film of their own
                shutil.copytree(example, folder, ignore=_IGNORED)
            else:
                shutil.copytree(EXAMPLES / "quickstart" / "assets", folder / "assets")
        return folder

    def _console(self, block: Block) -> str:
        folder = self.folder(block.argument)
        lines: list[str] = []
        for line in commands(block.text):
            lines.append(f"$ {line}")
            lines += self._shown(self._run(line, folder), folder).splitlines()
        assert self._code == 0, f"line {block.line}: exit code {self._code} is not shown"
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def _shown(self, text: str, folder: Path) -> str:
        return text.replace(self._address, ADDRESS).replace(str(folder), "~/film")

    def _run(self, line: str, folder: Path) -> str:
        """What one command prints."""
        words = shlex.split(line)
        if line == "echo $?":
            code, self._code = self._code, 0
            return f"{code}\n"
        assert self._code == 0, f"before {line!r}: exit code {self._code} is not shown"
        if words[:2] == ["clipform", "emulate"]:
            return self._welcome(words[2:], folder)
        if words[:2] == ["clipform", "watch"]:
            return _watch(words[2:], folder)
        if words[0] == "clipform" and not set("|>;&") & set(line):
            return self._clipform(words[1:], folder)
        return self._shell(line, folder)

    def _clipform(self, arguments: list[str], folder: Path) -> str:
        out = io.StringIO()
        with _inside(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            self._code = main(arguments)
        return out.getvalue()

    def _shell(self, line: str, folder: Path) -> str:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ran = subprocess.run(
            ["/bin/sh", "-c", line.replace(ADDRESS, self._address)],
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=100,
        )
        self._code = ran.returncode
        return ran.stdout

    def _welcome(self, options: list[str], folder: Path) -> str:
        """What an emulator prints that is ended as soon as it listens."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        words = ["emulate", "--port", "0", *options]
        with start(words, cwd=folder, env=_environment(), text=True, **streams) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            ports = re.findall(r"http://127\.0\.0\.1:\d+", first)
            if ports:
                child.terminate()
            text = first + child.stdout.read()
        self._code = child.returncode
        for port, usual in zip(ports, (ADDRESS, MEDIA), strict=False):
            text = text.replace(port, usual)
        return text

    def _start(self, options: list[str], folder: Path) -> None:
        """Run an emulator with these options for the rest of the page, in place of the one before."""
        self._running.close()
        vendor = self._running.enter_context(emulator(*FAST, *options, cwd=folder))
        before, self._address = self._address, vendor.api
        self._follow(before)

    def _follow(self, before: str) -> None:
        """Point the projects of the page, which say the usual port, at the port of this emulator."""
        for file in self._home.glob("*/clipform.yaml"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace(before, self._address), encoding="utf-8")


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def _watch(options: list[str], folder: Path) -> str:
    """What `watch` shows on a terminal until it waits for a key; then q is pressed."""
    with on_terminal(folder, *options) as terminal:
        terminal.until(r"\[q\] quit")
        shown = terminal.said
        terminal.press("q")
        assert terminal.end() == 0
    return shown.rstrip("\n") + "\n"


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def commands(text: str) -> list[str]:
    """The commands of a console block."""
    return [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]


def loose(text: str) -> str:
    """The text without what differs from run to run and from machine to machine."""
    text = filtered(re.sub(_TASK, "TASK", text), Path("/nowhere"))
    for pattern, word in _LOOSE:
        text = re.sub(pattern, word, text)
    return text
