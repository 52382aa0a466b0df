"""Each answer of the golden table `errors.yaml` is read as its page says, and the emulator answers as the page does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.providers.base import Accepted, Rejected, Reply, SubmitAnswer, Unknown
from reconciler.providers.registry import dialect
from tests.emulator.kit import SUBMITS, Rig

TABLE = yaml.safe_load((Path(__file__).parent / "errors.yaml").read_text(encoding="utf-8"))
OWNERS = {"ark": ("ark", "3hei")}  # 3hei resells in the owner's form


def _rows() -> Iterator[Any]:
    for source, facts in TABLE.items():
        for kind in OWNERS.get(source, (source,)):
            for row in facts["rows"]:
                yield pytest.param(kind, row, id=f"{kind}-{row['status']}-{row['body']}"[:90])


def _meaning(answer: SubmitAnswer) -> str:
    match answer:
        case Accepted():
            return "accepted"
        case Rejected(refusal):
            return refusal.value
        case Unknown():
            return "undecided"
    raise AssertionError(answer)


@pytest.mark.parametrize(("kind", "row"), list(_rows()))
def test_an_answer_means_what_its_page_says(kind: str, row: Any) -> None:
    answer = dialect(kind).read_submit(Reply(row["status"], row["body"]))
    assert _meaning(answer) == row["is"], answer
    assert getattr(answer, "task", None) == row.get("task")
    assert row.get("says", "") in getattr(answer, "message", "")


@pytest.mark.parametrize(("kind", "row"), list(_rows()))
def test_the_emulator_refuses_as_the_page_does(kind: str, row: Any, tmp_path: Path) -> None:
    answer = dialect(kind).read_submit(Reply(row["status"], row["body"]))
    if not isinstance(answer, Rejected) or not answer.code:
        return
    usual = {} if row.get("usual", True) else {"status": row["status"]}
    rule = {"when": {"phase": "submit"}, "do": "refuse", "code": answer.code, "message": answer.message, **usual}
    rig = Rig(tmp_path, rule)
    try:
        path, body = SUBMITS[kind]
        refused = rig.ask("POST", path, body)
    finally:
        rig.close()
    assert refused.status_code == row["status"]
    assert _meaning(dialect(kind).read_submit(Reply(refused.status_code, refused.json()))) == row["is"]
