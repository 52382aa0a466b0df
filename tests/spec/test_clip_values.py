"""What clips have in common is validated once, and the fields of each are what the model alone would give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.spec.clip_values import ClipValues
from reconciler.spec.memo import exactly
from reconciler.spec.model import ClipFields
from reconciler.spec.scalars import Bare
from reconciler.spec.values import ClipMedia, Frame

WORDS = ("", " ", "yes", "1", "-1", "0", "010", "5s", "720p", "16:9", "a lamp ", "cafe\u0301", "a.png", "x" * 3000)
SCALARS = st.one_of(st.sampled_from(WORDS), st.sampled_from(WORDS).map(Bare))
FRAMES = st.sampled_from((ClipMedia("a", Frame.LAST), ClipMedia("b", Frame.LAST)))
MAPS = st.dictionaries(
    st.sampled_from(("images", "1", "2", "cfg")), SCALARS | st.lists(SCALARS, max_size=2), max_size=2
)
VALUES = st.one_of(SCALARS, FRAMES, st.lists(SCALARS, max_size=2), MAPS)
USUAL = {
    "prompt": st.sampled_from(("a lamp", Bare("mist"))),
    "seed": st.sampled_from(("-1", "7")).map(Bare),
    "output": st.sampled_from(("a.mp4", "b.mp4")),
    "duration": st.sampled_from(("4", "5")),
    "options": st.dictionaries(st.just("cfg"), SCALARS, max_size=1),
    "tags": st.lists(st.sampled_from(("a", Bare("b"))), max_size=2),
}
"""Fields that are seldom wrong, so that many clips are alike."""
CLIPS = st.one_of(
    st.fixed_dictionaries({}, optional=USUAL),
    st.dictionaries(st.sampled_from((*ClipFields.model_fields, "promt")), VALUES, max_size=4),
)


@given(st.lists(CLIPS, max_size=12))
def test_the_fields_are_those_of_the_model(clips: list[dict[str, object]]) -> None:
    values = ClipValues()
    for raw in (*clips, *clips):
        try:
            expected: ClipFields | None = ClipFields.model_validate(raw)
        except ValidationError:
            expected = None
        assert exactly(values.read(raw), expected)


def test_a_quoted_word_is_no_bare_one() -> None:
    values = ClipValues()
    read = [values.read({"options": {"cfg": kind("true")}, "tags": kind("")}) for kind in (Bare, Bare)]
    assert [spec.options for spec in read if spec] == [{"cfg": True}] * 2
    assert values.read({"options": {"cfg": "true"}, "tags": Bare("")}) == ClipFields(options={"cfg": "true"})
    assert values.read({"options": {"cfg": "true"}, "tags": ""}) is None


def test_what_is_remembered_is_bounded() -> None:
    values = ClipValues()
    for number in range(1, 1000):
        values.read({"tags": [str(number)]})
    assert len(vars(values)["_valid"]) <= 100
