"""Approvals: which purchases need one, and the lines of `clipform.approvals`. Pure.

A line approves a key, not a name: any change of what is bought takes it away, and a rename keeps it. It has nine words,
those that are not plain as JSON texts, and `-` for one that is empty:

    hero v1:9f… draft sha256:ab… 2026-11-29T21:04:07Z "Ana <ana@example.com>" - "go" 3f2a…

They are the take when it was approved, its key, what was looked at (`of`) and its content, when, by whom, who wrote the
clip, a note, and a digest of the rest. The digest shows an edit by hand; it does not prove who wrote the line, since
anyone can compute it. Lines are sorted, and a key may have several: of two branches that approve, both lines stay, and
either counts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import field

from reconciler.frozen import dataclass
from reconciler.plan import vendor_drafts
from reconciler.plan.model import Wanted
from reconciler.records import Generation
from reconciler.spec.values import NO_RULE, ApprovalRule

VENDOR_DRAFT = "vendor_draft"
_PLAIN = re.compile(r"[^\s\"]+")
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')
_VALUES = 8
_DIGEST = 16  # hexadecimal digits


@dataclass(frozen=True, slots=True, order=True)
class Approval:
    """One line: `name` of the take, `of` what was looked at, `seen` as `sha256:…`, `at` in UTC."""

    name: str
    key: str
    of: str
    seen: str
    at: str
    by: str
    author: str = ""
    note: str = ""

    @property
    def line(self) -> str:
        """The line of the file, with its digest."""
        text = " ".join(map(_written, _values(self)))
        return f"{text} {_digest(text)}"


@dataclass(frozen=True, slots=True)
class ApprovalBook:
    """The content of the file: approvals, and other lines by their number, which approve nothing."""

    approvals: tuple[Approval, ...] = ()
    faults: tuple[tuple[int, str], ...] = ()


Content = Callable[[str], str | None]
"""Gives the SHA-256 of a key's result, None if there is none."""


def content_of(result_of: Callable[[str], Generation | None]) -> Content:
    """Return what gives the content of each key's result."""

    def content(key: str) -> str | None:
        result = result_of(key)
        return result.sha256 if result is not None else None

    return content


@dataclass(frozen=True, slots=True)
class Approvals:
    """What a project says about approval, and the keys that are approved, each also with the content that was seen."""

    rule: ApprovalRule = NO_RULE
    keys: frozenset[str] = field(default_factory=frozenset)
    seen: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    @classmethod
    def of(cls, rule: ApprovalRule, approvals: Iterable[Approval]) -> Approvals:
        """Return the keys that count under a rule: with `by: other`, nobody approves what they wrote."""
        lines = [line for line in approvals if counts(rule, line)]
        return cls(rule, frozenset(line.key for line in lines), frozenset((line.key, line.seen) for line in lines))

    def allows(self, w: Wanted, content: Content) -> bool:
        """True if the key of a take is approved. A final is made from what was seen itself, so it must be approved with
        the vendor's draft that it has now: another draft of the same words shows something else."""
        draft = vendor_drafts.draft_key(w.document)
        return (w.key, f"sha256:{content(draft)}") in self.seen if draft else w.key in self.keys

    def refuses(self, w: Wanted, content: Content) -> bool:
        """True if a take must not be bought before somebody approves its key."""
        return is_required(self.rule, w) and not self.allows(w, content)


NO_APPROVALS = Approvals()


def counts(rule: ApprovalRule, line: Approval) -> bool:
    """True if a line approves its key under a rule."""
    return not rule.by_other or (bool(line.author) and line.author != line.by)


def is_required(rule: ApprovalRule, w: Wanted) -> bool:
    """True if a rule asks for the approval of a take. An unknown price, or one in another currency, is above any
    limit. Of takes, the first one is what is looked at; of a clip with a vendor's draft, that."""
    if rule.required == "no" or w.free or w.cost.amount == 0:
        return False
    if (rule.of == "take" and is_sample(w)) or (rule.of == VENDOR_DRAFT and vendor_drafts.is_draft(w.document)):
        return False
    if rule.over is not None and w.cost.amount is not None and w.cost.currency == rule.currency:
        return w.cost.amount > rule.over
    return not rule.tag or rule.tag in w.tags


def looked_at(rule: ApprovalRule, w: Wanted) -> str:
    """Return what is looked at before a take is bought, as `of` says it. A clip without a vendor's draft has ours."""
    if vendor_drafts.draft_key(w.document):
        return VENDOR_DRAFT
    return "draft" if rule.of == VENDOR_DRAFT else rule.of


def is_sample(w: Wanted) -> bool:
    """True for the first take as it was first asked for. A final is none: its draft is."""
    return not vendor_drafts.draft_key(w.document) and not {"take", "retake"} & json.loads(w.document).keys()


def parse(text: str) -> ApprovalBook:
    """Return the content of a file. Marks of a merge are no fault of a line: both sides count."""
    approvals: list[Approval] = []
    faults: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):  # a note may hold other line ends
        approval = _parsed(line)
        if approval is not None:
            approvals.append(approval)
        elif line.strip():
            faults.append((number, line))
    return ApprovalBook(tuple(approvals), tuple(faults))


def written(book: ApprovalBook) -> str:
    """Return the text of a file: its lines sorted, each once; those with a fault stay as they are."""
    lines = {approval.line for approval in book.approvals} | {line for _, line in book.faults}
    return "".join(f"{line}\n" for line in sorted(lines))


def _parsed(line: str) -> Approval | None:
    *values, digest = _WORD.findall(line) or [""]
    if len(values) != _VALUES or line.rstrip() != " ".join([*values, digest]) or digest != _digest(" ".join(values)):
        return None
    try:
        return Approval(*map(_read, values))
    except ValueError:
        return None


def _values(approval: Approval) -> tuple[str, ...]:
    a = approval
    return (a.name, a.key, a.of, a.seen, a.at, a.by, a.author, a.note)


def _written(word: str) -> str:
    if not word:
        return "-"
    return word if word != "-" and _PLAIN.fullmatch(word) else json.dumps(word, ensure_ascii=False)


def _read(word: str) -> str:
    return "" if word == "-" else str(json.loads(word)) if word.startswith('"') else word


def _digest(text: str) -> str:
    return hashlib.sha256(f"clipform approval\n{text}".encode()).hexdigest()[:_DIGEST]
