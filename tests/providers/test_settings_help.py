"""Every setting of every kind is documented where the user looks for it."""

from __future__ import annotations

import pytest

from reconciler.providers.registry import BUILT_IN
from reconciler.providers.settings_help import settings_of


@pytest.mark.parametrize("kind", [kind for kind in BUILT_IN if kind != "draft"])
def test_every_setting_of_a_kind_has_words(kind: str) -> None:
    settings = settings_of(kind)
    assert {"submit_path", "poll_path", "auth_header", "models"} <= {setting.name for setting in settings}
    assert [setting.name for setting in settings if not setting.note] == []


def test_the_local_kind_has_none() -> None:
    assert settings_of("draft") == ()
