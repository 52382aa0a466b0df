"""Removes secrets from text: known values, and anything that looks like one. The only such place."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MARK = "[redacted]"
SHORTEST = 6
"""Shorter values are ignored: they occur in any text, and protect nothing."""

_NAMES = r"api[-_]?key|access[-_]?token|secret[-_]?key|authorization|signature|password|token|secret|credential"
_PATTERNS = (
    # Userinfo and query of any URL: a presigned link gives access by itself.
    (re.compile(r"(\bhttps?://)[^\s/@\"'<>]{1,512}@"), rf"\1{MARK}@"),
    # An address inside an address starts a match of its own, so that no character is read again for each.
    (re.compile(r"(\bhttps?://(?:(?!https?://)[^\s?\"'<>]){1,4096})\?[^\s\"'<>]*"), rf"\1?{MARK}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{4,}"), rf"\1 {MARK}"),
    (
        re.compile(rf"(?i)\b((?:x-[a-z]{{2,8}}-)?(?:{_NAMES}))(\\?[\"']?\s*[:=]\s*\\?[\"']?)(?!\[)[^\s\"',}}&\\]+"),
        rf"\1\2{MARK}",
    ),
)


class Redactor:
    """Knows the secrets of one provider. It has no repr of its own, and no method returns a value."""

    __slots__ = ("_forms", "_pattern")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Add one more secret, such as a token that was just fetched."""
        if len(secret) >= SHORTEST and secret not in self._forms:
            self._forms |= _forms(secret)
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)

    def values(self, text: str) -> str:
        """Return text without the known secrets; text that merely looks like one stays. Keeps JSON valid."""
        return self._pattern.sub(MARK, text) if self._pattern else text

    def text(self, text: str) -> str:
        """Return text that is safe for messages, records and logs."""
        text = self.values(text)
        for pattern, mark in _PATTERNS:
            text = pattern.sub(mark, text)
        return text


def _forms(secret: str) -> set[str]:
    """Return the encodings of a secret: plain, in JSON, in a URL once or twice, in HTML, in hex, in Base64."""
    plain = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    plain |= {form.replace("/", "\\/") for form in plain}
    urls = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    forms = plain | urls | {quote(url, safe="") for url in urls} | set(_base64(secret.encode()))
    forms |= {html.escape(secret), html.escape(secret).replace("&#x27;", "&#39;"), secret.encode().hex()}
    forms |= {"".join(spelling % ord(char) for char in secret) for spelling in ("&#%d;", "&#x%x;", "%%%02x")}
    return {form for form in forms if len(form) >= SHORTEST}


def _base64(secret: bytes) -> Iterable[str]:
    """Yield the part of a Base64 text that only the secret determines, for each of its three offsets."""
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + secret).decode().rstrip("=")
        first = -(-offset * 8 // 6)  # characters that depend on preceding bytes
        last = (offset + len(secret)) * 8 // 6  # the next character depends on following bytes
        core = coded[first:last]
        yield from (core, core.replace("+", "-").replace("/", "_"))
