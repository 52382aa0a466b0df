"""The models of the project's files: the only place that defines the fields.

Validation, the JSON Schema for editors and `clipform explain` are all derived from these classes. Input is the raw tree
(texts, lists, maps) after interpolation; the type of each leaf defines what its text means (`scalars`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, create_model, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from reconciler.spec import paths, scalars
from reconciler.spec.values import JsonValue, Media, Secret

RESOLUTIONS = ("480p", "720p", "1080p", "2k", "4k")
RATIOS = ("16:9", "9:16", "4:3", "3:4", "1:1", "21:9", "adaptive")
OPERATIONS = ("edit", "extend")
PRICE_TABLES = ("ark-usd", "ark-cny")
"""The shipped tables of `plan/price_tables`."""
MAX_TAKES = 100

INTERPOLATED = {"type": "string", "pattern": r"\$\{"}
"""JSON Schema of a text with `${…}`, which an editor must accept in every field."""


@dataclass(frozen=True, eq=False)
class Leaf:
    """The type of one scalar: its parser, its name for people, and its JSON Schema."""

    parse: Callable[[Any], object]
    label: str
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
    """Convert to pydantic's form. The message is passed as a value, so that its braces are not interpreted."""
    return PydanticCustomError("unfit", "{message}", {"message": unfit.message, "help": unfit.help, "code": unfit.code})


def _choice_of(*options: str) -> Leaf:
    schema = {"anyOf": [{"enum": list(options)}, INTERPOLATED]}
    return Leaf(scalars.choice(*options), " ".join(options), schema)


def _whole_from(least: int, most: int = 10**18 - 1, parse: Callable[[Any], int | None] | None = None) -> Leaf:
    bounds = {"type": "integer", "minimum": least, "maximum": most}
    numeral = {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)$"}
    return Leaf(parse or scalars.whole(least, most), "whole number", {"anyOf": [bounds, numeral, INTERPOLATED]})


_ANY_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_NUMBER = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9.]+$"}, INTERPOLATED]}
_SPELLINGS = [form for word in scalars.BOOLEANS for form in (word, word.title(), word.upper())]
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
Variable = Annotated[str, Leaf(scalars.variable, "name of an environment variable", {"type": "string"})]
Folder = Annotated[str, Leaf(scalars.folder, "folder", {"type": "string"})]
Resolution = Annotated[str, _choice_of(*RESOLUTIONS)]
Sharing = Annotated[str, _choice_of("auto", "manual", "off")]
Day = Annotated[date, Leaf(scalars.day, "date", {"type": "string"})]
Positive = Annotated[int, _whole_from(1)]
_SEED = _whole_from(-1, parse=scalars.seed)
_RETAKE = Leaf(
    scalars.retakes(MAX_TAKES),
    "whole number or map",
    {"anyOf": [*_whole_from(0).schema["anyOf"], {"type": "object", "additionalProperties": _whole_from(0).schema}]},
)
_SECONDS = _whole_from(-1, scalars.MAX_SECONDS, scalars.seconds)


def _none_is(empty: Callable[[], object]) -> BeforeValidator:
    """Read an empty value as an empty map or list: `clips:` remains when its last entry is commented out."""
    return BeforeValidator(lambda raw: empty() if isinstance(raw, scalars.Bare) and not raw else raw)


_AS_MAP = _none_is(dict)
_AS_LIST = _none_is(tuple)

MediaList = Annotated[tuple[Medium, ...], _AS_LIST]
Variables = Annotated[tuple[Variable, ...], _AS_LIST]
FreeMap = Annotated[dict[str, Free], _AS_MAP]


def _field(note: str, example: str, default: Any = None) -> Any:
    """Return a field with the note and example that `explain` shows. `default` may be a factory."""
    notes: dict[str, Any] = {"description": note, "examples": [example]}
    return Field(default_factory=default, **notes) if callable(default) else Field(default, **notes)


class SpecModel(BaseModel):
    """Base class of every map with fixed keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # most are only part of others

    @model_validator(mode="before")
    @classmethod
    def _empty_is_a_map(cls, raw: object) -> object:
        return {} if isinstance(raw, scalars.Bare) and not raw else raw


class References(SpecModel):
    """Reference media of a clip; never together with first_frame or last_frame."""

    images: MediaList = _field("Pictures to take subjects or style from.", "[assets/lamp.png]", ())
    videos: MediaList = _field("Videos to refer to, edit or extend.", "[${clips.hero.video}]", ())
    audios: MediaList = _field("Sounds to refer to.", "[assets/rain.mp3]", ())


class ClipFields(SpecModel):
    """The fields of a clip, of `defaults` and of the `set` of an override."""

    prompt: Text = _field(
        "What the clip shows. Required unless the mode works without it. Surrounding blanks are ignored.",
        "a lamp on a marble table, slow push-in",
        "",
    )
    provider: Name = _field("Alias of the provider that generates it.", "studio", "draft")
    model: Line | None = _field("The provider's model; each kind has a default.", "doubao-seedance-2-0")
    duration: Annotated[int | None, _SECONDS] = _field(
        "Length in whole seconds; -1 lets the provider choose, if the model can.", "5"
    )
    resolution: Resolution | None = _field("Resolution of the video.", "720p")
    ratio: Annotated[str | None, _choice_of(*RATIOS)] = _field("Aspect ratio, width to height.", "16:9")
    first_frame: Medium | None = _field("Picture that the clip starts with.", "assets/lamp.png")
    last_frame: Medium | None = _field("Picture that the clip ends with.", "assets/lamp-lit.png")
    references: References = _field(
        "Reference pictures, videos and sounds; never together with first_frame or last_frame.",
        "{images: [assets/lamp.png]}",
        References,
    )
    operation: Annotated[str | None, _choice_of(*OPERATIONS)] = _field(
        "What to do with the only reference video; without it, the other fields decide the mode.", "extend"
    )
    seed: Annotated[int | None, _SEED] = _field(
        "Makes results repeatable if the model accepts a seed; absent or -1 is random. Take n uses seed + n - 1.", "42"
    )
    camera_fixed: YesNo | None = _field("Keep the camera still.", "yes")
    audio: YesNo | None = _field("Generate sound too.", "yes")
    watermark: YesNo | None = _field("Let the provider add its watermark.", "no")
    return_last_frame: YesNo | None = _field("Also ask the provider for the last frame as a picture.", "yes")
    takes: Annotated[int, _whole_from(1, MAX_TAKES)] = _field(
        "Number of variations; each is generated and paid for separately.", "3", 1
    )
    pick: Positive = _field("The take that is placed at the output path.", "2", 1)
    retake: Annotated[int | dict[int, int], _RETAKE] = _field(
        "Raise it to generate the clip again; {2: 1} raises it for take 2 only.", "1", 0
    )
    options: FreeMap = _field(
        "Passed to the provider unchanged. Unquoted true, false, null and numbers keep their type; all else is text.",
        "{cfg_scale: 0.5}",
        dict,
    )
    output: Text = _field(
        "Path of the video inside the project; ':' becomes 'x'. Two clips cannot share one.",
        "renders/${matrix.lang}.mp4",
        paths.DEFAULT_OUTPUT,
    )
    tags: Annotated[tuple[Line, ...], _AS_LIST] = _field("Labels to select clips by (tag:NAME).", "[trailer]", ())
    description: Text = _field("A note for people; never sent.", "opening shot", "")
    protect: YesNo = _field(
        "Refuse to replace or remove the clip's video, also after its lines are deleted.", "yes", False
    )

    def retake_of(self, take: int) -> int:
        """Return how often a take was asked for again."""
        return self.retake.get(take, 0) if isinstance(self.retake, dict) else self.retake


class Matrix(SpecModel):
    """Named lists of values; each combination becomes a clip."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[tuple[RawText, ...], _AS_LIST]] = Field(init=False)

    exclude: Annotated[tuple[dict[str, RawText], ...], _AS_LIST] = _field(
        "Combinations to leave out; each gives some or all of the values.", "[{ratio: 9:16, lang: zh}]", ()
    )


class Override(SpecModel):
    """Different fields for some combinations of a matrix; the last matching override wins."""

    when: Annotated[dict[str, RawText], _AS_MAP] = _field("Matrix values that it applies to.", "{lang: zh}", dict)
    set: ClipFields = _field("The fields that differ.", "{pick: 3}", ClipFields)


class ClipDecl(ClipFields):
    """A clip as declared."""

    matrix: Matrix | None = _field(
        "Lists of values; each combination becomes a clip: social[ratio=16:9,lang=en].",
        "{ratio: [16:9, 9:16], lang: [en, zh]}",
    )
    overrides: Annotated[tuple[Override, ...], _AS_LIST] = _field(
        "Different fields for some combinations of the matrix.", "[{when: {lang: zh}, set: {pick: 3}}]", ()
    )


# `from` is a word of Python, so the field has no statement of its own.
_FROM: Any = {"from": (Day | None, _field("First day of the price.", "2026-11-01"))}
_Dated: Any = create_model("_Dated", __base__=SpecModel, **_FROM)


class Price(_Dated):  # type: ignore[misc]  # its base is made above
    """A row of a provider's price table; the first row that matches a clip applies."""

    use: Annotated[str, _choice_of(*PRICE_TABLES)] | None = _field(
        "A shipped table of dated prices, in place of a row.", "ark-usd"
    )
    model: Line = _field("Model that the row applies to; * matches anything.", "doubao-*", "*")
    resolution: Resolution | None = _field("Resolution that the row applies to; absent means any.", "720p")
    video_input: YesNo | None = _field("Only for clips with a reference video, or only for those without.", "yes")
    audio: YesNo | None = _field("Only for clips with sound, or only for those without.", "no")
    tier: Line | None = _field("Only for this `service_tier` among the clip's options.", "flex")
    min_seconds: Amount | None = _field("Least seconds that are billed.", "4")
    per_second: Amount | None = _field("Price per second.", "0.10")
    per_clip: Amount | None = _field("Price per clip.", "0.45")
    per_1k_tokens: Amount | None = _field("Price per thousand tokens.", "0.012")
    source: Line | None = _field("Where the price is from.", "console, team plan")
    until: Day | None = _field("Last day of the price; it does not count afterwards.", "2026-12-31")

    @property
    def since(self) -> date | None:
        """The first day of the price."""
        day: date | None = getattr(self, "from")
        return day

    @model_validator(mode="after")
    def _one_unit(self) -> Price:
        units = [self.per_second, self.per_clip, self.per_1k_tokens]
        if self.use is not None:
            if self.model_fields_set != {"use"}:
                raise unfit_error(scalars.Unfit("must have no other key beside use"))
        elif sum(unit is not None for unit in units) != 1:
            raise unfit_error(scalars.Unfit("must have exactly one of per_second, per_clip and per_1k_tokens"))
        return self


class Provider(SpecModel):
    """A provider, declared under an alias."""

    kind: Name = _field("Its type: draft, ark, 3hei, jiekou, ….", "3hei", ...)
    base_url: Address | None = _field("Its address; each kind has a default.", "https://api.3hei.com")
    api_key: SecretName | None = _field("The environment variable that holds the key.", "${env.STUDIO_KEY}")
    app_id: OpenId | None = _field("Application id, for kinds that use one (chanjing).", "${env.CHANJING_APP_ID}")
    secret_key: SecretName | None = _field("The variable that holds the secret of app_id.", "${env.CHANJING_SECRET}")
    access_token: SecretName | None = _field(
        "The variable that holds a ready-made token instead.", "${env.CHANJING_TOKEN}"
    )
    env: Variables = _field(
        "Environment variables that base_url may contain as ${env.NAME}; the owner of the address reads them.",
        "[STUDIO_HOST]",
        (),
    )
    concurrency: Annotated[int | None, _whole_from(1, 10_000)] = _field("Most tasks in flight at once.", "8")
    requests_per_second: Amount | None = _field("Most requests per second.", "5")
    poll_interval: Span | None = _field("Longest interval between two status requests for a task.", "10s")
    timeout: Span | None = _field("After this a clip is reported as still running; it is never abandoned.", "30m")
    prices: Annotated[tuple[Price, ...], _AS_LIST] = _field(
        "Price table for estimates and budgets; the first matching row applies.",
        '[{model: "*", per_clip: 0.45}]',
        (),
    )
    models: Free = _field("Models newer than this release, or different limits for built-in ones.", "{new-model: {}}")
    settings: FreeMap = _field("Settings of the kind, where a provider differs from its documentation.", "{}", dict)


class ProviderPatch(Provider):
    """Some fields of a provider, for an environment."""

    kind: Name | None = _field("Its type, if that differs.", "3hei")  # type: ignore[assignment]  # required there


class Budget(SpecModel):
    """Caps on spending."""

    currency: Annotated[str, Leaf(scalars.line, "text", {"type": "string"})] = _field(
        "Currency of the caps and of all prices.", "USD", "USD"
    )
    per_apply: Amount | None = _field("Most that one apply may spend.", "20")
    total: Amount | None = _field("Most that the project may spend in total.", "200")
    clips_per_apply: Positive | None = _field("Most generations that one apply may pay for.", "50")


class StoreSpec(SpecModel):
    """An object store and its credentials; without keys, the usual ones of the environment are used."""

    env: Variables = _field(
        "Environment variables that this section's addresses may contain as ${env.NAME}.", "[MEDIA_HOST]", ()
    )
    endpoint: Line | None = _field("Address of a store other than the default.", "https://s3.example.com")
    region: Line | None = _field("Region of the bucket.", "eu-central-1")
    access_key_id: OpenId | None = _field("Id of the access key.", "${env.AWS_ACCESS_KEY_ID}")
    secret_access_key: SecretName | None = _field("The variable that holds its secret.", "${env.AWS_SECRET_ACCESS_KEY}")
    session_token: SecretName | None = _field("The variable that holds a session token.", "${env.AWS_SESSION_TOKEN}")


class Publish(StoreSpec):
    """A store that gives local media a URL, for providers that accept only URLs."""

    store: Line = _field("Bucket and prefix for uploaded media.", "s3://bucket/prefix", ...)
    expires: Annotated[Decimal | None, Leaf(scalars.link_life, "length of time", _TIME)] = _field(
        "Lifetime of a link; at most 7 days.", "24h"
    )
    public_url: Line | None = _field(
        "Public address of the store. Without it links are signed and expire.", "https://media.example.com/prefix"
    )


class Cache(StoreSpec):
    """A store of artifacts that a team shares."""

    remote: Line = _field("Bucket and prefix of the artifacts, or a folder.", "s3://bucket/clips", ...)
    push: Sharing = _field("Put what was bought there: by itself, with the command push, or never.", "auto", "auto")
    pull: Sharing = _field("Take what is missing: by itself, with the command pull, or never.", "auto", "auto")


class Inputs(SpecModel):
    """Folders outside the project that local media may be read from."""

    allow: Annotated[tuple[Folder, ...], _AS_LIST] = _field(
        "Folders outside the project that local media may be read from; relative to the project, or absolute.",
        "[../brand-assets]",
        (),
    )


Vars = Annotated[dict[str, RawText], _AS_MAP]
Clips = Annotated[dict[str, ClipDecl], _AS_MAP]


class IncludeFile(SpecModel):
    """A file listed under `include`."""

    vars: Vars = _field("Texts for ${vars.name} in the clips of this file.", "{product: Aurora}", dict)
    defaults: ClipFields = _field("Default fields of the clips in this file.", "{}", ClipFields)
    clips: Clips = _field("The clips, by name.", "{sunrise: {prompt: mist at sunrise}}", dict)


class ProjectFile(SpecModel):
    """clipform.yaml."""

    version: Annotated[int, _whole_from(1, 1, scalars.version)] = _field("Version of this format.", "1", ...)
    include: Annotated[tuple[RawText, ...], _AS_LIST] = _field(
        "More files, by path or pattern; each may have vars, defaults and clips.", "[clips/*.yaml]", ()
    )
    vars: Vars = _field("Texts for ${vars.name}.", "{product: Aurora lamp}", dict)
    providers: Annotated[dict[str, Provider], _AS_MAP] = _field(
        "Providers, by an alias of your choice; draft is built in.",
        "{studio: {kind: 3hei, api_key: ${env.STUDIO_KEY}}}",
        dict,
    )
    budget: Budget | None = _field("Caps on spending.", "{currency: USD, per_apply: 20}")
    publish: Publish | None = _field("A store that gives local media a URL.", '{store: "s3://bucket/prefix"}')
    cache: Cache | None = _field("A store of artifacts that a team shares.", '{remote: "s3://bucket/clips"}')
    inputs: Inputs | None = _field("Permission to read local media outside the project.", "{allow: [../brand-assets]}")
    defaults: ClipFields = _field("Default fields of all clips.", "{duration: 5}", ClipFields)
    clips: Clips = _field("The clips, by name.", "{sunrise: {prompt: mist at sunrise}}", dict)


class EnvironmentFile(SpecModel):
    """`clipform.NAME.yaml`, laid over the project file with `--env NAME`."""

    vars: Vars = _field("Other texts for ${vars.name}.", "{product: Aurora}", dict)
    providers: Annotated[dict[str, ProviderPatch], _AS_MAP] = _field(
        "Other fields of providers.", "{studio: {base_url: http://127.0.0.1:8790/3hei}}", dict
    )
    budget: Budget | None = _field("Other caps.", "{per_apply: 5}")
