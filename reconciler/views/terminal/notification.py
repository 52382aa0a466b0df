"""Notify the user that a long run is over: the bell, and the terminal's own notification where it has one."""

from __future__ import annotations

from collections.abc import Mapping

LONG = 30.0
"""Seconds; after less the user is still looking."""

_BELL = "\a"
_OSC_9 = "\x1b]9;{}\x1b\\"
_OSC_99 = "\x1b]99;;{}\x1b\\"
_OSC_777 = "\x1b]777;notify;clipform;{}\x1b\\"
_BY_PROGRAM = {"iTerm.app": _OSC_9, "WezTerm": _OSC_9, "ghostty": _OSC_9}
_BY_TERM = {"xterm-kitty": _OSC_99, "xterm-ghostty": _OSC_9, "foot": _OSC_777, "rxvt-unicode": _OSC_777}


def notification(text: str, environ: Mapping[str, str]) -> str:
    """Return what makes the terminal of this environment notify the user; at least the bell. `text` is ours, without
    control characters."""
    sequence = _sequence(environ).format(text.replace(";", ","))
    if sequence and environ.get("TMUX"):  # tmux passes on what is wrapped, with every escape doubled
        sequence = "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return _BELL + sequence


def _sequence(environ: Mapping[str, str]) -> str:
    """Return the form of a notification, by what the terminal says about itself; unknown ones might print it."""
    if "KITTY_WINDOW_ID" in environ:
        return _OSC_99
    if program := _BY_PROGRAM.get(environ.get("TERM_PROGRAM", "")):
        return program
    term = environ.get("TERM", "")
    names = (name for name in _BY_TERM if term == name or term.startswith(f"{name}-"))
    return _BY_TERM[name] if (name := next(names, None)) else _OSC_777 if "VTE_VERSION" in environ else ""
