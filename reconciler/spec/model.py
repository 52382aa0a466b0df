"""The shape of the files: one family of models, and the only place that says which fields there are.

Validation, the JSON Schema for editors and `clipform explain` are all read off these classes. Input is the raw tree
(texts, lists, maps) after interpolation; each leaf's type says what its text means (`scalars`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from reconciler.spec import scalars
from reconciler.spec.values import JsonValue, Media, Secret

RESOLUTIONS = ("480p", "720p", "1080p", "2k", "4k")
RATIOS = ("16:9", "9:16", "4:3", "3:4", "1:1", "21:9", "adaptive")
OPERATIONS = ("edit", "extend")
MAX_TAKES = 100

INTERPOLATED = {"type": "string", "pattern": r"\$\{"}
"""What an editor must let pass in any field."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """The type of one scalar: how it is read, what a person calls it, what an editor should accept."""

    parse: Callable[[Any], object]
    words: str
    schema: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        def validate(raw: object) -> object:
            try:
                return self.parse(raw)
            except scalars.Unfit as unfit:
                raise unfit_error(unfit) from unfit

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self.schema)


def unfit_error(unfit: scalars.Unfit) -> PydanticCustomError:
    """The same in pydantic's form; the message is a value, so that its braces mean nothing."""
    return PydanticCustomError("unfit", "{message}", {"message": unfit.message, "help": unfit.help, "code": unfit.code})


def _choice_of(*words: str) -> Leaf:
    schema = {"anyOf": [{"enum": list(words)}, INTERPOLATED]}
    return Leaf(scalars.choice(*words), " ".join(words), schema)


def _whole_from(least: int, most: int = 10**18 - 1, parse: Callable[[Any], int | None] | None = None) -> Leaf:
    bounds = {"type": "integer", "minimum": least, "maximum": most}
    numeral = {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)$"}
    return Leaf(parse or scalars.whole(least, most), "whole number", {"anyOf": [bounds, numeral, INTERPOLATED]})


_ANY_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_NUMBER = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9.]+$"}, INTERPOLATED]}
_SPELLINGS = [spelt for word in scalars.BOOLEANS for spelt in (word, word.title(), word.upper())]
_YES_NO = {"anyOf": [{"type": "boolean"}, {"enum": _SPELLINGS}, INTERPOLATED]}
_ENV_ONLY = {"type": "string", "pattern": r"^\$\{env\.[A-Za-z_][A-Za-z0-9_]*\}$"}
_TIME = {"anyOf": [{"type": "string", "pattern": r"^[0-9.]+(ms|s|m|h)$"}, INTERPOLATED]}

Text = Annotated[str, Leaf(scalars.text, "text", _ANY_SCALAR)]
Line = Annotated[str, Leaf(scalars.line, "text", _ANY_SCALAR)]
Address = Annotated[str, Leaf(scalars.address, "address", {"type": "string"})]
Name = Annotated[str, Leaf(scalars.name, "name", {"type": ["string", "number"]})]
RawText = Annotated[str, Leaf(scalars.text_as_is, "text", _ANY_SCALAR)]
YesNo = Annotated[bool, Leaf(scalars.boolean, "yes/no", _YES_NO)]
Amount = Annotated[Decimal, Leaf(scalars.decimal, "number", _NUMBER)]
Span = Annotated[Decimal, Leaf(scalars.span, "length of time", _TIME)]
Medium = Annotated[Media, Leaf(scalars.media, "media", {"type": "string"})]
SecretName = Annotated[Secret, Leaf(scalars.secret, "secret", _ENV_ONLY)]
OpenId = Annotated[Secret | str, Leaf(scalars.open_id, "text or secret", {"type": ["string", "number"]})]
Free = Annotated[JsonValue, Leaf(scalars.free, "anything", {})]
Folder = Annotated[str, Leaf(scalars.folder, "folder", {"type": "string"})]
Resolution = Annotated[str, _choice_of(*RESOLUTIONS)]
Positive = Annotated[int, _whole_from(1)]
_SEED = _whole_from(-1, parse=scalars.seed)
_SECONDS = _whole_from(-1, scalars.MAX_SECONDS, scalars.seconds)


def _none_is(empty: Callable[[], object]) -> BeforeValidator:
    """`clips:` with nothing under it is an empty map: what remains when the last entry is commented out."""
    return BeforeValidator(lambda raw: empty() if isinstance(raw, scalars.Bare) and not raw else raw)


_AS_MAP = _none_is(dict)
_AS_LIST = _none_is(tuple)

MediaList = Annotated[tuple[Medium, ...], _AS_LIST]
FreeMap = Annotated[dict[str, Free], _AS_MAP]


def _field(note: str, example: str, default: Any = None) -> Any:
    """A field with what `explain` tells about it. An empty list or map is made by its type, which copies nothing."""
    told: dict[str, Any] = {"description": note, "examples": [example]}
    return Field(default_factory=default, **told) if callable(default) else Field(default, **told)


class SpecModel(BaseModel):
    """Base of every map with known keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_a_map(cls, raw: object) -> object:
        return {} if isinstance(raw, scalars.Bare) and not raw else raw


class References(SpecModel):
    """Media that a clip is made after; never together with first_frame or last_frame."""

    images: MediaList = _field("Pictures to take subjects or style from.", "[assets/lamp.png]", ())
    videos: MediaList = _field("Videos to refer to, edit or extend.", "[${clips.hero.video}]", ())
    audios: MediaList = _field("Sounds to refer to.", "[assets/rain.mp3]", ())


class ClipFields(SpecModel):
    """What a clip may say; also what defaults and the `set` of an override may."""

    prompt: Text = _field(
        "What the clip shows. Required unless the mode works without. Blanks around it do not count.",
        "a lamp on a marble table, slow push-in",
        "",
    )
    provider: Name = _field("Alias of the provider that makes it.", "studio", "draft")
    model: Line | None = _field("The provider's model; each dialect has a default one.", "doubao-seedance-2-0")
    duration: Annotated[int | None, _SECONDS] = _field(
        "Length in whole seconds; -1 leaves it to the provider, where a model can choose.", "5"
    )
    resolution: Resolution | None = _field("Size of the picture.", "720p")
    ratio: Annotated[str | None, _choice_of(*RATIOS)] = _field("Shape of the picture, width to height.", "16:9")
    first_frame: Medium | None = _field("Picture that the clip starts from.", "assets/lamp.png")
    last_frame: Medium | None = _field("Picture that the clip ends on.", "assets/lamp-lit.png")
    references: References = _field(
        "Pictures, videos and sounds to make the clip after; never together with first_frame or last_frame.",
        "{images: [assets/lamp.png]}",
        References,
    )
    operation: Annotated[str | None, _choice_of(*OPERATIONS)] = _field(
        "What to do with the one reference video; without it the mode follows from the other fields.", "extend"
    )
    seed: Annotated[int | None, _SEED] = _field(
        "Makes a result repeatable where the model takes one; absent or -1 is random. Take n uses seed + n - 1.", "42"
    )
    camera_fixed: YesNo | None = _field("Keep the camera still.", "yes")
    audio: YesNo | None = _field("Make sound too.", "yes")
    watermark: YesNo | None = _field("Let the provider put its mark on the picture.", "no")
    return_last_frame: YesNo | None = _field("Ask the provider for the last frame as a picture too.", "yes")
    takes: Annotated[int, _whole_from(1, MAX_TAKES)] = _field(
        "How many variations to make; each is a generation of its own.", "3", 1
    )
    pick: Positive = _field("The take that goes to the output path.", "2", 1)
    retake: Annotated[int, _whole_from(0)] = _field("Raise it to have the clip made anew.", "1", 0)
    options: FreeMap = _field(
        "Passed to the provider as it is. Unquoted true, false, null and numbers are sent as such, the rest as text.",
        "{cfg_scale: 0.5}",
        dict,
    )
    output: Text = _field(
        "Where the clip goes, inside the project; ':' becomes 'x'. Two clips may not share one.",
        "renders/${matrix.lang}.mp4",
        "renders/${clip.name}.mp4",
    )
    tags: Annotated[tuple[Line, ...], _AS_LIST] = _field("Words to select clips by (tag:NAME).", "[trailer]", ())
    description: Text = _field("A note for people.", "opening shot", "")
    protect: YesNo = _field("Refuse to replace or remove the clip while set.", "yes", False)


class Matrix(SpecModel):
    """Lists of values, by name: one clip for each combination."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[tuple[RawText, ...], _AS_LIST]] = Field(init=False)

    exclude: Annotated[tuple[dict[str, RawText], ...], _AS_LIST] = _field(
        "Combinations to leave out; each names some or all of the values.", "[{ratio: 9:16, lang: zh}]", ()
    )


class Override(SpecModel):
    """Other fields for some combinations of a matrix; the last that fits wins."""

    when: Annotated[dict[str, RawText], _AS_MAP] = _field("Values of the matrix that it is for.", "{lang: zh}", dict)
    set: ClipFields = _field("The clip's fields that differ.", "{pick: 3}", ClipFields)


class ClipDecl(ClipFields):
    """A clip as declared."""

    matrix: Matrix | None = _field(
        "Lists of values; one clip is made for each combination: social[ratio=16:9,lang=en].",
        "{ratio: [16:9, 9:16], lang: [en, zh]}",
    )
    overrides: Annotated[tuple[Override, ...], _AS_LIST] = _field(
        "Other fields for some combinations of the matrix.", "[{when: {lang: zh}, set: {pick: 3}}]", ()
    )


class Price(SpecModel):
    """What a provider asks; the first row that matches a clip counts."""

    model: Line = _field("Model that the row is for; * stands for anything.", "doubao-*", "*")
    resolution: Resolution | None = _field("Resolution that the row is for; absent is any.", "720p")
    per_second: Amount | None = _field("Price of a second.", "0.10")
    per_clip: Amount | None = _field("Price of a clip.", "0.45")
    per_1k_tokens: Amount | None = _field("Price of a thousand tokens.", "0.012")

    @model_validator(mode="after")
    def _one_unit(self) -> Price:
        units = [self.per_second, self.per_clip, self.per_1k_tokens]
        if sum(unit is not None for unit in units) != 1:
            raise unfit_error(scalars.Unfit("must have one of per_second, per_clip and per_1k_tokens"))
        return self


class Provider(SpecModel):
    """A provider under an alias of one's own."""

    kind: Name = _field("The dialect that it speaks: draft, ark, 3hei, jiekou, ….", "3hei", ...)
    base_url: Address | None = _field("Its address; each kind knows its own.", "https://api.3hei.com")
    api_key: SecretName | None = _field("The environment variable that holds the key.", "${env.STUDIO_KEY}")
    app_id: OpenId | None = _field("Application id, for kinds that have one (chanjing).", "${env.CHANJING_APP_ID}")
    secret_key: SecretName | None = _field("The variable that holds the secret of app_id.", "${env.CHANJING_SECRET}")
    access_token: SecretName | None = _field("The variable that holds a ready token instead.", "${env.CHANJING_TOKEN}")
    concurrency: Annotated[int | None, _whole_from(1, 10_000)] = _field("How many tasks may be in flight.", "8")
    requests_per_second: Amount | None = _field("How many requests may be sent in a second.", "5")
    poll_interval: Span | None = _field("Slowest pace of asking how a task stands.", "10s")
    timeout: Span | None = _field("After this a clip is reported as still running; it is never given up.", "30m")
    prices: Annotated[tuple[Price, ...], _AS_LIST] = _field(
        "Price table for estimates and budgets; the first row that matches counts.",
        '[{model: "*", per_clip: 0.45}]',
        (),
    )
    models: Free = _field("Models newer than this release, or other limits for known ones.", "{new-model: {}}")
    settings: FreeMap = _field("Other facts of the dialect, where a vendor differs from its page.", "{}", dict)


class Budget(SpecModel):
    """Caps on spending."""

    currency: Annotated[str, Leaf(scalars.line, "text", {"type": "string"})] = _field(
        "Currency of the caps and of all prices.", "USD", "USD"
    )
    per_apply: Amount | None = _field("Most that one apply may spend.", "20")
    total: Amount | None = _field("Most that the project may ever spend.", "200")
    clips_per_apply: Positive | None = _field("Most generations that one apply may buy.", "50")


class StoreSpec(SpecModel):
    """An object store and how to get into it; without keys, the environment's usual ones are used."""

    endpoint: Line | None = _field("Address of a store that is not the vendor's own.", "https://s3.example.com")
    region: Line | None = _field("Region of the bucket.", "eu-central-1")
    access_key_id: OpenId | None = _field("Id of the access key.", "${env.AWS_ACCESS_KEY_ID}")
    secret_access_key: SecretName | None = _field("The variable that holds its secret.", "${env.AWS_SECRET_ACCESS_KEY}")
    session_token: SecretName | None = _field("The variable that holds a session token.", "${env.AWS_SESSION_TOKEN}")


class Publish(StoreSpec):
    """Where local media get a URL, for providers that take only URLs."""

    store: Line = _field("Bucket and prefix to put media under.", "s3://bucket/prefix", ...)
    expires: Annotated[Decimal | None, Leaf(scalars.link_life, "length of time", _TIME)] = _field(
        "How long a link lives; at most 7 days.", "24h"
    )
    public_url: Line | None = _field(
        "Address at which everybody can read what is in the store; without it links are signed, and expire.",
        "https://media.example.com/prefix",
    )


class Cache(StoreSpec):
    """A shared store of artifacts. Checked, and not used yet."""

    remote: Line = _field("Bucket and prefix of the artifacts.", "s3://bucket/clips", ...)


class Inputs(SpecModel):
    """Where local media may be read from, beside the project itself."""

    allow: Annotated[tuple[Folder, ...], _AS_LIST] = _field(
        "Folders outside the project, relative to it or absolute, that local media may be read from.",
        "[../brand-assets]",
        (),
    )


Vars = Annotated[dict[str, RawText], _AS_MAP]
Clips = Annotated[dict[str, ClipDecl], _AS_MAP]


class IncludeFile(SpecModel):
    """One of the files that `include` names."""

    vars: Vars = _field("Texts to use as ${vars.name}; here, for the clips of this file.", "{product: Aurora}", dict)
    defaults: ClipFields = _field("Fields that every clip of this file has unless it says else.", "{}", ClipFields)
    clips: Clips = _field("The clips, by name.", "{sunrise: {prompt: mist at sunrise}}", dict)


class ProjectFile(SpecModel):
    """clipform.yaml."""

    version: Annotated[int, _whole_from(1, 1, scalars.version)] = _field("Version of this format.", "1", ...)
    include: Annotated[tuple[RawText, ...], _AS_LIST] = _field(
        "More files, by path or pattern; each may hold vars, defaults and clips.", "[clips/*.yaml]", ()
    )
    vars: Vars = _field("Texts to use as ${vars.name}.", "{product: Aurora lamp}", dict)
    providers: Annotated[dict[str, Provider], _AS_MAP] = _field(
        "Who makes clips, by an alias of your own; draft is built in.",
        "{studio: {kind: 3hei, api_key: ${env.STUDIO_KEY}}}",
        dict,
    )
    budget: Budget | None = _field("Caps on spending.", "{currency: USD, per_apply: 20}")
    publish: Publish | None = _field("A store that gives local media a URL.", '{store: "s3://bucket/prefix"}')
    cache: Cache | None = _field(
        "A shared store of artifacts. Checked, and not used yet.", '{remote: "s3://bucket/clips"}'
    )
    inputs: Inputs | None = _field(
        "Consent to read local media that lie outside the project.", "{allow: [../brand-assets]}"
    )
    defaults: ClipFields = _field("Fields that every clip has unless it says else.", "{duration: 5}", ClipFields)
    clips: Clips = _field("The clips, by name.", "{sunrise: {prompt: mist at sunrise}}", dict)
