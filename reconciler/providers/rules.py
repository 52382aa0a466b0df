"""The rules a clip is held to, each a small generator of diagnostics about one thing. `check` runs them all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.diagnostics import Diagnostic, Severity, Source
from reconciler.providers.base import Mode, Model, Placement
from reconciler.providers.limits import check_request
from reconciler.providers.phrases import choices, count, nearest
from reconciler.spec.project import Clip
from reconciler.spec.values import AssetMedia, ClipMedia, DataMedia, Frame, LocalMedia, Media, UrlMedia

_LABELS = {
    Mode.TEXT: "text alone",
    Mode.FIRST_FRAME: "a first frame alone",
    Mode.FRAMES: "a first and a last frame",
    Mode.REFERENCES: "references",
    Mode.EDIT: "operation: edit",
    Mode.EXTEND: "operation: extend",
}

_REFERENCES = ("references", "references.images", "references.videos", "references.audios")

_SWITCH = re.compile(r"(?:^|\s)--(?:rs|rt|dur|resolution|ratio|duration|fps|seed|cf|camerafixed|wm|watermark)\s")
"""Old Ark prompts carried parameters this way; wrong ones are dropped in silence there (Ark docs)."""


def check(clip: Clip, model: Model, hosted: bool) -> Iterator[Diagnostic]:
    """Everything wrong with a clip under a model, in the order of the fields. `hosted`: local files can get a URL."""
    yield from _prompt(clip, model)
    yield from _size(clip, model)
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


def mode_of(clip: Clip) -> Mode:
    """What the generation starts from. A lone last frame counts as frame mode."""
    if clip.spec.operation is not None:
        return Mode(clip.spec.operation)
    if clip.spec.last_frame is not None:
        return Mode.FRAMES
    if clip.spec.first_frame is not None:
        return Mode.FIRST_FRAME
    references = clip.references
    return Mode.REFERENCES if references.images or references.videos or references.audios else Mode.TEXT


def switches(model: Model) -> tuple[str, ...]:
    """The yes/no fields that a line takes."""
    has = {
        "camera_fixed": model.has_camera_fixed,
        "audio": model.has_audio,
        "watermark": model.has_watermark,
        "return_last_frame": model.has_last_frame,
    }
    return tuple(name for name, taken in has.items() if taken)


def _at(clip: Clip, *names: str) -> Source | None:
    """Where the first of these fields that was written stands, else the clip."""
    return next((clip.fields[name] for name in names if name in clip.fields), clip.where)


def _prompt(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    if not clip.spec.prompt.strip() and (model.prompt_required or mode_of(clip) is Mode.TEXT):
        why = f"{model.name} needs a prompt"
        yield Diagnostic("prompt-required", why, _at(clip, "prompt"), "add `prompt:` with what the clip shows")
    length, source = len(clip.spec.prompt), _at(clip, "prompt")
    if model.prompt_max is not None and length > model.prompt_max:
        message = f"the prompt has {length} characters; {model.name} takes at most {model.prompt_max}"
        yield Diagnostic("prompt-too-long", message, source, f"shorten it by {length - model.prompt_max}")
    elif model.prompt_advised is not None and length > model.prompt_advised:
        message = f"the prompt has {length} characters; {model.name} is advised to get {model.prompt_advised} or fewer"
        yield Diagnostic("prompt-long", message, source, "shorten it, or expect parts to be ignored", Severity.WARNING)
    if model.reads_switches and (found := _SWITCH.search(clip.spec.prompt)):
        message = f"the provider reads {found[0].strip()} in a prompt as a parameter, loosely and without errors"
        yield Diagnostic("prompt-switch", message, source, "use the clip's own fields", Severity.WARNING)


def _size(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    """What the project itself writes into the request: its prompt and its `data:` URLs."""
    given = [(name, len(item.url)) for name, item in clip.media() if isinstance(item, DataMedia)]
    if given:
        size = len(clip.spec.prompt.encode()) + sum(length for _, length in given)
        yield from check_request(size, model.max_request_bytes, clip.source(given[0][0]))


def _durations(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    if clip.spec.duration is None or clip.spec.duration in model.durations:
        return
    message = f"duration {clip.spec.duration} is not offered by {model.name} ({choices(model.durations)})"
    spans = [seconds for seconds in model.durations if seconds > 0]
    way = "further" if spans and clip.spec.duration > spans[-1] else "there"
    other = f"choose a model that goes {way} (clipform models --duration {clip.spec.duration})"
    help = f"set {nearest(clip.spec.duration, spans)}, or {other}" if spans else "leave the duration out"
    yield Diagnostic("duration-not-offered", message, clip.source("duration"), help)


def _resolutions(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    if clip.spec.resolution is None or clip.spec.resolution in model.resolutions:
        return
    fixed = "always " if model.resolution_in is Placement.FIXED else ""
    message = f"resolution {clip.spec.resolution} is not offered by {model.name} ({fixed}{choices(model.resolutions)})"
    help = f"choose one of these, or another model (clipform models --resolution {clip.spec.resolution})"
    yield Diagnostic("resolution-not-offered", message, clip.source("resolution"), help)


def _ratios(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    if clip.spec.ratio is None or clip.spec.ratio in model.ratios:
        return
    message = f"ratio {clip.spec.ratio} is not offered by {model.name} ({choices(model.ratios)})"
    help = f"choose one of these, or another model (clipform models --ratio {clip.spec.ratio})"
    yield Diagnostic("ratio-not-offered", message, clip.source("ratio"), help)


def _required(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    values = {"duration": model.durations, "resolution": model.resolutions, "ratio": model.ratios}
    for name, offered in values.items():
        if name in model.required and name not in model.defaults and getattr(clip.spec, name) is None:
            message = f"{model.name} needs a {name} ({choices(offered)}); the provider has no default for it"
            yield Diagnostic("field-required", message, clip.where, f"add `{name}:` to the clip or to `defaults:`")


def _seed(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    seed, takes = clip.spec.seed, clip.spec.takes
    if seed is None:
        return
    if model.seed_max is None:
        message = f"{model.name} takes no seed, so {seed} is not sent"
        help = "keep it where the clip is paid for, because it counts in the key; leave it out of new clips"
        yield Diagnostic("seed-not-taken", message, clip.source("seed"), help, Severity.WARNING)
        return
    last = seed + takes - 1
    if seed < 0 or last > model.seed_max:
        reach = f"seed {seed}" if takes == 1 else f"seed {seed} with {count(takes, 'take')}"
        message = f"{reach} is out of range for {model.name} (0 to {model.seed_max})"
        help = f"choose a seed up to {model.seed_max - takes + 1}, or leave it out"
        yield Diagnostic("seed-out-of-range", message, clip.source("seed"), help)


def _switches(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    """A switch that the line lacks may be stated at the one value that it can have (`Model.defaults`)."""
    for name in ("camera_fixed", "audio", "watermark", "return_last_frame"):
        stated: bool | None = getattr(clip.spec, name)
        if stated is None or name in switches(model) or stated == model.defaults.get(name):
            continue
        message = f"{model.name} has no `{name}` switch, found {'yes' if stated else 'no'}"
        help = f"remove `{name}:`, or choose a model that has it (clipform models --{name.replace('_', '-')})"
        yield Diagnostic("switch-not-offered", message, clip.source(name), help)


def _modes(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    mode = mode_of(clip)
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
    return bool(
        clip.references.images or clip.references.videos or (clip.references.audios and not model.audios_with_frames)
    )


def _mode_not_offered(clip: Clip, model: Model, mode: Mode) -> Diagnostic:
    takes = choices([label for known, label in _LABELS.items() if known in model.modes])
    message = f"{model.name} does not take {_LABELS[mode]} (it takes {takes})"
    help = f"give it one of these, or choose another model (clipform models --mode {mode})"
    fields = {Mode.FIRST_FRAME: ("first_frame",), Mode.FRAMES: ("last_frame",), Mode.REFERENCES: _REFERENCES}
    return Diagnostic("mode-not-offered", message, _at(clip, *fields.get(mode, ("operation",))), help)


def _counts(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    if Mode.REFERENCES not in model.modes:
        return  # that references are not taken at all is the mode's rule
    rows = (
        ("images", "reference picture", len(clip.references.images), model.max_images),
        ("videos", "reference video", len(clip.references.videos), model.max_videos),
        ("audios", "reference audio", len(clip.references.audios), model.max_audios),
    )
    for name, noun, found, most in rows:
        if found > most:
            source = _at(clip, f"references.{name}[{most}]", f"references.{name}", "references")
            takes = f"at most {most}" if most else "none"
            message = f"{count(found, noun)} given; {model.name} takes {takes}"
            yield Diagnostic("too-many-references", message, source, f"remove {found - most}, or choose another model")
    if (
        mode_of(clip) is Mode.REFERENCES
        and clip.references.audios
        and not (clip.references.images or clip.references.videos or model.audio_alone)
    ):
        message = f"{model.name} does not take audio alone as reference"
        source = _at(clip, "references.audios", "references")
        yield Diagnostic("audio-alone", message, source, "add a reference picture or video")


def _pictures(clip: Clip, model: Model) -> Iterator[Diagnostic]:
    """The limit on pictures of all fields together, where a line has one and the fields' own limits are kept."""
    found = len(clip.references.images) + (clip.spec.first_frame is not None) + (clip.spec.last_frame is not None)
    if model.max_media is not None and found > model.max_media and len(clip.references.images) <= model.max_images:
        message = f"{count(found, 'picture')} given in all; {model.name} takes at most {model.max_media}"
        source = _at(clip, "references.images", "references")
        yield Diagnostic("too-many-pictures", message, source, f"remove {found - model.max_media}")


def _media(clip: Clip, model: Model, hosted: bool) -> Iterator[Diagnostic]:
    schemes = {"images": model.image_schemes, "videos": model.video_schemes, "audios": model.audio_schemes}
    for name, item in clip.media():
        sort = next((kind for kind in schemes if name.startswith(f"references.{kind}")), "images")
        source = _at(clip, name, name.split("[")[0], "references")
        if isinstance(item, ClipMedia) and not _fits(item, sort):
            message = f"{name} wants {_NOUNS[sort]}, and `{item.part}` of clip {item.clip} is not one"
            help = "use `.last_frame` or `.first_frame` for pictures, `.video` for videos"
            yield Diagnostic("wrong-part", message, source, help)
        elif (problem := _scheme(item, schemes[sort], hosted)) is not None:
            message, help = problem
            yield Diagnostic("media-not-accepted", f"{name}: {model.name} {message}", source, help)


_NOUNS = {"images": "a picture", "videos": "a video", "audios": "audio"}


def _fits(item: ClipMedia, sort: str) -> bool:
    return (item.part is Frame.VIDEO) == (sort == "videos") and sort != "audios"


def _scheme(item: Media, schemes: frozenset[str], hosted: bool) -> tuple[str, str] | None:
    """Why a way of giving media will not do, and the way out; None when it will."""
    takes = choices([_SCHEMES[scheme] for scheme in _SCHEMES if scheme in schemes])
    match item:
        case UrlMedia() if "https" not in schemes:
            way = "put it into the provider's asset library and give its asset:// id"
            return f"takes no link, only {takes}", way if "asset" in schemes else "use a file of the project"
        case AssetMedia(id=id) if "asset" not in schemes:
            return f"takes no {id.split(':')[0]}:// id, only {takes}", "give an https:// URL or a file instead"
        case DataMedia() if "data" not in schemes:
            return f"takes no data: URL, only {takes}", "save it as a file of the project, or give an https:// URL"
        case LocalMedia() | ClipMedia() if not schemes & {"file", "data"} and "https" not in schemes:
            way = "register it with the provider and give its asset:// id"
            return f"takes {takes} only, so a file cannot be sent", way
        case LocalMedia() | ClipMedia() if not schemes & {"file", "data"} and not hosted:
            way = "add `publish:` to the project, or give an https:// URL"
            return f"takes {takes}, and this project has no way to publish a file", way
    return None


_SCHEMES = {"https": "https:// URLs", "data": "data: URLs", "asset": "asset:// ids", "file": "files"}
