"""The contract of a team's receipts: of sender and successor one wins, and without a permit nothing was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from reconciler.artifacts import bucket_receipts
from reconciler.artifacts.bucket_receipts import BucketReceipts
from reconciler.artifacts.shelf import Shelf
from reconciler.diagnostics import StateError
from reconciler.records import Attempt, State
from reconciler.state.receipts import Receipts
from tests.artifacts.places import Place


def attempt(marker: str = "m1") -> Attempt:
    about = {"key": "v1:aa", "clip": "lamp", "take": 1, "provider": "studio", "kind": "ark", "model": "m"}
    return Attempt(id=7, state=State.SUBMITTING, marker=marker, document="", created=1.0, updated=1.0, **about)  # type: ignore[arg-type]


@contextmanager
def machine(place: Place, tmp_path: Path, name: str) -> Iterator[Receipts]:
    (folder := tmp_path / name).mkdir(exist_ok=True)
    with (
        closing(BucketReceipts(place.shelf())) as shared,
        Receipts.open(folder, "store", lambda: 1.0, shared) as receipts,
    ):
        yield receipts


def permission(receipts: Receipts, marker: str = "m1") -> str:
    assert receipts.shared is not None
    return receipts.shared.permission(marker).result()


def events(receipts: Receipts) -> list[str]:
    return [line.event for line in receipts.settled(attempt())]


# --- laws ---------------------------------------------------------------------------------


def a_request_whose_place_is_taken_is_not_sent(place: Place, tmp_path: Path) -> None:
    with machine(place, tmp_path, "ana") as sender, machine(place, tmp_path, "ben") as successor:
        assert events(successor) == ["void"]
        sender.intent(attempt())
        assert "another machine has closed it" in permission(sender)


def a_request_that_may_have_been_sent_is_not_void(place: Place, tmp_path: Path) -> None:
    with machine(place, tmp_path, "ana") as sender, machine(place, tmp_path, "ben") as successor:
        sender.intent(attempt())
        assert permission(sender) == ""
        assert events(successor) == ["intent"]


def what_is_void_stays_void(place: Place, tmp_path: Path) -> None:
    """Of two successors the second one has the same proof."""
    for name in ("ben", "eve"):
        with machine(place, tmp_path, name) as successor:
            assert events(successor) == ["void"]


LAWS = [
    a_request_whose_place_is_taken_is_not_sent,
    a_request_that_may_have_been_sent_is_not_void,
    what_is_void_stays_void,
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_holds(law: Callable[[Place, Path], None], place: Place, tmp_path: Path) -> None:
    law(place, tmp_path)


# --- planted bugs -------------------------------------------------------------------------


def void_is_not_created(patch: pytest.MonkeyPatch) -> None:
    create = Shelf.create
    patch.setattr(Shelf, "create", lambda shelf, name, line: b'"void"' not in line and create(shelf, name, line))


def void_is_ignored_by_the_sender(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bucket_receipts, "_CLOSED", "")


def void_takes_a_place_that_is_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Shelf, "create", lambda shelf, name, line: shelf.write(name, line) or True)


PLANTED = [
    (void_is_not_created, a_request_whose_place_is_taken_is_not_sent),
    (void_is_ignored_by_the_sender, a_request_whose_place_is_taken_is_not_sent),
    (void_takes_a_place_that_is_taken, a_request_that_may_have_been_sent_is_not_void),
]


@pytest.mark.parametrize("place", ["folder"], indirect=True)
@pytest.mark.parametrize(("bug", "law"), PLANTED, ids=lambda part: part.__name__)
def test_a_planted_bug_breaks_its_law(
    bug: Callable[[pytest.MonkeyPatch], None],
    law: Callable[[Place, Path], None],
    place: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError):
        law(place, tmp_path)


# --- the rest -----------------------------------------------------------------------------


def test_of_sender_and_successors_at_once_one_wins(place: Place, tmp_path: Path) -> None:
    def settle(name: str) -> bool:
        with machine(place, tmp_path, name) as receipts:
            if name != "ana":
                return events(receipts) == ["intent"]
            receipts.intent(attempt())
            return permission(receipts) == ""

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(settle, ["ana", *(f"ben{number}" for number in range(7))]))) == 1


def test_the_answer_is_there_for_everybody(place: Place, tmp_path: Path) -> None:
    with machine(place, tmp_path, "ana") as sender:
        sender.intent(attempt())
        sender.accepted(attempt(), "task-1")
    with machine(place, tmp_path, "ben") as successor:
        lines = successor.settled(attempt())
        assert [(line.event, line.task) for line in lines] == [("intent", None), ("accepted", "task-1")]


def test_an_answer_that_was_lost_is_no_second_writer(place: Place, tmp_path: Path) -> None:
    """The store tries a request again by itself, and then finds its own object."""
    with machine(place, tmp_path, "ana") as sender:
        sender.intent(attempt())
        assert permission(sender) == ""
        sender.intent(attempt())
        assert permission(sender) == ""


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_without_the_bucket_nothing_is_begun(place: Place, tmp_path: Path) -> None:
    (tmp_path / "shelf" / "clipform-cache.txt").unlink()  # its disk is not mounted
    with machine(place, tmp_path, "ana") as sender:
        sender.intent(attempt())
        assert "not mounted" in permission(sender)
        with pytest.raises(StateError) as error:
            sender.make_room()
        assert error.value.code == "shared-cache"


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_an_object_that_is_no_receipt_is_no_permit(place: Place, tmp_path: Path) -> None:
    place.write("receipts/m1", b"?")
    with machine(place, tmp_path, "ana") as sender:
        sender.intent(attempt())
        assert permission(sender) != ""
        assert events(sender) == []
