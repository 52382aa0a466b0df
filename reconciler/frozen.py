"""`dataclass` as in the standard library, at a tenth of its price for frozen classes with slots.

A start defines two hundred of them. The library compiles six methods for each, which was half of the time of a plan of
nine clips. Here the methods are shared, and `__init__` is compiled when several objects were made. What the classes do
is the same, also for `fields`, `replace`, `asdict`, pickle and copy; other kinds of dataclasses are the library's own.
Rejected: attrs and msgspec (they take longer to import than they save), and a base class in place of the decorator.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, **options):
        """Make a class a dataclass; see the standard library."""
        slim = options.keys() <= {"frozen", "slots", "kw_only"} and options.get("frozen") and options.get("slots")
        make = _frozen if slim else dataclasses.dataclass
        return make(cls, **options) if cls is not None else lambda cls: make(cls, **options)


@dataclasses.dataclass(frozen=True, slots=True)
class _Sample:
    """Has the parameters that the library notes in each class."""


def _frozen(cls: type, *, frozen: bool, slots: bool, kw_only: bool = False) -> type:
    """Return the class made again, with slots and the shared methods."""
    inherited: dict[str, Field[Any]] = {}
    for base in reversed(cls.__mro__[1:]):
        inherited |= getattr(base, "__dataclass_fields__", {})
    declared = dict(_declared(cls, kw_only))
    fields = inherited | declared
    body = {name: item for name, item in vars(cls).items() if name not in (*declared, "__dict__", "__weakref__")}
    body = {"__init__": _first_init, "__repr__": _repr, "__eq__": _equal} | body
    body |= {
        "__slots__": tuple(name for name in declared if name not in inherited),
        "__match_args__": tuple(name for name, item in fields.items() if not item.kw_only),
        "__dataclass_fields__": fields,
        "__dataclass_params__": vars(_Sample)["__dataclass_params__"],
        "__hash__": body.get("__hash__") or _hash,  # None where the class has its own equality
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__getstate__": _state,
        "__setstate__": _restore,
        "_compared": _getter(name for name, item in fields.items() if item.compare),
    }
    made = type(cls)(cls.__name__, cls.__bases__, body)
    made.__qualname__ = cls.__qualname__
    return made


def _declared(cls: type, kw_only: bool) -> Iterator[tuple[str, Field[Any]]]:
    for name, kind in cls.__annotations__.items():
        if "ClassVar" in str(kind):
            continue
        stated = vars(cls).get(name, MISSING)
        item: Any = stated if isinstance(stated, Field) else dataclasses.field(default=stated)
        item.name, item.type, item._field_type = name, kind, vars(dataclasses)["_FIELD"]
        item.kw_only = kw_only if item.kw_only is MISSING else item.kw_only
        yield name, item


def _getter(names: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function from an object to the values of these fields."""
    match tuple(names):
        case ():
            return staticmethod(lambda _: ())
        case (name,):
            return staticmethod(lambda value: (getattr(value, name),))
        case several:
            return attrgetter(*several)


_FEW = 12
"""So many objects are made for less than a compiled `__init__` costs."""

_made: Counter[type] = Counter()


def _first_init(self: Any, *values: Any, **named: Any) -> None:
    """Set the fields of the first objects of the class that inherits this; then have `__init__` compiled for it."""
    owner: Any = next(cls for cls in type(self).__mro__ if "__init__" in vars(cls))
    _made[owner] += 1
    fields = owner.__dataclass_fields__
    places = [name for name, item in fields.items() if not item.kw_only]
    given = dict(zip(places, values, strict=False)) | named
    required = {name for name, item in fields.items() if item.default is item.default_factory is MISSING}
    is_usual = len(given) == len(values) + len(named) and required <= given.keys() <= fields.keys()
    if _made[owner] > _FEW or not is_usual:
        owner.__init__ = _compiled(owner)  # it also says what is wrong
        owner.__init__(self, *values, **named)
        return
    for name, item in fields.items():
        default = item.default if name in given or item.default_factory is MISSING else item.default_factory()
        object.__setattr__(self, name, given.get(name, default))
    if hasattr(owner, "__post_init__"):
        self.__post_init__()


_MANY = 8
"""From so many fields on, an object is filled while its class is one whose slots can be set: that is twice as fast."""


def _opened(owner: type) -> type:
    """Return a class whose objects have the same layout and can be changed."""
    body = {"__slots__": vars(owner)["__slots__"]}
    return type(owner.__name__, owner.__bases__, body | {n: vars(object)[n] for n in ("__setattr__", "__delattr__")})


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f" {line}" for line in lines)


def _compiled(owner: Any) -> Any:
    """Return an `__init__` with a parameter for each field; the setters of the slots are faster than `setattr`."""
    scope: dict[str, Any] = {"_absent": MISSING}
    parameters: dict[bool, list[str]] = {False: [], True: ["*"]}  # by kw_only
    values = {}
    for name, item in owner.__dataclass_fields__.items():
        scope |= {f"_set_{name}": getattr(owner, name).__set__, f"_given_{name}": item.default}
        optional, values[name] = f"=_given_{name}" if item.default is not MISSING else "", name
        if item.default_factory is not MISSING:
            scope[f"_make_{name}"] = item.default_factory
            optional, values[name] = "=_absent", f"_make_{name}() if {name} is _absent else {name}"
        parameters[item.kw_only].append(f"{name}{optional}")
    lines = [f"_set_{name}(self, {value})" for name, value in values.items()]
    if len(values) >= _MANY:
        scope |= {"_owner": owner, "_open": _opened(owner), "_set_class": vars(object)["__class__"].__set__}
        opened = [f"self.{name} = {value}" for name, value in values.items()]
        opened = ["_set_class(self, _open)", *opened, "self.__class__ = _owner"]
        lines = ["if self.__class__ is _owner:", *_indented(opened), "else:", *_indented(lines)]
    if hasattr(owner, "__post_init__"):
        lines.append("self.__post_init__()")
    named = parameters[True] if len(parameters[True]) > 1 else []
    head = f"def __init__({', '.join(['self', *parameters[False], *named])}):"
    exec("\n ".join([head, *(lines or ["pass"])]), scope)  # noqa: S102  # the text is of names in our own code
    scope["__init__"].__qualname__ = f"{owner.__qualname__}.__init__"
    return scope["__init__"]


def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, item in self.__dataclass_fields__.items() if item.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self is other or self._compared(self) == other._compared(other)


def _hash(self: Any) -> int:
    return hash(self._compared(self))


def _refuse(self: Any, name: str, *_: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot change field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__dataclass_fields__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__dataclass_fields__, state, strict=True):
        object.__setattr__(self, name, value)
