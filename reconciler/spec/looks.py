"""Looks: characters, places and styles that a project describes once and clips `use`.

A clip's prompt is expanded before its key is computed, so words that move into a look leave the key as it is:

- `{mia}` means the words of look `mia` and the numbers of its pictures, as in `Mia, thirty (Image 1)`; `{{mia}}`
  is a literal `{mia}`. Only clips with `use` have names in braces; of all others the prompt stays as written.
- The words of a look that the prompt does not name follow it, then what to avoid, as `without …`: no vendor of the
  catalogue has a field for that.
- Its pictures follow the clip's own references, each once. A clip with frames takes none: no model has both.

Names are replaced once, from left to right, and looks cannot name looks, so nothing is expanded again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from reconciler.diagnostics import Source
from reconciler.frozen import dataclass
from reconciler.spec.model import ClipFields, Look
from reconciler.spec.problems import Problems, shown
from reconciler.spec.reader import Fields
from reconciler.spec.scalars import MAX_TEXT, NAME
from reconciler.spec.values import LookUse, Media

PICTURE = "Image {}"
"""How Seedance models name their reference pictures in a prompt, counted from 1."""
_NAMED = re.compile(rf"\{{\{{({NAME.pattern})\}}\}}|\{{({NAME.pattern})\}}")
_ENDED = re.compile(r"[.!?…。！？]$")


@dataclass(frozen=True, slots=True)
class DeclaredLook:
    """A look with its place, and those of its pictures. `spec` is None if it has mistakes, which were reported."""

    spec: Look | None
    where: Source
    pictures: tuple[Source, ...] = ()


Looks = Mapping[str, DeclaredLook]


def declared_looks(section: Fields, specs: Mapping[str, Look | None], problems: Problems) -> Looks:
    """Return the looks of a section, by name. `specs` has their values."""
    looks: dict[str, DeclaredLook] = {}
    for name, entry in section.entries.items():
        if not NAME.fullmatch(name):
            message = f"{shown(name)} cannot be the name of a look"
            problems.error("look-name", message, entry.key.where, "use up to 100 letters, digits, - and _")
            continue
        body = entry.value if isinstance(entry.value, Fields) else Fields({}, entry.key.where)
        pictures = tuple(item.where for item in body.list_at("images"))
        spec, named = specs.get(name), set[str]()
        if spec is not None:
            named = {match[2] for match in _NAMED.finditer(spec.prompt)} & section.entries.keys()
        for other in sorted(named):
            whom = "itself" if other == name else f"look {shown(other)}"
            help = "use both looks in the clip, or write the words that they share under vars"
            problems.error("look", f"look {shown(name)} uses {whom}", body.entries["prompt"].value.where, help)
        looks[name] = DeclaredLook(None if named else spec, entry.key.where, pictures)
    return looks


def check_used(looks: Looks, used: Iterable[str], problems: Problems) -> None:
    """Warn about looks that no clip uses."""
    for name in looks.keys() - set(used):
        help = f"add use: [{name}] to a clip, or remove the look"
        problems.warn("look", f"no clip uses look {shown(name)}", looks[name].where, help)


@dataclass(frozen=True, slots=True)
class LookedClip:
    """The fields of a clip with its looks in them, and the places of the pictures that these brought, by field."""

    spec: ClipFields
    uses: tuple[LookUse, ...] = ()
    places: tuple[tuple[str, Source], ...] = ()


class LookReader:
    """Expands the looks of one clip. `places` gives where a field is written, or an item of `use`."""

    def __init__(self, looks: Looks, spec: ClipFields, where: Mapping[str, Source], problems: Problems) -> None:
        self._looks, self._spec, self._where, self._problems = looks, spec, where, problems
        self._used = {name: looks[name] for name in dict.fromkeys(spec.use) if name in looks}
        self._places: list[tuple[str, Source]] = []
        self._numbers: dict[str, list[int]] = {}  # of each look's pictures
        self._spans: dict[str, list[tuple[int, int]]] = {name: [] for name in self._used}

    def read(self) -> LookedClip | None:
        """Return the expanded clip, or None after reporting why it cannot be."""
        errors = self._problems.errors
        self._check_names()
        if any(look.spec is None for look in self._used.values()) or self._problems.errors > errors:
            return None
        images = self._images()
        prompt = self._prompt() if self._used or self._spec.avoid else self._spec.prompt
        if len(prompt) > MAX_TEXT:
            message = f"the prompt with its looks has {len(prompt):,} characters; the limit is {MAX_TEXT:,}"
            self._problems.error("too-long", message, self._where["prompt"])
        if self._problems.errors > errors:
            return None
        references = self._spec.references
        if len(images) > len(references.images):
            references = references.model_copy(update={"images": images})
        avoided = {name: look.spec.avoid for name, look in self._used.items() if look.spec is not None}
        uses = tuple(LookUse(n, (*self._spans[n],), (*self._fields(n),), avoid) for n, avoid in avoided.items())
        return LookedClip(
            self._spec.model_copy(update={"prompt": prompt, "references": references}), uses, (*self._places,)
        )

    def _check_names(self) -> None:
        """Report names in `use` and in braces that are not looks of the clip."""
        for index, name in enumerate(self._spec.use):
            if name not in self._looks:
                where = self._where.get(f"use[{index}]", self._where["use"])
                meant = self._problems.did_you_mean(name, self._looks)
                help = "" if meant else f"declare it in the project: looks: {{{name}: {{prompt: …}}}}"
                self._problems.error("unknown-look", f"unknown look {shown(name)}{meant}", where, help)
        for match in _NAMED.finditer(self._spec.prompt) if self._looks else ():
            name = match[2]
            if name is None or name in self._spec.use or not (self._spec.use or name in self._looks):
                continue
            if name in self._looks:
                message, help = f"look {shown(name)} is not used by this clip", f"add it to use: [{name}]"
            else:
                message = f"unknown look {shown(name)}{self._problems.did_you_mean(name, self._used)}"
                help = f"write {{{{{name}}}}} for a literal {{{name}}}"
            self._problems.error("unknown-look", message, self._where["prompt"], help)

    def _images(self) -> tuple[Media, ...]:
        """Return the pictures of the clip, then those of its looks; note their numbers, fields and places."""
        images = [*self._spec.references.images]
        if self._spec.first_frame is not None or self._spec.last_frame is not None:
            return (*images,)
        for name, look in self._used.items():
            self._numbers[name] = []
            for image, place in zip(look.spec.images if look.spec else (), look.pictures, strict=True):
                if image not in images:
                    images.append(image)
                    self._places.append((f"references.images[{len(images) - 1}]", place))
                self._numbers[name].append(images.index(image) + 1)
        return (*images,)

    def _fields(self, name: str) -> Iterator[str]:
        """Yield the inputs that a look brought."""
        brought = dict(self._places)
        for number in self._numbers.get(name, ()):
            if (field := f"references.images[{number - 1}]") in brought:
                yield field

    def _words(self, name: str) -> str:
        """Return what the name of a look means in the prompt."""
        spec = self._used[name].spec
        pictures = " and ".join(PICTURE.format(number) for number in self._numbers.get(name, ()))
        phrase = spec.prompt if spec else ""
        return f"{phrase} ({pictures})" if phrase and pictures else phrase or pictures

    def _prompt(self) -> str:
        """Return the prompt with the words of all looks; note where they are. Ends early where it is too long."""
        written, avoid = self._spec.prompt, self._spec.avoid
        parts, size, end = list[str](), 0, 0
        for match in _NAMED.finditer(written) if self._used else ():
            name, size = match[2], size + match.start() - end
            phrase = f"{{{match[1]}}}" if name is None else self._words(name)
            parts += [written[end : match.start()], phrase]
            if name is not None:
                self._spans[name].append((size, size + len(phrase)))
                self._require_words(name, phrase)
            size, end = size + len(phrase), match.end()
            if size > MAX_TEXT:
                break
        text = "".join([*parts, written[end:]])
        specs = [(name, look.spec) for name, look in self._used.items() if look.spec is not None]
        unnamed = [(name, self._words(name)) for name, spec in specs if spec.prompt and not self._spans[name]]
        avoided = [("", avoid), *((name, spec.avoid) for name, spec in specs)]
        avoided = [(name, phrase) for name, phrase in avoided if phrase]
        for index, (name, phrase) in enumerate([*unnamed, *avoided]):
            if len(text) <= MAX_TEXT:
                text = self._followed(text, phrase, name, "without " if index == len(unnamed) else "")
        return self._normalized(text)

    def _require_words(self, name: str, phrase: str) -> None:
        if not phrase:
            message = f"look {shown(name)} has no words, and no picture that this clip takes"
            self._problems.error("look", message, self._where["prompt"], "give the look a prompt")

    def _followed(self, text: str, phrase: str, name: str, opening: str) -> str:
        """Return a text with words of a look after it: behind a comma, or as a sentence of their own."""
        is_sentence = bool(_ENDED.search(text))
        start = f"{text}{' ' if is_sentence else ', '}" if text else ""
        start += opening.capitalize() if is_sentence or not text else opening
        if name:
            self._spans[name].append((len(start), len(start) + len(phrase)))
        return start + phrase

    def _normalized(self, text: str) -> str:
        """Return the text as a written prompt is read; without spans if that moves its characters."""
        normal = unicodedata.normalize("NFC", text).strip()
        if normal != text:
            self._spans = {name: [] for name in self._spans}
        return normal
