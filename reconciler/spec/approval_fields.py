"""The fields of `approval` and `policy`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Annotated

from reconciler import money
from reconciler.diagnostics import Source
from reconciler.spec import scalars
from reconciler.spec.field_types import AS_LIST, Amount, Leaf, Line, Name, Positive, SpecModel, choice_of, noted
from reconciler.spec.problems import shown
from reconciler.spec.values import NO_RULE, ApprovalRule, Policy, PolicyRules

OF = ("draft", "vendor_draft", "take")
_WORDS = "no, paid, {over: 0.50 USD} or tag:NAME"


def _required(raw: object) -> ApprovalRule:
    if isinstance(raw, dict):
        amount, _, currency = scalars.line(raw["over"]).partition(" ") if raw.keys() == {"over"} else ("", "", "")
        limit = money.parse(amount)
        if limit is None or not currency.strip():
            raise scalars.Unfit("must be an amount with its currency", "write it as {over: 0.50 USD}")
        return ApprovalRule("over", over=limit, currency=currency.strip())
    word = scalars.line(raw)
    if word in ("no", "paid"):
        return ApprovalRule(word)
    if word.startswith("tag:") and len(word) > 4:
        return ApprovalRule("tag", tag=word.removeprefix("tag:"))
    raise scalars.Unfit(f"must be one of {_WORDS}, not {shown(word)}")


_REQUIRED = Leaf(
    _required,
    _WORDS,
    {
        "anyOf": [
            {"enum": ["no", "paid", False]},
            {"type": "string", "pattern": r"^tag:.|\{"},
            {"type": "object", "propertyNames": {"const": "over"}, "additionalProperties": {"type": "string"}},
        ]
    },
)


class ApprovalDecl(SpecModel):
    """Which purchases somebody has to approve first."""

    required: Annotated[ApprovalRule, _REQUIRED] = noted(
        "What needs approval: no (nothing), paid (all that costs money), {over: 0.50 USD} (what costs more) or tag:NAME"
        " (paid clips with this tag).",
        "paid",
        NO_RULE,
    )
    of: Annotated[str, choice_of(*OF)] = noted(
        "What is looked at: the clip's draft, its vendor draft (see `draft`) or its first take; these two then need no"
        " approval themselves. A final is approved by its vendor draft in any case.",
        "vendor_draft",
        "draft",
    )
    by: Annotated[str, choice_of("anyone", "other")] = noted(
        "Who may approve: anyone, or other: nobody who wrote the clip, by git.", "other", "anyone"
    )

    def rule(self) -> ApprovalRule:
        """Return the same as a plain value, which a plan needs."""
        return replace(self.required, of=self.of, by_other=self.by == "other")


class PolicyDecl(SpecModel):
    """What may be applied."""

    apply: Annotated[str, choice_of("anything", "approved-plans")] = noted(
        "What apply buys: anything, or approved-plans (only a saved plan that somebody has signed with approve-plan).",
        "approved-plans",
        "anything",
    )
    signers: Line | None = noted(
        "File with the keys that may sign plans, in the form of ssh's ALLOWED SIGNERS; by default allowed_signers in"
        " the folder of your configuration.",
        "/etc/clipform/allowed_signers",
    )

    max_cost_per_clip: Amount | None = noted(
        "Most that one take may cost; one without a known price is refused, too.", "2.50"
    )
    max_clips_per_apply: Positive | None = noted("Most takes that one apply may pay for.", "20")
    models: Annotated[tuple[Line, ...], AS_LIST] = noted(
        "The only models that may be paid for; * matches anything.", "[doubao-seedance-2-0-*]", ()
    )
    kinds: Annotated[tuple[Name, ...], AS_LIST] = noted(
        "The only kinds of providers that may be paid.", "[ark, fal]", ()
    )
    forbid: Annotated[tuple[Annotated[str, choice_of("replace", "remove")], ...], AS_LIST] = noted(
        "What apply may not do: replace a video that a clip has, or remove the output of a clip that is no longer"
        " declared.",
        "[replace, remove]",
        (),
    )

    def policy(self, places: Mapping[str, Source]) -> Policy:
        """Return the same as a plain value; `places` has where each field's value is written."""
        names = [each.name for each in fields(PolicyRules) if each.name != "places"]
        rules = PolicyRules(**{name: getattr(self, name) for name in names}, places=places)
        is_empty = all(getattr(self, name) in (None, ()) for name in names)
        return Policy(self.apply == "approved-plans", self.signers or "", () if is_empty else (rules,))
