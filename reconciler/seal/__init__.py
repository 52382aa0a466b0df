"""The seal: every fact that a plan with nothing to do rested on, so that the next one need not be made.

`state/seal` does not hold a plan. It has what a plan looked at (`names`), what was seen there (`seen`), and what the
commands wrote that ran while it stayed so (`answers`). A later command looks at all of it again: with one difference,
or anything that cannot be read, the whole program runs. `KINDS` lists the facts.

- **Before and after.** A full run writes down names and facts (`keep`). Its output is an answer only if the facts are
  the same before its first read and after its last: those of a seal that `answer` looked at, or, for a plan, the stamps
  that files had when they were opened, and what the plan says of listings, outputs and records.
- **Racy facts** (git's rule): a file that changed less than two seconds before that run began may change again without
  its times showing it, so nothing is answered from it. Times are ctimes, which nobody can set.
- **Folders.** The artifact store is known by the stamps of its folders, not by a list of ten thousand names. `read`
  believes no seal on a file system that keeps no such times.
- **Whose seal.** The first line is a digest of the rest, keyed with this machine's id, and the facts have inode numbers
  and ctimes that the kernel chose here. So a seal that came with a project does not hold. If one did, it could say
  less than a database that came with it: an answer is printable text and exit code 0. It sends, pays, writes nothing.
- **Variables.** Values of the environment are kept as digests, keyed likewise: a salt in the file would not hide a
  short value. Without a machine id, a project that names variables in addresses has no seal.
- **What is not here.** Whether the user trusts the project, `state/hashes` and the holder of the lock: a plan with
  nothing to do reads none of them, or a cache whose entries are facts here too. Nor the policy and until when clips are
  needed (`needed_by`): they are about what is bought. What `--since`, `--env`, `--var`, clips, `--json` and `-v` add is
  never answered.

The front door asks `answer` before the program is loaded, so this module imports nothing slow at its top.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import time

from reconciler.seal.facts import KINDS, keyed
from reconciler.state.paths import STATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TextIO

    from reconciler.state.lock import Lock

FILE = "seal"
FORMAT = 1
SERVED = (["plan"], ["plan", "--detailed-exitcode"], ["validate"], ["apply", "--yes"])
_LIMIT = 64 << 20
_COLOURS = re.compile(r"\x1b\[[0-9;]*m|\n")
UNSEALED = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What the look at a seal or at facts that are not as they should be can raise."""


class Checked:
    """The seal that this process looked at before the program was loaded, if it held, and when that was."""

    seal: Mapping[str, Any] | None = None
    began_ns = 0


def begin() -> None:
    """Note when the program began to look at the project, before its first look; `answer` may have done so."""
    if Checked.seal is None:
        Checked.began_ns = time.time_ns()


def answer(line: list[str]) -> int | None:
    """Write the answer to a command line if the project's seal holds; return the exit code. None: run the program."""
    from contextlib import nullcontext

    Checked.seal, question, root = None, question_of(line), _root(line)
    if question is None or root is None:
        return None
    try:
        seal = read(root)  # before the lock, which makes a state where there is none
        with _lock(root) if "apply" in line else nullcontext():
            began = time.time_ns()
            if not all(look(seal["names"]) == seal["seen"][kind] for kind, look in KINDS.items()):
                return None
            if question not in seal["answers"]:
                Checked.seal, Checked.began_ns = seal, began
                return None
            _write([({1: sys.stdout, 2: sys.stderr}[number], text) for number, text in seal["answers"][question]])
    except (*UNSEALED, _refusal()):  # the program reports a lock that cannot be taken
        return None
    return 0


def question_of(line: Sequence[str]) -> str | None:
    """Return the command line with all of the terminal that its output depends on; None if it is never answered.

    With nothing to do, `--detailed-exitcode` changes neither output nor exit code."""
    words = [word for word in line[2 * (line[:1] == ["-C"]) :] if word != "--no-color"]
    if words not in SERVED or sys.warnoptions or sys.flags.dev_mode or sys.flags.verbose:
        return None
    asked = [word for word in line if word != "--detailed-exitcode"]
    return json.dumps([asked, _terminal(sys.stdout), _terminal(sys.stderr)])


def _terminal(stream: TextIO) -> list[object]:
    if not stream.isatty():
        return [stream.encoding]
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return [stream.encoding, columns, *(os.environ.get(name) for name in ("COLUMNS", "TERM", "NO_COLOR"))]


def _root(line: Sequence[str]) -> str | None:
    """Return the folder of the project that the command line is about, as `find_root` does."""
    folder = os.path.realpath(line[1] if line[:1] == ["-C"] else os.curdir)
    while not os.path.lexists(os.path.join(folder, "clipform.yaml")):
        if folder == (folder := os.path.dirname(folder)):
            return None
    return folder


def read(root: str) -> Mapping[str, Any]:
    """Return the project's seal. Raises ValueError for one that is damaged, of another machine or of another format,
    and where folders do not show when they changed: its own changed when the seal came into it, or later."""
    folder = os.path.join(root, STATE)
    descriptor = os.open(os.path.join(folder, FILE), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or os.stat(folder).st_mtime_ns < status.st_mtime_ns:
            raise ValueError("not a file, or in a folder whose times are not kept")
        head, _, body = file.read(_LIMIT).partition(b"\n")
    if head != keyed(body).encode():
        raise ValueError("not a seal of this machine")
    seal: dict[str, Any] = json.loads(body)
    if seal["format"] != FORMAT or seal["names"]["root"] != root:
        raise ValueError("not a seal of this project")
    return seal


def _lock(root: str) -> Lock:
    from reconciler.state.lock import Lock

    return Lock(os.path.join(root, STATE), "apply", time.time)


def _refusal() -> type[Exception]:
    from reconciler.diagnostics import ClipformError

    return ClipformError


def _write(printed: Sequence[tuple[TextIO, str]]) -> None:
    """Write as the terminal view does: a closed pipe is ignored. Raises OSError for any other failure, and ValueError,
    before anything is written, for text that would do more than to be read."""
    if not all(_COLOURS.sub("", text).isprintable() for _, text in printed):
        raise ValueError("not text")
    for descriptor, data in [(stream.fileno(), text.encode(stream.encoding)) for stream, text in printed]:
        try:
            while data:
                data = data[os.write(descriptor, data) :]
        except BrokenPipeError:
            continue
