"""The small readers that every dialect trusts."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.providers.base import Reply
from reconciler.providers.phrases import choices
from reconciler.providers.replies import at, integer, life, link, percent, quoted, retry_after, task_id, words

DATE = "Sat, 21 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("8", 8.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("Sat, 21 Nov 2026 09:01:30 GMT", 90.0),
        ("Sat, 21 Nov 2026 08:00:00 GMT", None),
        ("-1", None),
        ("1e309", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Fri, 31 Dec 99999 00:00:00 GMT", None),
    ],
)
def test_a_wait_is_read(header: str, seconds: float | None):
    assert retry_after(Reply(429, headers={"retry-after": header, "date": DATE})) == seconds


def test_a_date_without_the_servers_clock_says_nothing():
    assert retry_after(Reply(429, headers={"retry-after": "Sat, 21 Nov 2026 09:01:30 GMT"})) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), (-1, -1), (5.0, 5), (5.5, None), (True, None), ("5s", None), (10**400, None), ("9" * 30, None)],
)
def test_whole_numbers(value: Any, number: int | None):
    assert integer(value) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [(50, 50), ("50", 50), ("50%", 50), (12.7, 12), (101, None), (-1, None), ("half", None), (float("nan"), None)],
)
def test_progress(value: Any, number: int | None):
    assert percent(value) == number


@pytest.mark.parametrize(("value", "seconds"), [("3600", 3600.0), (60, 60.0), ("0", None), (-5, None), ("x", None)])
def test_the_life_of_a_link(value: Any, seconds: float | None):
    assert life(value) == seconds


@pytest.mark.parametrize("value", ["cgt-2025_a.b:c~", "a60747d7-dc05-4afc-b2ef-ee4370ed53c6", "x" * 256])
def test_ids_that_are_taken(value: str):
    assert task_id(value) == value


@pytest.mark.parametrize("value", ["http://m/v", "https://m/v?sig=%2F&x=1"])
def test_links_that_are_taken(value: str):
    assert link(value) == value


@pytest.mark.parametrize("value", ["videos/v.mp4", "ftp://m/v", "https://", "https://m/a b", "https://m/\n", 5, None])
def test_links_that_are_not(value: Any):
    assert link(value) is None


def test_a_path_that_leads_nowhere_is_nothing():
    assert at({"a": [{"b": 1}]}, "a.0.b") == 1
    for path in ("a.1.b", "a.b", "x", "a.0.b.c", "0"):
        assert at({"a": [{"b": 1}]}, path) is None


def test_words_are_cut_and_escaped():
    assert words("a\x1b[31m\ud800\nb") == "a [31m  b"
    assert len(words("x" * 10_000)) == 501
    assert quoted("\x00") == "' '"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((5, 10), "5 or 10"),
        ((-1, 4, 5, 6), "4 to 6, or -1"),
        (("a",), "a"),
        ((), "none"),
        (("a", "b", "c"), "a, b or c"),
    ],
)
def test_choices_are_spelled(values: Any, text: str):
    assert choices(values) == text


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"retry_after": 8}, 8.0),
        ({"retry_after": "8"}, 8.0),
        ({"error": {"code": "busy", "retry_after": 2.5}}, 2.5),
        ({"data": {"retry_after": "soon"}}, None),
        ({"retry_after": None}, None),
        ({"retry_after": ["8"]}, None),
        (["8"], None),
    ],
)
def test_a_wait_may_stand_in_the_body(body: object, seconds: float | None) -> None:
    assert retry_after(Reply(429, body)) == seconds
    assert retry_after(Reply(429, body, {"retry-after": "3"})) == 3.0
