"""The fields of the section `provenance`: what copies of outputs say about themselves."""

from __future__ import annotations

from typing import Annotated

from reconciler.spec.field_types import Amount, Folder, Line, SecretName, SpecModel, YesNo, choice_of, noted

CORNERS = ("bottom-right", "bottom-left", "top-right", "top-left")


class VisibleLabel(SpecModel):
    """Words in the pictures."""

    text: Line = noted("The words.", "AI generated", "AI generated")
    at: Annotated[str, choice_of(*CORNERS)] = noted("The corner.", "bottom-right", "bottom-right")
    seconds: Amount | None = noted("For how long from the start; without it all the time.", "2")


class Label(SpecModel):
    """Labels that say that a video is generated."""

    visible: VisibleLabel | None = noted("Words in the pictures, which are encoded again for it.", "{seconds: 2}")
    hidden: Annotated[str, choice_of("aigc")] | None = noted("The field AIGC of GB 45438-2025.", "aigc")


class C2pa(SpecModel):
    """A signature, for which the extra clipform[c2pa] is needed."""

    certificate: Folder = noted("The chain of certificates, a PEM file.", "certs/me.pem", ...)
    key: SecretName = noted("The variable that holds the private key, as PEM.", "${env.C2PA_KEY}", ...)


class ProvenanceDecl(SpecModel):
    """What the marked copies of outputs say."""

    embed: Annotated[str, choice_of("no", "yes", "full")] = noted(
        "Name clip, key and model in a tag of a copy under marked/; full: the prompt too.", "yes", "no"
    )
    label: Label | None = noted("Labels that say that a video is generated.", "{hidden: aigc}")
    c2pa: C2pa | None = noted("A signature.", "{certificate: certs/me.pem, key: ${env.C2PA_KEY}}")
    required: YesNo = noted("Let verify --provenance fail where a mark is missing.", "yes", False)

    def is_on(self) -> bool:
        """True if outputs get a marked copy."""
        return self.embed != "no" or self.label is not None or self.c2pa is not None
