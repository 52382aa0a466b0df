"""Models against nodes: what pydantic finds wrong, in our words and at the place in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.diagnostics import Source
from reconciler.spec.interpolate import Raw
from reconciler.spec.model import ClipDecl, ClipFields, IncludeFile, ProjectFile, Provider
from reconciler.spec.problems import Problems, named, shown
from reconciler.spec.reader import Fields, Items, Node
from reconciler.spec.scalars import LITERAL_SECRET

M = TypeVar("M", bound=BaseModel)

Location = Sequence[str | int]


def checked(model: type[M], raw: Raw, node: Node, problems: Problems, within: Location = ()) -> M | None:
    """The typed value, or None with every error told. `within` is where the node stands, for the words.

    A text that still has `${` in it is not judged: what it stands for is, once it is known.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            if not (isinstance(details["input"], str) and "${" in details["input"]):
                _tell(model, details, node, problems, within)
        return None


def place(node: Node, location: Location) -> Source:
    """Where the value at this path stands; for a path that is not there, the nearest that is."""
    *_, nearest = _walk(node, location)
    return nearest.where


def _walk(node: Node, location: Location) -> Iterator[Node]:
    """The nodes along a path, as far as they are there."""
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


def _tell(model: type[BaseModel], details: ErrorDetails, node: Node, problems: Problems, within: Location) -> None:
    location = details["loc"]
    path = (*within, *location)
    where = place(node, location)
    match details["type"]:
        case "extra_forbidden":
            _unknown_key(model, location, _key(node, location), problems, path)
        case "missing":
            message = f"{_holder(path[:-1], model)} has no {location[-1]}"
            problems.error("missing-key", message, where, _mend(model, location))
        case "unfit":
            context = details["ctx"]
            if context["code"] == LITERAL_SECRET:
                problems.secrets.append(where)
            problems.error(context["code"], f"{_name(path)} {context['message']}", where, context["help"])
        case "tuple_type":
            problems.error("bad-value", f"{_name(path)} must be a list", where, _listed(details["input"]))
        case _:
            problems.error("bad-value", f"{_name(path)} must be a map of keys and values", where)


def _unknown_key(model: type[BaseModel], location: Location, where: Source, problems: Problems, path: Location) -> None:
    key = str(location[-1])
    holder = model_at(model, location[:-1])
    known = list(holder.model_fields) if holder else []
    meant = problems.did_you_mean(key, known)
    help = "" if meant else f"known are {', '.join(known)}"
    if holder is IncludeFile and key in ProjectFile.model_fields:
        meant, help = "", "move it to the project file: an included file holds vars, defaults and clips"
    elif holder is ClipFields and key in ClipDecl.model_fields:
        meant, help = "", "it can stand in a clip itself only"
    elif holder is Provider and not meant:
        help = "facts of one dialect go under settings"
    message = f"unknown key {shown(key)} in {_holder(path[:-1], model)}{meant}"
    problems.error("unknown-key", message, where, help)


def _listed(raw: object) -> str:
    return f"write [{raw}]" if isinstance(raw, str) and 0 < len(raw) < 60 else ""


def _key(node: Node, location: Location) -> Source:
    """Where the key itself stands."""
    *_, parent = _walk(node, location[:-1])
    key = str(location[-1])
    return parent.entries[key].key.where if isinstance(parent, Fields) and key in parent.entries else parent.where


def _holder(parents: Location, model: type[BaseModel]) -> str:
    """What has the key, for a sentence."""
    match list(parents):
        case []:
            return "an include file" if model is IncludeFile else "the project file"
        case ["clips", name]:
            return f"clip {shown(str(name))}"
        case ["providers", name]:
            return f"provider {shown(str(name))}"
        case path:
            return _name(path)


def _name(location: Location) -> str:
    """The innermost name of a path: `('clips', 'hero', 'references', 'images', 0)` is `images`."""
    return next((named(step) for step in reversed(location) if isinstance(step, str)), "the file")


def _mend(model: type[BaseModel], location: Location) -> str:
    field = model_at(model, location[:-1])
    example = field.model_fields[str(location[-1])].examples if field else None
    return f"add {location[-1]}: {example[0]}" if example else ""


def model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model of the map at a path: `('clips', 'hero')` of a project file is `ClipDecl`."""
    here: Any = model
    for step in location:
        if isinstance(here, type) and issubclass(here, BaseModel):
            if step not in here.model_fields:
                return None
            here = content(here.model_fields[str(step)].annotation)
        elif get_origin(here) in (dict, tuple):
            here = content(element(here))
        else:
            return None
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def element(kind: Any) -> Any:
    """Return the type of a list's elements or a map's values."""
    return get_args(kind)[0 if get_origin(kind) is tuple else 1]


def content(annotation: Any) -> Any:
    """A type without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return content(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        some = [kind for kind in get_args(annotation) if kind is not type(None)]
        return content(some[0]) if len(some) == 1 else annotation
    return annotation
