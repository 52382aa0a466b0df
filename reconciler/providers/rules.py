"""The rules for a clip under a model: each is a generator of diagnostics about one thing. `check` runs them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic, Severity, Source
from reconciler.next_command import command
from reconciler.providers.base import Mode, Model, Placement
from reconciler.providers.limits import check_request
from reconciler.providers.phrases import choices, count, nearest
from reconciler.spec.project import Clip
from reconciler.spec.values import AssetMedia, ClipMedia, DataMedia, DraftTask, Frame, LocalMedia, Media, UrlMedia

if TYPE_CHECKING:  # loads pydantic
    from reconciler.spec.model import ClipFields

_LABELS = {
    Mode.TEXT: "text alone",
    Mode.FIRST_FRAME: "a first frame alone",
    Mode.FRAMES: "a first and a last frame",
    Mode.REFERENCES: "references",
    Mode.EDIT: "operation: edit",
    Mode.EXTEND: "operation: extend",
}

_REFERENCES = ("references", "references.images", "references.videos", "references.audios", "references.images[0]")

_SWITCH = re.compile(r"(?:^|\s)--(?:rs|rt|dur|resolution|ratio|duration|fps|seed|cf|camerafixed|wm|watermark)\s")
"""Parameters in a prompt, as old Ark prompts have them; the vendor ignores wrong ones without an error (Ark docs)."""


def check(clip: Clip, model: Model, hosted: bool) -> Iterator[Diagnostic]:
    """Yield the problems of a clip under a model, in the order of its fields. `hosted`: local files can get a URL.

    A problem that could follow from a faulty field is left out.
    """
    yield from check_each(clip, model)
    yield from _durations(clip, model)
    yield from _resolutions(clip, model)
    yield from _ratios(clip, model)
    yield from _required(clip, model)
    yield from _seed(clip, model)
    yield from _switches(clip, model)
    yield from _modes(clip, model)
    yield from _counts(clip, model)
    yield from _pictures(clip, model)
    yield from _media(clip, model, hosted)
    yield from _options(clip, model)
    yield from _tier(clip, model)


def check_each(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    """Yield only the problems that clips of one form may have with different words or places."""
    yield from _retired(clip, model)
    yield from _prompt(clip, model)
    yield from _size(clip, model)


_NOT_IN_FORM = ("prompt", "first_frame", "last_frame", "references", "options")
_UNCHECKED = ("use", "avoid", "pick", "retake", "output", "tags", "description", "protect", "needed_by")


@cache
def _form_getter(fields: type[ClipFields]) -> Callable[[ClipFields], object]:
    return attrgetter(*(name for name in fields.model_fields if name not in (*_NOT_IN_FORM, *_UNCHECKED)))


def form_of(clip: Clip) -> Hashable:
    """Return what `check` sees of a clip beside its texts; None for a clip with options or faults, which it sees too.

    If one clip has no problems beside those of `check_each`, no other of its form has.
    """
    if clip.spec.options or clip.faulty:
        return None
    media = tuple((name, type(item), item.part if isinstance(item, ClipMedia) else None) for name, item in clip.media())
    return (_form_getter(type(clip.spec))(clip.spec), media)


def mode_of(clip: Clip) -> Mode:
    """Return the inputs that a generation starts from. A last frame alone is frame mode."""
    if clip.spec.operation is not None:
        return Mode(clip.spec.operation)
    if clip.spec.last_frame is not None:
        return Mode.FRAMES
    if clip.spec.first_frame is not None:
        return Mode.FIRST_FRAME
    references = clip.references
    return Mode.REFERENCES if references.images or references.videos or references.audios else Mode.TEXT


def _knows_mode(clip: Clip) -> bool:
    return clip.faulty.isdisjoint(("first_frame", "last_frame", "references", "operation"))


def switches(model: Model) -> tuple[str, ...]:
    """Return the yes/no fields that a model has."""
    has = {
        "camera_fixed": model.has_camera_fixed,
        "audio": model.has_audio,
        "watermark": model.has_watermark,
        "return_last_frame": model.has_last_frame,
    }
    return tuple(name for name, offered in has.items() if offered)


def _at(clip: Clip, *names: str) -> Source | None:
    """Return the source of the first of these fields that is declared, else of the clip."""
    return next((clip.fields[name] for name in names if name in clip.fields), clip.where)


def _retired(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    if model.retired:
        message = f"{model.name} was retired {model.retired}"
        help = "choose another model for new clips; what was generated stays valid"
        yield Diagnostic("model-retired", message, clip.fields.get("model"), help, Severity.WARNING)


def _options(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    """Check the vendor's own fields: a refused value is an error, a field that no page names a warning."""
    for name, value in clip.spec.options.items() if model.options is not None else ():
        values = (model.options or {}).get(name)
        source = _at(clip, f"options.{name}", "options")
        if values is None:
            message = (
                f"option {name!r} is not a known field of {model.name} (known: {choices(list(model.options or ()))})"
            )
            help = "the provider may refuse it; check its spelling, or add it to `models:` of the provider"
            yield Diagnostic("option-unknown", message, source, help, Severity.WARNING)
        elif values and value not in values:
            message = f"option {name}: {value} is not taken by {model.name} ({choices(values)})"
            yield Diagnostic("option-not-offered", message, source, "choose one of these, or leave the option out")


def _prompt(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    is_needed = model.prompt_required or (mode_of(clip) is Mode.TEXT and _knows_mode(clip))
    if is_needed and not clip.spec.prompt.strip() and "prompt" not in clip.faulty:
        why = f"{model.name} needs a prompt"
        yield Diagnostic("prompt-required", why, _at(clip, "prompt"), "add `prompt:` with a description of the clip")
    length, source = len(clip.spec.prompt), _at(clip, "prompt")
    if model.prompt_max is not None and length > model.prompt_max:
        message = f"the prompt has {length} characters; {model.name} takes at most {model.prompt_max}"
        yield Diagnostic("prompt-too-long", message, source, f"shorten it by {length - model.prompt_max}")
    elif model.prompt_advised is not None and length > model.prompt_advised:
        message = f"the prompt has {length} characters; for {model.name}, {model.prompt_advised} or fewer are advised"
        yield Diagnostic("prompt-long", message, source, "shorten it, or expect parts to be ignored", Severity.WARNING)
    is_open = model.reads_switches and "--" in clip.spec.prompt  # which is sooner seen
    if is_open and (switch := _SWITCH.search(clip.spec.prompt)):
        message = f"the provider reads {switch[0].strip()} in a prompt as a parameter, loosely and without errors"
        yield Diagnostic("prompt-switch", message, source, "use the clip's own fields", Severity.WARNING)


def _size(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    """Check the size of the parts of the request that the project writes: its prompt and its `data:` URLs."""
    urls = [(name, len(media.url)) for name, media in clip.media() if isinstance(media, DataMedia)]
    if urls:
        size = len(clip.spec.prompt.encode()) + sum(length for _, length in urls)
        yield from check_request(size, model.max_request_bytes, clip.source(urls[0][0]))


def _durations(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    if clip.spec.duration is None or clip.spec.duration in model.durations:
        return
    message = f"duration {clip.spec.duration} is not offered by {model.name} ({choices(model.durations)})"
    spans = [seconds for seconds in model.durations if seconds > 0]
    other = f"choose a model that offers it ({command('models', '--duration', str(clip.spec.duration))})"
    help = f"set {nearest(clip.spec.duration, spans)}, or {other}" if spans else "leave the duration out"
    yield Diagnostic("duration-not-offered", message, clip.source("duration"), help)


def _resolutions(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    if clip.spec.resolution is None or clip.spec.resolution in model.resolutions:
        return
    fixed = "always " if model.resolution_in is Placement.FIXED else ""
    message = f"resolution {clip.spec.resolution} is not offered by {model.name} ({fixed}{choices(model.resolutions)})"
    help = f"choose one of these, or another model ({command('models', '--resolution', clip.spec.resolution)})"
    yield Diagnostic("resolution-not-offered", message, clip.source("resolution"), help)


def _ratios(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    if clip.spec.ratio is None or clip.spec.ratio in model.ratios:
        yield from _adaptive(clip, model)
        return
    message = f"ratio {clip.spec.ratio} is not offered by {model.name} ({choices(model.ratios)})"
    help = f"choose one of these, or another model ({command('models', '--ratio', clip.spec.ratio)})"
    yield Diagnostic("ratio-not-offered", message, clip.source("ratio"), help)


def _adaptive(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    """Check a ratio against the modes that need `adaptive`, or do not take it."""
    ratio, mode = clip.spec.ratio, mode_of(clip)
    if not _knows_mode(clip):
        return
    if ratio == "adaptive" and mode in model.adaptive_never:
        message = f"{model.name} does not take the ratio adaptive with {_LABELS[mode]}"
        help = f"set one of {choices([name for name in model.ratios if name != 'adaptive'])}"
        yield Diagnostic("ratio-not-offered", message, clip.source("ratio"), help)
    elif ratio not in (None, "adaptive") and mode in model.adaptive_only:
        message = f"{model.name} takes only the ratio adaptive with {_LABELS[mode]}, not {ratio}"
        yield Diagnostic("ratio-not-offered", message, clip.source("ratio"), "set ratio: adaptive, or leave it out")


def _required(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    values = {"duration": model.durations, "resolution": model.resolutions, "ratio": model.ratios}
    for name, offered in values.items():
        absent = getattr(clip.spec, name) is None and name not in clip.faulty
        if name in model.required and name not in model.defaults and absent:
            message = f"{model.name} needs a {name} ({choices(offered)}); the provider has no default for it"
            yield Diagnostic("field-required", message, clip.where, f"add `{name}:` to the clip or to `defaults:`")


def _seed(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    seed, takes = clip.spec.seed, clip.spec.takes
    if seed is None:
        return
    if model.seed_max is None:
        message = f"{model.name} takes no seed, so {seed} is not sent"
        help = "keep it in a clip that is paid for, since the key covers it; leave it out of new clips"
        yield Diagnostic("seed-not-taken", message, clip.source("seed"), help, Severity.WARNING)
        return
    last = seed + takes - 1
    if seed < 0 or last > model.seed_max:
        seeds = f"seed {seed}" if takes == 1 else f"seed {seed} with {count(takes, 'take')}"
        message = f"{seeds} is out of range for {model.name} (0 to {model.seed_max})"
        help = f"choose a seed up to {model.seed_max - takes + 1}, or leave it out"
        yield Diagnostic("seed-out-of-range", message, clip.source("seed"), help)


def _switches(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    """A switch that the model lacks may be declared with its only possible value (`Model.defaults`)."""
    for name in ("camera_fixed", "audio", "watermark", "return_last_frame"):
        stated: bool | None = getattr(clip.spec, name)
        if stated is None or name in switches(model) or stated == model.defaults.get(name):
            continue
        message = f"{model.name} has no `{name}` switch, found {'yes' if stated else 'no'}"
        help = f"remove `{name}:`, or choose a model that has it ({command('models', '--' + name.replace('_', '-'))})"
        yield Diagnostic("switch-not-offered", message, clip.source(name), help)


def _modes(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    mode = mode_of(clip)
    if not _knows_mode(clip):
        return
    if _mixed(clip, model):
        message = "frames and references cannot be used together"
        help = "keep `first_frame`/`last_frame` or `references`, not both"
        yield Diagnostic("frames-with-references", message, _at(clip, *_REFERENCES), help)
    elif mode not in model.modes:
        yield _mode_not_offered(clip, model, mode)
    elif mode in (Mode.EDIT, Mode.EXTEND) and len(clip.references.videos) != 1:
        message = f"operation: {clip.spec.operation} needs one reference video, found {len(clip.references.videos)}"
        yield Diagnostic("operation-video", message, clip.source("operation"), "give one video in `references.videos:`")
    elif clip.spec.last_frame is not None and clip.spec.first_frame is None and not model.lone_last_frame:
        message = f"{model.name} takes a last frame only together with a first"
        yield Diagnostic("lone-last-frame", message, clip.source("last_frame"), "add `first_frame:`")


def _mixed(clip: Clip, model: Model) -> bool:
    if clip.spec.first_frame is None and clip.spec.last_frame is None:
        return False
    references = clip.references
    return bool(references.images or references.videos or (references.audios and not model.audios_with_frames))


def _mode_not_offered(clip: Clip, model: Model, mode: Mode) -> Diagnostic:
    takes = choices([label for offered, label in _LABELS.items() if offered in model.modes])
    pictures = _from_looks(clip) if mode is Mode.REFERENCES else ""
    message = f"{model.name} does not take {_LABELS[mode]}{pictures} (it takes {takes})"
    help = f"give it one of these, or choose another model ({command('models', '--mode', mode)})"
    fields = {Mode.FIRST_FRAME: ("first_frame",), Mode.FRAMES: ("last_frame",), Mode.REFERENCES: _REFERENCES}
    return Diagnostic("mode-not-offered", message, _at(clip, *fields.get(mode, ("operation",))), help)


def _counts(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    if Mode.REFERENCES not in model.modes:
        return  # `_modes` reports that references are not accepted at all
    references = clip.references
    rows = (
        ("images", "reference picture", len(references.images), model.max_images),
        ("videos", "reference video", len(references.videos), model.max_videos),
        ("audios", "reference audio", len(references.audios), model.max_audios),
    )
    for name, noun, number, most in rows:
        if number > most:
            source = _at(clip, f"references.{name}[{most}]", f"references.{name}", "references")
            takes = f"at most {most}" if most else "none"
            brought = _from_looks(clip) if name == "images" else ""
            message = f"{count(number, noun)} given{brought}; {model.name} takes {takes}"
            yield Diagnostic("too-many-references", message, source, f"remove {number - most}, or choose another model")
    alone = references.audios and not (references.images or references.videos)
    if mode_of(clip) is Mode.REFERENCES and alone and not model.audio_alone and _knows_mode(clip):
        message = f"{model.name} does not take audio alone as reference"
        source = _at(clip, "references.audios", "references")
        yield Diagnostic("audio-alone", message, source, "add a reference picture or video")


def _from_looks(clip: Clip) -> str:
    """Return which looks brought how many pictures, such as ` (2 by look mia)`."""
    brought = [f"{len(look.fields)} by look {look.name}" for look in clip.looks if look.fields]
    return f" ({', '.join(brought)})" if brought else ""


def _pictures(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    """Check the limit on pictures of all fields together, unless a field's own limit is exceeded already."""
    number = len(clip.references.images) + (clip.spec.first_frame is not None) + (clip.spec.last_frame is not None)
    if model.max_media is not None and number > model.max_media and len(clip.references.images) <= model.max_images:
        message = (
            f"{count(number, 'picture')} given in all{_from_looks(clip)}; {model.name} takes at most {model.max_media}"
        )
        source = _at(clip, "references.images", "references")
        yield Diagnostic("too-many-pictures", message, source, f"remove {number - model.max_media}")


def _media(clip: Clip, model: Model, hosted: bool) -> Iterator[Diagnostic]:
    schemes = {"images": model.image_schemes, "videos": model.video_schemes, "audios": model.audio_schemes}
    for name, media in clip.media():
        if isinstance(media, DraftTask):
            continue
        sort = next((kind for kind in schemes if name.startswith(f"references.{kind}")), "images")
        source = _at(clip, name, name.split("[")[0], "references")
        if isinstance(media, ClipMedia) and not _fits(media, sort):
            message = f"{name} needs {_NOUNS[sort]}, and `{media.part}` of clip {media.clip} is not one"
            help = "use `.last_frame` or `.first_frame` for pictures, `.video` for videos"
            yield Diagnostic("wrong-part", message, source, help)
        elif (problem := _scheme(media, schemes[sort], hosted)) is not None:
            message, help = problem
            yield Diagnostic("media-not-accepted", f"{name}: {model.name} {message}", source, help)


_NOUNS = {"images": "a picture", "videos": "a video", "audios": "audio"}


def _fits(media: ClipMedia, sort: str) -> bool:
    return (media.part is Frame.VIDEO) == (sort == "videos") and sort != "audios"


def _scheme(media: Media, schemes: frozenset[str], hosted: bool) -> tuple[str, str] | None:
    """Return why a model does not accept an input in this form, and a remedy; None if it does."""
    takes = choices([_SCHEMES[scheme] for scheme in _SCHEMES if scheme in schemes])
    match media:
        case UrlMedia() if "https" not in schemes:
            remedy = "put it into the provider's asset library and give its asset:// id"
            return f"takes no link, only {takes}", remedy if "asset" in schemes else "use a file of the project"
        case AssetMedia(id=id) if "asset" not in schemes:
            return f"takes no {id.split(':')[0]}:// id, only {takes}", "give an https:// URL or a file instead"
        case DataMedia() if "data" not in schemes:
            return f"takes no data: URL, only {takes}", "save it as a file of the project, or give an https:// URL"
        case LocalMedia() | ClipMedia() if not schemes & {"file", "data"} and "https" not in schemes:
            remedy = "register it with the provider and give its asset:// id"
            return f"takes {takes} only, so a file cannot be sent", remedy
        case LocalMedia() | ClipMedia() if not schemes & {"file", "data"} and not hosted:
            remedy = "add `publish:` to the project, or give an https:// URL"
            return f"takes {takes}, and this project has no way to publish a file", remedy
    return None


_SCHEMES = {"https": "https:// URLs", "data": "data: URLs", "asset": "asset:// ids", "file": "files"}


def _tier(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    """Yield a tier that the model lacks, and one beside an option that sets it: an option counts in the key."""
    spec = clip.spec
    if spec.tier == "flex" and model.flex_within is None:
        text = f"{model.name} has no tier flex"
        yield Diagnostic("tier-not-offered", text, _at(clip, "tier"), "leave it out, or choose another model")
    if (spec.tier or spec.needed_by) and "service_tier" in spec.options:
        text = "the option service_tier sets the tier already"
        help = "leave `tier` and `needed_by` out: without the option, the clip is another one and is bought again"
        yield Diagnostic("tier-twice", text, _at(clip, "tier", "needed_by"), help)
