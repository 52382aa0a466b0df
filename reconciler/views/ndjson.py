"""The machine's view: one JSON document, or JSON Lines while working. JSON escapes what is not safe by nature."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TextIO

from reconciler.diagnostics import ClipformError, Diagnostic, Unwritten
from reconciler.events import Event, EventKind, Summary
from reconciler.plan.model import Plan
from reconciler.project.finding import Finding
from reconciler.providers.search import Line
from reconciler.views import catalogue, encode
from reconciler.views.base import HistoryRow, Section, StatusRow
from reconciler.views.terminal.sanitize import put

_Document = Mapping[str, object]


class JsonView:
    """Everything on one stream; ASCII only, so that no console encoding can fail on it."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def _write(self, document: _Document) -> None:
        put(json.dumps(document, ensure_ascii=True) + "\n", self.out)

    def _versioned(self, **members: object) -> None:
        self._write({"format_version": encode.FORMAT_VERSION, **members})

    def diagnostics(self, items: Sequence[Diagnostic]) -> None:
        """One line a run; commands with a document of their own carry them there instead."""
        self._versioned(event="diagnostics", diagnostics=[encode.diagnostic(d) for d in items])

    def error(self, error: ClipformError) -> None:
        """The error as the document."""
        with suppress(Unwritten):
            self._write(encode.error(error))

    def valid(self, clips: int, files: int, warnings: Sequence[Diagnostic]) -> None:
        """The document of `validate --json`."""
        found = [encode.diagnostic(d) for d in warnings]
        self._versioned(valid=True, clips=clips, files=files, diagnostics=found)

    def plan(self, plan: Plan) -> None:
        """The document of `plan --json`."""
        self._write(encode.plan(plan))

    def emit(self, event: Event) -> None:
        """One line. The work goes on, whether it can be told or not."""
        if event.kind is not EventKind.ENDED:
            with suppress(Unwritten):
                self._write(encode.event(event))

    def summary(self, summary: Summary) -> None:
        """The last line of `apply --json`."""
        with suppress(Unwritten):
            self._write(encode.summary(summary))

    def status(self, rows: Sequence[StatusRow]) -> None:
        """The document of `status --json`."""
        self._versioned(clips=[encode.status(row) for row in rows])

    def follow(self, rows: Sequence[StatusRow], *, keys: bool) -> None:
        """One document of `status` for each change, a line each."""
        self.status(rows)

    def history(self, rows: Sequence[HistoryRow]) -> None:
        """One line an event."""
        for row in rows:
            self._versioned(**asdict(row))

    def show(self, sections: Sequence[Section], data: _Document) -> None:
        """The data alone: sections are for people."""
        self._versioned(**data)

    def models(self, lines: Sequence[Line]) -> None:
        """All of them in one document."""
        self._versioned(models=[catalogue.data(line) for line in lines])

    def checks(self, items: Sequence[Finding]) -> None:
        """All findings in one document."""
        self._versioned(ok=all(item.ok for item in items), checks=[asdict(item) for item in items])

    def text(self, text: str) -> None:
        """A document that is already JSON goes out as it is; other text is wrapped."""
        try:
            json.loads(text)
        except ValueError:
            self._versioned(text=text)
        else:
            put(text, self.out)

    def note(self, message: str, data: _Document | None = None) -> None:
        """What a small command did."""
        self._versioned(message=message, **(data or {}))

    def close(self) -> None:
        """Nothing to put back."""
