"""Reads and writes `clipform.lock`: the generation of each take of each clip, in a format made for git.

    {
      "hero#1": {"key": "v1:9f…", "sha256": "ab…", "suffix": ".mp4", "provider": "studio", "kind": "ark", …},
      "intro#1": {…},
      "version": 1
    }

It is sorted JSON, one take a line. Each of those lines ends with a comma, since the version comes last: adding or
removing a clip changes one line, and two branches that add different clips merge without a conflict. Unknown fields are
left out. Costs are decimal texts, never floats.

Entry: key, sha256, suffix of the artifact · provider (alias), kind, model · task, seed, cost and currency, when known ·
rehearsal (true) if it was made at an address of this machine · output, of the picked take · seams: for each frozen one
by field, the clip, the key and the SHA-256 of the video whose frame it holds on to.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from sys import intern
from typing import Any

from reconciler import money
from reconciler.diagnostics import Diagnostic, Source, SpecError, StateNewer
from reconciler.next_command import command
from reconciler.plan.locked import LineFacts, Written
from reconciler.records import LockEntry, Seam
from reconciler.spec.paths import output_path
from reconciler.spec.scalars import Unfit
from reconciler.state import disk
from reconciler.state.paths import LOCK_FILE

VERSION = 1

_REQUIRED = ("key", "sha256", "suffix", "provider", "kind", "model")
_CONFLICT = re.compile(r"^(<{7}|={7}|>{7}|\|{7})([ \r]|$)", re.MULTILINE)
_SHA256, _SUFFIX = r"[0-9a-f]{64}", r"\.(?:mp4|png)"
_OBJECT = re.compile(_SHA256 + _SUFFIX)
_PLACE = attrgetter("clip", "take")
_text = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode  # one for all lines: making it costs more
_OPENED, _NAMED = re.compile(r'[ \t\n\r]*\{[ \t\n\r]*(?="|\}[ \t\n\r]*\Z)'), re.compile(r"[ \t\n\r]*:[ \t\n\r]*")
_CONTINUED = re.compile(r'[ \t\n\r]*(?:,[ \t\n\r]*(?=")|(?=\}[ \t\n\r]*\Z))')
"""JSON between the names and values of an object."""
_WORD = r'[^"\\\x00-\x1f]+'
_LINE = re.compile(
    rf'"(({_WORD})#([0-9]{{1,6}}))": \{{"key": "({_WORD})", "sha256": "({_SHA256})", "suffix": "({_SUFFIX})", '
    rf'"provider": "({_WORD})", "kind": "({_WORD})", "model": "({_WORD})"(?:, "task": "({_WORD})")?'
    rf'(?:, "seed": (-?[1-9][0-9]{{0,18}}|0))?(?:, "cost": "({money.WRITTEN})")?(?:, "currency": "({_WORD})")?'
    rf'(?:, "rehearsal": (true))?(?:, "output": "({_WORD})")?\}},\n  (?=")'
)
"""A sound line as `dumps` writes it. This is an eighth of the work of reading any JSON and checking what it holds."""
_START, _END = "{\n", f'  "version": {VERSION}\n}}\n'
_BLOCK = 1 << 18
_TEXT, _CONTROL = '[^"]+', bytes(code for code in range(32) if code != 10)
_FACTS = re.compile(
    rf'^  "({_TEXT}#[0-9]{{1,6}})": \{{"key": "({_TEXT})", "sha256": "([^"]{{64}})"(, "suffix": "{_SUFFIX}", '
    rf'"provider": "{_TEXT}", "kind": "{_TEXT}", "model": "{_TEXT}")((?:, "task": "{_TEXT}")?'
    rf'(?:, "seed": (?:-?[1-9][0-9]{{0,18}}|0))?)((?:, "cost": "{money.WRITTEN}")?(?:, "currency": "{_TEXT}")?'
    rf'(?:, "rehearsal": true)?)(?:, "output": "({_TEXT})")?\}},\n',
    re.MULTILINE,
)
"""A line as `_LINE` has it, in a text of which more is checked at once: that costs half of checking each part."""
_BOUGHT = re.compile(rf'(?:, "cost": "({money.WRITTEN})")?(?:, "currency": "({_TEXT})")?(, "rehearsal": true)?')


def dumps(entries: Iterable[LockEntry]) -> str:
    """Return the text of the file, the same for the same entries in any order."""
    ordered = sorted(entries, key=_PLACE)
    lines = [f"  {_text(f'{entry.clip}#{entry.take}')}: {_text(_fields(entry))},\n" for entry in ordered]
    return f'{{\n{"".join(lines)}  "version": {VERSION}\n}}\n'


def loads(text: str, file: str = LOCK_FILE) -> tuple[LockEntry, ...]:
    """Return the entries, sorted. Raises SpecError with every problem and its line, StateNewer for a newer version."""
    return _entries(text, file, _members(text, file))


def facts(text: str) -> LineFacts | None:
    """Return what a plan needs of the lines, in a third of the time of `loads`; None for a text that has anything but
    sound lines as `dumps` writes them, one for each take and key."""
    if not (text.startswith(_START) and text.endswith(_END)):
        return None
    names, bought = set[str](), dict[str, tuple[int, str, bool]]()
    contents, outputs, costs, rehearsals = dict[str, str](), dict[str, str](), dict[str, tuple[int, str]](), set[str]()
    written: list[Written] = []
    for block in _blocks(text):
        lines = _FACTS.findall(block)
        if block.count("\n") != len(lines) or not _is_plain(block) or not _is_hex("".join(line[2] for line in lines)):
            return None
        for name, key, sha256, model, task, cost, output in lines:
            key, cost = intern(key), intern(cost)
            names.add(name)
            contents[key] = intern(sha256)
            written.append((name, intern(model), task, cost))
            if output:
                outputs[key] = intern(output)
            if cost:
                micros, currency, rehearsal = bought.get(cost) or bought.setdefault(cost, _bought(cost))
                costs |= {key: (micros, currency)} if micros else {}
                rehearsals |= {key} if rehearsal else set()
    if not len(contents) == len(names) == len(written):
        return None
    return LineFacts(contents, outputs, costs, frozenset(rehearsals), written)


def text_of(facts: LineFacts) -> str:
    """Return the text that has these facts."""
    lines = [
        f'  "{name}": {{"key": "{key}", "sha256": "{sha256}"{model}{task}{cost}{_stated(facts.outputs.get(key))}}},\n'
        for (key, sha256), (name, model, task, cost) in zip(facts.contents.items(), facts.written, strict=True)
    ]
    return f"{_START}{''.join(lines)}{_END}"


def _stated(output: str | None) -> str:
    return "" if output is None else f', "output": "{output}"'


def _blocks(text: str) -> Iterator[str]:
    """Yield the lines of takes in parts of some size: the matches of all at once are twice as large as the text."""
    start, end = len(_START), len(text) - len(_END)
    while start < end:
        stop = end if start + _BLOCK >= end else text.rfind("\n", start, start + _BLOCK) + 1 or end
        yield text[start:stop]
        start = stop


def _is_plain(block: str) -> bool:
    """True for a text without control characters and escapes."""
    data = block.encode()
    return "\\" not in block and len(data.translate(None, _CONTROL)) == len(data)


def _is_hex(text: str) -> bool:
    try:
        return bytes.fromhex(text).hex() == text
    except ValueError:
        return False


def _bought(text: str) -> tuple[int, str, bool]:
    match = _BOUGHT.fullmatch(text)
    cost, currency, rehearsal = match.groups() if match else (None, None, None)
    micros = 0 if cost is None else money.to_micros(money.parse(cost)) or 0
    return micros, currency or "", rehearsal is not None


def write(path: Path, entries: Iterable[LockEntry]) -> bool:
    """Replace the file at `path` if the entries change it. Returns True if they did."""
    data = dumps(entries).encode()
    with disk.translated(f"write {path.name}"):
        try:
            if path.read_bytes() == data:
                return False
        except FileNotFoundError:
            pass
        disk.replace(os.path.realpath(path), data)  # a symlink to a lock file elsewhere stays a symlink
    return True


def _fields(entry: LockEntry) -> dict[str, object]:
    micros = money.checked(entry.cost_micros)
    cost = None if micros is None else money.plain(money.from_micros(micros))
    fields: dict[str, object] = {name: getattr(entry, name) for name in _REQUIRED}
    fields |= {"task": entry.task, "seed": entry.seed, "cost": cost, "currency": entry.currency or None}
    seams = {seam.field: {"clip": seam.clip, "key": seam.key, "sha256": seam.sha256} for seam in entry.seams}
    fields |= {"rehearsal": entry.rehearsal or None, "output": entry.output, "seams": seams or None}
    return {name: value for name, value in fields.items() if value is not None}


def _members(text: str, file: str) -> Iterator[tuple[str, object]]:
    """Yield the takes in the file's object one at a time, duplicates too: a merge may leave two lines for one take. A
    value is that of the JSON, or what `_LINE` matched."""
    decode, version = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse).raw_decode, None
    try:
        at = _end(_OPENED, text, 0)
        while text[at] != "}":
            if line := _LINE.match(text, at):
                yield line[1], line
                at = line.end()
                continue
            name, at = decode(text, at)
            value, at = decode(text, at + 2 if text.startswith(": {", at) else _end(_NAMED, text, at))
            at = at + 4 if text.startswith(',\n  "', at) else _end(_CONTINUED, text, at)
            if name == "version":
                version = value
            else:
                yield name, value
    except (ValueError, RecursionError) as error:
        raise SpecError(_conflicts(text, file) or [_fault(text, file)]) from error
    if isinstance(version, int) and version > VERSION:
        text = f"{file} has version {version}, this clipform supports up to {VERSION}"
        raise StateNewer(text, help="upgrade clipform; the file was left as it is", code="lock-newer")


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    if match := pattern.match(text, at):
        return match.end()
    raise ValueError("not JSON")


def _conflicts(text: str, file: str) -> list[Diagnostic]:
    """Return the marks of a merge. No JSON has a line that begins with one."""
    lines = (text.count("\n", 0, mark.start()) + 1 for mark in _CONFLICT.finditer(text))
    return [_problem(file, number, "lock-conflict", "unresolved merge conflict") for number in lines]


def _fault(text: str, file: str) -> Diagnostic:
    """Return why a text is not the JSON of a lock file."""
    try:
        json.loads(text, parse_float=_refuse, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return _problem(file, error.lineno, "lock-syntax", f"this is not JSON: {error.msg}")
    except (ValueError, RecursionError):
        words = "a number is not in clipform's format, or values nest too deep"
        return _problem(file, 1, "lock-syntax", words)
    return _problem(file, 1, "lock-syntax", "the file must hold one JSON object")


def _refuse(text: str) -> object:
    raise ValueError(text)


def _entries(text: str, file: str, members: Iterable[tuple[str, object]]) -> tuple[LockEntry, ...]:
    entries: dict[str, LockEntry] = {}
    problems: list[Diagnostic] = []
    for name, value in members:
        try:
            if name in entries:
                raise ValueError("duplicate take")
            cells = value.groups()[1:] if isinstance(value, re.Match) else _checked(name, value)
            seams = () if isinstance(value, re.Match) else _seams(value)
            entries[name] = replace(_entry(cells), seams=seams) if seams else _entry(cells)
        except ValueError as error:
            problems.append(_problem(file, _line(text, name), "lock-entry", f"{name}: {error}"))
    if problems:
        raise SpecError(problems)
    return tuple(sorted(entries.values(), key=_PLACE))


def _checked(name: str, value: object) -> tuple[Any, ...]:
    """Return the parts of a line in the order of `_LINE`. Raises ValueError for one that is not an entry."""
    clip, mark, take = name.rpartition("#")
    if not (clip and mark and take.isascii() and take.isdecimal() and len(take) < 7):
        raise ValueError("a take is named CLIP#NUMBER")
    get = value.get if isinstance(value, dict) else {}.get
    for required in _REQUIRED:
        if not isinstance(get(required), str):
            raise ValueError(f"'{required}' is required and must be a text")
    if not _OBJECT.fullmatch(f"{get('sha256')}{get('suffix')}"):
        raise ValueError("'sha256' and 'suffix' do not name an artifact")
    task, seed, cost, currency = get("task"), get("seed"), get("cost"), get("currency", "")
    if task is not None and not isinstance(task, str):
        raise ValueError("'task' must be a text")
    if seed is not None and type(seed) is not int:
        raise ValueError("'seed' must be a whole number")
    if cost is not None and (not isinstance(cost, str) or money.parse(cost) is None):
        raise ValueError("'cost' must be a decimal text such as \"0.50\"")
    if not isinstance(currency, str):
        raise ValueError("'currency' must be a text")
    rehearsal = get("rehearsal") is True or None
    return (clip, take, *map(get, _REQUIRED), task, seed, cost, currency, rehearsal, get("output"))


def _entry(cells: tuple[Any, ...]) -> LockEntry:
    """Return one line; its texts are shared with the records and the specs, which have the same ones."""
    clip, take, key, sha256, suffix, provider, kind, model, task, seed, cost, currency, rehearsal, output = cells
    return LockEntry(
        intern(sha256),
        intern(suffix),
        rehearsal is not None,
        None if output is None else _output(output),
        provider=intern(provider),
        kind=intern(kind),
        model=intern(model),
        task=task,
        seed=None if seed is None else int(seed),
        cost_micros=None if cost is None else money.to_micros(money.parse(cost)),
        currency=intern(currency or ""),
        key=intern(key),
        clip=intern(clip),
        take=int(take),
    )


def _seams(value: object) -> tuple[Seam, ...]:
    """Return the frozen seams of a line. Raises ValueError for one that names no video."""
    seams = value.get("seams") if isinstance(value, dict) else None
    if seams is None:
        return ()
    fields = seams.items() if isinstance(seams, dict) else [("", None)]
    return tuple(_seam(field, seam) for field, seam in sorted(fields))


def _seam(field: str, value: object) -> Seam:
    clip, key, sha256 = (value.get(name) if isinstance(value, dict) else None for name in ("clip", "key", "sha256"))
    if isinstance(clip, str) and isinstance(key, str) and _OBJECT.fullmatch(f"{sha256}.mp4"):
        return Seam(field, intern(clip), intern(key), intern(str(sha256)))
    raise ValueError("'seams' must have clip, key and sha256 of a video for each field")


def _output(value: object) -> str | None:
    """Return a path that an output may have; None for any other value: without it a line says as much as older ones."""
    try:
        return intern(output_path(value)) if isinstance(value, str) else None
    except Unfit:
        return None


def _line(text: str, name: str) -> int:
    """Return the last line on which a member of this name begins."""
    start = text.rfind(f"{_text(name)}:")
    return text.count("\n", 0, max(start, 0)) + 1


def _problem(file: str, line: int, code: str, message: str) -> Diagnostic:
    help = f"keep the correct lines, or remove the file: {command('apply')} writes it again from the state"
    return Diagnostic(code, message, Source(file, line, 1), help)
