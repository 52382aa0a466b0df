"""Every built-in model equals its record in `catalogue_frozen.json`: a change of a catalogue shows in two diffs.

A wrong limit or default costs money. The record spells every field out, so `like:` and defaults cannot hide a change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from provider_cases import with_each_model

from reconciler import providers
from reconciler.providers.base import Billing, Mode, Model, Placement
from reconciler.providers.catalogue import catalogue, entries_of, shipped
from reconciler.providers.registry import BUILT_IN, dialect

PACKAGE = Path(providers.__file__).parent
FROZEN = json.loads((Path(__file__).parent / "catalogue_frozen.json").read_text("utf-8"))


def plain(value: object) -> object:
    """A value as JSON has it; sets are sorted."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    return [plain(item) for item in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("kind", BUILT_IN)
def test_a_catalogue_is_its_record(kind: str) -> None:
    models = dialect(kind).models
    assert isinstance(models, tuple)
    assert [model.name for model in models] == list(FROZEN[kind])
    for model in models:
        record = FROZEN[kind][model.name]
        assert plain(asdict(model)) == record, model.name
        assert json.dumps(plain(asdict(model))) == json.dumps(record), "true is not 1"


@pytest.mark.parametrize("file", sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("*/*.yaml")))
def test_a_shipped_file_reads_the_same_as_a_project_s_models(file: str) -> None:
    models = [replace(model, defaults_v1=None, stem="") for model in catalogue((), entries_of(file))]
    assert models == list(shipped(file))


def test_every_kind_is_on_record() -> None:
    assert sorted(BUILT_IN) == list(FROZEN)


@with_each_model
def test_values_have_the_types_that_the_code_compares(kind: str, model: Model) -> None:
    assert isinstance(model.billing, Billing) and isinstance(model.resolution_in, Placement)
    assert {type(mode) for mode in model.modes} == {Mode}
    sets = (model.modes, model.image_schemes, model.video_schemes, model.audio_schemes, model.required)
    assert {type(value) for value in sets} == {frozenset}
    limits = (model.image_limits, model.video_limits, model.audio_limits)
    rows = (model.durations, model.resolutions, model.ratios, *(limit.formats for limit in limits))
    assert {type(value) for value in rows} == {tuple}
