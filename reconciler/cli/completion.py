"""What may stand at the cursor: commands, options, clips and their takes. Called by the scripts of `shells`.

The commands and their options are read from typer's own description of them, so that a new command is completed as it
is. What an argument takes is told by its metavar, as its help shows it. typer's own scripts are not used: they split
words at spaces, hand brackets to the shell as patterns, and know no options before the command. Nor is its
`--install-completion`, which writes into the user's home: a script is printed, and the user says where it goes.

It reads the YAML and nothing else: no state, no lock, no check. Whatever goes wrong, it is silent.
"""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli import commands
from reconciler.cli.options import Options, split
from reconciler.cli.shells import SCRIPTS, VARIABLE

if TYPE_CHECKING:
    from reconciler.spec.names import Named

_BREAKS = " \t\n\"'><=;|&(:"  # bash's own, where it does not say
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./,:=+@%#")
_GLOBAL = (
    ("-C", "The project's folder."),
    ("--json", "For programs."),
    ("--no-color", "Without colour."),
    ("-v", "Say more."),
    ("--help", "Show help."),
)
_FOLDER = frozenset({"-C", "--directory"})
STATES = ("ready", "pending", "failed", "running", "changed", "create", "restore", "move", "remove", "blocked")
"""The words for `is:` that are offered; `is:` knows each reason of a plan too."""


class AnswerKind(StrEnum):
    """What an answer offers."""

    WORDS = "words"
    FILES = "files"
    FOLDERS = "folders"


@dataclass(frozen=True, slots=True)
class Answer:
    """Words with their descriptions, or whatever files there are."""

    words: tuple[tuple[str, str], ...] = ()
    kind: AnswerKind = AnswerKind.WORDS


def respond(given: Sequence[str]) -> int:
    """The whole of one call by a shell. Always 0, and nothing on stderr: it would land in the user's command line."""
    try:
        shell = os.environ.get(VARIABLE, "")
        arguments = [os.fsencode(item).decode("utf-8", "surrogateescape") for item in given]
        text = _bash(*arguments) if shell == "bash" else _lines(answer(arguments), descriptions=True)
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    except Exception:  # noqa: BLE001  # see above
        return 0
    return 0


def _lines(found: Answer, *, descriptions: bool) -> str:
    lines = [f"{word}\t{about}" if about and descriptions else word for word, about in found.words]
    return "".join(f"{line}\n" for line in (found.kind.value, *lines))


# --- what may stand there -------------------------------------------------------------------


def answer(words: Sequence[str]) -> Answer:
    """What may be the last of these words, which follow the program's name."""
    *done, word = words or [""]
    if done and done[-1] in _FOLDER:
        return Answer(kind=AnswerKind.FOLDERS)
    options, rest = split(done)
    if not rest:
        first = [*_GLOBAL, ("--version", "Show the version.")] if word.startswith("-") else _names(word)
        return Answer(_starting(word, first))
    return _Line(options, rest, word).answer()


def _names(word: str) -> Iterator[tuple[str, str]]:
    """The commands that begin so, with the first line of their help."""
    for name, module in _modules().items():
        if name.startswith(word):
            run = import_module(f"{commands.__name__}.{module}").run
            yield name, (run.__doc__ or "").partition("\n")[0]


def _modules() -> dict[str, str]:
    """Every command with the name of its module."""
    return {module.name.rstrip("_"): module.name for module in pkgutil.iter_modules(commands.__path__)}


def _starting(word: str, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, about) for name, about in pairs if name.startswith(word))


@dataclass(slots=True)
class _Line:
    """A command line up to the cursor: the command, what is given, and the word that is being typed."""

    options: Options
    given: list[str]
    word: str
    positional: list[str] = field(default_factory=list)
    awaiting: Any = None  # the option whose value comes next
    only_arguments: bool = False

    def answer(self) -> Answer:
        parameters = self._parameters()
        named = {name: p for p in parameters for name in (*p.opts, *p.secondary_opts) if name.startswith("-")}
        self._read(named)
        if self.awaiting is not None:
            return self._value(self.awaiting, single=False)
        if self.word.startswith("-") and not self.only_arguments:
            own = {max(p.opts, key=len): p.help or "" for p in parameters if p.opts[0].startswith("-") and not p.hidden}
            return Answer(_starting(self.word, [*own.items(), *_GLOBAL]))
        takes = [p for p in parameters if p.param_type_name == "argument"]
        place = len(self.positional)
        if place < len(takes):
            return self._value(takes[place], single=takes[place].nargs == 1)
        return self._value(takes[-1], single=False) if takes and takes[-1].nargs == -1 else Answer()

    def _parameters(self) -> Sequence[Any]:
        """Of this one command: importing them all would take longer."""
        module = _modules().get(self.given[0])
        if module is None:
            return ()
        app = typer.Typer(add_completion=False)
        app.command()(import_module(f"{commands.__name__}.{module}").run)
        return typer.main.get_command(app).params

    def _read(self, named: dict[str, Any]) -> None:
        for item in self.given[1:]:
            if self.awaiting is not None:
                self.awaiting = None
            elif item == "--" and not self.only_arguments:
                self.only_arguments = True
            elif item.startswith("-") and not self.only_arguments:
                found = named.get(item)
                self.awaiting = found if found is not None and not found.is_flag else None
            else:
                self.positional.append(item)

    def _value(self, parameter: Any, *, single: bool) -> Answer:
        """What a parameter takes, by what its help calls it."""
        called = parameter.metavar or ""
        if "CLIP" in called:
            found = Answer(tuple(self._clips(single)))
            return Answer(kind=AnswerKind.FILES) if "FILE" in called and not found.words and self.word else found
        if any(word in called for word in ("FILE", "MP4")):
            return Answer(kind=AnswerKind.FILES)
        if "DIR" in called:
            return Answer(kind=AnswerKind.FOLDERS)
        return Answer(_starting(self.word, self._listed(parameter)))

    def _listed(self, parameter: Any) -> Iterator[tuple[str, str]]:
        """The values of a parameter that has a list of them."""
        match self.given[0], parameter.name:
            case "pick", "take":
                takes = max((clip.takes for clip in self._known() if clip.name == self.positional[0]), default=0)
                yield from ((str(number), "") for number in range(1, takes + 1))
            case "completion", "shell":
                yield from ((shell, "") for shell in SCRIPTS)
            case "explain", "field":
                from reconciler.spec.schema import all_fields

                yield from ((name, "") for name in all_fields())
            case "models", "kind":
                from reconciler.providers import registry

                yield from ((kind, "") for kind in registry.kinds())
            case "models", "mode":
                from reconciler.providers.base import Mode

                yield from ((mode.value, "") for mode in Mode)

    def _known(self) -> tuple[Named, ...]:
        from reconciler.project.scan import DiskFiles, find_root
        from reconciler.spec.files import PROJECT_FILE
        from reconciler.spec.names import names

        root = find_root(Path(os.path.realpath(self.options.directory or os.curdir)))
        return names(DiskFiles(root), PROJECT_FILE)

    def _clips(self, single: bool) -> Iterator[tuple[str, str]]:
        """Names, and where several may be meant, tags and states. There a declaration stands for its combinations until
        it is the only one left: a matrix of a hundred would hide everything else."""
        plus = "+" if self.word.startswith("+") and not single else ""
        word = self.word[len(plus) :]
        known = self._known()
        found = [clip for clip in known if clip.name.startswith(word)]
        declared = {clip.declared for clip in found}
        names = [clip.name for clip in found] if single or "[" in word or len(declared) == 1 else []
        if not single:
            names = [*(clip.declared for clip in found if clip.declared.startswith(word)), *names]
        yield from ((f"{plus}{name}", "") for name in dict.fromkeys(names) if plus + name not in self.positional)
        if not single and not plus:
            tags = dict.fromkeys(tag for clip in known for tag in clip.tags)
            words = [*(f"tag:{tag}" for tag in tags), *(f"is:{state}" for state in STATES)]
            yield from ((name, "") for name in words if name.startswith(word) and word)


# --- bash -----------------------------------------------------------------------------------


def _bash(line: str, breaks: str = _BREAKS) -> str:
    """bash puts a reply in place of what follows the last of its word breaks, as it stands: so the reply is quoted, as
    the user began to, and starts there."""
    words = _words(line)
    found = answer([word.value for word in words[1:]])
    last = words[-1]
    shown = tuple((last.reply(value, breaks or _BREAKS), "") for value, _ in found.words)
    return _lines(Answer(shown, found.kind), descriptions=False)


@dataclass(slots=True)
class _Word:
    """A word of a command line: as typed, what it means, and the quote that is still open."""

    raw: str = ""
    value: str = ""
    quote: str = ""
    opened: int = 0  # how much of the value stood before that quote

    def reply(self, value: str, breaks: str) -> str:
        """What bash is told for a value: from where it replaces, and quoted."""
        if self.quote:
            rest = value[self.opened :]
            return rest if self.quote == "'" else "".join(f"\\{c}" if c in '"$`\\' else c for c in rest)
        return "".join(c if c in _PLAIN or ord(c) > 127 else f"\\{c}" for c in value[self._start(breaks) :])

    def _start(self, breaks: str) -> int:
        """How much of the value stands before what bash replaces."""
        start = count = 0
        quote = ""
        characters = iter(self.raw)
        for character in characters:
            if quote and character == quote:
                quote = ""
            elif not quote and character in "'\"":
                quote = character
            else:
                bare = not quote and character != "\\"
                if character == "\\" and quote != "'":
                    next(characters, "")
                count += 1
                start = count if bare and character in breaks else start
        return start


def _words(line: str) -> list[_Word]:
    """The words of a line that may end in the middle of one, or of a quote."""
    words, current, between = [], _Word(), True
    escaped = False
    for character in line:
        if between and not character.isspace():
            between = False
        current.raw += "" if between else character
        if escaped:
            current.value += character
            escaped = False
        elif character == "\\" and current.quote != "'":
            escaped = True
        elif current.quote:
            current.value, current.quote = (
                (current.value, "") if character == current.quote else (current.value + character, current.quote)
            )
        elif character in "'\"":
            current.quote, current.opened = character, len(current.value)
        elif character.isspace():
            if not between:
                words.append(current)
            current, between = _Word(), True
        else:
            current.value += character
    return [*words, current]
