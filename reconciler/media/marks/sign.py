"""Signs a marked copy as C2PA has it, and reads such a signature. The library is an extra, and loaded when it is used.

`sign` is not for a worker: those have no credentials. It reads what a worker wrote just before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from reconciler.diagnostics import ArtifactError

ASSERTION: Final = "org.clipform.generation"
_TYPE: Final = "video/mp4"
_GENERATED: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_ALGORITHMS: Final = ("es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519")


def sign(video: Path, target: Path, tag: str, ingredients: Sequence[Path], identity: tuple[str, str]) -> None:
    """Write a signed copy. `tag` is our tag, `ingredients` are the videos that it shows: the first is the parent if it
    is the only one. `identity` has the chain of certificates and the private key, as PEM.

    Raises ArtifactError without the extra, and for a certificate or key that does not sign.
    """
    library = _library()
    certificate, key = (text.encode() for text in identity)
    failures: list[str] = []
    for algorithm in _ALGORITHMS:
        try:
            signer = library.Signer.from_info(library.C2paSignerInfo(algorithm, certificate, key, None))
            builder = library.Builder(_manifest(tag))
            for path in ingredients:
                relation = "parentOf" if len(ingredients) == 1 else "componentOf"
                with path.open("rb") as stream:
                    builder.add_ingredient({"title": path.stem[:12], "relationship": relation}, _TYPE, stream)
            with video.open("rb") as source, target.open("w+b") as copy:
                builder.sign(signer, _TYPE, source, copy)
            return
        except library.C2paError as error:
            failures.append(str(error).partition("\n")[0][:200])
    telling = [text for text in failures if "private key" not in text]  # of a key of that kind
    raise ArtifactError(f"the certificate or its key does not sign: {(telling or failures)[0]}", code="c2pa")


def _manifest(tag: str) -> dict[str, Any]:
    action = {"action": "c2pa.created", "digitalSourceType": _GENERATED}
    actions = {"label": "c2pa.actions", "data": {"actions": [action]}}
    assertions = [actions, {"label": ASSERTION, "data": json.loads(tag)}]
    return {"claim_generator_info": [{"name": "clipform"}], "format": _TYPE, "assertions": assertions}


def signed(video: str) -> dict[str, str]:
    """Return what our assertion in a signature says, if the signature fits the bytes; empty if there is none, or the
    extra is not installed. To be called in a worker."""
    try:
        import c2pa  # type: ignore[import-untyped]  # it has no annotations
    except ImportError:
        return {}
    try:
        with Path(video).open("rb") as stream:
            report = json.loads(c2pa.Reader(_TYPE, stream).json())
    except (c2pa.C2paError, OSError, ValueError):
        return {}
    active = report.get("manifests", {}).get(report.get("active_manifest"), {})
    stated = [each["data"] for each in active.get("assertions", ()) if each.get("label") == ASSERTION]
    data: Any = stated[0] if stated else {}
    is_sound = report.get("validation_state") in ("Valid", "Trusted")
    return {str(name): str(value) for name, value in data.items()} if is_sound and isinstance(data, dict) else {}


def _library() -> Any:
    try:
        import c2pa
    except ImportError as error:
        text = "a signature needs the extra c2pa"
        raise ArtifactError(text, help='pip install "clipform[c2pa]"', code="c2pa") from error
    return c2pa
