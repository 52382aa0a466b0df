"""Whether this installation can make what the draft renderer makes."""

from __future__ import annotations

from reconciler.diagnostics import MediaError


def missing_codecs() -> tuple[str, ...]:
    """The encoders and filters that are needed and not there."""
    try:
        import av
    except ImportError as error:
        return (f"PyAV ({error})",)
    return tuple(name for name in ("libx264", "aac") if name not in av.codecs_available)


def missing_glyphs() -> tuple[str, ...]:
    """Characters that captions need and the bundled font does not draw."""
    from reconciler.media.draft.type import printable

    try:
        return tuple(character for character in "Aé中文—" if printable(character) != character)
    except MediaError as error:
        return (error.message,)
