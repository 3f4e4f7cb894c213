"""A crawl delivers at its end what watchlists have to tell."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from storage.database import open_database
from storage.watching import Rule, add_watchlist, outbox_counts
from tests.crawler.crawling import Desk
from tests.crawler.notifications.hook import listening
from tests.crawler.web import Page, article, rss, serve


class _OpenDesk(Desk):
    """A desk that may send to loopback."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "COPYDESK_NOTIFY_PRIVATE_ADDRESSES": "127.0.0.1"}


def test_a_crawl_tells_what_it_found_and_ends_well_if_it_cannot(tmp_path: Path) -> None:
    desk = _OpenDesk(tmp_path)
    with serve() as web, listening() as hook:
        feed = [f"{web.base}/gazette/1"]
        site = {
            "homepage": f"{web.base}/",
            "feeds": [f"{web.base}/gazette.xml"],
            "politeness": {"delay": 0},
        }
        desk.write_sites({"gazette": site})
        engine = open_database(desk.url)
        way = f"webhook:http://127.0.0.1:{hook.port}/hook"
        add_watchlist(engine, Rule("all", site="gazette", ways=(way,)), datetime.now(UTC))
        for number, said in (
            (1, "1 delivered, 0 failed, 0 given up"),
            (2, "0 delivered, 1 failed, 0 given up"),
        ):
            web.pages[f"/gazette/{number}"] = Page(article(number))
            feed.append(f"{web.base}/gazette/{number}")
            web.pages["/gazette.xml"] = Page(rss(feed), "application/rss+xml")
            assert f"Notifications: {said}" in desk.scrapy(site="gazette")
            hook.status = 500
        assert len(hook.requests) == 2
        assert outbox_counts(engine).waiting == 1
        engine.dispose()
