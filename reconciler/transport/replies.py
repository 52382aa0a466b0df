"""Converts between bytes and the dialects' values: request bodies, and answers that may be hostile.

`json.loads` raises more than its own error (RecursionError, ValueError for huge numbers), lets the last of two equal
names win, and accepts lone surrogates that no database stores. Here all of that is "not JSON" or is replaced.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import field

from reconciler.frozen import dataclass
from reconciler.providers.base import Reply
from reconciler.spec.values import Number
from reconciler.transport.redact import Redactor

MOST = 8 * 1024 * 1024
"""Bytes of an API's answer, before and after decompression."""
TEXT = 64 * 1024
"""Characters that are kept of an answer that is not JSON."""

_KEPT_HEADERS = re.compile(r"retry-after|date|content-type|location|.*(request|trace|log)-?id\Z|x-fal-.*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE = re.compile(r"[\ud800-\udfff]")


class NotJson(ValueError):
    """The text is not unambiguous JSON."""


def encode(body: object) -> bytes:
    """Return JSON as UTF-8. Raises ValueError, TypeError or RecursionError for a value that JSON cannot express."""
    return json.dumps(_numbers(body), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart form with one file."""

    name: str
    file_name: str
    content_type: str
    content: bytes = field(repr=False)

    def encoded(self) -> tuple[str, bytes]:
        """Return the content type and the bytes. The boundary is a hash of the file, so the file cannot hold it."""
        boundary = hashlib.sha256(self.content).hexdigest()
        about = f'Content-Disposition: form-data; name="{self.name}"; filename="{self.file_name}"'
        head = f"--{boundary}\r\n{about}\r\nContent-Type: {self.content_type}\r\n\r\n"
        body = head.encode() + self.content + f"\r\n--{boundary}--\r\n".encode()
        return f"multipart/form-data; boundary={boundary}", body


def _numbers(value: object) -> object:
    match value:
        case Number():
            return float(value)
        case dict():
            return {name: _numbers(item) for name, item in value.items()}
        case list() | tuple():
            return [_numbers(item) for item in value]
    return value


def reply(status: int, headers: Mapping[str, str], content: bytes, redactor: Redactor) -> Reply:
    """Return an answer for the dialects. Known secrets that a server echoes are removed before parsing."""
    kept_headers = {name: redactor.text(value) for name, value in headers.items() if _KEPT_HEADERS.match(name)}
    try:
        content = _inflate(content, headers.get("content-encoding", ""))
        return Reply(status, parse(redactor.values(content.decode("utf-8-sig"))), kept_headers)
    except (NotJson, UnicodeDecodeError):
        excerpt = content[: TEXT * 2].decode("utf-8", "replace")
        # Redacted before it is cut: half a key is a secret too.
        return Reply(status, None, kept_headers, redactor.text(excerpt)[:TEXT])


def parse(text: str) -> object:
    """Return the value of a JSON text; raises NotJson."""
    try:
        value: object = json.loads(text, object_pairs_hook=_unique_names, parse_constant=_refuse_constant)
        return _without_surrogates(value) if _SURROGATE.search(text) else value
    except (ValueError, RecursionError) as error:
        raise NotJson(type(error).__name__) from error


def _unique_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object; raises NotJson if a name occurs twice with different values."""
    members = dict(pairs)
    if len(members) < len(pairs) and any(members[name] != value for name, value in pairs):
        raise NotJson("duplicate name")
    return members


def _refuse_constant(constant: str) -> object:
    raise NotJson(constant)


def _without_surrogates(value: object) -> object:
    match value:
        case str():
            return _LONE.sub("\N{REPLACEMENT CHARACTER}", value)
        case dict():
            return {_without_surrogates(name): _without_surrogates(item) for name, item in value.items()}
        case list():
            return [_without_surrogates(item) for item in value]
    return value


def _inflate(content: bytes, coding: str) -> bytes:
    """Return the decoded content. We ask for plain bytes; some gateways compress anyway. At most `MOST` bytes."""
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
