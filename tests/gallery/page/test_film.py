"""The storyboard: clips in file order, each as long as it is, and a film that plays through."""

from __future__ import annotations

import re
from itertools import pairwise

from playwright.sync_api import Page, expect

from tests.gallery.page.axe import violations
from tests.gallery.page.conftest import Visit
from tests.gallery.page.server import Server
from tests.gallery.page.values import Value, card, detail, document, media, piece

RECORD = """() => {
    window.log = [];
    const range = document.querySelector('.film-controls .scrub');
    const note = now => {
        window.log.push([now / 1000, Number(range.value), document.querySelector('.shot.on')?.dataset.id,
            !document.querySelector('.film-slate').hidden]);
        requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
}"""


def film() -> list[Value]:
    """1 s, a missing one of 1 s, 1.5 s, and one that is no part of the film."""
    missing = card("missing", "new", None, duration=1, prompt="not there yet")
    return [card("red"), missing, card("wide", shot="wide"), card("gone", "undeclared", "green", file=None)]


def stand(page: Page) -> float:
    value = page.get_by_label("Time in the film").input_value()
    return float(value)


def visit_film(site: Server, visit: Visit, cards: list[Value]) -> Page:
    site.script.show(document(cards), [detail(each) for each in cards])
    page = visit(f"{site.origin}/#/storyboard")
    expect(page.locator(".shot.on")).to_have_count(1)
    return page


def test_a_clip_is_as_wide_as_it_is_long(site: Server, visit: Visit) -> None:
    page = visit_film(site, visit, film())
    boxes = page.locator(".shot").evaluate_all(
        "all => all.map(each => [each.dataset.id, each.offsetLeft, each.offsetWidth])"
    )
    assert [box[0] for box in boxes] == ["red", "missing", "wide"]
    (_, _, red), (_, _, missing), (_, left, wide) = boxes
    assert red == missing and abs((wide + 2) / (red + 2) - 1.5) < 0.03 and abs(left / (red + 2) - 2) < 0.05
    expect(page.locator("#film-sum")).to_have_text("3 clips, 0:03, 1 not generated yet")


def test_the_film_plays_clip_after_clip_and_a_missing_one_lasts_its_time(site: Server, visit: Visit) -> None:
    page = visit_film(site, visit, film())
    page.evaluate(RECORD)
    page.keyboard.press("Space")
    expect(page.get_by_label("Pause the film")).to_be_visible()
    expect(page.get_by_label("Play the film")).to_be_visible()
    assert stand(page) == 3.5
    log = page.evaluate("() => window.log")
    assert list(dict.fromkeys(row[2] for row in log)) == ["red", "missing", "wide"]
    assert {row[2] for row in log if row[3]} == {"missing"}
    assert all(before[1] <= after[1] for before, after in pairwise(log)), "the film never runs backwards"
    slack = 0.3 + max(after[0] - before[0] for before, after in pairwise(log))  # a busy machine draws few frames
    for name, start, end in (("red", 0.0, 1.0), ("missing", 1.0, 2.0), ("wide", 2.0, 3.5)):
        times = [row[1] for row in log if row[2] == name]
        assert start - 0.01 <= times[0] <= start + slack and end - slack <= times[-1] <= end + 0.01, name
    card_time = [row for row in log if row[3]]
    clock, shown = (card_time[-1][at] - card_time[0][at] for at in (0, 1))
    assert abs(clock - shown) < slack, "a second of a missing clip is a second"


def test_enter_opens_the_clip_at_once_and_the_sound_says_what_its_button_does(site: Server, visit: Visit) -> None:
    page = visit_film(site, visit, film())
    page.get_by_label("Sound on").click()
    expect(page.get_by_label("Sound off")).to_be_visible()
    expect(page.get_by_label("Sound on")).to_have_count(0)
    page.get_by_label("Sound off").click()
    expect(page.get_by_label("Sound on")).to_be_visible()
    page.goto(f"{site.origin}/#/")
    page.goto(f"{site.origin}/#/storyboard")  # by the address, so that no pointer has moved the focus
    expect(page.locator(".film-stage")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#clip-name")).to_have_text("red")
    expect(page).to_have_title(re.compile("^red · "))


def test_time_is_moved_by_keys_by_the_line_and_by_the_range(site: Server, visit: Visit) -> None:
    page = visit_film(site, visit, film())
    page.keyboard.press("j")
    expect(page.locator(".slate-title")).to_have_text("missing")
    expect(page.locator(".slate-text")).to_have_text("not there yet")
    assert stand(page) == 1.0
    page.keyboard.press("ArrowRight")
    expect(page.locator(".shot.on")).to_have_attribute("data-id", "wide")
    page.keyboard.press("k")
    assert stand(page) == 1.0
    page.get_by_label("Time in the film").fill("2.75")
    expect(page.locator(".film-video.on")).to_have_js_property("currentTime", 0.75)
    expect(page.get_by_label("Time in the film")).to_have_attribute("aria-valuetext", "wide, 0:02 of 0:03")
    box = page.locator('.shot[data-id="red"]').bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + (box["width"] + 2) / 2, box["y"] + 30)
    expect(page.locator(".shot.on")).to_have_attribute("data-id", "red")
    assert abs(stand(page) - 0.5) < 0.05
    page.keyboard.press("Enter")
    expect(page.locator("#clip-name")).to_have_text("red")
    page.keyboard.press("Escape")
    expect(page.locator(".film-stage")).to_be_visible()


def test_a_clip_that_is_made_meanwhile_takes_its_place_in_the_film(site: Server, visit: Visit) -> None:
    page = visit_film(site, visit, film())
    page.keyboard.press("j")
    expect(page.locator(".film-slate")).to_be_visible()
    site.script.change(card("missing", shot="green"))
    expect(page.locator(".film-slate")).to_be_hidden()
    expect(page.locator(".film-video.on")).to_have_attribute("src", "media/green.mp4")
    assert stand(page) == 1.0


def test_the_filter_cuts_the_film(site: Server, visit: Visit) -> None:
    page = visit_film(site, visit, film())
    page.keyboard.press("/")
    page.keyboard.type("wide")
    expect(page.locator(".shot")).to_have_count(1)
    expect(page.locator("#film-sum")).to_have_text("1 clip, 0:01")


def test_a_film_of_a_thousand_clips_is_few_nodes(site: Server, visit: Visit) -> None:
    page = visit_film(site, visit, [card(f"shot-{at:04}", shot="red") for at in range(1000)])
    assert page.locator(".shot").count() < 200
    page.get_by_label("Time in the film").fill("900.5")
    expect(page.locator(".shot.on")).to_have_attribute("data-id", "shot-0900")
    expect(page.locator(".shot.on")).to_be_in_viewport()
    assert page.locator(".shot").count() < 300


def test_a_matrix_plays_one_of_each_shot_unless_more_are_asked_for(site: Server, visit: Visit) -> None:
    social = [
        card(f"social[ratio={ratio},lang={lang}]", ratio=ratio, prompt="一盏灯在大理石桌面上发出柔和的光芒", shot=shot)
        for ratio, shot in (("9:16", "green"), ("16:9", None))
        for lang in ("en", "zh")
    ]
    page = visit_film(site, visit, [card("red"), *social, card("blue", shot="blue")])

    def played() -> list[str | None]:
        return page.locator(".shot").evaluate_all("all => all.map(each => each.dataset.id)")

    assert played() == ["red", "social[ratio=16:9,lang=en]", "blue"]
    expect(page.locator(".film-sum")).to_contain_text("3 other combinations not played")
    page.keyboard.press("j")
    text = page.locator(".film-slate .slate-text")
    expect(text).to_have_attribute("lang", "zh")  # lines break between words only
    assert text.locator("wbr").count() > 4
    choice = page.get_by_label("Combinations to play")
    choice.select_option("All 9:16")
    assert played() == ["red", "social[ratio=9:16,lang=en]", "social[ratio=9:16,lang=zh]", "blue"]
    choice.select_option("Every combination")
    assert len(played()) == 6


PIECES = [piece("red", 0, 1), piece("", 0, 0.5, text="Two"), piece("red", 0.25, 0.75)]


def declared_film(shot: str | None = "blue", state: str = "ready", **changes: object) -> Value:
    """A film of 2 s: a clip, a title and the clip again."""
    made = {"provider": "", "model": "", "kind": "cut", "file": None, "needs": ["red"], "pieces": PIECES}
    return card("film", state, shot, **{**made, **changes})


def test_a_film_plays_as_one_video_and_its_pieces_are_chapters(site: Server, visit: Visit) -> None:
    page = visit_film(site, visit, [*film(), declared_film()])
    expect(page.locator("#film-sum")).to_have_text("3 pieces, 0:02")
    expect(page.locator(".shot-name")).to_have_text(["red", "Two", "red"])
    expect(page.locator(".film-video.on")).to_have_attribute("src", "media/blue.mp4")
    expect(page.get_by_label("Sound off")).to_be_visible()  # a film has its sound, clips in file order have none
    page.evaluate(RECORD)
    page.keyboard.press("Space")
    expect(page.get_by_label("Pause the film")).to_be_visible()
    expect(page.get_by_label("Play the film")).to_be_visible()
    assert stand(page) == 2
    log = page.evaluate("() => window.log")
    assert all(before[1] <= after[1] for before, after in pairwise(log)), "the film never runs backwards"
    assert not any(row[3] for row in log), "the film's own title is shown"
    expect(page.locator(".chapter.on")).to_have_text("0:01.5red")
    assert violations(page) == []


def test_a_chapter_leads_to_its_clip(site: Server, visit: Visit) -> None:
    page = visit_film(site, visit, [card("red", used_by=["film"]), *film()[1:], declared_film()])
    chapters = page.get_by_role("list", name="Chapters")
    expect(chapters.locator("li")).to_have_text(["0:00.0red", "0:01.0Two", "0:01.5red"])
    expect(chapters.get_by_role("link")).to_have_count(2)
    page.get_by_label("Time in the film").fill("1.6")
    expect(page.locator(".chapter.on")).to_have_text("0:01.5red")
    expect(page.locator(".film-video.on")).to_have_js_property("currentTime", 1.6)
    chapters.get_by_role("link").last.click()
    expect(page.locator("#clip-name")).to_have_text("red")
    page.get_by_role("link", name="film").click()
    expect(page.locator("#clip-name")).to_have_text("film")
    expect(page.locator(".sheet-cell")).to_have_count(3)
    assert violations(page) == []


def test_a_film_that_is_not_up_to_date_plays_its_clips_with_cards_for_what_is_missing(
    site: Server, visit: Visit
) -> None:
    still = piece("", 0, 0.25, text="art/end.png") | {"still": "media/red.jpg"}
    pieces = [piece("red", 0.25, 0.75), piece("", 0, 0.25, text="Two"), still, piece("missing", 0, None, None)]
    page = visit_film(site, visit, [*film(), declared_film("blue", "to assemble", pieces=pieces)])
    expect(page.locator("#film-sum")).to_contain_text("4 pieces, 0:02, 1 not generated yet; the film is not up to date")
    expect(page.locator(".film-video.on")).to_have_attribute("src", "media/red.mp4")
    expect(page.locator(".film-video.on")).to_have_js_property("currentTime", 0.25)
    expect(page.get_by_role("button", name="to assemble")).to_be_visible()
    page.evaluate(RECORD)
    page.keyboard.press("Space")
    expect(page.get_by_label("Pause the film")).to_be_visible()
    expect(page.get_by_label("Play the film")).to_be_visible()
    log = page.evaluate("() => window.log")
    assert list(dict.fromkeys((row[2], row[3]) for row in log)) == [("red", False), ("film", True), ("missing", True)]


def test_the_clips_of_a_project_with_a_film_can_still_be_played(site: Server, visit: Visit) -> None:
    page = visit_film(site, visit, [*film(), declared_film()])
    page.get_by_label("What is played").select_option("All clips")
    expect(page.locator(".shot-name")).to_have_text(["red", "missing", "wide"])
    expect(page.get_by_label("Sound on")).to_be_visible()
    expect(page.get_by_role("list", name="Chapters")).to_have_count(0)


def test_a_piece_that_is_not_bought_is_played_as_its_draft(site: Server, visit: Visit) -> None:
    film = card(
        "film", "blocked", None, pieces=[piece("hero", 0, 1), piece("sea", 0, 1, None) | {"draft": media("blue")}]
    )
    cards = [card("hero"), card("sea", "new", None), film]
    site.script.show(document(cards), [detail(each) for each in cards])
    page = visit(f"{site.origin}/#/storyboard")
    expect(page.locator("#film-sum")).to_contain_text("1 not generated yet, 1 played as a draft")
    expect(page.get_by_role("list", name="Chapters").get_by_role("listitem").nth(1)).to_contain_text("draft")
