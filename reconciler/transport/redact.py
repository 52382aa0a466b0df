"""The one place that takes secrets out of text: by the values we know, and by what secrets look like."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MARK = "[redacted]"
SHORTEST = 6
"""Shorter values are not looked for: they would be found in any text, and keep nobody out anyway."""

_NAMES = r"api[-_]?key|access[-_]?token|secret[-_]?key|authorization|signature|password|token|secret|credential"
_PATTERNS = (
    # Userinfo and query of any URL: a presigned link is a key to what it names.
    (re.compile(r"(\bhttps?://)[^\s/@\"'<>]{1,512}@"), rf"\1{MARK}@"),
    (re.compile(r"(\bhttps?://[^\s?\"'<>]{1,4096})\?[^\s\"'<>]*"), rf"\1?{MARK}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{4,}"), rf"\1 {MARK}"),
    (
        re.compile(rf"(?i)\b((?:x-[a-z]{{2,8}}-)?(?:{_NAMES}))(\\?[\"']?\s*[:=]\s*\\?[\"']?)(?!\[)[^\s\"',}}&\\]+"),
        rf"\1\2{MARK}",
    ),
)


class Redactor:
    """Knows the secrets of one provider. It has no repr of its own, and nothing here shows a value."""

    __slots__ = ("_forms", "_known")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._known: re.Pattern[str] | None = None
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Take note of one more secret, such as a token that was just fetched."""
        if len(secret) >= SHORTEST and secret not in self._forms:
            self._forms |= _forms(secret)
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._known = re.compile("|".join(map(re.escape, longest_first)))

    def values(self, text: str) -> str:
        """Text without the known secrets; what merely looks like one stays. Keeps JSON well-formed."""
        return self._known.sub(MARK, text) if self._known else text

    def text(self, text: str) -> str:
        """Text fit for messages, records and logs."""
        text = self.values(text)
        for pattern, mark in _PATTERNS:
            text = pattern.sub(mark, text)
        return text


def _forms(secret: str) -> set[str]:
    """The ways in which a secret is written: plain, in JSON, in a URL, in Base64."""
    plain = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    plain |= {form.replace("/", "\\/") for form in plain}
    found = plain | {quote(secret, safe=""), quote(secret), quote_plus(secret)} | set(_base64(secret.encode()))
    return {form for form in found if len(form) >= SHORTEST}


def _base64(secret: bytes) -> Iterable[str]:
    """The part of a Base64 text that only the secret decides, for each of its three places in a group of bytes."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + secret).decode().rstrip("=")
        first = -(-before * 8 // 6)  # characters that the bytes before have a share in
        last = (before + len(secret)) * 8 // 6  # the character after these has bits of what follows
        core = coded[first:last]
        yield from (core, core.replace("+", "-").replace("/", "_"))
