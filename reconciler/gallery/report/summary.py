"""What `report` says when it is done: a sentence for people, values for programs. Pure."""

from __future__ import annotations

from reconciler.gallery.report.write import INDEX, Done
from reconciler.views import format

_MB = 1_000_000


def text(done: Done, folder: str | None) -> str:
    """A line for each thing that was made; `folder` as the user would write it."""
    lines = []
    if folder is not None:
        notes = [f"{_many(done.drawn, 'picture')} made"] if done.drawn else []
        notes += [f"{_many(done.removed, 'file')} removed that it does not need"] if done.removed else []
        after = f" ({', '.join(notes)})" if notes else ""
        size = f"{done.size / _MB:.2f} MB"
        lines.append(
            f"Wrote {folder}/{INDEX}: {format.clips(done.clips)}, {_many(done.videos, 'video')}, {size}{after}."
        )
    if done.sheets:
        lines.append(f"Wrote {', '.join(done.sheets)}: {format.clips(done.clips)}.")
    if done.since is not None:
        counts = [f"{done.since[word]} {word}" for word in ("changed", "added", "removed") if done.since[word]]
        lines.append(f"Since {done.since['label']}: {', '.join(counts) or 'no clip differs'}.")
    if done.unreadable:
        lines.append(f"{done.unreadable} without a preview: the video does not decode. clipform verify tells more.")
    if done.damaged:
        lines.append(f"{done.damaged} left out: the stored video is damaged. clipform verify tells more.")
    return "\n".join(lines)


def _many(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")


def data(done: Done, folder: str | None) -> dict[str, object]:
    """The members of `report --json` beside its message."""
    return {
        "out": folder,
        "index": None if folder is None else f"{folder}/{INDEX}",
        "clips": done.clips,
        "videos": done.videos,
        "pictures_made": done.drawn,
        "bytes": done.size,
        "removed": done.removed,
        "unreadable": done.unreadable,
        "damaged": done.damaged,
        "sheets": list(done.sheets),
        "since": done.since,
    }
