"""Compute the key of a generation: two requests with the same key are for the same video, which is paid for once.

Recipe `v1`, complete enough to compute a key in any language
-------------------------------------------------------------
1. Build the *document*, a JSON object with these members and no others. A member whose value is given as
   "absent" is left out; it is never null.

   recipe    the text "v1"
   dialect   the provider's kind: "draft", "jiekou", …  (not the alias, not the URL)
   model     the model's name as the provider spells it, after defaults
   mode      "text", "first_frame", "frames", "references", "edit" or "extend"
   prompt    the prompt in Unicode NFC; absent when empty
   params    object of the declared parameters among duration, resolution, ratio, seed, camera_fixed, audio, watermark,
             return_last_frame. One whose value equals the dialect's default of recipe v1 is absent; so is a
             resolution that lives in the model's name or is fixed. `seed` is the effective one: declared + take - 1.
             Absent when empty.
   inputs    list of {"field": F, …} in the order first_frame, last_frame, references.images[0…], references.videos[0…],
             references.audios[0…]. Beside `field`, one of
             "sha256": lower-case hex of the bytes (a local file, or a decoded data: URL) ·
             "url": an https:// URL as text · "asset": an asset:// id as text ·
             "clip": the key of another clip's picked take, with "part": "last_frame", "first_frame" or "video".
             The final of a vendor's draft has "field": "draft" alone, with the draft's key and "part": "task".
             A frozen seam has the key of the version that it keeps. Absent when empty.
   options   the clip's `options` unchanged; absent when empty
   take      whole number; absent when 1
   retake    whole number; absent when 0

2. Write it as canonical JSON: members sorted by Unicode code point, no white space, strings with only
   `"`, `\\` and U+0000–U+001F escaped (\\b \\t \\n \\f \\r short, others \\u00xx in lower case), encoded as UTF-8.
   A number with a fraction occurs in `options` only and is written in full, without exponent or needless zeros, with
   at least one digit after the point: 0.5, 5.0. It differs from the text "0.5". Binary floats are never used.
3. The key is "v1:" followed by the lower-case hex SHA-256 of those bytes.

Never in a key: clip names, output paths, tags, descriptions, aliases, base URLs, credentials, prices, `pick`.

Defaults are absent because stating a default, or a field added by a later release, must not change a key: a changed key
is a purchase. The recipe has a name so that a later recipe can exist beside it, and old keys stay valid. Rejected:
hashing the request as sent (every fix of a dialect would change it) and hashing the YAML (formatting would cost money).
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import field

from reconciler.frozen import dataclass
from reconciler.spec.values import Number

RECIPE = "v1"

Scalar = str | int | bool


@dataclass(frozen=True, slots=True)
class Input:
    """The identity of one input. `kind` is sha256, url, asset or clip; `part` is only for clip."""

    field: str
    kind: str
    value: str
    part: str = ""

    def document(self) -> dict[str, str]:
        """Return the input as it is written in the document."""
        entry = {"field": self.field, self.kind: self.value}
        return entry | {"part": self.part} if self.part else entry


@dataclass(frozen=True, slots=True)
class Subject:
    """Everything that determines the video, including defaults. `defaults` are the model's, of recipe v1."""

    dialect: str
    model: str
    mode: str
    prompt: str = ""
    params: Mapping[str, Scalar] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    take: int = 1
    retake: int = 0
    defaults: Mapping[str, Scalar] = field(default_factory=dict)


def document(subject: Subject) -> dict[str, object]:
    """Return the document of step 1."""
    required: dict[str, object] = {
        "recipe": RECIPE,
        "dialect": subject.dialect,
        "model": subject.model,
        "mode": subject.mode,
    }
    params = {name: value for name, value in subject.params.items() if not _is_default(name, value, subject.defaults)}
    optional: dict[str, tuple[object, object]] = {
        "prompt": (unicodedata.normalize("NFC", subject.prompt), ""),
        "params": (params, {}),
        "inputs": ([item.document() for item in subject.inputs], []),
        "options": (dict(subject.options), {}),
        "take": (subject.take, 1),
        "retake": (subject.retake, 0),
    }
    return required | {name: value for name, (value, absent) in optional.items() if value != absent}


def _is_default(name: str, value: Scalar, defaults: Mapping[str, Scalar]) -> bool:
    """True if a value equals the default, in type too: in Python `True == 1`."""
    stated = defaults.get(name)
    return stated is not None and type(stated) is type(value) and stated == value


def canonical(value: object) -> str:
    """Return the canonical JSON of step 2. Raises ValueError for a float, which has no unique spelling."""
    return _with_numbers(value) if _has_number(value) else _dumped(value)


_dumped = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode
"""Values come from files and are trees: looking for circles takes half of the time."""


_ONE_SPELLING = frozenset({str, int, bool, type(None)})


def _has_number(value: object) -> bool:
    """True if the value contains a `Number`, which `json` would write as a text. Raises ValueError for a float."""
    items: Iterable[object] = ()
    match value:
        case float():
            raise ValueError("a float has no canonical spelling; write it as text")
        case dict():
            items = value.values()
        case list() | tuple():
            items = value
    # A list, not a generator: every item must be checked for floats.
    return isinstance(value, Number) or any([_has_number(item) for item in items if type(item) not in _ONE_SPELLING])


def _with_numbers(value: object) -> str:
    match value:
        case Number():
            return str(value)
        case dict():
            return f"{{{','.join(f'{_dumped(name)}:{_with_numbers(value[name])}' for name in sorted(value))}}}"
        case list() | tuple():
            return f"[{','.join(map(_with_numbers, value))}]"
    return _dumped(value)


def key_of(text: str) -> str:
    """Return the key of a canonical document (step 3)."""
    return f"{RECIPE}:{hashlib.sha256(text.encode('utf-8')).hexdigest()}"


def identify(subject: Subject) -> tuple[str, str]:
    """Return the key of a subject and its canonical document."""
    text = canonical(document(subject))
    return key_of(text), text
