"""Our `dataclass` makes what the standard library's makes."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any, ClassVar, Generic, TypeVar

import pytest

import reconciler
from reconciler import frozen
from reconciler.diagnostics import Source

T = TypeVar("T")


def slim_classes() -> Iterator[type]:
    """Every class of the package that is made by ours."""
    for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if not module.name.endswith("__main__"):
            for item in vars(import_module(module.name)).values():
                if isinstance(item, type) and item.__module__ == module.name and "_compared" in vars(item):
                    yield item


def twin(cls: Any) -> Any:
    """The class as the standard library makes it from the same fields."""
    again = [
        (f.name, f.type, dataclasses.field(default=f.default, default_factory=f.default_factory, repr=f.repr,
                                           compare=f.compare, kw_only=f.kw_only))
        for f in dataclasses.fields(cls)
    ]  # fmt: skip
    return dataclasses.make_dataclass(cls.__name__, again, frozen=True, slots=True)


def test_each_class_of_the_package_is_like_its_twin() -> None:
    for cls in slim_classes():
        try:
            require_alike(cls, twin(cls))
        except BaseException as error:
            error.add_note(f"{cls.__module__}.{cls.__qualname__}")
            raise


def require_alike(cls: Any, other: Any) -> None:
    assert cls.__match_args__ == other.__match_args__
    own_init = "__init__" in vars(cls) and inspect.getmodule(vars(cls)["__init__"]) is inspect.getmodule(cls)
    if own_init or hasattr(cls, "__post_init__"):
        return
    parameters = [(p.name, p.kind, p.default) for p in inspect.signature(frozen._compiled(cls)).parameters.values()]
    expected = [(p.name, p.kind, p.default) for p in inspect.signature(other.__init__).parameters.values()]
    assert [p[:2] for p in parameters] == [p[:2] for p in expected]
    assert [p[2] is p[0] for p in parameters] == [p[2] is p[0] for p in expected]
    values = {f.name: f"value of {f.name}" for f in dataclasses.fields(cls)}
    ours, theirs = cls(**values), other(**values)
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs) == values
    if vars(cls)["__repr__"] is frozen._repr:
        assert repr(ours).partition("(")[2] == repr(theirs).partition("(")[2]
    if vars(cls)["__hash__"] is frozen._hash:
        assert hash(ours) == hash(theirs)
    if vars(cls)["__eq__"] is frozen._equal:
        assert ours == cls(**values) and ours != theirs
        for f in dataclasses.fields(cls):
            assert (ours == dataclasses.replace(ours, **{f.name: "another"})) is not f.compare


def pair(make: Any) -> Any:
    """Classes made by one of the two decorators."""

    @make(frozen=True, slots=True)
    class Base:
        name: str
        notes: list[str] = dataclasses.field(default_factory=list, compare=False)

    @make(frozen=True, slots=True)
    class Derived(Base):
        kind: ClassVar[str] = "derived"
        size: int = 3
        secret: str = dataclasses.field(default="s", repr=False)

        def __post_init__(self) -> None:
            if self.size < 0:
                raise ValueError("too small")

    @make(frozen=True, slots=True, kw_only=True)
    class Named(Generic[T]):
        value: T
        own: int = 1

        def __eq__(self, other: object) -> bool:
            return True

        def __repr__(self) -> str:
            return "mine"

    return Base, Derived, Named


@pytest.mark.parametrize("make", [dataclasses.dataclass, frozen.dataclass])
def test_both_decorators_keep_the_same_promises(make: Any) -> None:
    base, derived, named = pair(make)
    one = derived("a", size=2)
    assert (one.name, one.notes, one.size, one.kind) == ("a", [], 2, "derived")
    assert derived("a").notes is not derived("a").notes
    assert repr(one) == "pair.<locals>.Derived(name='a', notes=[], size=2)"
    assert one == derived("a", ["x"], 2) and hash(one) == hash(derived("a", ["x"], 2))
    assert one != derived("b", size=2) and one != base("a") and base("a") != one
    assert one.__eq__(7) is NotImplemented
    assert dataclasses.replace(one, size=5) == derived("a", size=5)
    assert [f.name for f in dataclasses.fields(one)] == ["name", "notes", "size", "secret"]
    assert copy.copy(one) == copy.deepcopy(one) == one and copy.deepcopy(derived("a", ["x"])).notes == ["x"]
    assert derived.__match_args__ == ("name", "notes", "size", "secret") and named.__match_args__ == ()
    assert named(value=1) == named(value=2) and repr(named(value=1)) == "mine"
    assert hash(named(value=1)) == hash((1, 1))
    for wrong in (lambda: derived(), lambda: derived("a", color=1), lambda: named(1)):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(ValueError, match="too small"):
        derived("a", size=-1)
    for change in (lambda: setattr(one, "size", 4), lambda: delattr(one, "size")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            change()
    with pytest.raises((AttributeError, TypeError)):
        one.color = 1
    assert not hasattr(one, "__dict__") and dataclasses.is_dataclass(derived)


def test_a_value_can_be_pickled() -> None:
    value = Source("clips/a.yaml", 3, 5)
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301


def test_a_class_is_compiled_after_a_few_objects_and_makes_the_same() -> None:
    _, derived, named = pair(frozen.dataclass)
    ways = [((), {"name": "a"}), (("a",), {"size": 4}), (("a", ["b"], 5, "c"), {}), (("a",), {"secret": "d"})]
    first = [derived(*values, **words) for values, words in ways] + [named(value=1)]
    assert vars(derived)["__init__"] is vars(named)["__init__"] is frozen._first_init
    assert first[0].notes is not first[1].notes
    for _ in range(frozen._FEW):
        later = [derived(*values, **words) for values, words in ways] + [named(value=1)]
        assert [*map(dataclasses.astuple, later)] == [*map(dataclasses.astuple, first)]
    assert frozen._first_init not in (vars(derived)["__init__"], vars(named)["__init__"])


def test_a_large_object_is_one_of_its_class_that_cannot_be_changed() -> None:
    names = [f"field{number}" for number in range(frozen._MANY)]
    large: Any = frozen.dataclass(
        type("Large", (), {"__annotations__": dict.fromkeys(names, "int")}), frozen=True, slots=True
    )
    derived = type("Derived", (large,), {})
    for cls in (large, derived) * frozen._FEW:  # by its own way, and compiled
        one = cls(*range(len(names)))
        assert type(one) is cls and [getattr(one, name) for name in names] == [*range(len(names))]
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.field0 = 7
