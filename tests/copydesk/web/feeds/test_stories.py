"""Feeds over HTTP: what they have, when they are sent again, and how pages name them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from html import unescape

import feedparser
import pytest
from fastapi.testclient import TestClient
from reader import make_reader

from copydesk.feeds import Format
from copydesk.web import DeskSettings, make_app
from storage.database import open_database
from storage.watching import Rule, add_watchlist, edit_watchlist
from tests.copydesk.feeds.validity import read_atom, read_json, read_rss
from tests.copydesk.web.conftest import PAGE
from tests.copydesk.web.test_server import serving
from tests.storage.news import START, article, store, story
from tests.storage.past import remember

BASE = "http://127.0.0.1:8017/"
HOUR = timedelta(hours=1)


@pytest.fixture
def own(database_url: str) -> Iterator[TestClient]:
    """A desk over a small database of its own, on SQLite and on PostgreSQL."""
    engine = open_database(database_url)
    store(
        engine,
        [
            article("https://a.example/1", story(1), START, title="Ferry"),
            article("https://b.example/1", story(1), START, title="Ferry"),
            article("https://a.example/2", f"{story(2)}\nZeppelin.", START + HOUR, title="Airship"),
        ],
    )
    add_watchlist(engine, Rule("on both/a.b", min_sites=2), datetime.now(UTC))
    engine.dispose()
    with TestClient(make_app(DeskSettings(database_url)), base_url=BASE) as client:
        yield client


def titles(client: TestClient, address: str) -> list[str]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    return [entry.title for entry in read_atom(answer.content).entries]


def test_each_feed_has_the_stories_of_its_address(own: TestClient) -> None:
    assert titles(own, "/feeds/stories.atom") == ["Airship", "Ferry"]
    assert titles(own, "/feeds/stories.atom?min_sites=2") == ["Ferry"]
    assert titles(own, "/feeds/stories.atom?limit=1&language=en") == ["Airship"]
    assert titles(own, "/feeds/search.atom?q=zeppelin") == ["Airship"]
    assert titles(own, "/feeds/search.atom?q=zeppelin&site=b.example") == []
    assert titles(own, "/feeds/sites/b.example.atom") == ["Ferry"]
    assert titles(own, "/feeds/watchlists/on%20both/a.b.atom") == ["Ferry"]
    assert titles(own, "/feeds/watchlists/on%20both%2Fa.b.atom") == ["Ferry"]


def test_each_format_has_its_type_and_names_its_own_address(own: TestClient) -> None:
    address = "/feeds/search.json?q=%22a+b%22+%26+zeppelin&token=secret&limit=2"
    found = read_json(own.get("/feeds/search.json?q=zeppelin&token=secret&limit=2").content)
    assert found["feed_url"] == f"{BASE}feeds/search.json?q=zeppelin&limit=2"
    assert found["home_page_url"] == f"{BASE}search?q=zeppelin"
    assert "secret" not in own.get(address).text
    rss = own.get("/feeds/sites/b.example.rss?full_text=true")
    assert rss.headers["content-type"] == "application/rss+xml; charset=utf-8"
    parsed = read_rss(rss.content)
    assert parsed.feed.link == f"{BASE}?site=b.example"
    assert story(1).split("\n")[-1] in parsed.entries[0].summary
    assert own.get("/feeds/stories.json").headers["content-type"] == "application/feed+json; charset=utf-8"


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("/feeds/search.atom", 400, "q: write words"),
        ("/feeds/search.atom?q=--", 400, "nothing to look for"),
        ("/feeds/watchlists/none.atom", 404, "no watchlist none"),
        ("/feeds/stories.xml", 422, "atom"),
        ("/feeds/stories.atom?limit=501", 422, "limit"),
        ("/feeds/stories.atom?since=soon", 400, "no time"),
        ("/feeds/nothing", 404, ""),
    ],
)
def test_a_wrong_address_is_said(own: TestClient, address: str, status: int, says: str) -> None:
    answer = own.get(address)
    assert answer.status_code == status
    assert says in answer.text
    assert "on both" not in answer.text


def test_what_a_reader_has_is_not_sent_again(own: TestClient, database_url: str) -> None:
    address = "/feeds/sites/b.example.atom"
    first = own.get(address)
    tag, time = first.headers["etag"], first.headers["last-modified"]
    assert "no-cache" in first.headers["cache-control"]
    for headers in (
        {"If-None-Match": tag},
        {"If-None-Match": f'W/{tag}, "x"'},
        {"If-Modified-Since": time},
        {"If-None-Match": tag, "If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    ):
        known = own.get(address, headers=headers)
        assert (known.status_code, known.content) == (304, b""), headers
        assert known.headers["etag"] == tag
    earlier = format_datetime(parsedate_to_datetime(time) - HOUR, usegmt=True)
    for headers in (
        {},
        {"If-None-Match": '"x"', "If-Modified-Since": time},
        {"If-Modified-Since": earlier},
        {"If-Modified-Since": "yesterday"},
        {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00"},
    ):
        assert own.get(address, headers=headers).status_code == 200, headers
    assert own.head(address).headers["etag"] == tag
    # A story elsewhere does not change this feed; a copy of its story does.
    engine = open_database(database_url, create=False)
    store(engine, [article("https://z.example/9", story(9))])
    assert own.get(address, headers={"If-None-Match": tag}).status_code == 304
    store(engine, [article("https://c.example/1", story(1))])
    changed = own.get(address, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert read_atom(changed.content).entries[0].id == read_atom(first.content).entries[0].id
    engine.dispose()


def test_what_changes_without_the_database_is_known_by_its_content_alone(
    own: TestClient, database_url: str
) -> None:
    address = "/feeds/watchlists/on%20both/a.b.atom"
    first = own.get(address)
    assert own.get(address, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    engine = open_database(database_url, create=False)
    edit_watchlist(engine, "on both/a.b", Rule("on both/a.b", "zeppelin"))
    engine.dispose()
    now = format_datetime(datetime.now(UTC), usegmt=True)
    changed = own.get(address, headers={"If-Modified-Since": now})
    assert [entry.title for entry in read_atom(changed.content).entries] == ["Airship"]
    for relative in (address, "/feeds/stories.atom?since=2d"):
        assert "last-modified" not in own.get(relative).headers
    assert "last-modified" in own.get("/feeds/stories.atom?since=2026-01-01").headers


def links(page: str) -> list[tuple[str, str]]:
    found = re.findall(r'<link rel="alternate" type="([^"]+)" title="[^"]+" href="([^"]+)">', page)
    return [(kind, unescape(address)) for kind, address in found]


def test_pages_name_their_feeds(desk: TestClient) -> None:
    pages = {
        "/": "/feeds/stories",
        "/?agency=Reuters&min_sites=2&sort=size": "/feeds/stories",
        "/search?q=ferry+%22ran+aground%22&unique=1": "/feeds/search",
    }
    for page, path in pages.items():
        named = links(desk.get(page, headers=PAGE).text)
        assert [kind.partition("/")[2] for kind, _ in named] == ["atom+xml", "rss+xml", "feed+json"], page
        assert all(address.startswith(path) for _, address in named)
        assert read_atom(desk.get(named[0][1]).content).entries
        assert read_rss(desk.get(named[1][1]).content).entries
        assert read_json(desk.get(named[2][1]).content)["items"]
    query = links(desk.get("/search?q=ferry&unique=1", headers=PAGE).text)[0][1]
    assert query == "/feeds/search.atom?q=ferry"
    assert links(desk.get("/search", headers=PAGE).text) == []


def test_the_page_of_a_watchlist_names_its_feed(own: TestClient) -> None:
    page = own.get("/watchlists", headers=PAGE).text
    (address,) = set(re.findall(r'href="(/watchlists/[^"]+)"', page))
    (atom, *_) = links(own.get(unescape(address), headers=PAGE).text)
    assert titles(own, atom[1]) == ["Ferry"]
    assert read_atom(own.get(atom[1]).content).feed.link == f"{BASE}{unescape(address)[1:]}"


def test_the_page_of_a_site_names_its_feed(database_url: str, own: TestClient) -> None:
    engine = open_database(database_url, create=False)
    remember(engine, datetime.now(UTC), "a.example", stored=1)
    engine.dispose()
    (atom, *_) = links(own.get("/sites/a.example", headers=PAGE).text)
    assert titles(own, atom[1]) == ["Airship", "Ferry"]


def test_a_feed_reader_reads_it_from_a_real_server(desk_url: str) -> None:
    with serving(desk_url) as (_, address):
        first = feedparser.parse(f"{address}/feeds/search.atom?q=ferry")
        assert (first.status, first.bozo) == (200, False)
        assert first.entries
        assert first.feed.links[1].href.startswith(address)
        again = feedparser.parse(f"{address}/feeds/search.atom?q=ferry", etag=first.etag)
        assert (again.status, again.entries) == (304, [])
        later = feedparser.parse(f"{address}/feeds/search.atom?q=ferry", modified=first.modified)
        assert later.status == 304


def test_a_reader_that_subscribes_to_each_format_finds_the_same_stories(desk_url: str) -> None:
    with serving(desk_url) as (_, address), make_reader(":memory:") as subscribed:
        found = {}
        for format in Format:
            feed = f"{address}/feeds/stories.{format}?limit=500"
            subscribed.add_feed(feed)
            subscribed.update_feed(feed)
            assert subscribed.get_feed(feed).last_exception is None
            found[format] = {
                entry.id: (entry.title, entry.link, entry.published, entry.authors_str)
                for entry in subscribed.get_entries(feed=feed)
            }
            # What has not changed is not sent again, and makes no entry new.
            assert subscribed.update_feed(feed) is None
        versions = {feed.version for feed in subscribed.get_feeds()}
    assert versions == {"atom10", "rss20", "json11"}
    assert len(found[Format.JSON]) > 10
    assert found[Format.JSON] == found[Format.ATOM]
    # RSS has seconds in its dates and one author an entry.
    titles = {format: {id: entry[:2] for id, entry in entries.items()} for format, entries in found.items()}
    assert titles[Format.RSS] == titles[Format.JSON]
