"""Checks that this installation can render drafts."""

from __future__ import annotations

from reconciler.diagnostics import MediaError


def missing_codecs() -> tuple[str, ...]:
    """Return the missing encoders."""
    try:
        import av
    except ImportError as error:
        return (f"PyAV ({error})",)
    return tuple(name for name in ("libx264", "aac") if name not in av.codecs_available)


def missing_glyphs() -> tuple[str, ...]:
    """Return the characters that captions need and the bundled font lacks."""
    from reconciler.media.draft.type import printable

    try:
        return tuple(character for character in "Aé中文—" if printable(character) != character)
    except MediaError as error:
        return (error.message,)
