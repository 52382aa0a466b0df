"""What holds for the key of anything: it ignores how things are written, and notices what is said."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.identity import Input, Scalar, Subject, canonical, document, identify, key_of
from reconciler.providers.check import PARAMS
from reconciler.spec.values import Number

texts = st.text(max_size=12)
scalars = texts | st.integers(-(10**12), 10**12) | st.booleans()
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-999, max_value=999).map(
    lambda d: Number(f"{d.normalize() + 0:f}" if "." in f"{d.normalize() + 0:f}" else f"{d.normalize() + 0:f}.0")
)
leaves = scalars | st.none() | numbers
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
options = st.dictionaries(texts, values, max_size=4)
params = st.dictionaries(st.sampled_from(PARAMS), scalars, max_size=5)
inputs = st.builds(Input, st.sampled_from(["first_frame", "last_frame"]), st.sampled_from(["url", "asset"]), texts)
subjects = st.builds(
    Subject,
    dialect=st.sampled_from(["draft", "ark"]),
    model=texts,
    mode=st.sampled_from(["text", "frames"]),
    prompt=texts,
    params=params,
    inputs=st.lists(inputs, max_size=3).map(tuple),
    options=options,
    take=st.integers(1, 9),
    retake=st.integers(0, 9),
    defaults=params,
)
quick = settings(deadline=None, max_examples=60)


def key(subject: Subject) -> str:
    return identify(subject)[0]


def backwards(value: object) -> object:
    """The same value, every map in it written the other way round."""
    match value:
        case dict():
            return {name: backwards(item) for name, item in reversed(value.items())}
        case list():
            return [backwards(item) for item in value]
    return value


@quick
@given(subjects)
def test_the_order_of_fields_is_no_difference(subject: Subject) -> None:
    other = replace(subject, params=backwards(dict(subject.params)), options=backwards(dict(subject.options)))  # type: ignore[arg-type]  # maps stay maps
    assert identify(other) == identify(subject)


@quick
@given(subjects, st.sampled_from(PARAMS), scalars)
def test_stating_a_default_changes_nothing(subject: Subject, name: str, default: Scalar) -> None:
    unstated = replace(
        subject,
        params={n: v for n, v in subject.params.items() if n != name},
        defaults={**subject.defaults, name: default},
    )
    assert key(replace(unstated, params={**unstated.params, name: default})) == key(unstated)


@quick
@given(subjects, st.sampled_from(PARAMS), scalars)
def test_stating_anything_else_changes_the_key(subject: Subject, name: str, value: Scalar) -> None:
    changed = replace(subject, params={**subject.params, name: value})
    said = document(subject).get("params", {}).get(name), document(changed).get("params", {}).get(name)  # type: ignore[attr-defined]
    assert (key(changed) == key(subject)) == (canonical(said[0]) == canonical(said[1]))


@quick
@given(subjects, subjects)
def test_two_keys_are_equal_only_when_all_that_is_said_is_equal(one: Subject, other: Subject) -> None:
    for name in ("dialect", "model", "mode", "prompt", "inputs", "options", "take", "retake"):
        changed = replace(one, **{name: getattr(other, name)})
        same = canonical(document(changed)) == canonical(document(one))
        assert (key(changed) == key(one)) == same
        if name != "prompt" and canonical(_plain(getattr(one, name))) != canonical(_plain(getattr(other, name))):
            assert not same


def _plain(value: object) -> object:
    return [item.document() for item in value] if isinstance(value, tuple) else value


@quick
@given(options)
def test_canonical_text_is_json_that_says_the_same(value: dict[str, object]) -> None:
    assert json.loads(canonical(value), parse_float=Number) == json.loads(json.dumps(value))


@quick
@given(values)
def test_canonical_text_is_settled(value: object) -> None:
    text = canonical(value)
    assert canonical(json.loads(text, parse_float=Number)) == text
    assert key_of(text) == key_of(canonical(backwards(value)))


@pytest.mark.parametrize("value", [0.5, {"a": 0.5}, {"a": [Number("0.5"), 0.5]}, float("nan"), [{"b": {"c": 1e3}}]])
def test_a_float_is_refused_wherever_it_hides(value: object) -> None:
    with pytest.raises(ValueError, match="no canonical spelling"):
        canonical(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [(True, 1), (False, 0), (1, "1"), (True, "true"), (Number("0.5"), "0.5"), (None, "null"), ([], {}), ("", None)],
    ids=repr,
)
def test_what_python_or_yaml_may_take_for_equal_is_not(one: object, other: object) -> None:
    base = Subject("draft", "m", "text", "a")
    assert key(replace(base, options={"x": one})) != key(replace(base, options={"x": other}))


@pytest.mark.parametrize(("default", "stated"), [(1, True), (0, False), ("5", 5)])
def test_a_default_of_another_type_is_not_the_default(default: Scalar, stated: Scalar) -> None:
    base = Subject("draft", "m", "text", "a", defaults={"duration": default})
    assert key(replace(base, params={"duration": stated})) != key(base)


def test_a_default_of_no_or_nought_is_a_default() -> None:
    base = Subject("draft", "m", "text", "a", defaults={"audio": False, "seed": 0})
    assert key(replace(base, params={"audio": False, "seed": 0})) == key(base)


def test_the_order_of_inputs_and_of_lists_is_a_difference() -> None:
    one, two = Input("references.images[0]", "url", "https://a.example"), Input("references.images[1]", "asset", "b")
    base = Subject("ark", "m", "references", inputs=(one, two))
    assert key(replace(base, inputs=(two, one))) != key(base)
    assert key(replace(base, options={"x": [1, 2]})) != key(replace(base, options={"x": [2, 1]}))
