"""What a reader sees, beside what the database has and what the commands say."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from storage import reader
from storage.reader import ArticleFilter
from tests.copydesk.web.browser.running import TIMEOUT
from tests.copydesk.web.browser.world import (
    ALERT,
    ARABIC_TITLE,
    CHINESE_TITLE,
    MANY,
    TITLE_OF_ONE_WORD,
    add,
    many_records,
)
from tests.copydesk.web.conftest import HOSTILE_RECORD

expect.set_options(timeout=TIMEOUT)

# A row has its number of outlets where there are several copies.
_OUTLETS = "SELECT id, CASE WHEN size > 1 THEN sites ELSE 0 END FROM story_groups"
_ROWS = """rows => rows.map(row => [
    +row.dataset.story,
    +(row.querySelector('.count b')?.textContent ?? 0),
    row.querySelector('.title').textContent])"""


def _stories(page: Page) -> list[tuple[int, int, str]]:
    """Of each row: the story, its outlets if it has several copies, and its headline."""
    return [tuple(row) for row in page.locator("[data-story]").evaluate_all(_ROWS)]


def _older(page: Page) -> bool:
    link = page.get_by_role("link", name="Older")
    if not link.count():
        return False
    link.click()
    return True


def test_every_story_with_its_count_of_outlets(page: Page, world: Engine) -> None:
    with world.connect() as connection:
        wanted = {int(id): int(outlets) for id, outlets in connection.execute(text(_OUTLETS))}
    page.goto("/")
    shown = _stories(page)
    while _older(page):
        shown += _stories(page)
    assert len(shown) == len(wanted)
    assert {id: outlets for id, outlets, _ in shown} == wanted


def test_older_reaches_each_story_once_while_a_writer_adds_some(
    page: Page, world: Engine, tmp_path: Path
) -> None:
    with world.connect() as connection:
        wanted = set(connection.scalars(text("SELECT id FROM story_groups")))
    page.goto("/")
    shown = [id for id, _, _ in _stories(page)]
    pages = 1
    while _older(page):
        pages += 1
        shown += [id for id, _, _ in _stories(page)]
        add(world, tmp_path, many_records(MANY + 10 * pages, 3))
    assert pages > 2
    assert len(shown) == len(set(shown))
    assert set(shown) == wanted
    page.goto("/")
    assert not {id for id, _, _ in _stories(page)} <= wanted


def test_days_and_times_agree_in_the_zone_of_the_reader(page: Page, world: Engine) -> None:
    """Days are of UTC. In Tokyo the evening of each is the day after, which the time says."""
    page.goto("/?site=daily0.example")
    times = page.locator("[data-story] time")
    for index in range(times.count()):
        stated = times.nth(index).get_attribute("datetime") or ""
        hour, shown = int(stated[11:13]), times.nth(index).inner_text()
        clock = f"{(hour + 9) % 24:02}:00"
        assert shown.endswith(clock)
        assert (shown != clock) == (hour + 9 >= 24), (stated, shown)
        assert (times.nth(index).get_attribute("title") or "").endswith(f"{hour:02}:00:00 UTC")
    expect(page.locator("[data-zone]")).to_have_text("Asia/Tokyo")


def _lantern(world: Engine) -> list[reader.StoredArticle]:
    ids = {one.group_id for one in reader.articles(world) if one.title == TITLE_OF_ONE_WORD}
    assert len(ids) == 1
    members = reader.members(world, ids.pop())
    assert len(members) == 3
    return members


def test_the_diff_marks_just_the_changed_words(page: Page, world: Engine) -> None:
    one, other, _ = _lantern(world)
    page.goto(f"/stories/{one.group_id}/diff?a={one.id}&b={other.id}")
    assert page.locator("del").all_inner_texts() == ["harbour"]
    assert page.locator("ins").all_inner_texts() == ["port"]
    kinds = page.locator("tr[data-kind]").evaluate_all("rows => rows.map(row => row.dataset.kind)")
    assert kinds == ["changed", "same", "same", "same"]
    left = page.locator("tr[data-kind] td:first-child").all_inner_texts()
    assert " ".join(left).split() == one.text.split()


def test_the_timeline_is_in_the_order_of_publication(page: Page, world: Engine) -> None:
    members = _lantern(world)
    page.goto(f"/stories/{members[0].group_id}")
    order = [str(member.id) for member in members]
    ids = "rows => rows.map(row => row.dataset.article)"
    assert page.locator("svg.spread g[data-article]").evaluate_all(ids) == order
    assert page.locator("tr[data-article]").evaluate_all(ids) == order
    centres = "all => all.map(one => one.getBoundingClientRect()).map(box => [box.x, box.y])"
    stated = page.locator("svg.spread .stated").evaluate_all(centres)
    seen = page.locator("svg.spread .seen").evaluate_all(centres)
    assert [x for x, _ in stated] == sorted({x for x, _ in stated})
    assert [y for _, y in stated] == sorted({y for _, y in stated})
    # What an outlet states and when it was first seen are apart.
    assert max(x for x, _ in stated) < min(x for x, _ in seen)
    assert len(stated) == len(seen) == 3


def test_the_toggle_shows_every_removed_line_with_its_rule(page: Page, world: Engine) -> None:
    article = max(reader.articles(world), key=lambda one: len(reader.removed(world, one.id)))
    lines = reader.removed(world, article.id)
    assert len(lines) > 5
    page.goto(f"/articles/{article.id}")
    removed = page.locator(".removed")
    assert removed.count() == len(lines)
    assert not any(one.is_visible() for one in removed.all())
    page.get_by_label(re.compile("^Show the .* removed")).check()
    expect(removed.first).to_be_visible()
    assert all(one.is_visible() for one in removed.all())
    assert removed.locator("code").all_inner_texts() == [line.rule for line in lines]
    said = [" ".join(one.split()) for one in removed.locator("span").all_inner_texts()]
    assert said == [" ".join(line.text.split()) for line in lines]


def test_search_with_filters_finds_what_the_command_finds(page: Page, world: Engine) -> None:
    page.goto("/search")
    form = page.get_by_role("form", name="Search articles")
    form.get_by_label("Words").fill('ferry OR "rail workers" -strike')
    form.get_by_label("Site").fill("tessaryobserver.example")
    form.get_by_label("Language").fill("en")
    form.get_by_label("Until").fill("2026-02-01")
    form.get_by_label("one copy a story").check()
    form.get_by_role("button").click()
    where = ArticleFilter(sites=("tessaryobserver.example",), language="en")
    hits = reader.search(world, 'ferry OR "rail workers" -strike', where, canonical_only=True)
    assert hits
    expect(page.locator("li[data-article]")).to_have_count(len(hits))
    ids = page.locator("li[data-article]").evaluate_all("rows => rows.map(row => +row.dataset.article)")
    assert ids == [hit.article.id for hit in hits]
    # To a hit and back: the form and the hits are as they were.
    page.locator("li[data-article] a.title").first.click()
    expect(page.locator(".story-text")).to_be_visible()
    page.go_back()
    expect(form.get_by_label("Words")).to_have_value('ferry OR "rail workers" -strike')
    expect(form.get_by_label("Site")).to_have_value("tessaryobserver.example")
    expect(form.get_by_label("one copy a story")).to_be_checked()
    expect(page.locator("li[data-article]")).to_have_count(len(hits))


def test_back_shows_what_was_asked_and_not_what_was_typed_later(page: Page) -> None:
    page.goto("/search?q=ferry&unique=1")
    form = page.get_by_role("form", name="Search articles")
    form.get_by_label("Words").fill("strike")
    form.get_by_label("one copy a story").uncheck()
    form.get_by_role("button").click()
    expect(page).to_have_title(re.compile("^strike"))
    page.go_back()
    expect(page).to_have_title(re.compile("^ferry"))
    expect(form.get_by_label("Words")).to_have_value("ferry")
    expect(form.get_by_label("one copy a story")).to_be_checked()


def test_a_broken_site_shows_its_alert(page: Page) -> None:
    page.goto("/sites")
    assert page.locator("tr[data-site=herald] .alert").all_inner_texts() == [f"discovered: {ALERT}"]
    assert page.locator("tr[data-site=gazette] .alert").count() == 0
    page.get_by_role("link", name="herald").click()
    expect(page.get_by_role("alert")).to_have_text(f"discovered: {ALERT}")
    expect(page.locator("svg.spark")).to_be_visible()


def test_markup_in_a_title_stays_text(page: Page, world: Engine) -> None:
    title = str(HOSTILE_RECORD["title"])
    page.goto("/search?q=sandbar+coastguard&site=hostile.example")
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    assert page.locator("main script, main img, main b").count() == 0
    assert "<img src=x onerror=alert(2)>" in page.locator(".story-text").inner_text()
    assert page.title().startswith(title)


def test_titles_from_right_to_left(page: Page, world: Engine) -> None:
    """In lists and above the text, and CJK beside them is from left to right."""
    page.goto("/?since=2025-12-27&until=2025-12-27")
    style = "one => [getComputedStyle(one).direction, one.lang]"
    arabic = page.get_by_role("link", name=ARABIC_TITLE)
    assert arabic.evaluate(style) == ["rtl", "ar"]
    assert page.get_by_role("link", name=CHINESE_TITLE).evaluate(style) == ["ltr", "zh"]
    arabic.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(ARABIC_TITLE)
    assert page.get_by_role("heading", level=1).evaluate(style) == ["rtl", "ar"]
    text_style = page.locator(".story-text").evaluate("one => getComputedStyle(one).direction")
    assert text_style == "rtl"
    # The desk's own words stay as they are.
    assert page.locator("aside").evaluate("one => getComputedStyle(one).direction") == "ltr"
