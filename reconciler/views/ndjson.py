"""The JSON view: one document, or JSON Lines during a run. JSON escapes unsafe characters itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TextIO

from reconciler.diagnostics import ClipformError, Diagnostic, Finding, Unwritten
from reconciler.events import Event, EventKind, Summary
from reconciler.plan.model import Plan
from reconciler.plan.prices import DatedPrice
from reconciler.providers.search import Line
from reconciler.views import catalogue, encode, prices
from reconciler.views.base import HistoryRow, Section, StatusRow
from reconciler.views.terminal.sanitize import put

_Document = Mapping[str, object]
_text = json.JSONEncoder(ensure_ascii=True).encode


class JsonView:
    """Writes everything to one stream in ASCII, which every console encoding has."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def _write(self, document: _Document) -> None:
        """Write a document as one line. What an iterator yields is encoded one by one: of ten thousand steps, the texts
        take a third of the memory."""
        members = (
            f"{_text(name)}: [{', '.join(map(_text, value))}]"
            if isinstance(value, Iterator)
            else f"{_text(name)}: {_text(value)}"
            for name, value in document.items()
        )
        put(f"{{{', '.join(members)}}}\n", self.out)

    def _versioned(self, **members: object) -> None:
        self._write({"format_version": encode.FORMAT_VERSION, **members})

    def diagnostics(self, items: Sequence[Diagnostic]) -> None:
        """Write them as one line; commands with a document of their own include them there."""
        self._versioned(event="diagnostics", diagnostics=[encode.diagnostic(d) for d in items])

    def error(self, error: ClipformError) -> None:
        """Write the error as the document."""
        with suppress(Unwritten):
            self._write(encode.error(error))

    def valid(self, clips: int, takes: int, files: int, warnings: Sequence[Diagnostic]) -> None:
        """Write the document of `validate --json`."""
        found = [encode.diagnostic(d) for d in warnings]
        self._versioned(valid=True, clips=clips, takes=takes, files=files, diagnostics=found)

    def plan(self, plan: Plan) -> None:
        """Write the document of `plan --json`."""
        self._write(encode.plan(plan))

    def emit(self, event: Event) -> None:
        """Write one line. A failed output does not stop the run."""
        if event.kind is not EventKind.ENDED:
            with suppress(Unwritten):
                self._write(encode.event(event))

    def summary(self, summary: Summary) -> None:
        """Write the last line of `apply --json`."""
        with suppress(Unwritten):
            self._write(encode.summary(summary))

    def status(self, rows: Sequence[StatusRow], warnings: Sequence[Diagnostic] = ()) -> None:
        """Write the document of `status --json`."""
        self._versioned(clips=map(encode.status, rows), **_warned(warnings))

    def follow(self, rows: Sequence[StatusRow], warnings: Sequence[Diagnostic] = (), *, keys: bool) -> None:
        """Write one `status` document as a line for each change."""
        self.status(rows, warnings)

    def story(self, rows: Sequence[HistoryRow]) -> None:
        """Write a line for each row."""
        self.history(rows)

    def history(self, rows: Sequence[HistoryRow]) -> None:
        """Write a line for each event."""
        for row in rows:
            self._versioned(**asdict(row))

    def show(self, sections: Sequence[Section], data: _Document, warnings: Sequence[Diagnostic] = ()) -> None:
        """Write the data; sections are for people."""
        self._versioned(**data, **_warned(warnings))

    can_draw = False

    def pictures(self, posters: Sequence[tuple[str, Path]]) -> None:
        """Do nothing: JSON has no pictures."""

    def models(self, lines: Sequence[Line]) -> None:
        """Write all models as one document."""
        self._versioned(models=[catalogue.data(line) for line in lines])

    def prices(self, rows: Sequence[DatedPrice], day: date) -> None:
        """Write all rows as one document."""
        self._versioned(prices=[prices.data(row, day) for row in rows])

    def checks(self, items: Sequence[Finding]) -> None:
        """Write all findings as one document."""
        self._versioned(ok=all(item.ok for item in items), checks=[asdict(item) for item in items])

    def text(self, text: str) -> None:
        """Write a JSON document unchanged, other text as a member."""
        try:
            json.loads(text)
        except ValueError:
            self._versioned(text=text)
        else:
            put(text, self.out)

    def note(self, message: str, data: _Document | None = None) -> None:
        """Write the result of a command."""
        self._versioned(message=message, **(data or {}))

    def close(self) -> None:
        """Do nothing: JSON has no display."""


def _warned(warnings: Sequence[Diagnostic]) -> dict[str, object]:
    return {"diagnostics": [encode.diagnostic(warning) for warning in warnings]} if warnings else {}
