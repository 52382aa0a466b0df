"""The models of the project's files: the only place that defines the fields.

Validation, the JSON Schema for editors and `clipform explain` are all derived from these classes. Input is the raw tree
(texts, lists, maps) after interpolation; the type of each leaf defines what its text means (`field_types`).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import ConfigDict, Field, create_model, model_validator

from reconciler.spec import paths, scalars
from reconciler.spec.approval_fields import ApprovalDecl, PolicyDecl
from reconciler.spec.cut_fields import CutDecl
from reconciler.spec.field_types import (
    AS_LIST,
    AS_MAP,
    Address,
    Amount,
    Day,
    Folder,
    Free,
    FreeMap,
    Leaf,
    Line,
    MediaList,
    Medium,
    Name,
    OpenId,
    Picture,
    Positive,
    RawText,
    SecretName,
    Span,
    SpecModel,
    Text,
    Variables,
    YesNo,
    choice_of,
    noted,
    unfit_error,
    whole_from,
)
from reconciler.spec.moved_fields import Moved
from reconciler.spec.needed_by import NEEDED_BY
from reconciler.spec.provenance_fields import ProvenanceDecl
from reconciler.spec.store_fields import Cache, Notify, Publish, SharedState

RESOLUTIONS = ("480p", "720p", "1080p", "2k", "4k")
RATIOS = ("16:9", "9:16", "4:3", "3:4", "1:1", "21:9", "adaptive")
OPERATIONS = ("edit", "extend")
PRICE_TABLES = ("ark-usd", "ark-cny", "fal-usd")
"""The shipped tables of `plan/price_tables`."""
MAX_TAKES = 100

Resolution = Annotated[str, choice_of(*RESOLUTIONS)]
_SEED = whole_from(-1, parse=scalars.seed)
_RETAKE = Leaf(
    scalars.retakes(MAX_TAKES),
    "whole number or map",
    {"anyOf": [*whole_from(0).schema["anyOf"], {"type": "object", "additionalProperties": whole_from(0).schema}]},
)
_SECONDS = whole_from(-1, scalars.MAX_SECONDS, scalars.seconds)


class References(SpecModel):
    """Reference media of a clip; never together with first_frame or last_frame."""

    images: MediaList = noted("Pictures to take subjects or style from.", "[assets/lamp.png]", ())
    videos: MediaList = noted("Videos to refer to, edit or extend.", "[${clips.hero.video}]", ())
    audios: MediaList = noted("Sounds to refer to.", "[assets/rain.mp3]", ())


class Look(SpecModel):
    """A character, place or style of several clips."""

    prompt: Text = noted("Its words, which replace {NAME} in a prompt.", "Mia, thirty, red coat", "")
    images: MediaList = noted("Its pictures, for clips that take reference pictures.", "[art/mia.png]", ())
    avoid: Text = noted("What is not to be seen with it.", "blonde hair", "")


class Keyframe(SpecModel):
    """A picture that clips share."""

    file: Picture = noted("Its path or URL.", "art/door.png", ...)


class ClipFields(SpecModel):
    """The fields of a clip, of `defaults` and of the `set` of an override."""

    prompt: Text = noted(
        "What the clip shows. Required unless the mode works without it. Surrounding blanks are ignored.",
        "a lamp on a marble table, slow push-in",
        "",
    )
    provider: Name = noted("Alias of the provider that generates it.", "studio", "draft")
    model: Line | None = noted("The provider's model; each kind has a default.", "doubao-seedance-2-0")
    duration: Annotated[int | None, _SECONDS] = noted(
        "Length in whole seconds; -1 lets the provider choose, if the model can.", "5"
    )
    resolution: Resolution | None = noted("Resolution of the video.", "720p")
    ratio: Annotated[str | None, choice_of(*RATIOS)] = noted("Aspect ratio, width to height.", "16:9")
    first_frame: Medium | None = noted(
        "Picture that the clip starts with: a path, a URL, {keyframe: NAME}, or a frame of another clip. With"
        " {clip: NAME, part: last_frame, seam: freeze} later edits of that clip do not change it.",
        "assets/lamp.png",
    )
    last_frame: Medium | None = noted("Picture that the clip ends with, as first_frame.", "assets/lamp-lit.png")
    references: References = noted(
        "Reference pictures, videos and sounds; never together with first_frame or last_frame.",
        "{images: [assets/lamp.png]}",
        cache(References),  # one for all clips without any
    )
    operation: Annotated[str | None, choice_of(*OPERATIONS)] = noted(
        "What to do with the only reference video; without it, the other fields decide the mode.", "extend"
    )
    seed: Annotated[int | None, _SEED] = noted(
        "Makes results repeatable if the model accepts a seed; absent or -1 is random. Take n uses seed + n - 1.", "42"
    )
    use: Annotated[tuple[Name, ...], AS_LIST] = noted(
        "Looks that the clip shows: their words go to the prompt, in place of {NAME} or at its end, and their pictures"
        " to the references.",
        "[mia, noir]",
        (),
    )
    avoid: Text = noted("What is not to be seen: it goes to the end of the prompt, as `without …`.", "text, logos", "")
    camera_fixed: YesNo | None = noted("Keep the camera still.", "yes")
    audio: YesNo | None = noted("Generate sound too.", "yes")
    watermark: YesNo | None = noted("Let the provider add its watermark.", "no")
    return_last_frame: YesNo | None = noted("Also ask the provider for the last frame as a picture.", "yes")
    draft: Annotated[str | None, choice_of("vendor")] = noted(
        "vendor: buy the vendor's cheap 480p draft first, and the final from that; takes, pick and retake are then of"
        " the draft.",
        "vendor",
    )
    takes: Annotated[int, whole_from(1, MAX_TAKES)] = noted(
        "Number of variations; each is generated and paid for separately.", "3", 1
    )
    pick: Positive = noted("The take that is placed at the output path.", "2", 1)
    retake: Annotated[int | dict[int, int], _RETAKE] = noted(
        "Raise it to generate the clip again; {2: 1} raises it for take 2 only.", "1", 0
    )
    options: FreeMap = noted(
        "Passed to the provider unchanged. Unquoted true, false, null and numbers keep their type; all else is text.",
        "{cfg_scale: 0.5}",
        dict,
    )
    tier: Annotated[str | None, choice_of("standard", "flex")] = noted(
        "flex: cheaper and later, for models that have it. Not in the identity: the same video is not bought again at"
        " another tier.",
        "flex",
    )
    needed_by: Annotated[datetime | Decimal | None, NEEDED_BY] = noted(
        "A time with its zone, or a length such as 96h: the tier is flex if that leaves it enough time, else standard.",
        "2026-12-05T18:00+01:00",
    )
    output: Text = noted(
        "Path of the video inside the project; ':' becomes 'x'. Two clips cannot share one.",
        "renders/${matrix.lang}.mp4",
        paths.DEFAULT_OUTPUT,
    )
    tags: Annotated[tuple[Line, ...], AS_LIST] = noted("Labels to select clips by (tag:NAME).", "[trailer]", ())
    description: Text = noted("A note for people; never sent.", "opening shot", "")
    protect: YesNo = noted(
        "Refuse to replace or remove the clip's video, also after its lines are deleted.", "yes", False
    )

    def retake_of(self, take: int) -> int:
        """Return how often a take was asked for again."""
        return self.retake.get(take, 0) if isinstance(self.retake, dict) else self.retake


class Defaults(ClipFields):
    """The `defaults` of the project file: fields of clips, and one setting of the whole project."""

    chain_warning: Positive | None = noted("Warn of more clips in a row that are made from one another.", "4")


class Matrix(SpecModel):
    """Named lists of values; each combination becomes a clip."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[tuple[RawText, ...], AS_LIST]] = Field(init=False)

    exclude: Annotated[tuple[dict[str, RawText], ...], AS_LIST] = noted(
        "Combinations to leave out; each gives some or all of the values.", "[{ratio: 9:16, lang: zh}]", ()
    )


class Override(SpecModel):
    """Different fields for some combinations of a matrix; the last matching override wins."""

    when: Annotated[dict[str, RawText], AS_MAP] = noted("Matrix values that it applies to.", "{lang: zh}", dict)
    set: ClipFields = noted("The fields that differ.", "{pick: 3}", ClipFields)


class ClipDecl(ClipFields):
    """A clip as declared."""

    rows: RawText | None = noted(
        "A table (.csv or .jsonl) whose rows become clips; {COLUMN} in a field is replaced by the cell.", "shots.csv"
    )
    name: RawText | None = noted("The name of each row's clip, with columns in it.", '"spot-{id}"')
    matrix: Matrix | None = noted(
        "Lists of values; each combination becomes a clip: social[ratio=16:9,lang=en].",
        "{ratio: [16:9, 9:16], lang: [en, zh]}",
    )
    overrides: Annotated[tuple[Override, ...], AS_LIST] = noted(
        "Different fields for some combinations of the matrix.", "[{when: {lang: zh}, set: {pick: 3}}]", ()
    )


# `from` is a word of Python, so the field has no statement of its own.
_FROM: Any = {"from": (Day | None, noted("First day of the price.", "2026-11-01"))}
_Dated: Any = create_model("_Dated", __base__=SpecModel, **_FROM)


class Price(_Dated):  # type: ignore[misc]  # its base is made above
    """A row of a provider's price table; the first row that matches a clip applies."""

    use: Annotated[str, choice_of(*PRICE_TABLES)] | None = noted(
        "A shipped table of dated prices, in place of a row.", "ark-usd"
    )
    model: Line = noted("Model that the row applies to; * matches anything.", "doubao-*", "*")
    resolution: Resolution | None = noted("Resolution that the row applies to; absent means any.", "720p")
    video_input: YesNo | None = noted("Only for clips with a reference video, or only for those without.", "yes")
    audio: YesNo | None = noted("Only for clips with sound, or only for those without.", "no")
    tier: Line | None = noted("Only for this tier: flex, or default.", "flex")
    min_seconds: Amount | None = noted("Least seconds that are billed.", "4")
    per_second: Amount | None = noted("Price per second.", "0.10")
    per_clip: Amount | None = noted("Price per clip.", "0.45")
    per_1k_tokens: Amount | None = noted("Price per thousand tokens.", "0.012")
    source: Line | None = noted("Where the price is from.", "console, team plan")
    until: Day | None = noted("Last day of the price; it does not count afterwards.", "2026-12-31")

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

    kind: Name = noted("Its type: draft, ark, 3hei, jiekou, ….", "3hei", ...)
    base_url: Address | None = noted("Its address; each kind has a default.", "https://api.3hei.com")
    api_key: SecretName | None = noted("The environment variable that holds the key.", "${env.STUDIO_KEY}")
    app_id: OpenId | None = noted("Application id, for kinds that use one (chanjing).", "${env.CHANJING_APP_ID}")
    secret_key: SecretName | None = noted("The variable that holds the secret of app_id.", "${env.CHANJING_SECRET}")
    access_token: SecretName | None = noted(
        "The variable that holds a ready-made token instead.", "${env.CHANJING_TOKEN}"
    )
    account: Name | None = noted(
        "Name of the vendor account, if it has several keys. Each of them must see the tasks of all.", "studio-main"
    )
    env: Variables = noted(
        "Environment variables that base_url may contain as ${env.NAME}; the owner of the address reads them.",
        "[STUDIO_HOST]",
        (),
    )
    concurrency: Annotated[int | None, whole_from(1, 10_000)] = noted("Most tasks in flight at once.", "8")
    requests_per_second: Amount | None = noted("Most requests per second.", "5")
    poll_interval: Span | None = noted("Longest interval between two status requests for a task.", "10s")
    timeout: Span | None = noted("After this a clip is reported as still running; it is never abandoned.", "30m")
    prices: Annotated[tuple[Price, ...], AS_LIST] = noted(
        "Price table for estimates and budgets; the first matching row applies.",
        '[{model: "*", per_clip: 0.45}]',
        (),
    )
    models: Free = noted("Models newer than this release, or different limits for built-in ones.", "{new-model: {}}")
    settings: FreeMap = noted("Settings of the kind, where a provider differs from its documentation.", "{}", dict)


class ProviderPatch(Provider):
    """Some fields of a provider, for an environment."""

    kind: Name | None = noted("Its type, if that differs.", "3hei")  # type: ignore[assignment]  # required there


class Budget(SpecModel):
    """Caps on spending."""

    currency: Annotated[str, Leaf(scalars.line, "text", {"type": "string"})] = noted(
        "Currency of the caps and of all prices.", "USD", "USD"
    )
    per_apply: Amount | None = noted("Most that one apply may spend.", "20")
    total: Amount | None = noted("Most that the project may spend in total.", "200")
    clips_per_apply: Positive | None = noted("Most generations that one apply may pay for.", "50")
    per_day: Amount | None = noted("Most that may be spent on a day, from midnight to midnight in UTC.", "50")
    per_month: Amount | None = noted("Most that may be spent in a calendar month of UTC.", "500")
    per_tag: Annotated[dict[str, Amount], AS_MAP] = noted(
        "Most that may be spent on the clips with a tag, in all.", "{trailer: 100}", dict
    )


class Inputs(SpecModel):
    """Folders outside the project that local media may be read from."""

    allow: Annotated[tuple[Folder, ...], AS_LIST] = noted(
        "Folders outside the project that local media may be read from; relative to the project, or absolute.",
        "[../brand-assets]",
        (),
    )


Vars = Annotated[dict[str, RawText], AS_MAP]
Clips = Annotated[dict[str, ClipDecl], AS_MAP]
LookMap = Annotated[dict[str, Look], AS_MAP]
KeyframeMap = Annotated[dict[str, Keyframe], AS_MAP]
CutMap = Annotated[dict[str, CutDecl], AS_MAP]


_FILM = "{film: {sequence: [{clip: intro}, {clip: hero}]}}"


class IncludeFile(SpecModel):
    """A file listed under `include`."""

    vars: Vars = noted("Texts for ${vars.name} in the clips of this file.", "{product: Aurora}", dict)
    defaults: ClipFields = noted("Default fields of the clips in this file.", "{}", ClipFields)
    clips: Clips = noted("The clips, by name.", "{sunrise: {prompt: mist at sunrise}}", dict)
    cuts: CutMap = noted("Films made of clips, by name.", _FILM, dict)


class ProjectFile(SpecModel):
    """clipform.yaml."""

    version: Annotated[int, whole_from(1, 1, scalars.version)] = noted("Version of this format.", "1", ...)
    include: Annotated[tuple[RawText, ...], AS_LIST] = noted(
        "More files, by path or pattern; each may have vars, defaults, clips and cuts.", "[clips/*.yaml]", ()
    )
    use: Annotated[tuple[RawText, ...], AS_LIST] = noted(
        "Files that several projects share, by path or pattern; each may have looks, keyframes, cuts and prices.",
        "[shared/house.yaml]",
        (),
    )
    vars: Vars = noted("Texts for ${vars.name}.", "{product: Aurora lamp}", dict)
    looks: LookMap = noted(
        "Characters, places and styles that clips use.", '{mia: {prompt: "Mia, thirty", images: [art/mia.png]}}', dict
    )
    keyframes: KeyframeMap = noted(
        "Pictures that clips share: one ends on it, the next starts from it.",
        "{door: {file: art/door.png}}",
        dict,
    )
    providers: Annotated[dict[str, Provider], AS_MAP] = noted(
        "Providers, by an alias of your choice; draft is built in.",
        "{studio: {kind: 3hei, api_key: ${env.STUDIO_KEY}}}",
        dict,
    )
    budget: Budget | None = noted("Caps on spending.", "{currency: USD, per_apply: 20}")
    publish: Publish | None = noted("A store that gives local media a URL.", '{store: "s3://bucket/prefix"}')
    cache: Cache | None = noted("A store of artifacts that a team shares.", '{remote: "s3://bucket/clips"}')
    state: SharedState | None = noted(
        "A database that a team shares, with the cache.", "{url: postgresql://db.example.com/clipform}"
    )
    policy: PolicyDecl | None = noted("What may be applied.", "{apply: approved-plans}")
    approval: ApprovalDecl | None = noted("Purchases that somebody has to approve first.", "{required: paid}")
    notify: Notify | None = noted("Where to tell how an apply ended.", "{url: https://hooks.example.com/clipform}")
    provenance: ProvenanceDecl | None = noted("What marked copies of outputs say about themselves.", "{embed: yes}")
    inputs: Inputs | None = noted("Permission to read local media outside the project.", "{allow: [../brand-assets]}")
    defaults: Defaults = noted("Default fields of all clips.", "{duration: 5}", Defaults)
    moved: Annotated[tuple[Moved, ...], AS_LIST] = noted(
        "Clips that were renamed: they keep what is on record under the former name.", "[{from: hero, to: opening}]", ()
    )
    clips: Clips = noted("The clips, by name.", "{sunrise: {prompt: mist at sunrise}}", dict)
    cuts: CutMap = noted("Films made of clips, by name.", _FILM, dict)


class EnvironmentFile(SpecModel):
    """`clipform.NAME.yaml`, laid over the project file with `--env NAME`."""

    vars: Vars = noted("Other texts for ${vars.name}.", "{product: Aurora}", dict)
    providers: Annotated[dict[str, ProviderPatch], AS_MAP] = noted(
        "Other fields of providers.", "{studio: {base_url: http://127.0.0.1:8790/3hei}}", dict
    )
    budget: Budget | None = noted("Other caps.", "{per_apply: 5}")
