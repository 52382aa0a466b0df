"""The scalar types of the spec language: parsers from a text to the value of a field.

The field decides the type, not the look of the text: `5` is a text in `prompt` and a number in `duration`. Each
function takes the text after interpolation and returns the value, or raises `Unfit`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from urllib.parse import urlsplit

from reconciler import money
from reconciler.spec import values
from reconciler.spec.other_names import value_for
from reconciler.spec.problems import listed, shown
from reconciler.spec.values import ClipMedia, Frame, InputMedia, JsonValue, KeyframeMedia, Number, Secret

MAX_TEXT = 100_000
FREEZE = "freeze"
SEAMS = ("follow", FREEZE)
"""How a frame of another clip goes with its edits."""
MAX_SECONDS = 3600
MAX_LINK_LIFE = 7 * 24 * 3600
LITERAL_SECRET = "literal-secret"

NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_FROM_ENV = re.compile(r"\$\{env\.[A-Za-z_][A-Za-z0-9_]*\}")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_LEADING_ZERO = re.compile(r"-?0+([0-9]{1,18})")
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,9})?")
_SPAN = re.compile(r"((?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,9})?)(ms|s|m|h)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")

_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
BOOLEANS = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}
_JSON_WORDS: Mapping[str, JsonValue] = {"true": True, "false": False, "null": None}


class Bare(str):
    """A text that was not quoted. Only free maps (`options`) and empty values treat it differently."""

    __slots__ = ()


class Unfit(Exception):
    """The value does not fit. `message` is a phrase that follows the field's name; `help` says how to fix it."""

    def __init__(self, message: str, help: str = "", code: str = "bad-value") -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.code = code


def text(raw: object) -> str:
    """Parse any text: NFC, without surrounding blanks, so without a block's last line break."""
    written = _scalar(raw, "text")
    if len(written) > MAX_TEXT:
        raise Unfit(f"has {len(written):,} characters; the limit is {MAX_TEXT:,}")
    return unicodedata.normalize("NFC", written).strip()


def line(raw: object) -> str:
    """Parse a single line of text that is not empty, such as a model's name."""
    value = text(raw)
    if not value or len(value) > 1000 or not value.isprintable():
        raise Unfit(f"must be a single line of text, not {shown(value)}")
    return value


def address(raw: object) -> str:
    """Parse the address of a provider. Parts that could hold a credential or get lost behind a path are refused."""
    value = line(raw)
    if _FROM_ENV.fullmatch(value):
        return value
    try:
        parts = urlsplit(_FROM_ENV.sub("1", value))  # a host, a port or a part of a path
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or not value.isascii() or " " in value or set(_FROM_ENV.sub("1", value)) & set("@?#\\{}"):
        # The value is not shown: it may contain a key.
        message = "must be an address such as https://api.example.com, without a user, a query or a fragment"
        raise Unfit(message, "use a credential field: api_key: ${env.NAME}")
    return value


def variable(raw: object) -> str:
    """Parse the name of an environment variable."""
    value = line(raw)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise Unfit(f"must be the name of an environment variable, not {shown(value)}")
    return value


def folder(raw: object) -> str:
    """Parse a folder that inputs may be read from; neither the whole disk nor a path that a shell would expand."""
    value = line(raw)
    if value.startswith("~"):
        raise Unfit(f"must not start with ~: {shown(value)}", "write an absolute path, or one relative to the project")
    if not value.strip("/.") and value.startswith("/"):
        raise Unfit(f"would allow the whole disk: {shown(value)}", "give the folder that contains the files")
    return value


def retakes(most: int) -> Callable[[object], int | dict[int, int]]:
    """Return a parser of a whole number, or of a map from takes (1 to `most`) to whole numbers."""
    number, take = whole(0), whole(1, most)

    def parse(raw: object) -> int | dict[int, int]:
        if not isinstance(raw, dict):
            return number(raw)
        return {take(key): number(value) for key, value in raw.items()}

    return parse


def whole(least: int, most: int = 10**18 - 1) -> Callable[[object], int]:
    """Return a parser of whole numbers within bounds. `010` is refused: it is 8 to some parsers and 10 to others."""

    def parse(raw: object) -> int:
        written = _scalar(raw, "a whole number")
        if not _WHOLE.fullmatch(written):
            octal = _LEADING_ZERO.fullmatch(written)
            help = f"write {int(written)}" if octal else ""
            raise Unfit(f"must be a whole number, not {shown(written)}", help)
        value = int(written)
        if value < least:
            raise Unfit(f"must be at least {least}, not {value}")
        if value > most:
            raise Unfit(f"must be at most {most}, not {value}")
        return value

    return parse


def seconds(raw: object) -> int:
    """Parse the length of a clip in whole seconds; -1 leaves it to the provider."""
    written = str(raw)
    if re.fullmatch(r"[1-9][0-9]*(\.0+)?s?", written) and not _WHOLE.fullmatch(written):
        raise Unfit(f"must be whole seconds, not {shown(written)}", f"write {written.rstrip('s').partition('.')[0]}")
    value = whole(-1, MAX_SECONDS)(raw)
    if value == 0:
        raise Unfit("must be at least 1 second, not 0")
    return value


def seed(raw: object) -> int | None:
    """Parse a seed. -1 means random, so it is None."""
    value = whole(-1)(raw)
    return None if value == -1 else value


def version(raw: object) -> int:
    """Parse the version of the format, which must be 1."""
    value = whole(1)(raw)
    if value > 1:
        raise Unfit(f"{value} needs a newer clipform; this one supports version 1", "upgrade clipform")
    return value


def boolean(raw: object) -> bool:
    """Parse yes or no; also true, false, on, off."""
    written = _scalar(raw, "yes or no")
    if written.lower() not in BOOLEANS:
        raise Unfit(f"must be yes or no, not {shown(written)}")
    return BOOLEANS[written.lower()]


def decimal(raw: object) -> Decimal:
    """Parse an exact number that is not negative, such as a price."""
    written = _scalar(raw, "a number")
    amount = money.parse(written)
    if amount is None:
        raise Unfit(f"must be a number such as 0.45, not {shown(written)}")
    return amount


def level(least: int, most: int) -> Callable[[object], Decimal]:
    """Return the parser of a level of sound within bounds, in decibels: it may be negative."""

    def parse(raw: object) -> Decimal:
        written = _scalar(raw, "a number")
        if not re.fullmatch(r"[+-]?[0-9]{1,3}(\.[0-9]{1,3})?", written) or not least <= Decimal(written) <= most:
            raise Unfit(f"must be a number from {least} to {most}, not {shown(written)}")
        return Decimal(written)

    return parse


def local_file(raw: object) -> str:
    """Parse the path of a file that is used here and sent to nobody."""
    item = media(raw)
    if not isinstance(item, values.LocalMedia):
        raise Unfit("must be the path of a file", "write a path relative to the project, such as art/end.png")
    return item.path


def moment(raw: object) -> tuple[str, Decimal]:
    """Parse a time in a film: seconds, or the name of a clip and seconds after it begins."""
    written = _scalar(raw, "a time")
    name, plus, after = written.rpartition("+")
    name, after = (name, after) if plus else ("", written) if money.parse(written) is not None else (written, "0")
    seconds = money.parse(after)
    if seconds is None or (plus and not name):
        raise Unfit(f"must be seconds such as 12.5, or a clip and seconds such as hero+0.5, not {shown(written)}")
    return name.strip(), seconds


def day(raw: object) -> date:
    """Parse a date."""
    written = _scalar(raw, "a date")
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise Unfit(f"must be a date such as 2026-11-01, not {shown(written)}") from None


def span(raw: object) -> Decimal:
    """Parse a length of time to seconds."""
    written = _scalar(raw, "a length of time")
    match = _SPAN.fullmatch(written)
    if not match or not Decimal(match[1]):
        help = f"write {written}s for seconds" if _DECIMAL.fullmatch(written) and Decimal(written) else ""
        raise Unfit(f"must be a length of time such as 50ms, 0.5s, 10s, 5m or 24h, not {shown(written)}", help)
    return Decimal(match[1]) * _UNITS[match[2]]


def link_life(raw: object) -> Decimal:
    """Parse the lifetime of a signed link to seconds."""
    seconds = span(raw)
    if seconds > MAX_LINK_LIFE:
        raise Unfit(f"must be at most 168h (7 days), the limit of stores, not {shown(str(raw))}")
    return seconds


def size(raw: object) -> tuple[int, int]:
    """Parse width and height in pixels: even, because two pixels share a sample of colour."""
    written = _scalar(raw, "a size")
    match = re.fullmatch(r"([1-9][0-9]{0,3})x([1-9][0-9]{0,3})", written)
    if not match:
        raise Unfit(f"must be a size such as 1280x720, not {shown(written)}")
    width, height = int(match[1]), int(match[2])
    if width % 2 or height % 2 or min(width, height) < 16:
        raise Unfit(f"must have even sides of at least 16 pixels, not {written}")
    return width, height


def choice(*offered: str) -> Callable[[object], str]:
    """Return a parser that accepts only these words."""
    wanted = listed(offered)

    def parse(raw: object) -> str:
        written = _scalar(raw, wanted)
        if written not in offered:
            meant = value_for(written, offered)
            raise Unfit(f"must be {wanted}, not {shown(written)}", f"write {meant}" if meant else "")
        return written

    return parse


def name(raw: object) -> str:
    """Parse a name of letters, digits, - and _."""
    written = _scalar(raw, "a name")
    if not NAME.fullmatch(written):
        raise Unfit(f"must be a name of letters, digits, - and _, not {shown(written)}")
    return written


def secret(raw: object) -> Secret:
    """Parse the name of a secret. A literal secret is refused, not shown: it would get into git, logs and backups."""
    if isinstance(raw, Secret):
        return raw
    help = "set an environment variable and write its name: ${env.MY_KEY}"
    raise Unfit("contains a literal secret", help, LITERAL_SECRET)


def open_id(raw: object) -> Secret | str:
    """Parse a credential that is not secret, such as an application id: a text, or the name of a variable."""
    return raw if isinstance(raw, Secret) else line(raw)


def media(raw: object) -> InputMedia | KeyframeMedia:
    """Parse a picture, video or sound: a path, a URL, an asset, a frame of another clip, or a keyframe."""
    if isinstance(raw, InputMedia):
        return raw
    if isinstance(raw, dict):
        return _named_medium(raw)
    return picture(raw)


def _named_medium(raw: Mapping[str, object]) -> ClipMedia | KeyframeMedia:
    """Parse `{keyframe: NAME}` or `{clip: NAME, part: last_frame, seam: freeze}`."""
    values = {key: _scalar(value, "a name") for key, value in raw.items()}
    if values.keys() == {"keyframe"}:
        return KeyframeMedia(values["keyframe"])
    if "file" in values:
        raise Unfit("must be a mere path for a file", f"write {values['file']}; a file has no seam")
    if "clip" not in values or values.keys() - {"clip", "part", "seam"}:
        help = "write {clip: NAME, part: last_frame, seam: freeze}, or {keyframe: NAME}"
        names = listed(sorted(values), "and") if values else "nothing"
        raise Unfit(f"must be a path, a URL, or a map with clip or keyframe, not with {names}", help)
    part = choice(*map(str, Frame))(values.get("part", Frame.LAST.value))
    seam = choice(*SEAMS)(values.get("seam", SEAMS[0]))
    return ClipMedia(values["clip"], Frame(part), seam == FREEZE)


def picture(raw: object) -> InputMedia:
    """Parse a path, a URL or an asset."""
    written = _scalar(raw, "a path or URL")
    if not written:
        raise Unfit("is empty", "write a path or a URL, or remove the line")
    scheme = _SCHEME.match(written)
    return _by_scheme(scheme[1].lower(), written) if scheme else values.LocalMedia(written)


def _by_scheme(scheme: str, written: str) -> InputMedia:
    body = written[len(scheme) + 1 :]
    match scheme:
        case "https" if re.fullmatch(r"//[^/\s]+(/\S*)?", body):
            return values.UrlMedia(written)
        case "asset" if body.removeprefix("//") and body.startswith("//"):
            return values.AssetMedia(written)
        case "data" if "," in body:
            return values.DataMedia(written)
        case "https" | "asset" | "data":
            raise Unfit(f"is not a complete {scheme}: address: {shown(written)}")
        case "http":
            raise Unfit(f"must not be downloaded without encryption: {shown(written)}", "use the https:// address")
        case "file":
            raise Unfit(f"must not be a file: address: {shown(written)}", "write the path, relative to the project")
        case _:
            help = "" if body.startswith("//") else f"write ./{written} if it is a file with that name"
            raise Unfit(f"must be a path, or an https:, asset: or data: address, not {shown(written)}", help)


def free(raw: object) -> JsonValue:
    """Parse a value of a free map: unquoted true, false, null and numbers as in JSON, all else as text. No floats."""
    if isinstance(raw, dict):
        return {key: free(value) for key, value in raw.items()}
    if isinstance(raw, list):
        return [free(value) for value in raw]
    if isinstance(raw, Bare):
        return _bare(str(raw))
    return text_as_is(raw)


def text_as_is(raw: object) -> str:
    """Parse any text, unchanged."""
    return _scalar(raw, "text")


def _bare(written: str) -> JsonValue:
    if written in _JSON_WORDS:
        return _JSON_WORDS[written]
    if not _JSON_NUMBER.fullmatch(written):
        return written
    if len(written) > 24 or abs(Decimal(written).adjusted()) > 24:
        raise Unfit(f"contains a number that is out of range: {shown(written)}", "put it in quotes to send it as text")
    if written.removeprefix("-").isdigit():
        return int(written)
    plain = format(Decimal(written).normalize() + 0, "f")  # + 0 removes the sign of a negative zero
    return Number(plain if "." in plain else plain + ".0")


def _scalar(raw: object, wanted: str) -> str:
    """Return the text of a scalar; raise Unfit for anything else and for an empty value."""
    if isinstance(raw, str):
        if raw or not isinstance(raw, Bare):
            return str(raw)  # a plain str: later code must not depend on Bare
        raise Unfit("has no value", "write one, or remove the line")
    if isinstance(raw, ClipMedia):
        raise Unfit(f"must be {wanted}; a clip's frame or video is only allowed in a media field")
    if isinstance(raw, Secret):
        raise Unfit("must not contain a secret")
    if isinstance(raw, dict) and [*raw.values()] == [""]:
        raise Unfit(f"must be {wanted}, not a map", f'put it in quotes: "{{{next(iter(raw))}}}"')
    raise Unfit(f"must be {wanted}, not a {'list' if isinstance(raw, list) else 'map'}")
