"""The manual page, `clipform.1`, from the help of the program and of each command."""

from __future__ import annotations

import reconciler
from tests.docs.generate import COMMANDS, help_of


def page() -> str:
    """The page as roff: the whole help, then a section for each command."""
    parts = [f'.TH CLIPFORM 1 "" "clipform {reconciler.__version__}" "User Commands"', ".SH NAME"]
    parts += [r"clipform \- pay once for AI video clips that are declared in YAML", ".SH SYNOPSIS"]
    parts += [".B clipform", r"[\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGUMENTS\fR]", ".SH DESCRIPTION", *_lines(help_of())]
    parts.append(".SH COMMANDS")
    for name in COMMANDS:
        parts += [f".SS clipform {_escaped(name)}", *_lines(help_of(*name.split()))]
    parts += [".SH FILES", ".TP", r".I clipform.yaml", "the project", ".TP", r".I clipform.lock"]
    parts += ["what each clip holds, for git", ".TP", r".I state/", "what was bought; not for git"]
    return "\n".join(parts) + "\n"


def _lines(text: str) -> list[str]:
    """A text as it is, without fill."""
    return [".nf", *(_escaped(line) for line in text.strip().splitlines()), ".fi"]


def _escaped(line: str) -> str:
    text = line.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text[:1] in (".", "'") else text
