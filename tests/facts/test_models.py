"""What a model takes is what the pages say, in the catalogue and in the emulator's refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.providers.base import Mode, Model
from reconciler.providers.registry import dialect
from tests.emulator.kit import Rig
from tests.facts.kit import golden, item, submit

ROWS = [pytest.param(row, id=f"{row['kind']}-{row['model']}") for row in golden("models")]
ARK = [param for param in ROWS if param.values[0]["kind"] == "ark"]  # type: ignore[index,call-overload]

REQUESTS: Mapping[str, list[dict[str, object]]] = {
    "text": [],
    "first_frame": [item("image", "first_frame")],
    "frames": [item("image", "first_frame"), item("image", "last_frame")],
    "references": [item("image", "reference_image")],
}
"""The media of a request for each mode that differs on the wire."""


def catalogue(row: Mapping[str, Any]) -> Model:
    return next(model for model in dialect(row["kind"]).models if model.name == row["model"])


def differences(row: Mapping[str, Any], model: Model) -> dict[str, object]:
    """Return the fields in which a model of the catalogue differs from a row of the page."""
    values: dict[str, object] = {
        "modes": sorted(mode.value for mode in model.modes),
        "durations": list(model.durations),
        "resolutions": list(model.resolutions),
        "ratios": sorted(model.ratios),
        "seed": "none" if model.seed_max is None else model.seed_max,
        "images": model.max_images,
        "videos": model.max_videos,
        "audios": model.max_audios,
        "adaptive_only": sorted(model.adaptive_only),
        "adaptive_never": sorted(model.adaptive_never),
        "flex": model.flex_within is not None,
        "drafts": list(model.draft_finals),
        "draft_tokens": dict(model.draft_tokens),
    }
    return {name: value for name, value in values.items() if name in row and value != expected(row, name)}


def expected(row: Mapping[str, Any], name: str) -> object:
    if name in ("modes", "ratios"):
        return sorted(row[name])
    if name == "durations":
        *free, least, most = row[name]
        return [*free, *range(least, most + 1)]
    return row[name]


def request(row: Mapping[str, Any], **changes: object) -> dict[str, object]:
    """Return a request that the model takes, with changes."""
    mode = next(mode for mode in REQUESTS if mode in row["modes"])
    return {"model": row["model"], "content": content(mode), **changes}


def content(mode: str) -> list[dict[str, object]]:
    return [{"type": "text", "text": "p"}, *REQUESTS[mode]]


@pytest.mark.parametrize("row", ROWS)
def test_the_catalogue_is_the_page(row: Mapping[str, Any]) -> None:
    assert differences(row, catalogue(row)) == {}


@pytest.mark.parametrize("row", ARK)
def test_the_emulator_takes_and_refuses_what_the_page_does(row: Mapping[str, Any], rig: Rig) -> None:
    for name, values in (
        ("duration", range(-1, 32)),
        ("resolution", ("480p", "720p", "1080p", "4k")),
    ):
        if f"{name}s" in row:
            taken = [value for value in values if submit(rig, request(row, **{name: value})) == ""]
            assert taken == expected(row, f"{name}s"), name
    modes = {mode for mode in REQUESTS if submit(rig, {"model": row["model"], "content": content(mode)}) == ""}
    assert modes == set(row["modes"]) & REQUESTS.keys()


@pytest.mark.parametrize("row", ARK)
def test_the_emulator_takes_a_seed_where_the_page_does(row: Mapping[str, Any], rig: Rig) -> None:
    assert (submit(rig, request(row, seed=7)) == "") == (row["seed"] != "none")


@pytest.mark.parametrize("row", ARK)
def test_the_emulator_takes_adaptive_where_the_page_does(row: Mapping[str, Any], rig: Rig) -> None:
    for mode in set(row["modes"]) & REQUESTS.keys():
        body = {"model": row["model"], "content": content(mode)}
        free = submit(rig, {**body, "ratio": "adaptive"}) == ""
        fixed = submit(rig, {**body, "ratio": "16:9"}) == ""
        assert (free, fixed) == (mode not in row.get("adaptive_never", ()), mode not in row.get("adaptive_only", ()))


@pytest.mark.parametrize("row", ROWS)
def test_a_mistake_in_the_catalogue_alone_is_noticed(row: Mapping[str, Any]) -> None:
    """The golden rows are not read from the package, so that each wrong field disagrees with its row."""
    model = catalogue(row)
    mistakes = {
        "modes": replace(model, modes=model.modes ^ {Mode.EDIT}),
        "durations": replace(model, durations=model.durations[:-1]),
        "resolutions": replace(model, resolutions=(*model.resolutions, "2k")),
        "ratios": replace(model, ratios=model.ratios[1:]),
        "seed": replace(model, seed_max=None if model.seed_max else 7),
        "adaptive_only": replace(model, adaptive_only=model.adaptive_only ^ {Mode.FRAMES}),
        "adaptive_never": replace(model, adaptive_never=frozenset(Mode)),
        "videos": replace(model, max_videos=model.max_videos + 1),
    }
    for name, mistaken in mistakes.items():
        assert (name in differences(row, mistaken)) == (name in row), name
