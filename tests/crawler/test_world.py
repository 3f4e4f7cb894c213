"""The invented world crawled edition by edition: every article, copy, rejection and request of it."""

from __future__ import annotations

import threading
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from examples.web.server import Asked, World, serve
from examples.web.web import Resource
from examples.web.world import Article, outlets
from storage import reader
from storage.database import open_database
from tests.crawler.worldly import SITES, WorldDesk

# Stories that several outlets carry, and the copies that may be the canonical one: the fullest.
COPIES = {
    "turbine": ({"herald", "islander", "kald", "digest"}, {"kald"}),
    "accord": ({"herald", "messenger", "radio", "digest"}, {"messenger"}),
    "recall": ({"messenger", "standard", "digest"}, {"messenger", "standard", "digest"}),
    "tunnel": ({"zeitung", "bote"}, {"zeitung"}),
    "barrage": ({"matin", "echo"}, {"echo"}),
}
QUAKE = {"herald", "islander", "radio", "digest"}
# What becomes of pages that are no articles, by what they are (see world.toml); part of the detail.
TURNED_AWAY = {
    "article": ("forbidden", "robots.txt"),
    "gallery": ("no article", ""),
    "video": ("no article", ""),
    "section": ("section front", ""),
    "login": ("login page", "password"),
    "consent": ("consent wall", "our 214 partners"),
    "not found, with status 200": ("error page", "Page not found"),
    "missing": ("error page", "HTTP 404"),
    "empty": ("empty", ""),
    "to another site": ("forbidden", "www.velmoraherald.example is none of the site's hosts"),
    "to the metadata service": ("forbidden", "169.254.169.254 is none of the site's hosts"),
    "to a file": ("error page", "HTTP 302"),
    "to the front page": ("error page", "front page"),
}
# Sites of which later editions change or withdraw what there was; only they are asked for articles again.
CHANGING = ("herald", "zeitung", "matin", "gateway", "ledger", "messenger")
CORRECTED = {"herald/budget", "zeitung/deich", "matin/marche"}
GONE = {"gateway/gatewaybees", "ledger/ledgerjobs"}
LARGE, LAST = outlets()["bulletin"].base, outlets()["kurier"].base
LAST_FEED = LAST + outlets()["kurier"].feeds[0][0]
# Seconds; less than the crawls' DOWNLOAD_TIMEOUT.
PATIENCE = 120
# Every 0.7 s for ten minutes: whenever the next crawl comes, it is time.
AGAIN_AND_AGAIN = [round(0.0002 * step, 4) for step in range(1, 850)]


class SlowWorld(World):
    """A world whose large site answers for no page until every article of the other sites was asked for.

    The feed of the last site waits as well, until every article but its own was asked for. So a crawler that
    gives all its places to the large site does so before it knows what the last site has. Then nothing goes
    on until PATIENCE ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._awaited = {url for url in _expected_addresses(self.articles()) if not url.startswith(LARGE)}

    def resource(self, url: str) -> Resource:
        with self._changed:
            self._awaited.discard(url)
            self._changed.notify_all()
            is_in_time = True
            if url == LAST_FEED:
                is_in_time = self._changed.wait_for(self._only_the_last_is_awaited, PATIENCE)
            elif url.startswith(LARGE) and _is_page(url):
                is_in_time = self._changed.wait_for(lambda: not self._awaited, PATIENCE)
            if not is_in_time:
                self._awaited.clear()
        return super().resource(url)

    def _only_the_last_is_awaited(self) -> bool:
        return all(url.startswith(LAST) for url in self._awaited)


@dataclass(frozen=True, slots=True)
class Edition:
    """What the database held after a crawl, what the world was then, and what was asked of it.

    stored, published: by the article's name in the world. groups: the outlets and the canonical one of each
    story with copies, by story.
    """

    published: Mapping[str, Article]
    stored: Mapping[str, reader.StoredArticle]
    rejected: Mapping[str, tuple[str, str]]
    groups: Mapping[str, tuple[set[str], str]]
    asked: tuple[Asked, ...]
    run: reader.RunRow

    def asked_on(self, key: str) -> Counter[int]:
        """Statuses of the requests to a site and its twins, robots.txt left out."""
        host = outlets()[key].host.removeprefix("www.")
        mine = (r for r in self.asked if r.host.endswith(host) and not r.url.endswith("/robots.txt"))
        return Counter(request.status for request in mine)


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory) -> list[Edition]:
    """Four crawls: of the first edition, of the same once more, of the second, and of the third."""
    world = SlowWorld()
    entries = tomllib.loads(SITES.read_text(encoding="utf-8"))["sites"]
    for key, entry in entries.items():
        entry["politeness"] = {"delay": 0, "concurrent_requests": 1}
        entry["revisit_hours"] = AGAIN_AND_AGAIN if key in CHANGING else []
    with serve(world):
        desk = WorldDesk(tmp_path_factory.mktemp("world"), world)
        desk.write_sites(entries)
        found = []
        for edition in (1, 1, 2, 3):
            world.publish(edition)
            world.log.clear()
            log = desk.scrapy(CONCURRENT_REQUESTS="6", DOWNLOAD_TIMEOUT="200")
            assert "Spider closed (finished)" in log
            found.append(_edition(desk))
    return found


def _edition(desk: WorldDesk) -> Edition:
    published = desk.world.articles()
    by_address = {article.address: article for article in published.values()}
    stored = {by_address[location].id: row for location, row in desk.articles().items()}
    names = {row.id: name for name, row in stored.items()}
    groups: dict[str, tuple[set[str], str]] = {}
    engine = open_database(desk.url, create=False)
    try:
        for group in reader.groups(engine, min_size=2):
            members = {names[member.id].partition("/") for member in reader.members(engine, group.id)}
            (story,) = {story for _, _, story in members}
            canonical = names[group.canonical_article_id].partition("/")[0]
            groups[story] = ({outlet for outlet, _, _ in members}, canonical)
    finally:
        engine.dispose()
    return Edition(published, stored, desk.rejections(), groups, tuple(desk.world.log), desk.runs()[0])


def _expected(published: Mapping[str, Article]) -> set[str]:
    """Names of the articles that feeds and sitemaps name and that robots.txt allows."""
    return {name for name, a in published.items() if not a.only and a.outlet.key != "closed"}


def _expected_addresses(published: Mapping[str, Article]) -> set[str]:
    return {published[name].address for name in _expected(published)}


def _is_page(url: str) -> bool:
    """True for what is neither a robots.txt nor a source that a crawl begins with."""
    sources = (outlet.base + path for outlet in outlets().values() for path, _ in outlet.feeds)
    return not url.endswith("/robots.txt") and url not in sources


def test_a_crawl_of_the_world_stores_every_article_whole_and_clean(crawls: list[Edition]) -> None:
    first = crawls[0]
    assert set(first.stored) == _expected(first.published)
    for name, row in first.stored.items():
        article = first.published[name]
        shown = article.paragraphs[:2] if article.paywalled else article.paragraphs
        assert row.text.split("\n") == list(shown), name
        assert (row.title, row.url, row.published_at) == (article.title, article.url, article.published), name
        assert (row.language, row.publisher) == (article.outlet.language, article.outlet.name), name
        assert row.access == ("paywalled" if article.paywalled else "free"), name
        assert (row.agency or "") == article.story.agency, name
        assert article.story.author in row.authors, name


def test_copies_are_together_and_nothing_else_is(crawls: list[Edition]) -> None:
    later: list[set[str]] = [set(), set(), QUAKE, QUAKE | {"kald"}]
    for edition, quake in zip(crawls, later, strict=True):
        copies = {**COPIES, "quake": (quake, QUAKE)} if quake else COPIES
        assert {story: members for story, (members, _) in edition.groups.items()} == {
            story: members for story, (members, _) in copies.items()
        }
        for story, (_, canonical) in edition.groups.items():
            assert canonical in copies[story][1], story


def test_what_is_no_article_is_turned_away_with_its_reason(crawls: list[Edition]) -> None:
    rejected = dict(crawls[0].rejected)
    for outlet in outlets().values():
        for path, what in outlet.oddities:
            if what == "sound":  # judged by its address, and never asked for
                continue
            reason, detail = rejected.pop(outlet.base + path)
            assert reason == TURNED_AWAY[what][0], path
            assert TURNED_AWAY[what][1] in detail, path
    assert set(rejected.values()) == {("error page", "HTTP 410")}
    assert len(rejected) == outlets()["bulletin"].expired
    urls = {request.url for request in crawls[0].asked}
    assert not any(url.endswith(".mp3") or "/private/" in url for url in urls)
    assert [request.url for request in crawls[0].asked if request.host == "closedpress.example"] == [
        "http://closedpress.example/robots.txt"
    ]


def test_the_first_crawl_asks_once_for_everything(crawls: list[Edition]) -> None:
    asked = Counter(request.url for request in crawls[0].asked)
    assert {url for url, count in asked.items() if count > 1} <= {"http://quaideseverin.example/robots.txt"}
    assert all(request.agent == "copydesk/0.1 (+desk@copydesk.example)" for request in crawls[0].asked)
    assert {request.host for request in crawls[0].asked} <= {
        *(outlet.host for outlet in outlets().values()),
        "amp.ostwickmessenger.example",
        "m.kaldvalleypost.example",
    }


def test_a_large_site_does_not_keep_the_others_waiting(crawls: list[Edition]) -> None:
    """Every article of the others is asked for while the large site's first page keeps the crawl waiting.

    With Scrapy's own queue its pages take all places, and the last site's articles get none.
    """
    pages = [request.url for request in crawls[0].asked if _is_page(request.url)]
    large = [place for place, url in enumerate(pages) if url.startswith(LARGE)]
    assert len(large) == 26
    others = {url for url in _expected_addresses(crawls[0].published) if not url.startswith(LARGE)}
    assert others <= set(pages[: large[0]])


def test_a_second_crawl_of_unchanged_sites_gets_304_and_nothing_else(crawls: list[Edition]) -> None:
    second = crawls[1]
    robots = Counter(request.host for request in second.asked if request.url.endswith("/robots.txt"))
    amp = "amp.ostwickmessenger.example"  # has an article that is asked for again
    assert robots.keys() == {amp, *(outlet.host for outlet in outlets().values())}
    # One site's robots.txt is also the source that names its sitemap.
    assert {host for host, count in robots.items() if count > 1} == {outlets()["echo"].host}
    for key, outlet in outlets().items():
        sources = {"sections": 0, "index": 3}
        unchanged = sum(sources.get(kind, 1) for _, kind in outlet.feeds) if key != "closed" else 0
        young = [article for name, article in second.published.items() if name in second.stored]
        again = [article for article in young if article.outlet is outlet and key in CHANGING]
        moved = sum(article.links in ("moved", "slashless") for article in again)
        expected = Counter({304: unchanged + len(again), 301: moved})
        assert second.asked_on(key) == +expected, key
    assert (second.run.seen, second.run.stored, second.run.revised) == (0, 0, 0)
    assert second.stored == crawls[0].stored


def test_the_next_edition_brings_what_is_new_corrected_and_gone(crawls: list[Edition]) -> None:
    first, _, third, _ = crawls
    assert set(third.stored) == _expected(third.published)
    assert set(third.stored) - set(first.stored) == {f"{o}/quake" for o in QUAKE} | {"islander/ferrytimes"}
    for name, row in third.stored.items():
        article = third.published[name]
        assert row.revision == (2 if name in CORRECTED else 1), name
        if not article.paywalled:
            assert row.text.split("\n") == list(article.paragraphs), name
    assert {name for name, article in third.published.items() if article.gone} == GONE
    addresses = {third.published[name].address: third.published[name].gone for name in GONE}
    assert {address: why for address, why in third.rejected.items() if address not in first.rejected} == {
        address: ("error page", f"HTTP {status}") for address, status in addresses.items()
    }
    assert (third.run.stored, third.run.revised) == (5, 3)


def test_the_edition_after_it_brings_one_more_of_each(crawls: list[Edition]) -> None:
    _, _, third, fourth = crawls
    assert set(fourth.stored) - set(third.stored) == {"kald/quake"}
    revisions = {name: row.revision for name, row in fourth.stored.items() if row.revision > 1}
    assert revisions == {name: 3 if name == "herald/budget" else 2 for name in CORRECTED}
    eels = fourth.published["messenger/eels"]
    assert {address: why for address, why in fourth.rejected.items() if address not in third.rejected} == {
        eels.address: ("error page", "HTTP 410")
    }
    assert fourth.stored["messenger/eels"].text.split("\n") == list(eels.paragraphs)
    assert (fourth.run.stored, fourth.run.revised) == (1, 1)
