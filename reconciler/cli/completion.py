"""Shell completion of commands, options, clips and takes. The scripts of `shells` call it.

Commands and options are read from typer's description of them, so a new command is completed without further code. An
argument's metavar says what values it takes. typer's own scripts are not used: they split words at spaces, let the
shell expand brackets as patterns, and do not know options before the command. Its `--install-completion` is not used
either, because it writes into the user's home: here a script is printed, and the user decides where it goes.

Completion reads only the YAML: no state, no lock, no checks. It reports no errors.
"""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import field
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli import commands
from reconciler.cli.options import DIRECTORY, Options, split
from reconciler.cli.shells import SCRIPTS, VARIABLE
from reconciler.frozen import dataclass

if TYPE_CHECKING:
    from reconciler.spec.names import Named

_BREAKS = " \t\n\"'><=;|&(:"  # bash's default, if it does not pass its own
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./,:=+@%#")
_GLOBAL = (
    ("-C", "Project folder."),
    ("--env", "Lay clipform.NAME.yaml over the project."),
    ("--var", "Set a variable: NAME=VALUE."),
    ("--json", "Print JSON."),
    ("--no-color", "Disable colour."),
    ("-v", "Show more detail."),
    ("-q", "Show no progress, and do not notify at the end."),
    ("--help", "Show help."),
)
STATES = ("ready", "pending", "failed", "running", "changed", "create", "restore", "move", "remove", "blocked")
"""The states offered after `is:`, which also accepts every reason of a plan."""


class AnswerKind(StrEnum):
    """The sort of candidates that an answer offers."""

    WORDS = "words"
    FILES = "files"
    FOLDERS = "folders"


@dataclass(frozen=True, slots=True)
class Answer:
    """Candidates with their descriptions, or a request to the shell to offer files or folders."""

    candidates: tuple[tuple[str, str], ...] = ()
    kind: AnswerKind = AnswerKind.WORDS


def respond(raw_arguments: Sequence[str]) -> int:
    """Answer one call by a shell script. Always returns 0 and writes nothing to stderr, which the shell would show."""
    with suppress(Exception):
        shell = os.environ.get(VARIABLE, "")
        arguments = [os.fsencode(item).decode("utf-8", "surrogateescape") for item in raw_arguments]
        text = _bash(*arguments) if shell == "bash" else _lines(answer(arguments))
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    return 0


def _lines(answer: Answer) -> str:
    lines = [f"{word}\t{about}" if about else word for word, about in answer.candidates]
    return "".join(f"{line}\n" for line in (answer.kind.value, *lines))


# --- candidates -----------------------------------------------------------------------------


def answer(arguments: Sequence[str]) -> Answer:
    """Return the candidates for the last of these arguments."""
    *done, word = arguments or [""]
    if done and done[-1] in DIRECTORY:
        return Answer(kind=AnswerKind.FOLDERS)
    options, command = split(done)
    modules = _modules()
    if (name := " ".join(command[:2])) in modules:
        command = [name, *command[2:]]
    group = f"{command[0]} " if len(command) == 1 and command[0] in _groups(modules) else ""
    if not command or group:
        first = _GLOBAL if command else [*_GLOBAL, ("--version", "Show the version.")]
        return Answer(_starting(word, first if word.startswith("-") else _names(word, group)))
    return _Line(options, command, word).answer()


def _names(word: str, group: str = "") -> Iterator[tuple[str, str]]:
    """Yield the commands with this prefix, and the first line of their help; of a group, without its name."""
    for name, module in _modules().items():
        short = name.removeprefix(group)
        if name.startswith(group + word) and " " not in short and short:
            command = import_module(f"{commands.__name__}.{module}")
            yield short, (getattr(command, "run", command).__doc__ or "").partition("\n")[0]


def _modules() -> dict[str, str]:
    """Return the module of every command and group, by the words that name it."""
    modules = {}
    for module in pkgutil.iter_modules(commands.__path__):
        name = module.name.rstrip("_").replace("_", "-")
        modules[name] = module.name
        if module.ispkg:
            inner = pkgutil.iter_modules([os.path.join(folder, module.name) for folder in commands.__path__])
            modules |= {f"{name} {each.name.rstrip('_')}": f"{module.name}.{each.name}" for each in inner}
    return modules


def _groups(modules: Iterable[str]) -> set[str]:
    return {name.partition(" ")[0] for name in modules if " " in name}


def _starting(word: str, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, about) for name, about in pairs if name.startswith(word))


@dataclass(slots=True)
class _Line:
    """A command line up to the cursor: the command with its arguments, and the word being typed."""

    options: Options
    command: list[str]
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
            options = {
                max(p.opts, key=len): p.help or "" for p in parameters if p.opts[0].startswith("-") and not p.hidden
            }
            return Answer(_starting(self.word, [*options.items(), *_GLOBAL]))
        arguments = [p for p in parameters if p.param_type_name == "argument"]
        index = len(self.positional)
        if index < len(arguments):
            single = arguments[index].nargs == 1 and "PATTERN" not in (arguments[index].metavar or "")
            return self._value(arguments[index], single=single)
        return self._value(arguments[-1], single=False) if arguments and arguments[-1].nargs == -1 else Answer()

    def _parameters(self) -> Sequence[Any]:
        """Return the parameters of this command only: importing all commands would take longer."""
        module = _modules().get(self.command[0])
        if module is None:
            return ()
        app = typer.Typer(add_completion=False)
        app.command()(import_module(f"{commands.__name__}.{module}").run)
        return typer.main.get_command(app).params

    def _read(self, named: dict[str, Any]) -> None:
        for item in self.command[1:]:
            if self.awaiting is not None:
                self.awaiting = None
            elif item == "--" and not self.only_arguments:
                self.only_arguments = True
            elif item.startswith("-") and not self.only_arguments:
                option = named.get(item)
                self.awaiting = option if option is not None and not option.is_flag else None
            else:
                self.positional.append(item)

    def _value(self, parameter: Any, *, single: bool) -> Answer:
        """Return the candidates for a parameter, by its metavar."""
        metavar = parameter.metavar or ""
        if "CLIP" in metavar:
            clips = Answer(tuple([*self._clips(single), *(self._takes() if "TAKE" in metavar else ())]))
            return Answer(kind=AnswerKind.FILES) if "FILE" in metavar and not clips.candidates and self.word else clips
        if any(word in metavar for word in ("FILE", "MP4")):
            return Answer(kind=AnswerKind.FILES)
        if "DIR" in metavar:
            return Answer(kind=AnswerKind.FOLDERS)
        if metavar == "FILM":
            films = ((clip.name, "") for clip in self._named_clips() if clip.is_film)
            return Answer(_starting(self.word, films))
        if metavar == "REV":
            return Answer(_starting(self.word, ((name, "") for name in ("HEAD", *self._revisions()))))
        return Answer(_starting(self.word, ((name, "") for name in self._listed(parameter))))

    def _listed(self, parameter: Any) -> Iterable[str]:
        """Return the values of a parameter that has a fixed list of them."""
        match self.command[0], parameter.name:
            case "pick", "take":
                takes = max((clip.takes for clip in self._named_clips() if clip.name == self.positional[0]), default=0)
                return map(str, range(1, takes + 1))
            case "completion", "shell":
                return SCRIPTS
            case "explain", "field":
                from reconciler.spec.schema import all_fields

                return all_fields()
            case "export", "kind":
                from reconciler.gallery.report.timeline import FORMATS

                return FORMATS
            case "models", "kind":
                from reconciler.providers import registry

                return registry.kinds()
            case (("conform" | "emulate"), "kind"):
                from reconciler.providers import plugins

                return tuple(plugins.entries())
            case "models", "mode":
                from reconciler.providers.base import Mode

                return Mode
        return ()

    def _revisions(self) -> tuple[str, ...]:
        from reconciler.project.git import refs

        return refs(self._root())

    def _root(self) -> Path:
        from reconciler.project.scan import find_root

        return find_root(Path(os.path.realpath(self.options.directory or os.curdir)))

    def _named_clips(self) -> tuple[Named, ...]:
        from reconciler.project.scan import DiskFiles
        from reconciler.spec.files import PROJECT_FILE
        from reconciler.spec.names import names

        return names(DiskFiles(self._root()), PROJECT_FILE)

    def _clips(self, single: bool) -> Iterator[tuple[str, str]]:
        """Yield clip names and, if several clips may be given, parts of a combination and other selectors.

        Then a declaration replaces its combinations until it is the only match: a large matrix would hide the others.
        """
        plus = "+" if self.word.startswith("+") and not single else ""
        word = self.word[len(plus) :]
        clips = self._named_clips()
        matching = [clip for clip in clips if clip.name.startswith(word)]
        declared = {clip.declared for clip in matching}
        names = [clip.name for clip in matching] if single or "[" in word or len(declared) == 1 else []
        if not single:
            names = [*(part for part in _parts(clips) if part.startswith(word) and "[" in word), *names]
            names = [*(clip.declared for clip in matching if clip.declared.startswith(word)), *names]
        yield from ((f"{plus}{name}", "") for name in dict.fromkeys(names) if plus + name not in self.positional)
        if not single and not plus:
            own = dict.fromkeys(selector for clip in clips for selector in clip.selectors)
            changed = ["changed:HEAD", *(f"changed:{name}" for name in self._revisions())] if word[:1] == "c" else []
            selectors = [*own, *(f"is:{state}" for state in STATES), *changed]
            yield from ((name, "") for name in selectors if name.startswith(word) and word)

    def _takes(self) -> Iterator[tuple[str, str]]:
        """Yield the takes of the clip being typed, once its name is clear."""
        start = self.word.partition("#")[0]
        clips = [clip for clip in self._named_clips() if clip.name.startswith(start)]
        clips = clips if "#" not in self.word else [clip for clip in clips if clip.name == start]
        for clip in clips if len(clips) == 1 and clips[0].takes > 1 else ():
            yield from _starting(self.word, ((f"{clip.name}#{take}", "") for take in range(1, clip.takes + 1)))


def _parts(clips: Iterable[Named]) -> Iterable[str]:
    """Return the selectors of one matrix value each: `social[lang=en]`."""
    values = ((clip.declared, clip.name[len(clip.declared) + 1 : -1].split(",")) for clip in clips)
    return dict.fromkeys(f"{declared}[{value}]" for declared, each in values for value in each if len(each) > 1)


# --- bash -----------------------------------------------------------------------------------


def _bash(line: str, breaks: str = _BREAKS) -> str:
    """Return the answer for bash.

    bash inserts a reply unquoted, after the last word break. So each reply is quoted as the user began, from there on.
    """
    typed = _split_words(line)
    candidates = answer([word.value for word in typed[1:]])
    replies = tuple((typed[-1].reply(value, breaks or _BREAKS), "") for value, _ in candidates.candidates)
    return _lines(Answer(replies, candidates.kind))


@dataclass(slots=True)
class _Word:
    """A word of a command line: its value, and the quote that is still open."""

    value: str = ""
    quote: str = ""
    opened: int = 0  # length of the value before that quote
    bare: list[tuple[str, int]] = field(default_factory=list)  # unquoted characters; length of the value with each

    def reply(self, value: str, breaks: str) -> str:
        """Return a value for bash: quoted, without the part that bash keeps."""
        if self.quote:
            tail = value[self.opened :]
            return tail if self.quote == "'" else "".join(f"\\{c}" if c in '"$`\\' else c for c in tail)
        start = max((length for character, length in self.bare if character in breaks), default=0)
        return "".join(c if c in _PLAIN or ord(c) > 127 else f"\\{c}" for c in value[start:])


def _split_words(line: str) -> list[_Word]:
    """Split a line into words; it may end inside a word or a quote."""
    split_words, current, between = [], _Word(), True
    escaped = False
    for character in line:
        between = between and character.isspace()
        if escaped:
            current.value += character
            escaped = False
        elif character == "\\" and current.quote != "'":
            escaped = True
        elif character == current.quote:
            current.quote = ""
        elif current.quote:
            current.value += character
        elif character in "'\"":
            current.quote, current.opened = character, len(current.value)
        elif character.isspace():
            if not between:
                split_words.append(current)
            current, between = _Word(), True
        else:
            current.value += character
            current.bare.append((character, len(current.value)))
    return [*split_words, current]
