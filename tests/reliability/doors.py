"""Checks in the source which modules use disk, network, clock, randomness or processes.

The program's text is read, not run: every reference counts, also under another name and without a call. `doors.yaml`
lists for each module what it may use, why, and which points of the simulator surround it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

PACKAGE = Path(__file__).parents[2] / "reconciler"
TABLE = Path(__file__).with_name("doors.yaml")
POINTS = Path(__file__).with_name("points")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OS = _words("""
    open fdopen mkdir makedirs rmdir removedirs rename renames replace link symlink unlink remove write pwrite
    writev pwritev sendfile copy_file_range splice truncate ftruncate posix_fallocate fsync fdatasync sync chmod
    fchmod lchmod chown fchown utime mkfifo mknod setxattr removexattr urandom getrandom system popen kill killpg
    fork forkpty posix_spawn execv execve execvp execl _exit abort putenv unsetenv environ getenv chdir
""")
"""What counts of `os`: what changes a disk, ends or begins a process, is chance, or is outside by another way."""

MODULES = _words("""
    time random secrets uuid subprocess signal socket ssl httpx httpcore urllib.request http.client ftplib smtplib
    multiprocessing concurrent.futures threading tempfile shutil fcntl mmap ctypes pty webbrowser obstore aiohttp
    psycopg requests importlib runpy sched logging
""")
"""Modules of which any use counts."""

NAMES = {
    "sqlite3": frozenset({"connect", "dbapi2"}),
    "asyncio": _words("""
    sleep open_connection start_server open_unix_connection create_subprocess_exec create_subprocess_shell to_thread
    wait_for timeout timeout_at
"""),
    "datetime": frozenset({"now", "utcnow", "today"}),
    "sys": frozenset({"stdout", "stderr", "stdin", "exit", "settrace", "setprofile", "modules", "path"}),
    "io": frozenset({"open", "FileIO", "open_code"}),
    "builtins": frozenset({"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"}),
}
"""Names that count in other modules."""

METHODS = _words("""
    write_text write_bytes touch symlink_to hardlink_to rmdir unlink mkdir chmod rename enable_load_extension
    run_in_executor add_signal_handler getaddrinfo sock_connect create_connection
""")
"""Methods that count whatever they are called on: those of `Path` that write, and doors of the event loop."""

_OPENERS = ("av", "gzip", "bz2", "lzma", "tarfile", "zipfile")
_READS = frozenset({"r", "rb", "rt", "br"})


def used(text: str) -> dict[str, int]:
    """The doors that a module's text refers to, each with the first line that does."""
    found: dict[str, int] = {}
    for name, line in _Reader(ast.parse(text)).doors():
        found.setdefault(name, line)
    return found


class _Reader:
    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.modules: dict[str, str] = {}  # local name to module
        self.things: dict[str, str] = {}  # local name to module.name, of what was imported from a module

    def doors(self) -> Iterator[tuple[str, int]]:
        types = self._for_types()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and node not in types:
                yield from self._imported(node)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                yield from self._attribute(node)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                yield from self._name(node)
            elif isinstance(node, ast.Call):
                yield from self._call(node)

    def _for_types(self) -> set[ast.AST]:
        """Imports under TYPE_CHECKING: they do nothing."""
        guards = (n for n in ast.walk(self.tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test))
        return {inner for guard in guards for statement in guard.body for inner in ast.walk(statement)}

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, int]]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name if alias.asname else alias.name.partition(".")[0]
                self.modules[alias.asname or top] = top
                if _counted(alias.name):
                    yield _counted(alias.name), node.lineno
            return
        source = node.module or ""
        for alias in node.names:
            if node.level == 0 and _counted(f"{source}.{alias.name}"):
                yield _counted(f"{source}.{alias.name}"), node.lineno
                continue
            if node.level == 0 and _counted(source):
                yield _counted(source), node.lineno
            self.things[alias.asname or alias.name] = f"{source}.{alias.name}"
            if node.level == 0 and (alias.name == "*" or _thing(source, alias.name)):
                yield f"{source}.{alias.name}", node.lineno

    def _attribute(self, node: ast.Attribute) -> Iterator[tuple[str, int]]:
        if isinstance(node.value, ast.Name):
            module = self.modules.get(node.value.id)
            if module is not None and _thing(module, node.attr):
                yield f"{module}.{node.attr}", node.lineno
            times = self.things.get(node.value.id) in ("datetime.datetime", "datetime.date")
            if times and node.attr in NAMES["datetime"]:
                yield f"datetime.{node.attr}", node.lineno

    def _name(self, node: ast.Name) -> Iterator[tuple[str, int]]:
        if node.id in NAMES["builtins"] - {"open"} and node.id not in self.things:
            yield node.id, node.lineno

    def _call(self, node: ast.Call) -> Iterator[tuple[str, int]]:
        name = node.func
        if isinstance(name, ast.Name) and name.id == "open" and not _only_reads(node, 1):
            yield "open for writing", node.lineno
        if isinstance(name, ast.Name) and name.id in ("getattr", "__import__") and node.args:
            target = node.args[0]
            if isinstance(target, ast.Name) and self.modules.get(target.id) in ("os", *NAMES):
                yield f"getattr of {self.modules[target.id]}", node.lineno
        if not isinstance(name, ast.Attribute):
            return
        if name.attr == "Connection" and self._module(name.value) == "sqlite3":
            yield "sqlite3.connect", node.lineno
        module = self._module(name.value)
        if name.attr == "open" and module in _OPENERS and not _only_reads(node, 1):
            yield "open for writing", node.lineno
        if module:
            return
        if name.attr in METHODS:
            yield f".{name.attr}()", node.lineno
        if name.attr == "replace" and len(node.args) == 1 and not node.keywords:
            yield ".replace() of a path", node.lineno
        if name.attr == "open" and node.args and not _only_reads(node, 0) and _mode(node, 0) is not None:
            yield "open for writing", node.lineno

    def _module(self, node: ast.expr) -> str:
        return self.modules.get(node.id, "") if isinstance(node, ast.Name) else ""


def _counted(module: str) -> str:
    """The module of MODULES that this is, or is part of."""
    return next((name for name in sorted(MODULES) if module == name or module.startswith(f"{name}.")), "")


def _thing(module: str, name: str) -> bool:
    return (module == "os" and name in OS) or name in NAMES.get(module, ())


def _mode(node: ast.Call, position: int) -> object:
    given = [word.value for word in node.keywords if word.arg == "mode"] or node.args[position : position + 1]
    return given[0].value if given and isinstance(given[0], ast.Constant) else None if given else "r"


def _only_reads(node: ast.Call, position: int) -> bool:
    return _mode(node, position) in _READS


# --- the table --------------------------------------------------------------------------------------


def table() -> Mapping[str, Mapping[str, object]]:
    """`doors.yaml`: by module its reason (`why`) and its `doors`, each with its points or `none: reason`."""
    found: Mapping[str, Mapping[str, object]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return found


def source() -> dict[str, dict[str, int]]:
    """What every module of the program uses."""
    texts = {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    return {name: doors for name, text in texts.items() if (doors := used(text))}


def undeclared() -> Iterator[str]:
    """Effects without a line in the table, and lines without an effect. A line `folder/*` lets all of a folder."""
    allowed, found, needed = table(), source(), set()
    for module, doors in found.items():
        places = [name for name in (module, f"{module.rpartition('/')[0]}/*") if name in allowed]
        for door, line in doors.items():
            place = next((name for name in places if door in _doors(allowed[name])), None)
            if place is None:
                yield f"reconciler/{module}:{line} uses {door}, and doors.yaml does not let it"
            needed.add((place, door))
    for place, entry in allowed.items():
        for door in _doors(entry):
            if (place, door) not in needed and not place.endswith("*"):
                yield f"doors.yaml lets reconciler/{place} use {door}, and it does not"


def _doors(entry: Mapping[str, object]) -> Mapping[str, object]:
    doors = entry["doors"]
    assert isinstance(doors, dict)
    return doors


def golden() -> set[str]:
    """The names of all points that some story passes."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(POINTS.glob("*.txt")))
    return {line[4:] for text in texts for line in text.splitlines()}


def without_points() -> Iterator[str]:
    """Effects around which no golden list has a point, and which do not say why."""
    names = golden()
    for module, entry in table().items():
        for door, points in _doors(entry).items():
            assert isinstance(points, str | list)
            for point in [points] if isinstance(points, str) else points:
                if point.startswith("none: ") and len(point) > 8:
                    continue
                if not any(name == point or name.startswith(f"{point} ") for name in names):
                    yield f"{module}, {door}: no story passes the point '{point}'"
