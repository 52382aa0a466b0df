"""Between bytes and the dialects' values: request bodies out, hostile answers in.

`json.loads` raises more than its own error (RecursionError, ValueError for huge numbers), lets the last of two equal
names win, and takes lone surrogates that no database will store; all of that means "not JSON" or is made sound here.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.providers.base import Reply
from reconciler.spec.values import Number
from reconciler.transport.redact import Redactor

MOST = 8 * 1024 * 1024
"""Bytes of an API's answer, before and after decompression."""
TEXT = 64 * 1024
"""Characters of an answer that is not JSON that are kept."""

_KEPT = re.compile(r"retry-after|date|content-type|location|.*(request|trace|log)-?id\Z")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE = re.compile(r"[\ud800-\udfff]")


class NotJson(ValueError):
    """The text is not JSON that means one thing only."""


def encode(body: object) -> bytes:
    """JSON as UTF-8; raises ValueError, TypeError or RecursionError for what has no such form."""
    return json.dumps(_numbers(body), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Form:
    """A form with one file in it."""

    name: str
    file_name: str
    content_type: str
    content: bytes = field(repr=False)

    def encoded(self) -> tuple[str, bytes]:
        """Its content type and its bytes. The boundary is a hash of the file, which the file does not hold."""
        boundary = hashlib.sha256(self.content).hexdigest()
        about = f'Content-Disposition: form-data; name="{self.name}"; filename="{self.file_name}"'
        head = f"--{boundary}\r\n{about}\r\nContent-Type: {self.content_type}\r\n\r\n"
        body = head.encode() + self.content + f"\r\n--{boundary}--\r\n".encode()
        return f"multipart/form-data; boundary={boundary}", body


def _numbers(value: object) -> object:
    """`Number`s of the spec as JSON numbers."""
    match value:
        case Number():
            return float(value)
        case dict():
            return {name: _numbers(item) for name, item in value.items()}
        case list() | tuple():
            return [_numbers(item) for item in value]
    return value


def reply(status: int, headers: Mapping[str, str], content: bytes, redactor: Redactor) -> Reply:
    """The answer as dialects read it. Known secrets that a server echoes are taken out before it is parsed."""
    kept = {name: redactor.text(value) for name, value in headers.items() if _KEPT.match(name)}
    try:
        content = _inflate(content, headers.get("content-encoding", ""))
        return Reply(status, parse(redactor.values(content.decode("utf-8-sig"))), kept)
    except (NotJson, UnicodeDecodeError):
        shown = content[: TEXT * 2].decode("utf-8", "replace")  # redacted before it is cut: half a key is one too
        return Reply(status, None, kept, redactor.text(shown)[:TEXT])


def parse(text: str) -> object:
    """A JSON text's value; raises NotJson."""
    try:
        value: object = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
        return _sound(value) if _SURROGATE.search(text) else value
    except (ValueError, RecursionError) as error:
        raise NotJson(type(error).__name__) from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object, unless a name stands twice in it with two values: then nobody knows which one was meant."""
    found = dict(pairs)
    if len(found) < len(pairs) and any(found[name] != value for name, value in pairs):
        raise NotJson("a name stands twice")
    return found


def _refuse(constant: str) -> object:
    raise NotJson(constant)


def _sound(value: object) -> object:
    """The value without lone surrogates."""
    match value:
        case str():
            return _LONE.sub("\N{REPLACEMENT CHARACTER}", value)
        case dict():
            return {_LONE.sub("\N{REPLACEMENT CHARACTER}", name): _sound(item) for name, item in value.items()}
        case list():
            return [_sound(item) for item in value]
    return value


def _inflate(content: bytes, coding: str) -> bytes:
    """We ask for plain bytes; some gateways compress all the same. A bomb goes off no further than `MOST`."""
    match coding.strip().lower():
        case "" | "identity":
            return content
        case "gzip" | "x-gzip" | "deflate":
            try:
                inflater = zlib.decompressobj(47)  # either header
                plain = inflater.decompress(content, MOST)
            except zlib.error as error:
                raise NotJson(str(error)) from error
            if inflater.eof:
                return plain
    raise NotJson(f"content coding {coding}")
