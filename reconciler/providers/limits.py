"""Check facts about input files against the limits of a model (`base.MediaLimits`), before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from reconciler.diagnostics import Diagnostic, Severity, Source
from reconciler.frozen import dataclass
from reconciler.providers.base import MediaLimits
from reconciler.providers.phrases import choices

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """The facts that a probe read from one file; None if it does not apply or could not be read."""

    format: str = ""  # jpeg, png, …; mp4, mov; wav, mp3
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    fps: float | None = None


def check_media(
    name: str, facts: MediaFacts, limits: MediaLimits, source: Source | None = None
) -> tuple[Diagnostic, ...]:
    """Return the violations of one file; `name` is its field. They are errors if the limits are strict, and newer ones
    do not take the file."""
    faults = (*_format(facts, limits), *_ranges(facts, limits))
    is_taken = bool(faults and limits.newer) and not check_media(name, facts, _newer(limits))
    severity = Severity.ERROR if limits.strict and not is_taken else Severity.WARNING
    return tuple(Diagnostic("media-limit", f"{name}: {fault}", source, help, severity) for fault, help in faults)


def _newer(limits: MediaLimits) -> MediaLimits:
    return MediaLimits(**{**asdict(limits), "newer": {}, **limits.newer})


def check_total(
    name: str, files: Sequence[MediaFacts], limits: MediaLimits, source: Source | None = None
) -> tuple[Diagnostic, ...]:
    """Return the violations of all files of one field together."""
    severity = Severity.ERROR if limits.strict else Severity.WARNING
    seconds = sum(file.seconds or 0 for file in files)
    size = sum(file.bytes or 0 for file in files)
    faults = (
        *_above("together they last", seconds, limits.max_total_seconds, " s"),
        *_above("together they have", size, limits.max_total_bytes, " bytes"),
    )
    help = "shorten, shrink or remove some"
    return tuple(Diagnostic("media-limit", f"{name}: {fault}", source, help, severity) for fault in faults)


def check_request(size: int, most: int | None, source: Source | None = None) -> tuple[Diagnostic, ...]:
    """Return the violation of a body, including its pictures, that exceeds `Model.max_request_bytes`."""
    help = "give pictures as https:// URLs, or shrink them"
    return tuple(
        Diagnostic("request-limit", fault, source, help) for fault in _above("the request has", size, most, " bytes")
    )


def _format(facts: MediaFacts, limits: MediaLimits) -> Iterator[tuple[str, str]]:
    if limits.formats and facts.format and facts.format not in limits.formats:
        yield f"{facts.format} is not accepted ({choices(limits.formats)})", f"convert it to {limits.formats[0]}"


def _ranges(facts: MediaFacts, limits: MediaLimits) -> Iterator[tuple[str, str]]:
    sides = [side for side in (facts.width, facts.height) if side is not None]
    if sides:
        yield from _help("resize it", _below("its short side is", min(sides), limits.min_side, " px"))
        yield from _help("resize it", _above("its long side is", max(sides), limits.max_side, " px"))
    if facts.width and facts.height:
        ratio, area = facts.width / facts.height, facts.width * facts.height
        yield from _help("crop it", _below("width ÷ height is", ratio, limits.min_ratio))
        yield from _help("crop it", _above("width ÷ height is", ratio, limits.max_ratio))
        yield from _help("resize it", _below("its area is", area, limits.min_area, " px"))
        yield from _help("resize it", _above("its area is", area, limits.max_area, " px"))
    yield from _help("compress or shrink it", _above("its size is", facts.bytes, limits.max_bytes, " bytes"))
    yield from _help("use a longer one", _below("it lasts", facts.seconds, limits.min_seconds, " s"))
    yield from _help("cut it", _above("it lasts", facts.seconds, limits.max_seconds, " s"))
    yield from _help("convert it", _below("its frame rate is", facts.fps, limits.min_fps))
    yield from _help("convert it", _above("its frame rate is", facts.fps, limits.max_fps))


def _help(help: str, faults: Iterator[str]) -> Iterator[tuple[str, str]]:
    return ((fault, help) for fault in faults)


def _below(subject: str, value: float | None, least: float | None, unit: str = "") -> Iterator[str]:
    if value is not None and least is not None and value < least:
        yield f"{subject} {_number(value)}{unit}, at least {_number(least)} is needed"


def _above(subject: str, value: float | None, most: float | None, unit: str = "") -> Iterator[str]:
    if value is not None and most is not None and value > most:
        yield f"{subject} {_number(value)}{unit}, at most {_number(most)} is accepted"


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
