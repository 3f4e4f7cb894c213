"""Feeds are valid, whatever strangers wrote, and read back as what they were made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import Engine

from copydesk.feeds import Feed, Format, Place, Question, make_feed, written
from copydesk.feeds.texts import allowed
from crawler.discovery.feeds import parse_feed
from storage.reader import CarriedCopy, StoredArticle, Story, StoryDetails
from tests.copydesk.feeds.conftest import HOSTILE_TITLE
from tests.copydesk.feeds.validity import read_atom, read_json, read_rss
from tests.storage.news import START, story

DESK = "http://desk.example/"
PLACE = Place(DESK, f"{DESK}?site=a", f"{DESK}feeds/stories.atom?q=a%26b")


def made(engine: Engine, format: Format, *, full_text: bool = False, **asked: Any) -> bytes:
    return written(make_feed(engine, Question(**asked), PLACE, full_text=full_text), format)


def utc(parsed: Any) -> datetime:
    year, month, day, hour, minute, second = parsed[:6]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize("full_text", [False, True])
def test_atom_is_read_back(news: Engine, full_text: bool) -> None:
    feed = make_feed(news, Question(), PLACE, full_text=full_text)
    found = read_atom(written(feed, Format.ATOM))
    assert (found.feed.id, found.feed.title) == (feed.id, "Copydesk: all stories")
    assert {link.rel: link.href for link in found.feed.links} == {
        "alternate": f"{DESK}?site=a",
        "self": f"{DESK}feeds/stories.atom?q=a%26b",
    }
    assert utc(found.feed.updated_parsed) == feed.updated_at.replace(microsecond=0)
    assert len(found.entries) == len(feed.entries) == 5
    for entry, source, id in zip(found.entries, feed.entries, feed.ids, strict=True):
        assert entry.id == id
        assert entry.title == source.article.title
        assert utc(entry.updated_parsed) == source.updated_at.replace(microsecond=0)
        assert utc(entry.published_parsed) == (
            source.story.first_published_at or source.story.first_seen_at
        ).replace(microsecond=0)
        assert (entry.get("content") is not None) is full_text
    (ferry,) = (entry for entry in found.entries if entry.title == "Ferry")
    assert ferry.link == "https://a.example/1"
    assert [(link.href, link.title) for link in ferry.links if link.rel == "related"] == [
        ("https://b.example/1", "b.example"),
        ("https://c.example/1", "c.example"),
    ]
    assert [tag.term for tag in ferry.tags] == ["Reuters", "Harbour"]
    assert ferry.summary.endswith(
        '<p>3 sites: <a href="https://a.example/1">a.example</a>, <a href="https://b.example/1">b.example</a>,'
        ' <a href="https://c.example/1">c.example</a></p>'
    )
    (file,) = (entry for entry in found.entries if entry.title == "File")
    assert file.link == f"{DESK}stories/6"


def test_rss_is_read_back(news: Engine) -> None:
    feed = make_feed(news, Question(), PLACE)
    found = read_rss(written(feed, Format.RSS))
    assert found.feed.title == "Copydesk: all stories"
    assert found.feed.link == f"{DESK}?site=a"
    assert [entry.id for entry in found.entries] == list(feed.ids)
    assert [entry.title for entry in found.entries] == [entry.article.title for entry in feed.entries]
    assert not any(entry.guidislink for entry in found.entries)
    assert 'href="https://c.example/1"' in found.entries[-2].summary + found.entries[-1].summary


def test_json_feed_is_read_back(news: Engine) -> None:
    feed = make_feed(news, Question(), PLACE)
    body = written(feed, Format.JSON)
    found = read_json(body)
    assert found["feed_url"] == PLACE.address
    assert [item["id"] for item in found["items"]] == list(feed.ids)
    (ferry,) = (item for item in found["items"] if item["title"] == "Ferry")
    assert datetime.fromisoformat(ferry["date_published"]) == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert ferry["_copydesk"]["sites"] == 3
    assert [one["title"] for one in ferry["_copydesk"]["outlets"]] == ["Ferry", "Boat", "Ship"]
    # Copydesk itself reads it as a source.
    assert [entry.url for entry in parse_feed(body, DESK)] == [item["url"] for item in found["items"]]
    assert read_json(written(make_feed(news, Question(site="z.example"), PLACE), Format.JSON))["items"] == []


@pytest.mark.parametrize("format", Format)
def test_the_text_of_reserved_articles_is_not_given(news: Engine, format: Format) -> None:
    for full_text in (False, True):
        body = made(news, format, full_text=full_text).decode()
        assert "Reserved" in body
        assert "A reserved summary" not in body
        assert story(2).split("\n")[0] not in body
        assert ("Eine freie Zusammenfassung" in body) is (not full_text or format is not Format.RSS)
    for seed in (1, 3):
        last = story(seed).split("\n")[-1]
        assert last not in made(news, format).decode()
        assert last in made(news, format, full_text=True).decode()


@pytest.mark.parametrize("full_text", [False, True])
def test_what_strangers_wrote_is_text(news: Engine, full_text: bool) -> None:
    atom = read_atom(made(news, Format.ATOM, full_text=full_text, site="e.example")).entries[0]
    rss = read_rss(made(news, Format.RSS, full_text=full_text, site="e.example")).entries[0]
    (item,) = read_json(made(news, Format.JSON, full_text=full_text, site="e.example"))["items"]
    assert atom.title == rss.title == item["title"] == HOSTILE_TITLE
    texts = [atom.summary, rss.summary, item["content_html"]]
    texts += [atom.content[0].value] if full_text else []
    for text in texts:
        assert "&lt;img src=x onerror=alert(2)&gt;" in text
        assert "<img" not in text
        assert "<b>" not in text
        assert "Divers found [31mno leak in the hull." in text.replace("</p><p>", " ")
    assert atom.author == rss.author == item["authors"][0]["name"] == "<b>Mira</b>"
    assert "language" not in item
    assert atom.link == rss.link == item["url"] == "https://e.example/%3Cb%3E?a=%22'&b"


def test_the_same_feed_is_the_same_bytes(news: Engine) -> None:
    for format in Format:
        assert made(news, format) == made(news, format)


ANY = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("<>&\"']\x00\x0b\ufffe\ud800\n"), max_size=40
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(title=ANY, text=ANY, url=ANY.map(lambda end: f"https://a.example/{end}"), name=ANY, site=ANY)
def test_every_text_gives_valid_feeds(title: str, text: str, url: str, name: str, site: str) -> None:
    values: dict[str, Any] = {
        "id": 1,
        "url": url,
        "site": site,
        "title": title,
        "text": text,
        "authors": (name,),
        "publisher": name,
        "section": name,
        "first_seen_at": START,
        "language": name,
    }
    row_values: list[Any] = [values.get(field) for field in StoredArticle.__slots__]
    row = StoredArticle(*row_values)
    of_story = Story(1, 2, 1, name, None, 1, START, title, None, START, (site,))
    copies = tuple(CarriedCopy(id, site, url, title, name, None, START) for id in (1, 2))
    entry = StoryDetails(of_story, row, copies, START)
    for full_text in (False, True):
        feed = Feed("urn:uuid:1", f"Copydesk: {title}", PLACE, (entry,), ("urn:uuid:2",), START, full_text)
        body = written(feed, Format.ATOM)
        assert len(read_atom(body).entries) == 1
        # feedparser repairs texts that look as if they were decoded wrongly.
        titles = [one.text for one in etree.fromstring(body).iter("{http://www.w3.org/2005/Atom}title")]
        assert titles[-1] == (" ".join(allowed(title).split()) or "Story 1")
        assert len(read_rss(written(feed, Format.RSS)).entries) == 1
        assert len(read_json(written(feed, Format.JSON))["items"]) == 1
