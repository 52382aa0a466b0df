"""Run `clipform`, also as `python -m reconciler`: the front door.

It answers `--version`, `--help` and the completion of a command's name from packaged texts, and a sealed project by
`reconciler.seal.answer(line)`, which gets the command line and returns an exit code, or None to have the program run.
All else, and whatever is unusual, is left to the program. So nothing of the package and no slow module is imported
here at the top. What is answered here is byte for byte what the program would write.
"""

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_TEXTS = os.path.join(os.path.dirname(__file__), "cli", "front")


def main() -> int:
    """Run the command line; return its exit code, unless the process ends with it.

    Nothing is garbage while an answer or the program is loaded: the collector is off.
    """
    if sys.platform == "win32":  # there are no flock, no fsync of a folder and no descriptors of folders
        sys.stderr.write("error: clipform runs on Linux and macOS\n  help: on Windows, run it in WSL\n")
        return 1
    gc.disable()
    try:
        code = _answer(sys.argv[1:])
    except KeyboardInterrupt:
        return 130
    except OSError:  # also a text that cannot be written: the program reports it
        code = None
    return _run_program() if code is None else _end(code)


def _run_program() -> int:
    """Load the program and run the command line; return its exit code.

    Nothing has begun while it loads, so Ctrl-C then ends the process without a word; later the command handles it.
    In a command that only reads the collector stays off.
    """
    import signal

    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:  # a parent may have it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from reconciler.cli import without_plugins
    from reconciler.cli.app import main as run
    from reconciler.cli.options import only_reads

    without_plugins.install()
    signal.signal(signal.SIGINT, handler)
    if only_reads(sys.argv[1:]):
        _end(run())
    gc.freeze()
    gc.enable()
    return run()


def _end(code: int) -> "NoReturn":
    """End the process of a command that only read: to free ten thousand clips takes longer than to plan them, and to
    take Python apart a tenth of an answer."""
    import atexit

    threading = sys.modules.get("threading")
    if (threading and threading.active_count() > 1) or sys.getprofile() or sys.gettrace():
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # closed, as the command has noticed
            continue
    os._exit(code)


def _answer(line: list[str]) -> int | None:
    """Answer a command line without the program; return the exit code, or None if the program must run."""
    import reconciler

    usual = getattr(reconciler, "DISTRIBUTION", "") == "clipform" and sys.getfilesystemencoding() == "utf-8"
    if not usual or None in (sys.stdin, sys.stdout, sys.stderr) or sys.stdout.encoding != "utf-8":
        return None
    text: str | None = None
    if "_CLIPFORM_COMPLETE" in os.environ:
        text = _names(os.environ["_CLIPFORM_COMPLETE"], line)
    elif line == ["--version"]:
        text = f"clipform {reconciler.__version__}\n"
    elif line in ([], ["-h"], ["--help"]):
        text = _help(_columns())
    elif _may_be_sealed(line):
        from reconciler.seal import answer

        return answer(line)
    if text is None:
        return None
    output = text.encode()
    while output:
        output = output[os.write(1, output) :]
    return 0


def _help(columns: int) -> str | None:
    """Return the help for a terminal of this width; wider than 100 it is the same. None for a width without a text."""
    return _text(f"help-{min(columns, 100)}.txt") if columns == 80 or columns >= 100 else None


def _columns() -> int:
    """Return the width of the terminal as `shutil.get_terminal_size` does; 0 if the variable is not a plain number."""
    if stated := os.environ.get("COLUMNS"):
        return int(stated) if stated.isascii() and stated.isdecimal() else 0
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80


def _names(shell: str, line: list[str]) -> str | None:
    """Return the answer to a shell that completes a command's name; None if it completes anything else."""
    word, breaks = line[-1] if len(line) == 1 else "-", ""
    if shell == "bash" and len(line) == 2:  # the line as it was typed, and the characters that break words
        program, _, word = line[0].partition(" ")
        breaks = "".join(line[1:])
        if not program or set("\"'\\\t\n") & set(program):
            return None
    if word and not (word.isascii() and word.isalpha()) or set(word) & set(breaks):
        return None
    rows = [row for row in _text("commands.txt").splitlines() if row.startswith(word)]
    return "\n".join(["words", *(row.partition("\t")[0] if shell == "bash" else row for row in rows), ""])


def _text(name: str) -> str:
    with open(os.path.join(_TEXTS, name), encoding="utf-8") as file:
        return file.read()


def _may_be_sealed(line: list[str]) -> bool:
    """Tell if a seal may answer: the command is one of three, perhaps after `-C DIR`, and its project has a seal."""
    folder, verb = (line[1], line[2:3]) if line[0] == "-C" and len(line) > 2 else ("", line[:1])
    if verb not in (["plan"], ["validate"], ["apply"]):
        return False
    folder = os.path.realpath(folder)
    while not os.path.lexists(os.path.join(folder, "clipform.yaml")):
        if folder == (folder := os.path.dirname(folder)):
            return False
    return os.path.exists(os.path.join(folder, "state", "seal"))


if __name__ == "__main__":
    sys.exit(main())
