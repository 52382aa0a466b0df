"""Make foreign text safe to print.

A task id, an error text or a prompt comes from a server or a file. Escape sequences, carriage returns, bidi controls
and zero-width characters in it could rewrite what the user sees, so unprintable characters are printed as codes.
"""

from __future__ import annotations

from typing import TextIO

from reconciler.diagnostics import Unwritten

_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}


def safe(text: str, *, lines: bool = False) -> str:
    """Return the text with unprintable characters escaped; line feeds stay if `lines` is set."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or (lines and c == "\n") else _escape(c) for c in text)


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


def fit(text: str, stream: TextIO) -> str:
    """Return the text with characters that the stream's encoding lacks as codes."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def put(text: str, stream: TextIO) -> None:
    """Write and flush. A closed pipe is ignored, so that the work goes on. Raises Unwritten if the output fails in any
    other way, such as a full disk."""
    try:
        stream.write(text)
        stream.flush()
    except (BrokenPipeError, ValueError):
        return
    except OSError as error:
        raise Unwritten(f"cannot write the output: {error.strerror}", code="output") from error
