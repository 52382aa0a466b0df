"""JSON Schema for editors and the text of `clipform explain`, both derived from the models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from reconciler.frozen import dataclass
from reconciler.spec.field_types import Leaf, SpecModel
from reconciler.spec.matrix import AXIS
from reconciler.spec.model import ClipDecl, ClipFields, ProjectFile
from reconciler.spec.modules import ModuleFile
from reconciler.spec.problems import nearest
from reconciler.spec.scalars import NAME
from reconciler.spec.shape import content, element

SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_NAMED_MAPS = {"clips": NAME, "cuts": NAME, "keyframes": NAME, "looks": NAME, "providers": NAME}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The documentation of one field. `keys`: the fields of a map with fixed keys; `also`: others of the same name."""

    field: str
    type: str
    note: str
    default: str = ""
    example: str = ""
    keys: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


# JSON Schema ---------------------------------------------------------------------------------


def json_schema() -> dict[str, Any]:
    """Return the schema of the project file and those that it names: these have some of its keys, and a module
    has prices."""
    schema = _cleaned(ProjectFile.model_json_schema())
    schema["properties"]["prices"] = _cleaned(ModuleFile.model_json_schema())["properties"]["prices"]
    schema.pop("required", None)
    for name, pattern in _NAMED_MAPS.items():
        schema["properties"][name]["propertyNames"] = {"pattern": f"^{pattern.pattern}$"}
    matrix = schema["$defs"]["Matrix"]
    matrix["propertyNames"] = {"pattern": f"^{AXIS.pattern}$"}
    return {"$schema": SCHEMA, **schema, "title": "clipform project"}


def _cleaned(schema: Any, names: bool = False) -> Any:
    """Remove pydantic's titles and internal defaults, and allow empty maps and lists.

    `names`: the keys of this map are the user's fields, one of which could be called `title`.
    """
    if isinstance(schema, list):
        return [_cleaned(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    items = schema.items() if names else ((k, v) for k, v in schema.items() if k not in ("title", "default"))
    cleaned = {key: _cleaned(value, names=key in ("properties", "$defs") and not names) for key, value in items}
    options = [option for option in cleaned.get("anyOf", ()) if option != {"type": "null"}]
    if options and not names:
        del cleaned["anyOf"]
        cleaned = {**cleaned, **(options[0] if len(options) == 1 else {"anyOf": options})}
    if not names and cleaned.get("type") in ("object", "array"):
        cleaned["type"] = [cleaned["type"], "null"]
    return cleaned


# explain -------------------------------------------------------------------------------------


def explain(field: str) -> Explanation | None:
    """Return the field of a dotted name (`duration`, `clips.duration`, `providers.prices`) or of its end (`prices`); or
    None."""
    endings = tuple(name for name in all_fields() if name.endswith(f".{field}"))
    for name in (field, *endings):
        for model in (ProjectFile, ClipDecl):
            if info := _find(model, name.split(".")):
                others = tuple(other for other in endings if other != name)
                is_both = model is ProjectFile and name in ClipDecl.model_fields
                return _explanation(name, info, (f"clips.{name}", *others) if is_both else others)
    return None


def maps() -> tuple[str, ...]:
    """Return the dotted name of every map with fields, each sort once; empty for the project file itself."""
    repeated = ("overrides.set",)
    return ("", *(name for name in all_fields() if name not in repeated and _keys(name)))


def fields_of(name: str) -> tuple[Explanation, ...]:
    """Return the fields of a map."""
    keys = _keys(name) if name else tuple(ProjectFile.model_fields)
    keys = tuple(key for key in keys if key not in ClipFields.model_fields) if name == "defaults" else keys
    explained = (explain(f"{name}.{key}" if name else key) for key in keys)
    return tuple(field for field in explained if field)


def _keys(name: str) -> tuple[str, ...]:
    field = explain(name)
    return field.keys if field else ()


def nearest_field(field: str) -> str | None:
    """Return the dotted name that was probably meant."""
    names = dict.fromkeys([*_names(ClipDecl), *_names(ProjectFile)])
    return nearest(field, names)


def all_fields() -> tuple[str, ...]:
    """Return every dotted name in the order of the models, clips' fields without `clips.`."""
    clip_fields = [name for name in _names(ClipDecl) if not name.startswith("overrides.set.")]
    repeated = ("clips.", *(f"defaults.{name}" for name in ClipFields.model_fields))
    others = [name for name in _names(ProjectFile) if not name.startswith(repeated)]
    return tuple(dict.fromkeys([*others, *clip_fields]))


def _find(model: type[BaseModel], steps: list[str]) -> FieldInfo | None:
    holder: type[BaseModel] | None = model
    info: FieldInfo | None = None
    for step in steps:
        if holder is None or step not in holder.model_fields:
            return None
        info = holder.model_fields[step]
        holder = _inside(info.annotation)
    return info


def _inside(annotation: Any) -> type[SpecModel] | None:
    """Return the model of a map, of the maps in a list, or of the values of a map."""
    kind = content(annotation)
    while get_origin(kind) in (tuple, dict):
        kind = content(element(kind))
    return kind if isinstance(kind, type) and issubclass(kind, SpecModel) else None


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        inner = _inside(field.annotation)
        if inner is not None and prefix.count(".") < 3:
            yield from _names(inner, f"{prefix}{name}.")


def _explanation(name: str, field: FieldInfo, also: tuple[str, ...]) -> Explanation:
    inner = _inside(field.annotation)
    return Explanation(
        field=name,
        type=_label(field.annotation, field.metadata),
        note=field.description or "",
        default=_default_label(field),
        example=field.examples[0] if field.examples else "",
        keys=tuple(inner.model_fields) if inner else (),
        also=also,
    )


def _label(annotation: Any, metadata: Iterable[object] = ()) -> str:
    """Return the name of a type for people: `list of media`."""
    metadata = (*metadata, *getattr(annotation, "__metadata__", ()))
    leaf = next((item for item in metadata if isinstance(item, Leaf)), None)
    if leaf:
        return leaf.label
    options = [kind for kind in get_args(annotation) if kind is not type(None)]
    kind = content(annotation)
    if get_origin(kind) in (tuple, dict):
        return f"{'map' if get_origin(kind) is dict else 'list'} of {_label(element(kind))}"
    if isinstance(kind, type) and issubclass(kind, SpecModel):
        return "map"
    return _label(options[0])


def _default_label(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, bool):
        return "yes" if default else "no"
    return str(default) if default and isinstance(default, str | int) else "0" if default == 0 else ""
