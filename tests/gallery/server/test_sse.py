"""What a page is told: everything at first, then what is new and nothing else."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import pytest

from reconciler.diagnostics import ClipformError, SpecError
from reconciler.events import Event, EventKind, Outcome, Summary
from reconciler.gallery.document.model import encoded
from reconciler.gallery.server import hub
from reconciler.gallery.server.sse import Stream
from tests.gallery.server.conftest import Site
from tests.gallery.server.kit import Browser


def test_the_first_word_is_everything(site: Site) -> None:
    with site.browser.events() as events:
        name, told = events.next()
    document = site.browser.document()
    assert name == "document" and told["order"] == ["sun", "sea", "hero"] and told["removed"] == []
    assert told["cards"] == document["cards"]
    assert told["head"] | {"generated": "", "cards": told["cards"]} == document | {"generated": ""}
    assert document["live"] is True and document["project"] == "aurora" and document["stale"] is False


def test_a_page_that_opens_has_no_card_encoded_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of ten thousand takes a third of a second, in the loop that serves all pages."""
    values: list[object] = []
    monkeypatch.setattr(hub, "encoded", lambda value: (values.append(value), encoded(value))[1])
    with site.browser.events() as events:
        assert events.next()[1]["cards"] == site.browser.document()["cards"] != []
    assert len(values) == 2 and not any("cards" in value for value in values)  # type: ignore[operator]  # members


def test_a_page_of_many_clips_is_told_few_cards_and_a_line_for_each_clip(site: Site) -> None:
    """Ten thousand cards were 9 MB to send and 12 MB in the browser."""
    sizes: list[int] = []
    for count in (300, 600):
        clips = "".join(f"  c{at:03}: {{prompt: 'zebra {at}', tags: [t{at % 3}]}}\n" for at in range(count))
        site.look("clips:\n" if not sizes else "clips:\n" + clips[: clips.index("  c300")], "clips:\n" + clips)
        with site.browser.events() as events:
            update = events.next()[1]
        assert len(update["cards"]) == 200 and update["order"] is None
        assert update["index"]["ids"] == [card["id"] for card in site.browser.document()["cards"]]
        assert len(update["index"]["ids"]) == len(update["index"]["of"]) == count + 3
        sizes.append(len(json.dumps(update)))
    assert sizes[1] - sizes[0] < 300 * 20, "bytes for 300 clips more: a name and a number each"
    asked = site.browser.json("/api/cards?id=c550&id=sea&id=nobody")["cards"]
    assert asked == [each for each in site.browser.document()["cards"] if each["id"] in ("c550", "sea")]
    assert site.browser.json("/api/search?text=T1+zebra+55")["ids"] == ["c055", "c355", "c550", "c553", "c556", "c559"]
    assert site.browser.json("/api/search?text=zebra+sea")["ids"] == []


def test_an_edit_of_many_clips_sends_an_index(site: Site) -> None:
    clips = "".join(f"  c{at:03}: {{prompt: zebra}}\n" for at in range(300))
    site.look("clips:\n", f"clips:\n{clips}")
    with site.browser.events() as events:
        events.next()
        site.look("{prompt: zebra}", "{prompt: two zebras}")
        update = events.next()[1]
    assert len(update["cards"]) == 200 and len(update["index"]["ids"]) == 303 and update["removed"] == []
    assert update["cards"][0]["prompt"] == "two zebras"


def test_an_edit_sends_the_cards_that_are_others_now(site: Site) -> None:
    with site.browser.events() as events:
        events.next()
        site.look("prompt: waves", "prompt: surf")
        name, told = events.next()
        assert (name, [card["id"] for card in told["cards"]], told["order"]) == ("document", ["sea"], None)
        assert told["revision"] == site.browser.document()["revision"] == told["head"]["revision"]
        site.look()  # nothing is new
        site.look("prompt: surf", "prompt: waves")
        assert events.next()[1]["cards"][0]["state"] == "ready"


def test_a_clip_that_goes_and_one_that_comes(site: Site) -> None:
    with site.browser.events() as events:
        events.next()
        site.look("  hero:", "  lamp:")
        assert events.next()[1] | {"head": {}, "cards": [], "revision": ""} == {
            "revision": "",
            "head": {},
            "cards": [],
            "removed": ["hero"],
            "order": ["sun", "sea", "lamp"],
        }


def test_progress_is_told_and_the_card_comes_back_when_it_is_over(site: Site) -> None:
    with site.browser.events() as events:
        events.next()
        site.gallery.emit(Event(EventKind.STARTED, total=3))
        assert events.next()[1]["head"]["run"] == {"total": 3, "done": 0}
        site.gallery.emit(Event(EventKind.SUBMITTED, "hero", expected=30.0))
        site.gallery.emit(Event(EventKind.RUNNING, "hero", progress=40, elapsed=12.14))
        events.next()
        assert events.next() == (
            "progress",
            {
                "id": "hero",
                "take": 1,
                "running": {"progress": 40, "elapsed": 12.1, "expected": 30.0, "phase": "running"},
            },
        )
        assert {card["id"]: card["state"] for card in site.browser.document()["cards"]}["hero"] == "running"
        site.gallery.emit(Event(EventKind.FAILED, "hero"))
        told = events.next()[1]  # by a look of its own, while the run goes on
        assert [(card["id"], card["state"], card["running"]) for card in told["cards"]] == [("hero", "new", None)]
        assert told["head"]["run"] == {"total": 3, "done": 1}


def test_a_run_ends_with_a_word_and_nothing_is_left_running(site: Site) -> None:
    done = Outcome("hero", 1, "create", EventKind.SUCCEEDED, cost=Decimal("0.50"))
    with site.browser.events() as events:
        site.gallery.emit(Event(EventKind.SUBMITTED, "hero"))
        site.gallery.summary(Summary((done,), spent=Decimal("0.50"), currency="USD"))
        told = events.message("done")
        assert told["summary"]["spent"] == {"amount": "0.50", "currency": "USD", "unpriced": 0, "in_doubt": 0}
        assert events.cards["hero"]["running"] is None


def test_every_page_is_told(site: Site) -> None:
    with Browser(site.gallery.url) as other, site.browser.events() as one, other.events() as two:
        one.next(), two.next()
        site.look("prompt: waves", "prompt: surf")
        assert one.next() == two.next()


def test_a_page_that_comes_back_is_told_everything_anew(site: Site) -> None:
    with site.browser.events() as events:
        events.next()
    site.look("prompt: waves", "prompt: surf")
    with site.browser.events() as events:
        assert len(events.next()[1]["cards"]) == 3


def test_a_broken_spec_keeps_the_cards_until_it_is_mended(site: Site) -> None:
    with site.browser.events() as events:
        events.next()
        with pytest.raises(SpecError) as caught:
            site.look("prompt: waves", "promt: waves")
        site.gallery.broken(caught.value)
        site.gallery.error(caught.value)
        events.next()
        assert events.head["stale"] is True and len(events.cards) == 3
        [problem] = events.head["diagnostics"]
        assert (problem["file"], problem["line"]) == ("clipform.yaml", 8) and "promt" in problem["lines"][-1][1]
        site.look("promt: waves", "prompt: waves")
        events.next()
        assert events.head["stale"] is False and events.head["diagnostics"] == []


def test_a_project_that_is_broken_from_the_start_shows_why(site: Site) -> None:
    error = ClipformError("clipform.lock is not a lock file", help="restore it from git", code="lock-file")
    site.gallery.broken(error)
    site.gallery.error(error)
    with site.browser.events() as events:
        events.next()
        assert events.head["diagnostics"][0] | {"lines": []} == {
            "severity": "error",
            "code": "lock-file",
            "message": "clipform.lock is not a lock file",
            "file": None,
            "line": None,
            "column": None,
            "help": "restore it from git",
            "lines": [],
        }


def test_the_meter_of_the_session_is_on_the_page(site: Site) -> None:
    spent = {"amount": "1.00", "unpriced": 0}
    meter = {"event": "meter", "spent": spent, "waiting": spent, "cap": None, "currency": "USD", "offer": True}
    site.gallery.note("Session: 1.00 USD.", meter)
    with site.browser.events() as events:
        events.next()
        assert events.head["session"] == {
            "spent": "1.00",
            "unpriced": 0,
            "currency": "USD",
            "cap": None,
            "offer": True,
        }


def test_the_end_of_the_process_ends_the_streams(site: Site) -> None:
    with site.browser.events() as events:
        events.next()
        site.gallery.__exit__(None, None, None)
        assert not any(events.lines)
    site.gallery.note("said to nobody")  # and harms nobody


def test_a_page_that_does_not_keep_up_is_let_go() -> None:
    async def told() -> tuple[bytes, bytes]:
        quick, slow = Stream(), Stream()
        taken = b""
        for _ in range(600):
            quick.put(b"x")
            slow.put(b"x")
            taken += await quick.take(1)
        return taken, await slow.take(1)

    assert asyncio.run(told()) == (b"x" * 600, b"")


def test_silence_is_filled_so_that_a_dead_page_is_noticed() -> None:
    assert asyncio.run(Stream().take(0)).startswith(b":")


def test_what_a_server_said_can_be_shown_whatever_it_is(site: Site) -> None:
    hostile = "</script>\n\ndata: {}\r\nevent: x \ud800 \u2028 \x00"
    with site.browser.events() as events:
        events.next()
        site.gallery.emit(Event(EventKind.NOTE, message=hostile))
        assert events.message("note")["text"] == hostile.replace("\ud800", "?")
