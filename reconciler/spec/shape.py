"""Validate nodes against models: pydantic's errors become diagnostics with a place in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.diagnostics import Source
from reconciler.spec.interpolate import Raw, Unresolved
from reconciler.spec.model import (
    Budget,
    ClipDecl,
    ClipFields,
    EnvironmentFile,
    IncludeFile,
    ProjectFile,
    Provider,
    References,
)
from reconciler.spec.modules import ModuleFile
from reconciler.spec.other_names import PLAIN_COLON, WIDE_COLON, key_for
from reconciler.spec.problems import Problems, named, shown
from reconciler.spec.reader import Fields, Items, Node
from reconciler.spec.scalars import LITERAL_SECRET

M = TypeVar("M", bound=BaseModel)

Location = Sequence[str | int]

_SORTS: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("clip", ClipDecl, "a clip itself"),
    ("clip", ClipFields, "defaults, or a clip"),
    ("provider", Provider, "providers: {NAME: …}"),
    ("project", ProjectFile, "the project file"),
    ("budget", Budget, "budget"),
    ("references", References, "references"),
)
"""The maps that a key may belong to: the sort in the table of other names, and the words for it."""
_FILES: dict[type[BaseModel], str] = {
    ModuleFile: "a module",
    IncludeFile: "an included file",
    EnvironmentFile: "an environment's file",
}


def checked(model: type[M], raw: Raw, node: Node, problems: Problems, within: Location = ()) -> M | None:
    """Return the typed value, or None after adding every error to `problems`.

    `within` is the location of the node, for the messages. An `Unresolved` text is not reported where its value may be
    right: it is checked again once it is resolved.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            if not _is_open(details):
                _report(model, details, node, problems, within)
        return None


def _is_open(details: ErrorDetails) -> bool:
    """True if a value may be right once its names are resolved; whatever they are, it is a text and has its key."""
    is_resolved, value = details["loc"] != ("version",), details["input"]
    parts = (value, *value.values()) if isinstance(value, dict) else (value,)
    return any(isinstance(part, Unresolved) for part in parts) and details["type"] == "unfit" and is_resolved


def checked_fields(
    model: type[M], raw: Mapping[str, object], node: Node, problems: Problems, within: Location
) -> tuple[M, frozenset[str]]:
    """Return a map with the fields that are right, and the names of the others after adding their errors."""
    try:
        return model.model_validate(raw), frozenset()
    except ValidationError as error:
        faults = error.errors(include_url=False)
    for details in faults:
        _report(model, details, node, problems, within)
    faulty = frozenset(str(details["loc"][0]) for details in faults)
    return model.model_validate({name: value for name, value in raw.items() if name not in faulty}), faulty


def place(node: Node, location: Location) -> Source:
    """Return the place of the value at a path, or of its nearest parent that exists."""
    *_, nearest = _walk(node, location)
    return nearest.where


def _walk(node: Node, location: Location) -> Iterator[Node]:
    """Yield the nodes along a path, as far as they exist."""
    yield node
    for step in location:
        match node:
            case Fields(entries=entries) if step in entries:
                node = entries[str(step)].value
            case Items(items=items) if isinstance(step, int) and step < len(items):
                node = items[step]
            case _:
                return
        yield node


def _report(model: type[BaseModel], details: ErrorDetails, node: Node, problems: Problems, within: Location) -> None:
    location = details["loc"]
    path = (*within, *location)
    where = place(node, location)
    match details["type"]:
        case "extra_forbidden":
            _unknown_key(model, location, _key(node, location), problems, path)
        case "missing":
            message = f"{_holder(path[:-1], model)} has no {location[-1]}"
            problems.error("missing-key", message, where, _example(model, location))
        case "unfit":
            context = details["ctx"]
            if context["code"] == LITERAL_SECRET:
                problems.secrets.append(where)
            problems.error(context["code"], f"{_name(path)} {context['message']}", where, context["help"])
        case "tuple_type":
            raw = details["input"]
            help = f"write [{raw}]" if isinstance(raw, str) and 0 < len(raw) < 60 else ""
            problems.error("bad-value", f"{_name(path)} must be a list", where, help)
        case _:
            help = PLAIN_COLON if WIDE_COLON.match(str(details["input"])) else ""
            problems.error("bad-value", f"{_name(path)} must be a map of keys and values", where, help)


def _unknown_key(model: type[BaseModel], location: Location, where: Source, problems: Problems, path: Location) -> None:
    key = str(location[-1])
    holder = model_at(model, location[:-1])
    names = list(holder.model_fields) if holder else []
    sort = next((sort for sort, kind, _ in _SORTS if holder is not None and issubclass(holder, kind)), "")
    other = key_for(sort, key)
    home = next((words for _, kind, words in reversed(_SORTS) if key in kind.model_fields), "")
    wide = WIDE_COLON.match(key)
    if wide and wide["key"] in names:
        meant, help = f"; did you mean '{wide['key']}: '?", PLAIN_COLON
    elif other in names:
        meant, help = f"; did you mean {shown(other)}?", ""
    elif other:
        meant, help = "", other
    else:
        meant = problems.did_you_mean(key, names)
        help = "" if meant else f"it belongs to {home}" if home else f"known keys: {', '.join(names)}"
    if holder is IncludeFile and key in ProjectFile.model_fields:
        meant, help = "", "move it to the project file: an included file can have vars, defaults, clips and cuts"
    elif holder is ModuleFile and key in ProjectFile.model_fields:
        meant, help = "", "a module can have looks, keyframes, cuts and prices"
    elif holder is EnvironmentFile and not meant:
        help = "an environment's file can have vars, providers and budget"
    elif sort == "provider" and not (meant or other or home):
        help = "settings of one kind go under settings"
    message = f"unknown key {shown(key)} in {_holder(path[:-1], model)}{meant}"
    problems.error("unknown-key", message, where, help)


def _key(node: Node, location: Location) -> Source:
    """Return the place of the key itself."""
    *_, parent = _walk(node, location[:-1])
    key = str(location[-1])
    return parent.entries[key].key.where if isinstance(parent, Fields) and key in parent.entries else parent.where


def _holder(parents: Location, model: type[BaseModel]) -> str:
    """Return the name of the map that has the key, for a message."""
    match list(parents):
        case []:
            return _FILES.get(model, "the project file")
        case ["clips", name]:
            return f"clip {shown(str(name))}"
        case ["looks", name]:
            return f"look {shown(str(name))}"
        case ["cuts", name]:
            return f"cut {shown(str(name))}"
        case ["providers", name]:
            return f"provider {shown(str(name))}"
        case path:
            return _name(path)


def _name(location: Location) -> str:
    """Return the innermost name of a path: `images` for `('clips', 'hero', 'references', 'images', 0)`."""
    return next((named(step) for step in reversed(location) if isinstance(step, str)), "the file")


def _example(model: type[BaseModel], location: Location) -> str:
    field = model_at(model, location[:-1])
    example = field.model_fields[str(location[-1])].examples if field else None
    return f"add {location[-1]}: {example[0]}" if example else ""


def model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """Return the model of the map at a path: `ClipDecl` for `('clips', 'hero')` of a project file."""
    kind: Any = model
    for step in location:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if step not in kind.model_fields:
                return None
            kind = content(kind.model_fields[str(step)].annotation)
        elif get_origin(kind) in (dict, tuple):
            kind = content(element(kind))
        else:
            return None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def element(kind: Any) -> Any:
    """Return the type of a list's elements or a map's values."""
    return get_args(kind)[0 if get_origin(kind) is tuple else 1]


def content(annotation: Any) -> Any:
    """Return a type without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return content(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        some = [kind for kind in get_args(annotation) if kind is not type(None)]
        return content(some[0]) if len(some) == 1 else annotation
    return annotation
