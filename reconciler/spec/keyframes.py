"""Keyframes: pictures that a project names once, to end one clip on and start the next from.

A clip names one as `{keyframe: door}`, and the picture takes its place before anything else is read: the key is that of
a clip with the same picture as a file. A keyframe is a picture and never a clip's frame, so none can be part of a
circle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from reconciler.diagnostics import Source
from reconciler.frozen import dataclass
from reconciler.spec.problems import Problems, shown
from reconciler.spec.reader import Fields
from reconciler.spec.scalars import NAME
from reconciler.spec.values import Media


@dataclass(frozen=True, slots=True)
class DeclaredKeyframe:
    """A keyframe with its place. `picture` is None if it has mistakes, which were reported."""

    picture: Media | None
    where: Source


Keyframes = Mapping[str, DeclaredKeyframe]


def declared_keyframes(section: Fields, pictures: Mapping[str, Media | None], problems: Problems) -> Keyframes:
    """Return the keyframes of a section, by name. `pictures` has their values."""
    keyframes: dict[str, DeclaredKeyframe] = {}
    for name, entry in section.entries.items():
        if NAME.fullmatch(name):
            keyframes[name] = DeclaredKeyframe(pictures.get(name), entry.key.where)
        else:
            message = f"{shown(name)} cannot be the name of a keyframe"
            problems.error("keyframe", message, entry.key.where, "use up to 100 letters, digits, - and _")
    return keyframes


def with_keyframes(raw: object, keyframes: Keyframes, where: Source, problems: Problems) -> object:
    """Return the value of a field with pictures in the place of the keyframes that it names, also in lists; None after
    reporting one that there is not."""
    match raw:
        case {"keyframe": str(name), **others} if not others:
            return _picture(str(name), keyframes, where, problems)
        case dict():
            values = {key: with_keyframes(item, keyframes, where, problems) for key, item in raw.items()}
            return None if None in values.values() else values
        case list():
            items = [with_keyframes(item, keyframes, where, problems) for item in raw]
            return None if None in items else items
    return raw


def _picture(name: str, keyframes: Keyframes, where: Source, problems: Problems) -> Media | None:
    if name not in keyframes:
        help = f"declare it in the project file:\nkeyframes: {{{name}: {{file: art/{name}.png}}}}"
        meant = problems.did_you_mean(name, keyframes)
        problems.error("keyframe", f"unknown keyframe {shown(name)}{meant}", where, "" if meant else help)
        return None
    return keyframes[name].picture


def check_used(keyframes: Keyframes, used: Iterable[Media], others: Collection[str], problems: Problems) -> None:
    """Warn about keyframes whose picture no clip uses. `others` are the paths that clips use which are not read."""
    pictures = set(used) if keyframes else set()
    for name, keyframe in keyframes.items():
        path = getattr(keyframe.picture, "path", None)
        if keyframe.picture is not None and keyframe.picture not in pictures and path not in others:
            help = f"write first_frame: {{keyframe: {name}}} in a clip, or remove the keyframe"
            problems.warn("keyframe", f"no clip uses keyframe {shown(name)}", keyframe.where, help)
