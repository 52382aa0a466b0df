"""The one function that makes foreign text safe to show.

A task id, an error text or a prompt comes from a server or a file. Escape sequences, carriage returns, bidi controls
and zero-width characters in it could rewrite what the user sees, so everything unprintable is shown as its code.
"""

from __future__ import annotations

from typing import TextIO

from reconciler.diagnostics import Unwritten


def safe(text: str, *, lines: bool = False) -> str:
    """The text with every unprintable character escaped; line feeds stay when `lines` is set."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or (lines and c == "\n") else _escape(c) for c in text)


def _escape(character: str) -> str:
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}
    if character in known:
        return known[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


def fit(text: str, stream: TextIO) -> str:
    """What the stream's encoding cannot carry is shown as its code instead of failing."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def put(text: str, stream: TextIO) -> None:
    """Write at once. A pipe that nobody reads any more is no failure: the work goes on. Raises Unwritten for any other
    output that takes nothing."""
    try:
        stream.write(text)
        stream.flush()
    except (BrokenPipeError, ValueError):
        return
    except OSError as error:
        raise Unwritten(f"the output cannot be written: {error.strerror}", code="output") from error
