"""What prompts share at their start: a table of projects."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.project.leads import leads

LOOK = "Product film, soft daylight, 35 mm. "
ZH = "产品影片，柔和的日光，三十五毫米胶片质感。"


@pytest.mark.parametrize(
    ("prompts", "shared"),
    [
        ({"a": LOOK + "A lamp", "b": LOOK + "A lake at night"}, [LOOK, LOOK]),
        ({"a": LOOK + "A lamp", "b": "Mist", "c": LOOK + "A lake"}, [LOOK, "", LOOK]),
        ({"a": ZH + "一盏灯", "b": ZH + "一座山"}, [ZH, ZH]),
        ({"a": LOOK + "A lamp"}, [""]),
        ({"a": LOOK, "b": LOOK + "A lamp"}, ["", LOOK]),  # never a whole prompt
        ({"a": "A lamp, lit", "b": "A lamp, dark"}, ["", ""]),  # too short to be a look
        ({"a": "The Aurora lamp on a table", "b": "The Aurora lamp on a shelf"}, ["", ""]),  # no break
        ({"a[lang=en]": LOOK + "en", "a[lang=zh]": LOOK + "zh"}, ["", ""]),  # one declaration
        ({"a[lang=en]": LOOK + "en", "a[lang=zh]": LOOK + "zh", "b": LOOK + "A lake"}, [LOOK, LOOK, LOOK]),
    ],
)
def test_a_lead_is_what_another_declaration_begins_with(prompts: dict[str, str], shared: list[str]) -> None:
    clips: list[Any] = [
        SimpleNamespace(name=name, declared=name.partition("[")[0], spec=SimpleNamespace(prompt=prompt))
        for name, prompt in prompts.items()
    ]
    found = leads(clips)
    assert [prompts[name][: found[name]] for name in prompts] == shared
