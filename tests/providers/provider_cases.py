"""The data of our own kinds: one folder each, written by hand from the vendors' pages (see `reconciler.conform`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.conform import Contract
from reconciler.providers.base import Model
from reconciler.providers.registry import dialect

HERE = Path(__file__).parent
FOLDERS = tuple(sorted(path.parent.name for path in HERE.glob("*/accepted.yaml")))
CONTRACTS = {kind: Contract(kind, HERE / kind) for kind in FOLDERS}


def with_each_model(test: Callable[[str, Model], None]) -> Callable[[str], None]:
    """Have a test of a kind and a model run once for each kind, with all of its models: there are many."""

    @pytest.mark.parametrize("kind", FOLDERS)
    def of_kind(kind: str) -> None:
        for model in dialect(kind).models:
            try:
                test(kind, model)
            except BaseException as error:
                error.add_note(f"with {model.name}")
                raise

    of_kind.__name__, of_kind.__doc__ = test.__name__, test.__doc__
    return of_kind
