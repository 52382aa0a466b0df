"""The result of `report`: lines for people, values for programs. Pure."""

from __future__ import annotations

from dataclasses import asdict

from reconciler.gallery.report.write import INDEX, ReportResult
from reconciler.next_command import command
from reconciler.views import format

_MB = 1_000_000


def text(result: ReportResult, folder: str | None) -> str:
    """Return a line for each thing that was written; `folder` is the path as the user would write it."""
    lines = []
    if folder is not None:
        notes = [f"{_many(result.drawn, 'picture')} made"] if result.drawn else []
        notes += [f"{_many(result.removed, 'file')} removed that it no longer needs"] if result.removed else []
        suffix = f" ({', '.join(notes)})" if notes else ""
        size = f"{result.size / _MB:.2f} MB"
        lines.append(
            f"Wrote {folder}/{INDEX}: {format.clips(result.clips)}, {_many(result.videos, 'video')}, {size}{suffix}."
        )
    if result.sheets:
        lines.append(f"Wrote {', '.join(result.sheets)}: {format.clips(result.clips)}.")
    if result.since is not None:
        since = result.since
        groups = ("changed", "renamed", "added", "removed")
        counts = [f"{count} {group}" for group in groups if (count := getattr(since, group))]
        lines.append(f"Since {since.label}: {', '.join(counts) or 'no clip differs'}.")
    if result.unreadable:
        lines.append(
            f"{result.unreadable} without a preview: the video does not decode. For details run: {command('verify')}"
        )
    if result.damaged:
        lines.append(f"{result.damaged} left out: the stored video is damaged. For details run: {command('verify')}")
    return "\n".join(lines)


def _many(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")


def data(result: ReportResult, folder: str | None) -> dict[str, object]:
    """Return the members of `report --json` beside its message."""
    return {
        "out": folder,
        "index": None if folder is None else f"{folder}/{INDEX}",
        "clips": result.clips,
        "videos": result.videos,
        "pictures_made": result.drawn,
        "bytes": result.size,
        "removed": result.removed,
        "unreadable": result.unreadable,
        "damaged": result.damaged,
        "sheets": list(result.sheets),
        "since": asdict(result.since) if result.since else None,
    }
