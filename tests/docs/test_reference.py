"""The reference is whole."""

from __future__ import annotations

from dataclasses import fields

import pytest

from reconciler.providers.base import MediaLimits, Model
from tests.docs.generate import COMMANDS
from tests.docs.pages import DOCS, read


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_its_section_in_the_reference(command: str) -> None:
    assert f"\n## clipform {command}\n" in read(DOCS / "reference/cli.md")


def test_every_field_of_a_model_is_in_the_page_about_settings() -> None:
    page = read(DOCS / "reference/settings.md")
    internal = {"name", "defaults_v1", "stem"}  # `models:` cannot set them
    missing = [field.name for shape in (Model, MediaLimits) for field in fields(shape) if f"`{field.name}`" not in page]
    assert set(missing) <= internal
